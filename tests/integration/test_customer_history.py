# tests/integration/test_customer_history.py
import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from crm.customers import service as customers
from crm.customers.service import FieldChange, HistoryEntry, Origin, Words
from crm.kernel.actor import Actor, Role
from tests.shop_events import customer_of, deliver, event

pytestmark = pytest.mark.usefixtures("shop")

STAFF = Actor(Role.STAFF, "kim")


def updated(occurred_at: str, **customer: Any) -> dict[str, Any]:
    return event("customer.updated", {}, customer={"externalId": "ann"} | customer, occurredAt=occurred_at)


def history(customer_id: str) -> list[HistoryEntry]:
    """The oldest first."""
    return customers.changes("demo", customer_id, before=None, limit=100)[::-1]


def told(customer_id: str) -> list[dict[str, FieldChange]]:
    return [{each.field: each for each in customers.changes_in(entry)} for entry in history(customer_id)]


def test_the_founding_is_the_first_change() -> None:
    deliver(updated("2026-03-01T10:00:00Z", firstName="Ann", tags=["vip"]))
    (entry,) = history(customer_of().customer_id)
    (first,) = told(customer_of().customer_id)
    assert Origin.parse(entry.origin) == Origin.of_event("shopify")
    assert entry.occurred_at.isoformat() == "2026-03-01T10:00:00+00:00" < entry.recorded_at.isoformat()
    assert entry.cause.startswith("event:")
    assert first == {
        "first_name": FieldChange("first_name", None, "Ann"),
        "identities": FieldChange("identities", added=("external:shopify=ann verified",)),
        "status": FieldChange("status", None, "active"),
        "tags": FieldChange("tags", added=("vip",)),
    }


def test_a_change_tells_who_changed_what_and_from_what(now: datetime) -> None:
    ann = customers.create("demo", Words(fields={"first_name": "Ann", "tags": {"a", "b"}}), now=now, by=STAFF)
    later = now + timedelta(hours=1)
    words = Words(fields={"first_name": "Anna", "tags": {"b", "c"}, "email": "ann@example.com"})
    customers.update("demo", ann.customer_id, words, now=later, by=Actor(Role.CUSTOMER, ann.customer_id))
    founded, changed = history(ann.customer_id)
    assert [str(Origin.parse(each.origin).actor) for each in (founded, changed)] == [
        "staff:kim",
        f"customer:{ann.customer_id}",
    ]
    assert (changed.recorded_at, changed.occurred_at) == (later, later)
    assert told(ann.customer_id)[1] == {
        "email": FieldChange("email", None, "ann@example.com"),
        "first_name": FieldChange("first_name", "Ann", "Anna"),
        "identities": FieldChange("identities", added=("email=ann@example.com",)),
        "tags": FieldChange("tags", added=("c",), removed=("a",)),
    }


def test_an_event_that_loses_tells_nothing() -> None:
    deliver(updated("2026-03-03T10:00:00Z", firstName="Anna"), updated("2026-03-01T10:00:00Z", firstName="Ann"))
    assert len(history(customer_of().customer_id)) == 1


def test_an_event_that_only_confirms_tells_nothing() -> None:
    deliver(updated("2026-03-01T10:00:00Z", firstName="Ann"), updated("2026-03-03T10:00:00Z", firstName="Ann"))
    assert len(history(customer_of().customer_id)) == 1


def test_an_event_that_comes_again_is_told_once() -> None:
    change = updated("2026-03-03T10:00:00Z", firstName="Anna")
    deliver(updated("2026-03-01T10:00:00Z", firstName="Ann"), change, change)
    deliver(change, replay=True)
    assert len(history(customer_of().customer_id)) == 2


def test_whoever_loses_an_identifier_to_its_owner_has_it_in_their_history() -> None:
    deliver(event("customer.updated", {}, customer={"externalId": "mallory", "email": "ann@example.com"}))
    deliver(updated("2026-03-02T10:00:00Z", email="ann@example.com", emailVerified=True))
    lost = told(customer_of("mallory").customer_id)[1]
    assert lost == {
        "identities": FieldChange(
            "identities", added=("email=ann@example.com conflicting",), removed=("email=ann@example.com",)
        )
    }
    mallory, ann = history(customer_of("mallory").customer_id)[1], history(customer_of("ann").customer_id)[0]
    assert mallory.cause == ann.cause == customer_of("mallory").cause


def test_the_longest_address_lists_fit_the_history(now: datetime) -> None:
    address = dict.fromkeys(("line1", "line2", "postal_code", "city", "region"), "😀" * 200)
    ann = customers.create(
        "demo", Words(fields={"email": "ann@example.com", "addresses": [address] * 20}), now=now
    ).customer_id
    moved = [{**address, "city": "Wien"}] * 20
    customers.update("demo", ann, Words(fields={"addresses": moved}), now=now + timedelta(hours=1))
    alone = told(ann)[1]["addresses"]
    assert (len(json.loads(alone.before or "")), len(json.loads(alone.after or "")), alone.cut) == (20, 20, False)
    beside = {"addresses": [address] * 20, "first_name": "Anna", "last_name": "Lee", "locale": "de"}
    customers.update("demo", ann, Words(fields=beside), now=now + timedelta(hours=2))
    cut = told(ann)[2]
    assert {name: each.cut for name, each in cut.items()} == dict.fromkeys(beside, False) | {"addresses": True}


def test_each_field_knows_whose_word_it_is(now: datetime) -> None:
    deliver(updated("2026-03-01T10:00:00Z", firstName="Ann", lastName="Lee", phone="+436641234567"))
    deliver(updated("2026-03-02T10:00:00Z", lastName=None))
    ann = customer_of().customer_id
    customers.update("demo", ann, Words(fields={"first_name": "Anna"}), now=now, by=STAFF)
    found = {each.field: (str(each.origin), each.at.day) for each in customers.origins(customer_of())}
    assert found == {
        "first_name": ("rapport staff:kim", now.day),
        "last_name": ("shopify service:shopify", 2),
        "phone": ("shopify service:shopify", 1),
    }


def test_a_deletion_and_what_undoes_it_are_in_the_history(now: datetime) -> None:
    ann = customers.create("demo", Words(fields={"first_name": "Ann"}), now=now).customer_id
    customers.delete("demo", ann, now=now + timedelta(hours=1), by=STAFF)
    customers.restore("demo", ann, now=now + timedelta(hours=2), by=STAFF)
    assert [change["status"] for change in told(ann)[1:]] == [
        FieldChange("status", "active", "deleted"),
        FieldChange("status", "deleted", "active"),
    ]
