# tests/integration/test_graphql_points.py
"""A customer's points, as they and the shop's staff see them."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from crm.kernel.actor import Actor, Role
from crm.loyalty import repository
from crm.loyalty import service as loyalty
from crm.loyalty.models import LedgerEntry
from schema.loyalty import verification
from schema.node import global_id
from schema.principal import Principal
from tests.asking import NOW, STAFF, answer, as_customer, as_staff, ask, codes
from tests.integration.points import programme
from tests.shop_events import order, refunded
from tests.shop_history import happened, recorded

__all__ = ["programme"]

CLERK = Actor(Role.STAFF, "s1")
MATURES, EXPIRES = "2026-03-13T23:00:00.000000Z", "2026-04-10T22:00:00.000000Z"
PENDING = """pendingPoints(first: 1, after: $after) {
  nodes { points availableAt expiresAt orderId order { orderId } } pageInfo { hasNextPage endCursor } }"""
EXPIRING = """expiringPoints(first: 1, after: $after) {
  nodes { points expiresAt } pageInfo { hasNextPage endCursor } }"""
ENTRY = """cause words points balanceAfter forgiven availableAt orderId postings { account points }
  credits { points remaining expiresAt } taken { points expiresAt } givenBack { points expiresAt }
  reverses { entry points } occurredAt recordedAt"""


def account(ann: str, fields: str, principal: Principal = STAFF, *, now: datetime = NOW, **given: str) -> Any:
    taken = "$id: ID!, $after: String" if "$after" in fields else "$id: ID!"
    query = f"query ({taken}) {{ customer(id: $id) {{ loyalty {{ available {fields} }} }} }}"
    return ask(query, {"id": global_id("Customer", ann), **given}, principal=principal, now=now)["customer"]["loyalty"]


def pending(order_id: str = "o9", at: str = "2026-03-10T08:00:00Z") -> None:
    happened("order.placed", order(order_id, placedAt=at))
    recorded(order_id)


def give(ann: str, points: int, now: datetime = NOW, key: str = "k1", reason: str = "A late parcel") -> LedgerEntry:
    given: dict[str, Any] = {"reason": reason, "actor": CLERK, "idempotency_key": key}
    return loyalty.adjust("demo", ann, points, now=now, **given).entry


def test_customers_are_told_what_a_point_is_worth_and_whose_days_count(ann: str, programme: Any) -> None:
    seen = account(ann, "pointValue currency zone", as_customer(ann))
    assert (seen["pointValue"], seen["currency"]) == ("0.01", "EUR")
    assert seen["zone"] == loyalty.version_in_force("demo", at=NOW, now=NOW).programme.zone


def test_pending_points_are_told_with_their_order_and_when_they_can_be_spent(ann: str, programme: Any) -> None:
    pending("o9")
    pending("o8", "2026-03-09T08:00:00Z")
    first = account(ann, f"pending {PENDING}", as_customer(ann))
    assert (first["available"], first["pending"]) == (30, 40)
    entries = account(ann, "entries(first: 1) { nodes { points pendingPoints } }", as_customer(ann))["entries"]
    assert entries["nodes"] == [{"points": 0, "pendingPoints": 20}]
    assert first["pendingPoints"]["nodes"] == [
        {
            "points": 20,
            "availableAt": "2026-03-12T23:00:00.000000Z",
            "expiresAt": "2026-04-09T22:00:00.000000Z",
            "orderId": "o8",
            "order": {"orderId": "o8"},
        }
    ]
    page = first["pendingPoints"]["pageInfo"]
    rest = account(ann, PENDING, as_customer(ann), after=page["endCursor"])["pendingPoints"]
    assert page["hasNextPage"]
    assert not rest["pageInfo"]["hasNextPage"]
    assert [(one["orderId"], one["availableAt"]) for one in rest["nodes"]] == [("o9", MATURES)]


def test_what_has_matured_and_is_not_yet_posted_is_pending_no_more_and_expires_in_its_turn(
    ann: str, programme: Any
) -> None:
    pending()
    found = account(ann, f"pending {PENDING}", now=datetime.fromisoformat(MATURES))
    assert (found["available"], found["pending"], found["pendingPoints"]["nodes"]) == (50, 0, [])
    assert account(ann, EXPIRING, now=datetime.fromisoformat(MATURES))["expiringPoints"]["nodes"] == [
        {"points": 20, "expiresAt": EXPIRES}
    ]
    assert account(ann, EXPIRING, now=datetime.fromisoformat(EXPIRES))["expiringPoints"]["nodes"] == []


def test_points_that_expire_are_told_the_soonest_first_less_what_is_spent_of_them(ann: str, programme: Any) -> None:
    give(ann, 50, NOW + timedelta(days=1), "k2")
    give(ann, 40)
    give(ann, -15, NOW + timedelta(days=1), "k3")
    first = account(ann, EXPIRING, as_customer(ann))["expiringPoints"]
    assert first["nodes"] == [{"points": 25, "expiresAt": EXPIRES}]
    rest = account(ann, EXPIRING, as_customer(ann), after=first["pageInfo"]["endCursor"])["expiringPoints"]
    assert [one["points"] for one in rest["nodes"]] == [50]  # and 30 that stay are not among them
    assert not rest["pageInfo"]["hasNextPage"]


def test_open_holds_are_told_until_their_time_is_over(ann: str) -> None:
    for minutes, key in ((60, "long"), (10, "short")):
        lasts = timedelta(minutes=minutes)
        loyalty.hold("demo", ann, minutes // 10, lasts=lasts, actor=CLERK, idempotency_key=key, now=NOW)
    query = "held holds { id points status captured endsAt orderId }"
    assert [one["points"] for one in account(ann, query, as_customer(ann))["holds"]] == [1, 6]
    later = account(ann, query, as_customer(ann), now=NOW + timedelta(minutes=10))
    assert ([one["points"] for one in later["holds"]], later["held"]) == ([6], 6)
    assert (later["holds"][0]["status"], later["holds"][0]["captured"]) == ("OPEN", 0)
    found = "query ($id: ID!) { node(id: $id) { ... on PointsHold { points status } } }"
    given = {"id": later["holds"][0]["id"]}
    for now, status in ((NOW, "OPEN"), (NOW + timedelta(hours=1), "EXPIRED")):
        assert ask(found, given, principal=as_customer(ann), now=now)["node"] == {"points": 6, "status": status}


def test_an_entry_tells_why_where_points_went_and_what_is_left_of_them(ann: str, programme: Any) -> None:
    given = give(ann, 100)
    taken = give(ann, -10, key="k2")
    loyalty.reverse("demo", ann, taken.cause or "", reason="Not hers", actor=CLERK, now=NOW)
    give(ann, -1, key="k3")
    nodes = account(ann, f"entries(first: 4) {{ nodes {{ number {ENTRY} }} }}", as_customer(ann))["entries"]["nodes"]
    by_cause = {(node["cause"], node["points"]): node for node in nodes}
    credit, debit = by_cause["GIVEN", 100], by_cause["TAKEN", -10]
    back = by_cause["CORRECTED", 10]
    assert credit["credits"] == [{"points": 100, "remaining": 99, "expiresAt": EXPIRES}]
    assert (credit["words"], credit["balanceAfter"]) == ("Given by the shop", 130)
    assert debit["taken"] == back["givenBack"] == [{"points": 10, "expiresAt": EXPIRES}]
    assert debit["postings"] == [
        {"account": "CUSTOMER_AVAILABLE", "points": -10}, {"account": "PROGRAMME_ADJUSTED", "points": 10},
    ]  # fmt: skip
    assert back["reverses"] == [{"entry": global_id("LedgerEntry", ann, taken.cause or ""), "points": 10}]
    node = "query ($id: ID!) { node(id: $id) { id ... on LedgerEntry { points } } }"
    asked = {"id": global_id("LedgerEntry", ann, given.cause or "")}
    assert ask(node, asked, principal=as_customer(ann))["node"] == {"id": asked["id"], "points": 100}


def test_a_refund_of_what_is_spent_says_what_is_owed(ann: str) -> None:
    give(ann, -30)
    happened("refund.created", refunded("o2", "r2")["data"])
    recorded("o2")
    found = account(ann, "owed entries(first: 9) { nodes { cause points forgiven orderId } }", as_customer(ann))
    assert (found["available"], found["owed"]) == (-10, 10)
    assert {"cause": "ORDER_CHANGED", "points": -10, "forgiven": 0, "orderId": "o2"} in found["entries"]["nodes"]


def test_only_staff_are_told_who_moved_points_and_in_which_words(ann: str) -> None:
    give(ann, 5)
    query = "entries(first: 9) { nodes { cause actor { kind reference } reason } }"
    nodes = {node["cause"]: node for node in account(ann, query)["entries"]["nodes"]}
    assert nodes["GIVEN"]["actor"] == {"kind": "STAFF", "reference": "s1"}
    assert (nodes["GIVEN"]["reason"], nodes["ORDER"]["reason"], nodes["ORDER"]["actor"]) == (
        "A late parcel",
        None,
        None,
    )
    for field in ("actor { kind }", "reason"):
        text = f"{{ viewer {{ loyalty {{ entries {{ nodes {{ {field} }} }} }} }} }}"
        assert codes(answer(text, principal=as_customer(ann))) == ["FORBIDDEN"]
        assert codes(answer(text, principal=as_staff("customers:read", "orders:read"))) == ["FORBIDDEN"]


def test_somebody_elses_entries_and_holds_are_not_there(ann: str) -> None:
    held = loyalty.hold("demo", ann, 1, lasts=timedelta(hours=1), actor=CLERK, idempotency_key="h", now=NOW)
    bob = happened("order.placed", order("b1"), customer={"externalId": "bob"})
    ids = [
        global_id("LedgerEntry", ann, held.given.entry.cause or ""),
        global_id("PointsHold", ann, held.hold.hold_id),
        global_id("LedgerEntry", bob, held.given.entry.cause or ""),
        global_id("PointsHold", bob, held.hold.hold_id),
    ]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert ask(query, {"ids": ids}, principal=as_customer(bob))["nodes"] == [None] * 4
    assert ask(query, {"ids": ids}, principal=as_staff("orders:read"))["nodes"] == [None] * 4
    assert [one is not None for one in ask(query, {"ids": ids})["nodes"]] == [True, True, False, False]


# --- verifying


VERIFY = "verify { entryCount intact findings { flaw place } }"


def test_staff_verify_a_ledger_and_find_what_was_changed(ann: str) -> None:
    entry = give(ann, 5)
    assert account(ann, VERIFY)["verify"] == {"entryCount": 3, "intact": True, "findings": []}
    changed = repository.get_entry("demo", ann, entry.cause or "")
    assert changed is not None
    changed.update(actions=[LedgerEntry.forgiven.set(7)])
    told = account(ann, VERIFY)["verify"]
    assert not told["intact"]
    assert {"flaw": "CHANGED", "place": entry.cause} in told["findings"]


def test_nothing_is_whole(ann: str) -> None:
    bob = happened("customer.updated", {}, customer={"externalId": "bob"})
    assert account(bob, VERIFY)["verify"] == {"entryCount": 0, "intact": True, "findings": []}


def test_a_ledger_that_is_longer_than_one_waits_for_is_not_verified_here(
    ann: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "MOST_ENTRIES", 1)
    text = "query ($id: ID!) { customer(id: $id) { loyalty { available verify { intact } } } }"
    given = answer(text, {"id": global_id("Customer", ann)})
    assert codes(given) == ["LEDGER_TOO_LONG"]
    assert given.body["data"]["customer"]["loyalty"] == {"available": 30, "verify": None}


def test_customers_do_not_verify(ann: str) -> None:
    text = "{ viewer { loyalty { verify { intact } } } }"
    assert codes(answer(text, principal=as_customer(ann))) == ["FORBIDDEN"]
