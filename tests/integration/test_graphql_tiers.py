# tests/integration/test_graphql_tiers.py
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from crm.customers import service as customers
from crm.kernel import operations
from crm.kernel.actor import Actor, Role
from crm.loyalty import service
from schema.node import global_id
from tests.asking import NOW, STAFF, answer, as_customer, as_staff, ask
from tests.integration.points import order
from tests.segment_walks import finish

pytestmark = pytest.mark.usefixtures("shop")

DAY = timedelta(days=1)
LATER = NOW + timedelta(minutes=3)
TIERS = "tiers { basis graceDays tiers { id name benefits threshold { points spend { amount } orderCount } } }"
ERRORS = "userErrors { code field }"
SHOWN = """query { viewer { loyalty {
  tier { name since until benefits isGiven definition { name } }
  progress { basis since reached { points } nextTier { name } missing { points } endsOn missingToStay { points } }
  tierHistory { nodes { number tierName previousTierName reason orderId until } }
} } }"""


def mutate(name: str, said: dict[str, Any], more: str = "", *, now: datetime = NOW) -> dict[str, Any]:
    kind = f"{name[0].upper()}{name[1:]}Input"
    text = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {more} {ERRORS} }} }}"
    found: dict[str, Any] = ask(text, {"input": said}, now=now)[name]
    return found


