# tests/integration/test_ingest_customers.py
from typing import Any

import pytest

from crm.consent import service as consent
from crm.customers import service as customers
from crm.customers.events import CustomerRecorded
from crm.customers.models import Customer
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


def test_a_record_holds_no_more_identifiers_than_its_cap() -> None:
    for number in range(30):
        deliver(updated(email=f"ann{number}@example.com", occurred_at=f"2026-03-01T10:00:{number:02}Z"))
    assert len(customer_of().identities) == 20


def test_a_consent_in_an_event_is_the_customers_with_its_event_time() -> None:
    granted = {"consents": [{"channel": "email", "purpose": "marketing", "state": "granted"}]}
    denied = {"consents": [{"channel": "email", "purpose": "marketing", "state": "denied"}]}
    deliver(updated("2026-03-02T10:00:00Z", data=denied), updated("2026-03-01T10:00:00Z", data=granted))
    heads = customers.take_snapshot("demo", customer_of().customer_id)
    assert consent.allows(heads.head(consent.ConsentHead), "email", "marketing") is not None


def test_the_test_flag_of_a_profile_is_on_its_orders() -> None:
    deliver(placed("o1", customer={"externalId": "ann", "test": True}))
    assert orders.get("demo", "o1").test


def test_a_change_of_the_profile_is_told_with_the_time_of_its_event() -> None:
    deliver(updated("2026-03-01T10:00:00Z", firstName="Ann"))
    assert CustomerRecorded.of(customer_of()).occurred_at.isoformat() == "2026-03-01T10:00:00+00:00"
