# tests/integration/test_graphql_suppressions.py
import base64
from typing import Any

import pytest

from crm.consent import addresses
from crm.intake import service as intake
from schema.principal import Kind, Principal
from tests.asking import NOW, STAFF, answer, as_customer, as_staff, ask, codes
from tests.shop_events import deliver, event

CLERK = Principal(Kind.STAFF, "demo", None, STAFF.scopes, "u1")
QUERY = """query ($address: String!) { suppression(channel: EMAIL, address: $address) {
    channel hint suppressed reasons { reason source actor { kind reference } note occurredAt }
    entries { reason state }
} }"""

pytestmark = pytest.mark.usefixtures("shop")


def change(name: str, *, principal: Principal = CLERK, **given: Any) -> Any:
    kind = f"{name[0].upper()}{name[1:]}Input!"
    text = f"""mutation ($input: {kind}) {{ {name}(input: $input) {{
        replayed userErrors {{ code field }} suppression {{ suppressed reasons {{ reason }} }} }} }}"""
    given = {"channel": "EMAIL", "address": "Ann@example.com", "idempotencyKey": name} | given
    return ask(text, {"input": given}, principal=principal)[name]


def refused(name: str, **given: Any) -> list[tuple[str, str]]:
    return [(error["code"], ".".join(error["field"][1:])) for error in change(name, **given)["userErrors"]]


def bounced(address: str = "ann@example.com", *, at: str = "2026-03-01T10:00:00Z") -> None:
    data = {"channel": "email", "address": address, "reason": "hard_bounce", "note": "550 5.1.1"}
    assert deliver(event("address.suppressed", data, source="ses", occurredAt=at)) == []


def test_staff_ask_about_an_address_and_see_who_suppressed_it_and_why() -> None:
    bounced()
    assert ask(QUERY, {"address": " ANN@example.com "})["suppression"] == {
        "channel": "EMAIL",
        "hint": "a…@example.com",
        "suppressed": True,
        "reasons": [
            {
                "reason": "HARD_BOUNCE",
                "source": "ses",
                "actor": {"kind": "SERVICE", "reference": "ses"},
                "note": "550 5.1.1",
                "occurredAt": "2026-03-01T10:00:00.000000Z",
            }
        ],
        "entries": [{"reason": "HARD_BOUNCE", "state": "SUPPRESSED"}],
    }
    assert ask(QUERY, {"address": "bob@example.com"})["suppression"] is None


@pytest.mark.parametrize(
    ("channel", "address"), [("EMAIL", "ann@example"), ("SMS", "0170 1234567"), ("PUSH", "two words"), ("EMAIL", "")]
)
def test_nobody_takes_a_misspelt_address_for_one_that_may_be_written_to(channel: str, address: str) -> None:
    query = "query ($c: AddressChannel!, $a: String!) { suppression(channel: $c, address: $a) { suppressed } }"
    given = answer(query, {"c": channel, "a": address})
    assert codes(given) == ["INVALID_INPUT"]
    assert given.body["errors"][0]["extensions"]["field"] == ["address"]


def test_by_hand_is_added_lifted_and_kept_in_the_entries() -> None:
    assert change("suppressionAdd", note="asked by letter") == {
        "replayed": False,
        "userErrors": [],
        "suppression": {"suppressed": True, "reasons": [{"reason": "MANUAL"}]},
    }
    assert change("suppressionLift", note="asked again")["suppression"] == {"suppressed": False, "reasons": []}
    found = ask(QUERY, {"address": "ann@example.com"})["suppression"]
    assert found["entries"] == [{"reason": "MANUAL", "state": "LIFTED"}, {"reason": "MANUAL", "state": "SUPPRESSED"}]


def test_a_bounce_is_lifted_by_an_override_only() -> None:
    bounced()
    assert refused("suppressionLift", note="n") == [("NOT_FOUND", "address")]
    assert refused("suppressionOverride", reason="MANUAL", note="n", idempotencyKey="m") == [("INVALID", "reason")]
    assert refused("suppressionOverride", reason="COMPLAINT", note="n", idempotencyKey="c") == [
        ("NOT_FOUND", "address")
    ]
    assert change("suppressionOverride", reason="HARD_BOUNCE", note="they wrote to us")["suppression"] == {
        "suppressed": False,
        "reasons": [],
    }
    without = as_staff(*(STAFF.scopes - {"suppressions:override"}))
    text = "mutation ($input: SuppressionOverrideInput!) { suppressionOverride(input: $input) { replayed } }"
    assert codes(answer(text, {"input": {}}, principal=without)) == ["FORBIDDEN"]


def test_a_key_repeated_changes_nothing_and_with_something_else_is_refused() -> None:
    change("suppressionAdd")
    change("suppressionLift", note="n")
    again = change("suppressionAdd")
    assert (again["replayed"], again["suppression"]["suppressed"]) == (True, False)
    assert change("suppressionLift", note="n")["replayed"]
    assert refused("suppressionAdd", note="else") == [("KEY_REUSED", "idempotencyKey")]


