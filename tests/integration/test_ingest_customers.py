# tests/integration/test_ingest_customers.py
from datetime import datetime, timedelta
from typing import Any

import pytest

from crm.consent import service as consent
from crm.customers import service as customers
from crm.customers.events import CustomerRecorded
from crm.customers.models import Customer
from crm.customers.service import Words
from crm.kernel import clock
from crm.orders import service as orders
from tests.shop_events import customer_of, deliver, event, placed

pytestmark = pytest.mark.usefixtures("shop")


def updated(occurred_at: str = "2026-03-01T10:00:00Z", *, data: dict[str, Any] | None = None, **customer: Any) -> Any:
    return event("customer.updated", data or {}, customer={"externalId": "ann"} | customer, occurredAt=occurred_at)


def claims(customer: Customer) -> dict[str, bool]:
    """Each identifier of the record, and whether it is in conflict with another's."""
    return {f"{claim.kind}={claim.value}": bool(claim.conflicting) for claim in customer.identities}


def test_a_later_event_time_wins_field_by_field_whatever_came_first() -> None:
    deliver(updated("2026-03-03T10:00:00Z", firstName="Anna"))
    deliver(updated("2026-03-01T10:00:00Z", firstName="Ann", lastName="Lee"))
    customer = customer_of()
    assert (customer.first_name, customer.last_name) == ("Anna", "Lee")


def test_null_clears_a_field_and_absent_leaves_it() -> None:
    deliver(updated("2026-03-01T10:00:00Z", firstName="Ann", lastName="Lee", tags=["vip"]))
    deliver(updated("2026-03-02T10:00:00Z", firstName=None, tags=None))
    customer = customer_of()
    assert customer.last_name == "Lee"
    assert not customer.first_name
    assert not customer.tags


def test_an_order_does_not_move_the_version_of_the_profile() -> None:
    deliver(updated(firstName="Ann"))
    before = customer_of().version
    deliver(placed("o1", customer={"externalId": "ann", "firstName": "Ann"}, occurredAt="2026-03-05T10:00:00Z"))
    assert customer_of().version == before


def test_one_customer_is_found_by_each_of_their_identifiers() -> None:
    deliver(updated(email="Ann@Example.com", emailVerified=True, phone="+43 664 1234567"))
    ann = customer_of().customer_id
    assert customers.find("demo", "email", "ann@example.COM") == ann
    assert customers.find("demo", "phone", "0043 664 1234567") == ann
    assert customers.find("demo", "external", "ann", source="shopify") == ann
    assert customers.find("demo", "external", "ann", source="till") is None


def test_an_account_takes_over_the_guest_with_its_verified_address_once() -> None:
    deliver(placed("o1", customer={"email": "ann@example.com"}))
    deliver(updated(email="ann@example.com", emailVerified=True))
    assert customers.find("demo", "email", "ann@example.com") == customer_of().customer_id


def test_two_identified_customers_are_never_joined_and_the_conflict_is_on_record() -> None:
    deliver(updated(email="ann@example.com", emailVerified=True))
    deliver(updated(externalId="bob", email="ann@example.com", emailVerified=True))
    ann, bob = customer_of("ann"), customer_of("bob")
    assert ann.customer_id != bob.customer_id
    assert claims(bob) == {"external:shopify=bob": False, "email=ann@example.com": True}
    assert customers.find("demo", "email", "ann@example.com") == ann.customer_id


@pytest.mark.parametrize("blocked", ["null", "test@test.com", "noreply@example.com"])
def test_blocked_addresses_join_nobody_and_block_no_order(blocked: str) -> None:
    assert deliver(placed("o1", customer={"email": blocked}), placed("o2", customer={"email": blocked})) == []
    owners = {customers.get("demo", _owner(order_id)).customer_id for order_id in ("o1", "o2")}
    assert len(owners) == 2


def _owner(order_id: str) -> str:
    return orders.get("demo", order_id).customer_id


def test_an_address_that_an_event_replaces_is_free_again_whatever_came_first() -> None:
    deliver(updated("2026-03-02T10:00:00Z", email="new@example.com"))
    deliver(updated("2026-03-01T10:00:00Z", email="late@example.com"))
    deliver(updated("2026-03-03T10:00:00Z", email="newest@example.com"))
    ann = customer_of()
    assert claims(ann) == {"external:shopify=ann": False, "email=newest@example.com": False}
    assert customers.find("demo", "email", "newest@example.com") == ann.customer_id
    assert [customers.find("demo", "email", f"{old}@example.com") for old in ("new", "late")] == [None, None]


