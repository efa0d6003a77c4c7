# tests/integration/test_graphql_customer_pending.py
"""What customers say of their own address, until somebody vouches for it."""

from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from crm.customers import service as customers
from crm.notifications import recipient
from crm.notifications.models import Message
from schema.node import global_id
from schema.principal import Principal
from tests.asking import NOW, STAFF, as_customer, ask
from tests.shop_events import deliver, event

UPDATE = """mutation ($input: CustomerUpdateInput!) { customerUpdate(input: $input) {
    customer { email phone pendingEmail pendingPhone } userErrors { code field } } }"""


def update(customer_id: str, principal: Principal = STAFF, *, now: datetime = NOW, **given: Any) -> Any:
    given["id"] = global_id("Customer", customer_id)
    return ask(UPDATE, {"input": given}, principal=principal, now=now)["customerUpdate"]


def said(customer_id: str, email: str | None) -> Any:
    return update(customer_id, as_customer(customer_id), email=email)["customer"]


def told(email: str, *, minutes: int, verified: bool = True) -> None:
    at = (NOW + timedelta(minutes=minutes)).isoformat()
    words = {"externalId": "ann", "email": email, "emailVerified": verified}
    assert deliver(event("customer.updated", {}, customer=words, occurredAt=at)) == []


def emails(customer_id: str) -> tuple[str | None, str | None]:
    found = ask(
        "query ($id: ID!) { customer(id: $id) { email pendingEmail } }", {"id": global_id("Customer", customer_id)}
    )
    return found["customer"]["email"], found["customer"]["pendingEmail"]


def test_what_a_customer_says_waits_and_both_see_it(ann: str) -> None:
    changed = update(ann, as_customer(ann), email="new@example.com", phone="+436601234567")
    assert changed == {
        "customer": {
            "email": "Ann@example.com",
            "phone": None,
            "pendingEmail": "new@example.com",
            "pendingPhone": "+436601234567",
        },
        "userErrors": [],
    }
    assert emails(ann) == ("Ann@example.com", "new@example.com")


def test_nobody_is_found_by_what_waits_and_nothing_is_sent_to_it(ann: str) -> None:
    said(ann, "new@example.com")
    assert customers.find("demo", "email", "new@example.com") is None
    message = Message.of("demo", ann, "m1", planned_at=NOW)
    message.template, message.channel, message.purpose, message.order_id = "thank_you", "email", "marketing", "o1"
    assert recipient.look_up(message).attempt.address == "Ann@example.com"


def test_an_event_that_names_it_vouches_for_it(ann: str) -> None:
    said(ann, "new@example.com")
    told("NEW@example.com", minutes=5)
    assert emails(ann) == ("NEW@example.com", None)
    assert customers.find("demo", "email", "new@example.com") == ann
    told("third@example.com", minutes=6)
    assert emails(ann) == ("third@example.com", None)


def test_an_event_that_repeats_the_old_address_leaves_what_waits(ann: str) -> None:
    said(ann, "new@example.com")
    told("ann@example.com", minutes=5)
    assert emails(ann) == ("ann@example.com", "new@example.com")


def test_an_event_from_before_brings_it_on_record_and_settles_nothing(ann: str) -> None:
    said(ann, "new@example.com")
    told("new@example.com", minutes=-5)
    assert emails(ann) == ("new@example.com", None)
    told("third@example.com", minutes=6)
    assert emails(ann) == ("third@example.com", "new@example.com")


def test_an_event_from_before_that_is_out_of_date_leaves_what_waits(ann: str) -> None:
    told("third@example.com", minutes=-3)
    said(ann, "new@example.com")
    told("new@example.com", minutes=-5)
    assert emails(ann) == ("third@example.com", "new@example.com")
    assert customers.find("demo", "email", "new@example.com") is None