def test_everything_wrong_is_named_by_its_path() -> None:
    assert refused("suppressionAdd", address="nobody", note="", idempotencyKey="") == [
        ("INVALID", "address"),
        ("INVALID", "note"),
        ("INVALID", "idempotencyKey"),
    ]
    assert refused("suppressionAdd", channel="SMS", address="0170 123") == [("INVALID", "address")]


LIST = """query ($first: Int, $after: String) { suppressions(first: $first, after: $after) {
    nodes { hint channel suppressedAt reasons { reason source } } pageInfo { hasNextPage endCursor } } }"""


def listed(*, first: int = 3) -> list[str]:
    """The hints of all pages."""
    found: list[str] = []
    after = None
    while True:
        page = ask(LIST, {"first": first, "after": after})["suppressions"]
        assert len(page["nodes"]) <= first
        found += [node["hint"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found


def test_staff_page_through_all_addresses_that_nothing_is_sent_to_the_newest_first() -> None:
    for number in range(8):
        bounced(f"{number}@example.com", at=f"2026-03-01T10:0{number}:00Z")
    bounced("3@example.com", at="2026-03-01T11:00:00Z")
    order = ["3", "7", "6", "5", "4", "2", "1", "0"]
    assert listed() == [f"{number}…@example.com" for number in order]
    assert listed(first=8) == listed()
    [newest] = ask(LIST, {"first": 1})["suppressions"]["nodes"]
    assert newest == {
        "hint": "3…@example.com",
        "channel": "EMAIL",
        "suppressedAt": "2026-03-01T11:00:00.000000Z",
        "reasons": [{"reason": "HARD_BOUNCE", "source": "ses"}],
    }


def test_addresses_that_share_their_moment_are_each_listed_once() -> None:
    for number in range(6):
        change("suppressionAdd", address=f"{number}@example.com", idempotencyKey="the same")
    assert sorted(listed(first=1)) == [f"{number}…@example.com" for number in range(6)]


def test_what_is_lifted_leaves_the_list_once_no_reason_is_left_and_comes_back_with_the_next() -> None:
    bounced()
    change("suppressionAdd")
    change("suppressionLift", note="n")
    assert listed() == ["a…@example.com"]
    change("suppressionOverride", reason="HARD_BOUNCE", note="n")
    assert listed() == []
    assert ask(QUERY, {"address": "ann@example.com"})["suppression"]["suppressed"] is False
    change("suppressionAdd", idempotencyKey="again")
    assert listed() == ["a…@example.com"]


def test_the_list_is_of_one_shop_and_no_cursor_tells_an_address(two_shops: None) -> None:
    bounced()
    elsewhere = Principal(Kind.STAFF, "other", None, STAFF.scopes, "u1")
    assert ask(LIST, {"first": 1}, principal=elsewhere)["suppressions"]["nodes"] == []
    cursor = ask(LIST, {"first": 1})["suppressions"]["pageInfo"]["endCursor"]
    told = base64.urlsafe_b64decode(cursor + "==")
    assert addresses.digest("demo", "email", "ann@example.com").encode() not in told
    assert b"sup_" in told


def test_the_customers_page_says_that_nothing_is_sent_to_their_address() -> None:
    words = {"externalId": "ann", "email": "ann@example.com", "phone": "+4366012345678"}
    assert deliver(event("customer.updated", {}, customer=words)) == []
    query = """{ customers { nodes { email: suppression(channel: EMAIL) { suppressed reasons { reason } }
        sms: suppression(channel: SMS) { suppressed } push: suppression(channel: PUSH) { suppressed } } } }"""
    nothing = {"email": None, "sms": None, "push": None}
    assert ask(query)["customers"]["nodes"] == [nothing]
    bounced()
    suppressed = {"suppressed": True, "reasons": [{"reason": "HARD_BOUNCE"}]}
    assert ask(query)["customers"]["nodes"] == [nothing | {"email": suppressed}]


def test_customers_have_no_say_in_suppressions() -> None:
    assert codes(answer(QUERY, {"address": "ann@example.com"}, principal=as_customer("cus_1"))) == ["FORBIDDEN"]


def test_an_address_that_is_none_is_refused_at_the_door() -> None:
    [receipt] = intake.accept(
        "demo",
        [event("address.suppressed", {"channel": "sms", "address": "0170 1", "reason": "complaint"})],
        now=NOW,
    )
    assert [(fault.path, fault.code) for fault in receipt.faults] == [("data.address", "INVALID")]


def test_a_key_repeated_with_the_address_written_otherwise_is_the_same_call() -> None:
    assert not change("suppressionAdd", address="Ann@example.com")["replayed"]
    assert change("suppressionAdd", address=" ann@EXAMPLE.com ")["replayed"]


def test_a_reason_for_lifting_says_something() -> None:
    change("suppressionAdd")
    assert refused("suppressionLift", note=" ") == [("INVALID", "note")]
    assert refused("suppressionLift", note="x" * 501) == [("TOO_LONG", "note")]