def test_a_record_holds_no_more_strange_ids_than_its_cap() -> None:
    deliver(placed("o1"))
    for number in range(30):
        deliver(placed("o1", number + 2, customer={"externalId": f"stranger{number}"}))
    assert len(customer_of().identities) == 20


def test_an_order_told_of_another_customer_joins_nobody() -> None:
    deliver(placed("o1"), placed("o1", 2, customer={"externalId": "bob"}), placed("o2", customer={"externalId": "bob"}))
    ann, bob = customer_of("ann"), customer_of("bob")
    assert orders.get("demo", "o1").customer_id == ann.customer_id
    assert orders.get("demo", "o2").customer_id == bob.customer_id != ann.customer_id
    assert claims(ann) == {"external:shopify=ann": False, "external:shopify=bob": True}


def test_an_address_somebody_has_verified_is_taken_from_an_identified_customer_who_had_not() -> None:
    deliver(updated(externalId="mallory", email="ann@example.com"))
    deliver(updated(email="ann@example.com", emailVerified=True, occurred_at="2026-03-02T10:00:00Z"))
    mallory, ann = customer_of("mallory"), customer_of("ann")
    assert customers.find("demo", "email", "ann@example.com") == ann.customer_id != mallory.customer_id
    assert claims(mallory) == {"external:shopify=mallory": False, "email=ann@example.com": True}
    assert (mallory.changed_at, mallory.updated_at) == (clock.parse("2026-03-02T10:00:00Z"), ann.updated_at)


def test_what_customers_say_of_themselves_brings_them_nobody_elses_orders(now: datetime) -> None:
    mallory = customers.create("demo", Words(fields={"first_name": "Mallory"}), now=now)
    said = Words(vouched=False, fields={"email": "ann@example.com"})
    changed = customers.update("demo", mallory.customer_id, said, now=now)
    assert changed.pending_email == "ann@example.com"
    assert not changed.email
    deliver(placed("o1", customer={"email": "ann@example.com", "emailVerified": True}))
    assert orders.get("demo", "o1").customer_id != mallory.customer_id


def test_events_from_a_clock_that_runs_ahead_end_alike_in_any_order() -> None:
    ahead = [clock.text(clock.now() + timedelta(minutes=minutes)) for minutes in (5, 9)]
    deliver(updated(ahead[1], firstName="Last"), updated(ahead[0], firstName="First"))
    assert customer_of().first_name == "Last"


def test_what_a_person_changes_is_not_lost_to_a_clock_that_runs_ahead() -> None:
    deliver(updated(clock.text(clock.now() + timedelta(minutes=9)), firstName="Ann"))
    changed = customers.update("demo", customer_of().customer_id, Words(fields={"first_name": "Anna"}), now=clock.now())
    assert changed.first_name == "Anna"


def test_a_consent_in_an_event_is_the_customers_with_its_event_time() -> None:
    granted = {"consents": [{"channel": "email", "purpose": "marketing", "state": "granted"}]}
    denied = {"consents": [{"channel": "email", "purpose": "marketing", "state": "denied"}]}
    deliver(updated("2026-03-02T10:00:00Z", data=denied), updated("2026-03-01T10:00:00Z", data=granted))
    heads = customers.take_snapshot("demo", customer_of().customer_id)
    assert consent.allows(heads.head(consent.ConsentHead), "email", "marketing") is not None


def test_a_change_of_the_profile_is_told_with_the_time_of_its_event() -> None:
    deliver(updated("2026-03-01T10:00:00Z", firstName="Ann"))
    assert CustomerRecorded.of(customer_of()).occurred_at.isoformat() == "2026-03-01T10:00:00+00:00"


def test_what_systems_write_in_their_own_way_is_understood() -> None:
    deliver(updated(email=" ann@example.com ", locale="de_at", addresses=[{"city": " Wien ", "line2": " "}, {}]))
    customer = customer_of()
    assert (customer.email, customer.locale) == ("ann@example.com", "de-AT")
    [address] = customer.addresses
    assert address.city == "Wien"
    assert not address.line2