@pytest.mark.parametrize("vouched_first", [True, False])
def test_one_that_was_replaced_since_it_was_vouched_for_waits_no_more_in_any_order(
    ann: str, *, vouched_first: bool
) -> None:
    said(ann, "new@example.com")
    words = [("new@example.com", 5), ("third@example.com", 10)]
    for address, minutes in words if vouched_first else reversed(words):
        told(address, minutes=minutes)
    assert emails(ann) == ("third@example.com", None)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_what_waits_is_the_same_whatever_came_first(ann: str, order: tuple[int, ...]) -> None:
    events = [("new@example.com", -8), ("between@example.com", -3), ("third@example.com", 10)]
    for number in order:
        if number < len(events):
            address, minutes = events[number]
            told(address, minutes=minutes)
        else:
            said(ann, "new@example.com")
    assert emails(ann) == ("third@example.com", "new@example.com")


def test_a_customer_who_repeats_what_was_vouched_for_by_a_clock_that_runs_ahead_waits_for_nothing(ann: str) -> None:
    told("new@example.com", minutes=5)
    said(ann, "new@example.com")
    told("third@example.com", minutes=10)
    assert emails(ann) == ("third@example.com", None)


@pytest.mark.parametrize(
    ("field", "value"), [("email", "test@test.com"), ("email", "null@example.com"), ("phone", "+10000000000")]
)
def test_an_address_that_stands_for_nobody_is_refused_to_customers_as_to_staff(
    ann: str, field: str, value: str
) -> None:
    for principal in (as_customer(ann), STAFF):
        given: dict[str, Any] = {field: value}
        refused = update(ann, principal, **given)["userErrors"]
        assert refused == [{"code": "BLOCKED", "field": ["input", field]}]
    assert emails(ann) == ("Ann@example.com", None)


def test_staff_vouch_for_it_or_decide_otherwise(ann: str) -> None:
    said(ann, "new@example.com")
    assert update(ann, email="new@example.com", emailVerified=True)["userErrors"] == []
    assert emails(ann) == ("new@example.com", None)
    (claim,) = [claim for claim in customers.get("demo", ann).identities if claim.kind == "email"]
    assert (claim.value, claim.verified) == ("new@example.com", True)
    said(ann, "newer@example.com")
    assert update(ann, email="other@example.com")["userErrors"] == []
    assert emails(ann) == ("other@example.com", None)


def test_a_customer_takes_back_what_waits_and_never_what_is_on_record(ann: str) -> None:
    said(ann, "new@example.com")
    assert said(ann, None) | {"phone": None} == {
        "email": "Ann@example.com",
        "phone": None,
        "pendingEmail": None,
        "pendingPhone": None,
    }
    said(ann, "new@example.com")
    assert said(ann, "ANN@example.com")["pendingEmail"] is None


def test_only_staff_say_that_an_address_is_verified_and_they_say_which(ann: str) -> None:
    refused = update(ann, as_customer(ann), email="new@example.com", emailVerified=True)["userErrors"]
    assert refused == [{"code": "FORBIDDEN", "field": ["input", "emailVerified"]}]
    assert update(ann, emailVerified=True)["userErrors"] == [{"code": "REQUIRED", "field": ["input", "email"]}]


def test_staff_cannot_vouch_for_an_address_that_is_anothers(ann: str) -> None:
    ask('mutation { customerCreate(input: {email: "bob@example.com"}) { customer { id } } }')
    said(ann, "bob@example.com")
    assert update(ann, email="bob@example.com", emailVerified=True)["userErrors"][0]["code"] == "IDENTIFIER_TAKEN"
    assert emails(ann) == ("Ann@example.com", "bob@example.com")


def test_a_customer_who_would_clear_the_address_on_record_is_told_that_staff_may(ann: str) -> None:
    herself = as_customer(ann)
    refused = update(ann, herself, email=None, phone=None, firstName="Anna")
    assert refused == {"customer": None, "userErrors": [{"code": "FORBIDDEN", "field": ["input", "email"]}]}
    said(ann, "ANN@example.com")  # on record, so nothing is shown as pending
    assert update(ann, herself, email=None)["userErrors"][0]["code"] == "FORBIDDEN"
    assert customers.get("demo", ann).first_name == "Ann"
    assert update(ann, herself, phone=None)["userErrors"] == []
    assert update(ann, email=None)["userErrors"] == []
    assert emails(ann)[0] is None
