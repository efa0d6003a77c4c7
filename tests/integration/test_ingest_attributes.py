# tests/integration/test_ingest_attributes.py
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from crm.customers import attribute_definitions
from crm.customers import service as customers
from crm.customers.service import AttributeFields, FieldChange
from crm.intake import service as intake
from crm.kernel import clock
from crm.kernel.change import Change
from crm.kernel.errors import InvalidInputs
from crm.kernel.meter import metering
from crm.orders.models import Statistics
from tests.shop_events import customer_of, deliver, event, placed

pytestmark = pytest.mark.usefixtures("shop", "outlets", "defined")

DEFINED = {
    "size": AttributeFields(name="Size", type="number"),
    "club": AttributeFields(name="Club", type="choice", choices=[("gold", "Gold"), ("blue", "Blue")]),
    "vip": AttributeFields(name="VIP", type="boolean"),
    "limit": AttributeFields(name="Limit", type="money", currency="EUR"),
    "likes": AttributeFields(name="Likes", type="list", element_type="text"),
    "since": AttributeFields(name="Member since", type="date"),
}


@pytest.fixture
def defined(shop: object, now: datetime) -> None:
    for key, fields in DEFINED.items():
        customers.define_attribute("demo", key, fields, now=now)


def said(occurred_at: str = "2026-03-01T10:00:00Z", /, *, source: str = "shopify", **attributes: Any) -> dict[str, Any]:
    known = {"externalId": "ann"} if source == "shopify" else {"email": "ann@example.com", "emailVerified": True}
    return event(
        "customer.updated", {}, customer={**known, "attributes": attributes}, occurredAt=occurred_at, source=source
    )


def kept(external_id: str = "ann") -> dict[str, Any]:
    """What is stored of each attribute."""
    customer_id = customer_of(external_id).customer_id
    return dict(customers.attributes_of("demo", [customer_id])[customer_id].states)


def values() -> dict[str, Any]:
    return {key: state["value"] for key, state in kept().items()}


def effect(body: dict[str, Any]) -> str:
    """As the event's receipt tells it."""
    receipt = intake.status("demo", body["id"])
    assert receipt is not None
    assert receipt.status == "applied"
    return str(receipt.effect)


def told() -> list[dict[str, FieldChange]]:
    """The history, oldest first."""
    entries = customers.changes("demo", customer_of().customer_id, before=None, limit=100)[::-1]
    return [{each.field: each for each in customers.changes_in(entry)} for entry in entries]


def test_an_event_of_any_type_says_attributes_in_its_one_transaction() -> None:
    given = {
        "size": "42.50",
        "club": "gold",
        "vip": True,
        "limit": {"amount": "100", "currency": "EUR"},
        "likes": ["jazz", "bach"],
        "since": "2020-02-29",
    }
    with metering() as meter:
        assert deliver(placed("o1", customer={"externalId": "ann", "attributes": given})) == []
    assert values() == given | {"size": "42.5", "limit": {"minor": 10_000, "currency": "EUR"}}
    known = meter.requests
    with metering() as meter:
        deliver(placed("o2", customer={"externalId": "bob"}))
    assert known == meter.requests + 1 + 1 + 1, "the shop and its definitions, once a minute; what is stored of ann"


def test_an_event_reads_attributes_only_if_it_says_some_however_many_there_are(now: datetime) -> None:
    deliver(event("customer.updated", {}, customer={"externalId": "ann"}))
    with metering() as before:
        deliver(event("customer.updated", {}, customer={"externalId": "ann"}))
    many = {f"a{number}": "x" * 500 for number in range(90)}
    for key in many:
        customers.define_attribute("demo", key, AttributeFields(name=key, type="text"), now=now)
    customers.set_attributes("demo", customer_of().customer_id, many, now=now)
    deliver(said(size=42))  # now the definitions are remembered
    meters = []
    for more in ({}, {"attributes": {"size": 43, "vip": True}}):
        with metering() as meter:
            deliver(event("customer.updated", {}, customer={"externalId": "ann", **more}))
        meters.append(meter)
    assert (meters[0].requests, meters[0].read_units) == (before.requests, before.read_units)
    assert meters[1].requests == before.requests + 1


def test_the_later_event_wins_each_value_whatever_came_first() -> None:
    events = [
        said("2026-03-01T10:00:00Z", size=41, vip=True),
        said("2026-03-02T10:00:00Z", size=42),
        said("2026-03-03T10:00:00Z", vip=None),
    ]
    ends = []
    for number, arrival in enumerate(permutations(events)):
        name = f"c{number}"
        for body in arrival:
            mine = {"externalId": name, "attributes": body["customer"]["attributes"]}
            deliver(body | {"id": f"{body['id']}-{name}", "customer": mine})
        ends.append(kept(name))
    assert all(end == ends[0] for end in ends)
    assert {key: state["value"] for key, state in ends[0].items()} == {"size": "42", "vip": None}


