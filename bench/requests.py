# bench/requests.py
"""Store requests, counted by botocore's own hooks: of a customer's screens, of fifty, of an event as a shop grows."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from bench import shop
from bench.figures import Report
from tests.faults import in_process

PAGE, LIST, FIFTY, RECORD, TIMELINE, FIFTY_RECORDS, GROWTH = FIGURES = (
    "foundation.customer_page_requests",
    "foundation.customer_list_requests",
    "foundation.customer_page_of_50_requests",
    "gateway.record_page_requests",
    "gateway.timeline_requests",
    "gateway.page_of_50_requests",
    "foundation.event_requests_growth",
)
OWN: Final = frozenset({"BUCKET", "DOCUMENT"})
ORDERS_OF_ONE: Final = 25
FEW: Final = 100
SAMPLED: Final = 20
HEADS = """id firstName statistics { orderCount totals { net { amount currencyCode } } }
  segments { segment { segmentId } } loyalty { available }
  orders(first: 20) { nodes { orderId placedAt status net { amount currencyCode } } }"""
ONE = f"query($id: ID!) {{ customer(id: $id) {{ {HEADS} }} }}"
LISTED = f"{{ customers(first: 50) {{ nodes {{ {HEADS} }} }} }}"
ALL_HEADS: Final = f"""{HEADS} consents {{ state }} permission(channel: EMAIL, purpose: MARKETING) {{ allowed }}
  acquisition {{ first {{ occurredAt }} }}"""
RECORDS = f"{{ customers(first: 50) {{ nodes {{ {ALL_HEADS} }} }} }}"
NODES = f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Customer {{ {HEADS} }} }} }}"


def run(report: Report) -> None:
    shop.found()
    _customers(0, FEW)
    _orders(first=0, number=ORDERS_OF_ONE, one=True)
    _orders(first=ORDERS_OF_ONE, number=FEW - SAMPLED, one=False)
    with counting() as asked:
        people = _ask(LISTED)["customers"]["nodes"]
    _tell(report, LIST, asked, len(people))
    with counting() as asked:
        found = _ask(NODES, ids=[person["id"] for person in people])["nodes"]
    _tell(report, FIFTY, asked, len([person for person in found if person]))
    busiest = shop.customer(0)
    with counting() as asked:
        page = _ask(ONE, id=shop.global_id(busiest))["customer"]
    assert page["statistics"]["orderCount"] > len(page["orders"]["nodes"])
    _tell(report, PAGE, asked, len(page["orders"]["nodes"]))
    with counting() as asked:
        records = _ask(RECORDS)["customers"]["nodes"]
    _tell(report, FIFTY_RECORDS, asked, len(records))
    with counting() as asked:
        record = _ask(_example("CustomerPageQuery"), id=shop.global_id(busiest))["customer"]
    _tell(report, RECORD, asked, len(record["orders"]["nodes"]))
    with counting() as asked:
        timeline = _ask(_example("CustomerTimelineQuery"), id=shop.global_id(busiest))["customer"]["timeline"]
    assert len({node["kind"] for node in timeline["nodes"]}) > 1, timeline["nodes"][:4]
    assert timeline["pageInfo"]["hasNextPage"]
    _tell(report, TIMELINE, asked, len(timeline["nodes"]))
    if report.wants(GROWTH):
        _grow(report)


def _example(name: str) -> str:
    from schema.operations import operations

    return next(operation.text for operation in operations() if operation.name == name)


def _grow(report: Report) -> None:
    """The same kind of order, of customers who have none yet."""
    many = 300 if report.quick else 2000
    few_requests = _requests_of_orders(1000, first_customer=FEW - SAMPLED)
    _customers(FEW, many)
    many_requests = _requests_of_orders(2000, first_customer=many - SAMPLED)
    print(f"store requests of an order and what follows: {few_requests} at {FEW} customers, {many_requests} at {many}")
    report.tell(GROWTH, (sum(many_requests.values()) - sum(few_requests.values())) / SAMPLED, n=SAMPLED)


@contextmanager
def counting() -> Iterator[Counter[str]]:
    """How often which operation is asked of the store inside. The gateway's own requests, which are the same whatever
    is asked of it, are told apart by what they are about: `UpdateItem BUCKET`, `GetItem DOCUMENT`.
    """
    from crm.kernel.table import client

    asked: Counter[str] = Counter()

    def count(model: Any, params: Any, **_: Any) -> None:
        sort_key = json.loads(params["body"]).get("Key", {}).get("sk", {}).get("S")
        asked[f"{model.name} {sort_key}" if sort_key in OWN else model.name] += 1

    client().meta.events.register("before-call.dynamodb", count)
    try:
        yield asked
    finally:
        client().meta.events.unregister("before-call.dynamodb", count)


def _tell(report: Report, figure: str, asked: Counter[str], n: int) -> None:
    if report.wants(figure):
        print(f"{figure}: {dict(asked)}")
        report.tell(figure, asked.total(), n=n)


def _ask(query: str, **variables: Any) -> Any:
    from schema.execution import Execution, GraphQLRequest
    from schema.principal import SCOPES, Kind, Principal
    from schema.schema import schema

    staff = Principal(Kind.STAFF, shop.SHOP, None, SCOPES)
    answered = Execution(schema.core).answer(
        GraphQLRequest(query, None, variables), staff, now=datetime.now(UTC), request_id="bench"
    )
    body = asyncio.run(answered).body
    assert "errors" not in body, body["errors"]
    return body["data"]


def _requests_of_orders(first: int, *, first_customer: int) -> Counter[str]:
    with counting() as asked:
        for number in range(SAMPLED):
            assert in_process.ingest(shop.order(first + number, customer=first_customer + number))
            in_process.let_follow(shop.SHOP, [f"o{first + number}"])
    return asked


def _customers(first: int, until: int) -> None:
    with ThreadPoolExecutor(8) as workers:
        assert all(workers.map(in_process.ingest, map(shop.profile, range(first, until))))


def _orders(*, first: int, number: int, one: bool) -> None:
    for n in range(first, first + number):
        assert in_process.ingest(shop.order(n, customer=0 if one else n - first))
    in_process.let_follow(shop.SHOP, [f"o{n}" for n in range(first, first + number)])
