# tests/integration/test_prices.py
"""What a request costs is known before it runs: nothing takes more than its price, however much there is."""

import json
from datetime import timedelta
from typing import Any

import pytest

from crm.consent import service as consent
from crm.consent.models import ConsentEntry
from crm.intake import service as intake
from crm.kernel.actor import SYSTEM
from schema.operations import operations
from tests import documented_answers
from tests.asking import NOW, answer, as_customer
from tests.attacks import DEAR
from tests.shop_events import event

ENTRIES, CARTS, LINES, ADDRESSES = 500, 25, 200, 20

OF_A_FULL_RECORD = 8
"""Read units: the record of one who has everything is 30 KB, read whole for a few objects of it. They are owed."""

pytestmark = pytest.mark.usefixtures("shop", "outlets")


@pytest.fixture
def ann() -> str:
    """A customer of whom there is as much as there can be of what customers can make themselves."""
    customer_id = documented_answers.ann()

    def told(kind: str, data: dict[str, Any], minute: int = 0) -> None:
        at = (NOW - timedelta(minutes=minute)).isoformat()
        intake.apply(json.dumps(event(kind, data, customer={"id": customer_id}, occurredAt=at)), now=NOW)

    told("customer.updated", {"addresses": [{"city": f"City {number}"} for number in range(ADDRESSES)]})
    lines = [{"sku": f"s{number}", "quantity": 1} for number in range(LINES)]
    for number in range(CARTS):
        told("cart.updated", {"cartId": f"k{number}", "lines": lines}, minute=number)
    general = [
        consent.ConsentGiven(channel, purpose, "granted", "app")
        for channel in consent.CHANNELS
        for purpose in consent.PURPOSES
    ]
    topics = [
        consent.ConsentGiven("email", "marketing", state, "app", topic=f"{state}-{number}")
        for state in ("granted", "denied")
        for number in range(50)
    ]
    for number, given in enumerate((general, topics[:50], topics[50:])):
        consent.update("demo", customer_id, given, actor=SYSTEM, idempotency_key=f"k{number}", now=NOW)
    with ConsentEntry.batch_write() as batch:
        for number in range(ENTRIES):
            at = NOW - timedelta(days=30) + timedelta(seconds=number)
            entry = ConsentEntry.of("demo", customer_id, "email", "marketing", f"c{number}", occurred_at=at)
            entry.state, entry.source, entry.recorded_at = "granted", "x" * 200, NOW
            batch.save(entry)
    return customer_id


def test_no_example_takes_more_than_its_price() -> None:
    given = documented_answers.bodies([operation.name for operation in operations()], documented_answers.ann())
    costs = {name: body["extensions"]["cost"] for name, body in given.items()}
    assert {name: cost for name, cost in costs.items() if cost["actual"] > cost["requested"]} == {}


def test_nothing_takes_more_than_its_price_however_much_there_is(ann: str) -> None:
    names = [operation.name for operation in operations()]
    given = documented_answers.bodies(names, ann) | {
        name: answer(document, principal=as_customer(ann)).body for name, document in DEAR.items()
    }
    assert [name for name, body in given.items() if name in DEAR and "errors" in body] == []
    costs = {name: body["extensions"]["cost"] for name, body in given.items()}
    beyond = {name: cost["actual"] - cost["requested"] for name, cost in costs.items()}
    assert {name: more for name, more in beyond.items() if more > (0 if name in DEAR else OF_A_FULL_RECORD)} == {}
    assert costs["the consents, under thirty names"] == {"requested": 1 + 30 * 118, "actual": 1 + 30 * 118}
    assert costs["carts and all that is in them"] == {"requested": 1 + 20 * 201, "actual": 1 + 19 * 201 + 2}


def test_all_moments_that_are_asked_for_are_read_at_once(ann: str) -> None:
    asked = answer(DEAR["thirty moments of the past"], principal=as_customer(ann)).body["extensions"]
    once = answer(
        '{ viewer { consent(asOf: "2026-03-10T12:00:01Z") { consents { state } } } }', principal=as_customer(ann)
    )
    assert asked["capacity"] == once.body["extensions"]["capacity"]
    assert asked["cost"]["requested"] == 1 + 30 * (250 + 1 + 118)
