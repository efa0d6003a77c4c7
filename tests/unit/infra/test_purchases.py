# tests/unit/infra/test_purchases.py
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from crm.intake import parsing
from infra.local import purchases
from infra.local.live import live_events
from infra.local.people import Person

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SHIFT = purchases.days_since(date(2026, 3, 10))
LOG = purchases.read()
CUSTOMERS = purchases.by_customer(LOG)


def test_the_log_is_whole() -> None:
    assert len(LOG) == 6919
    assert len(CUSTOMERS) == 2357
    assert sum(purchase.dollars for purchase in LOG) == Decimal("244091.94")


def test_the_last_purchase_was_yesterday() -> None:
    last = max(purchase.day for purchase in LOG)
    assert last + timedelta(days=SHIFT) == date(2026, 3, 9)


def test_every_event_is_one_the_intake_takes_and_its_id_is_its_own() -> None:
    ids = set()
    for customer in CUSTOMERS[:300]:
        for event in purchases.events(customer, shop="demo", shift=SHIFT, now=NOW):
            parsing.parse(json.dumps(event), now=NOW)
            ids.add(event["id"])
    orders = sum(len(customer) for customer in CUSTOMERS[:300])
    assert orders + 300 < len(ids) < 2 * orders + 300


def test_every_purchase_becomes_an_order() -> None:
    orders = {
        event["data"]["orderId"]
        for customer in CUSTOMERS
        for event in purchases.events(customer, shop="demo", shift=SHIFT, now=NOW)
        if event["type"].startswith("order.")
    }
    assert len(orders) == len(LOG)


def test_an_order_is_worth_to_the_cent_what_was_paid() -> None:
    paid = {f"cdnow-{purchase.line}": purchase.dollars for purchase in LOG}
    for customer in CUSTOMERS:
        for event in purchases.events(customer, shop="demo", shift=SHIFT, now=NOW):
            if event["type"].startswith("order."):
                (line,) = event["data"]["lines"]
                worth = line["quantity"] * Decimal(line["unitPrice"]) - Decimal(line["discount"])
                assert worth == paid[event["data"]["orderId"]]


def test_the_same_purchases_always_make_the_same_events() -> None:
    once, again = (list(purchases.events(CUSTOMERS[7], shop="demo", shift=SHIFT, now=NOW)) for _ in range(2))
    assert once == again


def test_nothing_is_delivered_before_it_was() -> None:
    for customer in CUSTOMERS:
        for event in purchases.events(customer, shop="demo", shift=SHIFT, now=NOW):
            assert datetime.fromisoformat(event["occurredAt"]) <= NOW


def test_people_are_made_up_apart_and_reachable_by_nobody() -> None:
    people = [Person.of(customer[0].customer).customer() for customer in CUSTOMERS]
    emails = {person["email"] for person in people}
    assert len(emails) == len(people)
    assert all(email.endswith("@example.com") for email in emails)


def test_some_consent_some_decline_some_never_said() -> None:
    answers = [Person.of(customer[0].customer).marketing for customer in CUSTOMERS]
    shares = {answer: answers.count(answer) / len(answers) for answer in ("granted", "denied", None)}
    assert 0.6 < shares["granted"] < 0.7
    assert 0.15 < shares["denied"] < 0.25
    assert 0.1 < shares[None] < 0.2


def test_live_events_are_taken_too() -> None:
    for event in live_events("demo", now=NOW):
        parsing.parse(json.dumps(event), now=NOW)
