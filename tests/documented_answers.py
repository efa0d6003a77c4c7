# tests/documented_answers.py
"""`python -m tests.documented_answers`: the answers in docs/api.md, as the gateway gives them for a small shop.

A test holds them to it by their form: which fields there are, and which of them have values.
"""

import re
import sys
from collections.abc import Iterator
from typing import Any, Final

import tests.conftest  # noqa: F401  the environment, before anything reads it

# isort: split
import json
from datetime import timedelta

from moto import mock_aws

from crm.intake import service as intake
from crm.intake.examples import example
from crm.kernel import aws, operations
from crm.kernel.settings import settings
from crm.kernel.table import Item, connection
from crm.kpis import service as kpis
from crm.kpis.models import KpiItem
from crm.segmentation import service as segmentation
from crm.shops import service as shops
from infra.docs import written
from infra.screens import API_PAGE
from schema.node import global_id
from schema.operations import operations as examples
from tests.asking import NOW, answer
from tests.judges.demo import history
from tests.operations import caller, filled, meaning
from tests.segments import LATELY, REPEAT, define_usual, id_of
from tests.shop_history import recorded

PART = re.compile(r"<!-- answer: (?P<name>\w+) -->(?P<text>.*?)<!-- end: answer -->", re.DOTALL)
WITH_EXTENSIONS: Final = {"HomeQuery"}


def documented() -> dict[str, Any]:
    """The answers on the page, by operation."""
    return {
        found["name"]: json.loads(found["text"].strip().removeprefix("```json").removesuffix("```") or "null")
        for found in PART.finditer(API_PAGE.read_text())
    }


def answers(names: list[str]) -> dict[str, Any]:
    """What Ann or staff are answered. Needs tables and the shop `demo`."""
    given = bodies(names, ann())
    return {name: body if name in WITH_EXTENSIONS else {"data": body["data"]} for name, body in given.items()}


def ann() -> str:
    """The id of one who has ordered three times, and has filled a cart; the shop has its usual segments."""
    define_usual(now=NOW - timedelta(days=365))
    outcomes = [intake.apply(json.dumps(event), now=NOW) for event in history("Ann", NOW)]
    customer_id = outcomes[0].customer_id
    assert customer_id is not None
    for number in (1, 2, 3):
        recorded(f"Ann-{number}")
    intake.apply(json.dumps(_cart(customer_id)), now=NOW)
    _caught_up()
    return customer_id


def _caught_up() -> None:
    """All customers have been looked at by the segments there are, and members are counted."""
    newest = operations.get("demo", segmentation.current("demo", now=NOW, anew=True).refreshed_by or "")
    segmentation.STEPS[newest.name](newest, patient=False, now=NOW)
    for segment_id in segmentation.current("demo", now=NOW).segments:
        for shard in range(segmentation.SHARDS):
            stays = segmentation.list_members("demo", segment_id, shard, after=None, limit=9)
            kpis.roll_up([kpis.news(stay, None, now=NOW) for stay in stays], now=NOW)


def bodies(names: list[str], customer_id: str) -> dict[str, Any]:
    """What is answered to Ann or staff, with its extensions."""
    words = meaning(
        customer=global_id("Customer", customer_id),
        order=global_id("Order", "Ann-1"),
        email="ann@example.com",
        shop="demo",
        now=NOW,
        segments=(global_id("Segment", id_of(REPEAT)), global_id("Segment", id_of(LATELY))),
    )
    given: dict[str, Any] = {}
    known = {operation.name: operation for operation in examples()}
    for name in sorted(names, key=lambda name: name.endswith("Mutation")):
        operation = known[name]
        given[name] = answer(operation.text, filled(operation, words), principal=caller(operation, customer_id)).body
    return given


def _cart(customer_id: str) -> dict[str, Any]:
    told = example("cart.updated")
    when = (NOW - timedelta(minutes=5)).isoformat()
    return told | {"id": "Ann-cart", "customer": {"id": customer_id}, "occurredAt": when}


def forms(value: Any, path: str = "") -> Iterator[str]:
    """Every field of an answer as a path, items of a list as one, with the type of its value."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from forms(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from forms(inner, f"{path}[]")
    else:
        yield f"{path} {type(value).__name__}"


def main() -> int:
    with mock_aws():
        connection()
        Item.create_table(wait=True)
        KpiItem.create_table(wait=True)
        fields = shops.ShopFields(
            name="Demo Records", zone="Europe/Vienna", currency="EUR", locale="de-AT", sender="shop@example.com"
        )
        shops.create("demo", fields)
        aws.sqs_client().create_queue(QueueName=settings().operations_queue_url.rpartition("/")[2])
        page = API_PAGE.read_text()
        given = answers(list(documented()))
    API_PAGE.write_text(PART.sub(lambda found: _part(found["name"], given[found["name"]]), page))
    return 0


def _part(name: str, body: Any) -> str:
    return f"<!-- answer: {name} -->\n```json\n{written(body)}\n```\n<!-- end: answer -->"


if __name__ == "__main__":
    sys.exit(main())
