# tests/integration/test_graphql_suppressions.py
from typing import Any

import pytest

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


def bounced(address: str = "ann@example.com") -> None:
    data = {"channel": "email", "address": address, "reason": "hard_bounce", "note": "550 5.1.1"}
    assert deliver(event("address.suppressed", data, source="ses")) == []


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
    assert ask(QUERY, {"address": "no address"})["suppression"] is None


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