def defined(name: str, threshold: str, **more: Any) -> str:
    said = {"name": name, "threshold": threshold} | more
    found = mutate("loyaltyTierCreate", said, "tier { id } effectiveAt")
    assert found["userErrors"] == []
    assert found["effectiveAt"] == (NOW + timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    tier_id: str = found["tier"]["id"]
    return tier_id


def bought(ann: str, points: int, *, order_id: str = "p1", at: datetime = LATER) -> None:
    placed = order(at, order_id=order_id, net=points * 100)
    service.post_for_order(replace(placed, customer_id=ann), now=at)


def test_tiers_are_defined_changed_and_archived_each_time_as_a_new_version() -> None:
    silver = defined("Silver", "500", benefits=["Free shipping"])
    gold = defined("Gold", "1000")
    changed = mutate("loyaltyTierUpdate", {"id": silver, "threshold": "600", "expectedVersion": 2}, TIERS)
    assert changed["tiers"]["tiers"] == [
        {
            "id": silver, "name": "Silver", "benefits": ["Free shipping"],
            "threshold": {"points": 600, "spend": None, "orderCount": None},
        },
        {"id": gold, "name": "Gold", "benefits": [], "threshold": {"points": 1000, "spend": None, "orderCount": None}},
    ]  # fmt: skip
    mutate("loyaltyTiersUpdate", {"window": "CALENDAR_YEAR", "graceDays": 31})
    archived = mutate("loyaltyTierArchive", {"id": gold}, "tier { archivedAt } tiers { programmeVersion graceDays }")
    assert archived["tier"]["archivedAt"] is not None
    assert archived["tiers"] == {"programmeVersion": 5, "graceDays": 31}
    assert ask("{ loyaltyTiers { tiers { name } programmeVersion } }")["loyaltyTiers"] == {
        "tiers": [], "programmeVersion": 0,
    }  # fmt: skip
    late = mutate("loyaltyTierUpdate", {"id": gold, "name": "Golden"})
    assert late["userErrors"] == [{"code": "ARCHIVED", "field": ["input", "id"]}]
    told = service.version_in_force("demo", at=LATER, now=LATER).programme.tiers
    assert [(tier.name, tier.threshold) for tier in told.active] == [("Silver", 600)]


def test_who_defines_a_tier_can_watch_how_customers_come_to_have_it(ann: str) -> None:
    shown = "operation { id kind status progress { rows applied } faults { code } cost { requests } resultUrl }"
    said = {"name": "Silver", "threshold": "10"}
    begun = mutate("loyaltyTierCreate", said, f"tier {{ id }} {shown}")
    operation = begun["operation"]
    assert (operation["kind"], operation["status"], operation["resultUrl"]) == ("TIERS_SETTLE", "QUEUED", None)
    [stored] = operations.list_newest("demo", "tiers_settle", before=None, limit=5)
    assert finish(stored, now=NOW).status == operations.DONE
    node = f"query ($id: ID!) {{ node(id: $id) {{ ... on Operation {{ {shown[11:-1]} }} }} }}"
    watched = ask(node, {"id": operation["id"]})
    assert watched["node"]["progress"] == {"rows": 1, "applied": 1}
    assert watched["node"]["cost"]["requests"] > 0
    assert [each.after_name for each in service.tier_changes("demo", ann, before=None, limit=5)] == ["Silver"]
    benefits = mutate("loyaltyTierUpdate", {"id": begun["tier"]["id"], "benefits": ["More"]}, "operation { id }")
    assert benefits == {"operation": None, "userErrors": []}
    both = "query ($id: ID!) { operation(id: $id) { id } operations { nodes { id } } }"
    unseen = ask(both, {"id": operation["id"]}, principal=as_staff("loyalty:write"))
    assert unseen == {"operation": None, "operations": {"nodes": []}}


def test_thresholds_are_amounts_where_spend_counts_and_no_finer_than_their_currency() -> None:
    assert mutate("loyaltyTiersUpdate", {"basis": "SPEND"}, TIERS)["tiers"]["basis"] == "SPEND"
    found = mutate("loyaltyTierCreate", {"name": "Gold", "threshold": "1000.50"}, TIERS)
    assert found["tiers"]["tiers"][0]["threshold"] == {
        "points": None,
        "spend": {"amount": "1000.50"},
        "orderCount": None,
    }
    fine = mutate("loyaltyTierCreate", {"name": "Silver", "threshold": "0.001"})
    assert fine["userErrors"] == [{"code": "INVALID", "field": ["input", "threshold"]}]
    kept = mutate("loyaltyTiersUpdate", {"basis": "ORDERS", "graceDays": 400})
    assert [error["field"][1] for error in kept["userErrors"]] == ["graceDays"]
    kept = mutate("loyaltyTiersUpdate", {"window": None, "graceDays": None})
    assert [(error["code"], error["field"][1]) for error in kept["userErrors"]] == [
        ("REQUIRED", "window"), ("REQUIRED", "graceDays"),
    ]  # fmt: skip
    kept = mutate("loyaltyTiersUpdate", {"basis": "ORDERS"})
    assert kept["userErrors"] == [{"code": "INVALID", "field": ["input", "basis"]}]


def test_what_only_the_programme_can_say_is_told_at_once_too() -> None:
    defined("Silver", "500")
    found = mutate("loyaltyTierCreate", {"name": " silver ", "threshold": "500", "effectiveAt": "2020-01-01T00:00:00Z"})
    assert {(error["code"], error["field"][1]) for error in found["userErrors"]} == {
        ("TAKEN", "name"), ("TAKEN", "threshold"), ("INVALID", "effectiveAt"),
    }  # fmt: skip
    for name in ("loyaltyTierUpdate", "loyaltyTierArchive"):
        unknown = mutate(name, {"id": global_id("LoyaltyTier", "tier_x")})
        assert unknown["userErrors"] == [{"code": "NOT_FOUND", "field": ["input", "id"]}]
    stale = mutate("loyaltyTiersUpdate", {"graceDays": 3, "expectedVersion": 0})
    assert stale["userErrors"][0]["code"] == "VERSION_MISMATCH"


def test_a_customer_sees_their_tier_how_far_they_are_and_what_was(ann: str, monkeypatch: pytest.MonkeyPatch) -> None:
    defined("Silver", "500", benefits=["Free shipping"])
    defined("Gold", "1000")
    bought(ann, 600)
    monkeypatch.setattr("crm.kernel.clock.now", lambda: LATER)
    seen = ask(SHOWN, principal=as_customer(ann), now=LATER)["viewer"]["loyalty"]
    assert seen["tier"] == {
        "name": "Silver", "since": "2026-03-10", "until": "2027-03-09", "benefits": ["Free shipping"],
        "isGiven": False, "definition": {"name": "Silver"},
    }  # fmt: skip
    assert seen["progress"] == {
        "basis": "POINTS", "since": "2025-03-11", "reached": {"points": 630}, "nextTier": {"name": "Gold"},
        "missing": {"points": 370}, "endsOn": "2027-03-10", "missingToStay": {"points": 500},
    }  # fmt: skip
    assert seen["tierHistory"]["nodes"] == [
        {
            "number": 1, "tierName": "Silver", "previousTierName": None, "reason": "ATTAINED", "orderId": "p1",
            "until": None,
        }
    ]  # fmt: skip


def test_a_tier_has_its_place_on_the_timeline_between_what_else_happened(ann: str) -> None:
    silver = defined("Silver", "500")
    gold = defined("Gold", "1000")
    bought(ann, 600)
    given = {"customer": global_id("Customer", ann), "tier": gold, "until": "2026-04-01T00:00:00Z", "reason": "A guest"}
    override(given, "account { available }")
    seen = """query ($id: ID!, $kinds: [TimelineKind!]) { customer(id: $id) { timeline(kinds: $kinds, first: 50) {
      nodes { kind ... on TierChanged { change { tier { id } tierName previousTier { id } reason } } } } } }"""
    asked = {"id": global_id("Customer", ann)}
    told = [
        {
            "kind": "TIER",
            "change": {
                "tier": {"id": gold},
                "tierName": "Gold",
                "previousTier": {"id": silver},
                "reason": "OVERRIDDEN",
            },
        },
        {
            "kind": "TIER",
            "change": {
                "tier": {"id": silver},
                "tierName": "Silver",
                "previousTier": None,
                "reason": "ATTAINED",
            },
        },
    ]
    for asker in (STAFF, as_customer(ann)):
        of_tiers = ask(seen, asked | {"kinds": ["TIER"]}, principal=asker, now=LATER)["customer"]["timeline"]["nodes"]
        assert of_tiers == told
        nodes = ask(seen, asked, principal=asker, now=LATER)["customer"]["timeline"]["nodes"]
        assert [node for node in nodes if node["kind"] == "TIER"] == told
    other = as_staff("customers:read", "orders:read")
    bare = "query ($id: ID!) { customer(id: $id) { timeline(first: 50) { nodes { kind } } } }"
    assert {"kind": "TIER"} not in ask(bare, asked, principal=other)["customer"]["timeline"]["nodes"]


def test_staff_give_a_tier_for_a_time_and_say_why(ann: str) -> None:
    defined("Silver", "500")
    gold = defined("Gold", "1000")
    who = global_id("Customer", ann)
    said = {"customer": who, "tier": gold, "until": "2026-04-01T00:00:00Z", "reason": "A late parcel"}
    early = mutate("loyaltyTierOverride", said)
    assert early["userErrors"] == [{"code": "INVALID", "field": ["input", "tier"]}]
    account = "account { tier { name until isGiven } tierHistory { nodes { reason note actor { kind } } } }"
    given = override(said, f"replayed {account}")
    assert override(said, f"replayed {account}") == given | {"replayed": True}
    assert given["account"]["tier"] == {"name": "Gold", "until": "2026-04-01", "isGiven": True}
    assert given["account"]["tierHistory"]["nodes"] == [
        {"reason": "OVERRIDDEN", "note": "A late parcel", "actor": {"kind": "STAFF"}}
    ]
    other = override(said | {"reason": "A complaint"}, f"replayed {account}")
    assert not other["replayed"]
    assert [one["note"] for one in other["account"]["tierHistory"]["nodes"]] == ["A complaint", "A late parcel"]
    ended = override({"customer": who, "reason": "Enough"}, "account { tier { name } }")
    assert ended["account"] == {"tier": None}


def override(said: dict[str, Any], more: str) -> dict[str, Any]:
    text = (
        f"mutation ($input: LoyaltyTierOverrideInput!) {{ loyaltyTierOverride(input: $input) {{ {more} {ERRORS} }} }}"
    )
    found: dict[str, Any] = ask(text, {"input": said}, now=LATER)["loyaltyTierOverride"]
    assert found["userErrors"] == []
    return found


def test_nobody_gets_a_tier_who_is_not_there(ann: str) -> None:
    defined("Gold", "1000")
    said = {"customer": global_id("Customer", "cus_nobody"), "reason": "Enough"}
    assert mutate("loyaltyTierOverride", said)["userErrors"] == [{"code": "NOT_FOUND", "field": ["input", "customer"]}]
    customers.delete("demo", ann, now=NOW, by=Actor(Role.STAFF, "s1"))
    gone = mutate("loyaltyTierOverride", said | {"customer": global_id("Customer", ann)})
    assert [error["code"] for error in gone["userErrors"]] == ["NOT_FOUND"]


def test_a_tier_costs_no_request_and_how_far_they_are_one_of_each_customer(ann: str) -> None:
    defined("Silver", "500")
    bought(ann, 600)

    def requests(fields: str) -> int:
        query = f"query ($id: ID!) {{ customer(id: $id) {{ loyalty {{ available {fields} }} }} }}"
        told = answer(query, {"id": global_id("Customer", ann)}, now=LATER)
        found: int = told.body["extensions"]["capacity"]["requests"]
        return found

    requests("tier { name }")  # which programme counts is asked once a minute
    assert requests("") == 1
    assert requests("tier { name since until }") == 1
    assert requests("progress { reached { points } }") == 1 + 1
    assert requests("progress { reached { points } } again: progress { basis }") == 1 + 1
    assert requests("tierHistory { nodes { tierName tier { name } previousTier { name } } }") == 1 + 1