@pytest.mark.parametrize(
    ("attributes", "ignored"),
    [
        ({"nothing": 1}, "customer.attributes.nothing: UNKNOWN"),
        ({"size": "large"}, "customer.attributes.size: INVALID"),
        ({"likes": ["jazz", 7]}, "customer.attributes.likes[1]: INVALID"),
        ({"club": "red", "vip": "yes"}, "customer.attributes.club: INVALID, customer.attributes.vip: INVALID"),
    ],
)
def test_a_wrong_value_is_ignored_and_told_and_all_else_has_its_effect(attributes: Any, ignored: str) -> None:
    body = placed(
        "o1", customer={"externalId": "ann", "firstName": "Ann", "attributes": {"since": "2020-01-01"} | attributes}
    )
    assert deliver(body) == []
    assert effect(body) == f"order version 1; ignored {ignored}"
    assert values() == {"since": "2020-01-01"}
    assert customer_of().first_name == "Ann"


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("customer.updated", {}),
        ("feedback.received", {"score": 9}),
        ("product.viewed", {"sku": "A"}),
    ],
)
def test_an_event_of_any_type_tells_what_it_ignored(kind: str, data: dict[str, Any]) -> None:
    body = event(kind, data, customer={"externalId": "ann", "attributes": {"nothing": 1}})
    deliver(body)
    assert effect(body).endswith("; ignored customer.attributes.nothing: UNKNOWN")


def test_of_much_that_is_ignored_a_receipt_tells_the_first_ten() -> None:
    body = placed("o1", customer={"externalId": "ann", "attributes": {f"no{number}": 1 for number in range(200)}})
    deliver(body)
    assert effect(body).count("UNKNOWN") == 10
    assert effect(body).endswith(", and 190 more")


def test_what_is_wrong_with_fields_refuses_the_event_whatever_its_attributes(now: datetime) -> None:
    with pytest.raises(InvalidInputs) as refusal:
        customers.identify(
            Change(now),
            "demo",
            customers.Words(fields={"zone": "Mars/Base"}),
            said={"size": "large"},
            source="shopify",
            cause="event:e",
            occurred_at=now,
            now=now,
            replayed=False,
        )
    assert [fault.path for fault in refusal.value.faults] == ["customer.zone"]


def test_an_attribute_that_is_retired_keeps_its_values_and_orders_that_still_carry_it_count() -> None:
    carrying = {"externalId": "ann", "attributes": {"size": 42}}
    deliver(placed("o1", customer=carrying))
    customers.retire_attribute("demo", "size", now=clock.now())
    late = placed("o2", customer=carrying | {"attributes": {"size": 43}}, occurredAt="2026-03-05T10:00:00Z")
    assert deliver(late) == []
    assert effect(late) == "order version 1; ignored customer.attributes.size: RETIRED"
    assert values() == {"size": "42"}
    statistics = customers.take_snapshot("demo", customer_of().customer_id).head(Statistics)
    assert statistics is not None
    assert statistics.order_count == 2


def test_no_value_is_lost_for_a_definition_of_a_minute_ago(now: datetime) -> None:
    deliver(said(size=42))  # now the definitions are remembered
    kept = dict(attribute_definitions._cache)
    customers.define_attribute("demo", "club", AttributeFields(choices=[("red", "Red")]), now=now)
    customers.define_attribute("demo", "shoe", AttributeFields(name="Shoe", type="number"), now=now)
    attribute_definitions._cache.update(kept)
    assert deliver(said("2026-03-02T10:00:00Z", club="red")) == []
    attribute_definitions._cache.update(kept)
    assert deliver(said("2026-03-02T10:00:00Z", shoe=43)) == []
    assert values() == {"size": "42", "club": "red", "shoe": "43"}


def test_a_change_of_profile_and_attributes_is_one_entry_of_the_history() -> None:
    deliver(said(size=42, limit={"amount": "9.90", "currency": "EUR"}))
    body = said("2026-03-02T10:00:00Z", size=43, likes=["jazz"])
    body["customer"]["firstName"] = "Ann"
    deliver(body, body)
    assert told()[1] == {
        "attributes.likes": FieldChange("attributes.likes", None, '["jazz"]'),
        "attributes.size": FieldChange("attributes.size", "42", "43"),
        "first_name": FieldChange("first_name", None, "Ann"),
    }
    assert told()[0]["attributes.limit"] == FieldChange("attributes.limit", None, "9.90 EUR")
    assert len(told()) == 2


def test_attributes_alone_leave_the_profile_as_it_is_and_are_in_the_history() -> None:
    deliver(said(size=42))
    before = customer_of()
    deliver(said("2026-03-02T10:00:00Z", size=43))
    assert (customer_of().version, customer_of().rev) == (before.version, before.rev)
    assert told()[1] == {"attributes.size": FieldChange("attributes.size", "42", "43")}


def test_an_older_value_and_one_said_again_write_no_history() -> None:
    deliver(
        said("2026-03-02T10:00:00Z", size=42),
        said("2026-03-01T10:00:00Z", size=41),
        said("2026-03-03T10:00:00Z", size="42.0"),
    )
    assert len(told()) == 1
    assert kept()["size"]["at"].startswith("2026-03-03")


def test_sixty_four_attributes_and_a_profile_change_at_once(now: datetime) -> None:
    many = {f"a{number}": "😀" * 240 for number in range(64)}
    for key in many:
        customers.define_attribute("demo", key, AttributeFields(name=key, type="text"), now=now)
    ann = customers.create("demo", customers.Words(fields={"first_name": "Ann"}), now=now).customer_id
    customers.set_attributes("demo", ann, many, now=now)
    customers.set_attributes("demo", ann, dict.fromkeys(many, "x" * 500), now=now + timedelta(hours=1))
    entry, *_ = customers.changes("demo", ann, before=None, limit=1)
    changed = customers.changes_in(entry)
    assert len(changed) == 64
    assert {(each.before, each.after, each.cut) for each in changed} == {("😀" * 240, "x" * 500, False)}
