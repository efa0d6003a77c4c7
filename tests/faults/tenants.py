# tests/faults/tenants.py
"""Two tenants with the same ids, addresses and orders: what each is told, through all doors, is its own.

Every text of a tenant holds its name and every amount is a multiple of its own price, so that a leak shows.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bench.figures import Report
from tests.faults import in_process

FIGURES: Final = ("foundation.tenant_leaks",)
ZONE, CURRENCY = "Europe/Vienna", "EUR"
PRICES: Final = {"alpha": 1300, "beta": 1700}
"""Minor units: no sum of up to ten of the one is a sum of the other."""
CUSTOMERS, ORDERS = 10, 20

PERSON = """id customerId firstName lastName email tags
  identities { kind value conflicting }
  statistics { orderCount totals { currency gross { amount } net { amount } } }
  segments { segment { segmentId } enteredAt }
  loyalty { available entries { nodes { points orderId } } }
  orders { nodes { id orderId net { amount } lines { sku title } } }
  feedback { nodes { id comment score } }
  messages { nodes { id template orderId } }"""
EVERYBODY = f"{{ customers(first: 20) {{ nodes {{ {PERSON} }} }} }}"
BY_EMAIL = f"""query($email: EmailAddress!) {{
  customerByIdentifier(identifier: {{email: $email}}) {{ {PERSON} }} }}"""
BY_EXTERNAL = f"""query($value: String!) {{
  customerByIdentifier(identifier: {{external: {{source: "webshop", value: $value}}}}) {{ {PERSON} }} }}"""
BY_NODE = f"""query($id: ID!) {{ node(id: $id) {{ id
  ... on Customer {{ {PERSON} }} ... on Order {{ number: orderId lines {{ sku title }} customer {{ firstName }} }}
  ... on FeedbackResponse {{ comment }} ... on Message {{ about: orderId }} }} }}"""
KPIS = """query($from: Date!, $to: Date!) {
  orders: kpi(name: ORDERS, from: $from, to: $to, grain: YEAR) { periods { value } }
  net: kpi(name: NET_REVENUE, from: $from, to: $to, grain: YEAR) { periods { numerator } }
  nps: kpi(name: NPS_RESPONSES, from: $from, to: $to, grain: YEAR) { periods { value } } }"""


@dataclass
class Watch:
    """`owner` was answered; what names the other tenant, or is an amount of its, has leaked."""

    checked: int = 0
    leaks: int = 0

    def see(self, owner: str, answer: Any, what: str, *, own: bool = True) -> None:
        """`own`: it is the owner's and must be told; otherwise it must be nothing."""
        other = next(name for name in PRICES if name != owner)
        text = json.dumps(answer, default=str)
        self.checked += 1
        wrong = other in text or (own and not answer) or (not own and bool(answer))
        if wrong:
            self.leaks += 1
            if self.leaks <= 5:
                print(f"leak: {owner} asked for {what} and was told {text[:300]}", flush=True)


def run(report: Report, sabotage: str) -> None:
    for shop in PRICES:
        in_process.found_shop(shop, zone=ZONE, currency=CURRENCY)
    order_ids = [f"o{number}" for number in range(ORDERS)]
    taken = [in_process.ingest(event) for pair in zip(*map(_events, PRICES), strict=True) for event in pair]
    for shop in PRICES:
        in_process.let_follow(shop, order_ids)
    if sabotage:
        import schema.schema  # noqa: F401  all that computes keys must be there to be broken
        from tests.faults.sabotage import in_worker

        in_worker(sabotage)
    watch = Watch(leaks=taken.count(False))
    ids = {shop: _ids(shop, watch) for shop in PRICES}
    for owner, other in (("alpha", "beta"), ("beta", "alpha")):
        _look_through_graphql(watch, owner, ids[owner], ids[other])
        _look_through_http(watch, owner)
        _look_through_services(watch, owner, order_ids, ids[other])
    report.tell(FIGURES[0], watch.leaks, n=watch.checked)


def _events(shop: str) -> list[dict[str, Any]]:
    at = datetime.now(UTC) - timedelta(hours=3)
    price = f"{PRICES[shop] / 100:.2f}"

    def event(event_id: str, kind: str, customer: int, data: dict[str, Any]) -> dict[str, Any]:
        who = {"externalId": f"c{customer}", "email": f"c{customer}@same.example.com", "emailVerified": True}
        fields = {"firstName": f"Ann {shop}", "lastName": f"Of {shop}", "tags": [f"{shop}-tag"]}
        envelope = {"id": event_id, "type": kind, "version": 1, "shop": shop, "source": "webshop"}
        return envelope | {"occurredAt": at.isoformat(), "customer": who | fields, "data": data}

    line = {"id": "l", "sku": f"{shop}-sku", "title": f"A {shop} thing", "quantity": 1, "unitPrice": price}
    order = {"version": 1, "status": "placed", "currency": CURRENCY, "placedAt": at.isoformat(), "lines": [line]}
    orders = [
        event(f"e{number}", "order.placed", number % CUSTOMERS, {"orderId": f"o{number}", **order})
        for number in range(ORDERS)
    ]
    answers = [
        event(f"f{customer}", "feedback.received", customer, {"score": 9, "comment": f"{shop} is good"})
        for customer in range(CUSTOMERS)
    ]
    return [*answers, *orders]


def _ask(shop: str, query: str, **variables: Any) -> Any:
    from schema.principal import SCOPES
    from tests.asking import answer, as_staff

    given = answer(query, variables, principal=as_staff(*SCOPES, shop=shop), now=datetime.now(UTC))
    return given.body.get("data")


def _ids(shop: str, watch: Watch) -> dict[str, list[str]]:
    """The global and the plain ids of what a tenant has."""
    people = _ask(shop, EVERYBODY)["customers"]["nodes"]
    watch.see(shop, people, "everybody")
    nodes = [person["id"] for person in people]
    for person in people:
        nodes += [one["id"] for kind in ("orders", "feedback", "messages") for one in person[kind]["nodes"]]
    return {"customers": [person["customerId"] for person in people], "nodes": nodes}


def _look_through_graphql(watch: Watch, owner: str, own: dict[str, list[str]], others: dict[str, list[str]]) -> None:
    price = PRICES[owner]
    for customer in range(CUSTOMERS):
        for query, variables in (
            (BY_EMAIL, {"email": f"C{customer}@same.example.com"}),
            (BY_EXTERNAL, {"value": f"c{customer}"}),
        ):
            found = _ask(owner, query, **variables)["customerByIdentifier"]
            watch.see(owner, found, f"customer {variables}")
            sums = found["statistics"]["totals"] if found else []
            expected = f"{ORDERS // CUSTOMERS * price / 100:.2f}"
            watch.see(owner, [total["net"]["amount"] for total in sums] == [expected], "exact sums")
            points = found["loyalty"]["available"] if found else None
            watch.see(owner, points == ORDERS // CUSTOMERS * (price // 100), "exact points")
    shared = {node for node in own["nodes"] if node in others["nodes"]}  # orders have the shops' own ids
    for node in others["nodes"]:
        watch.see(owner, _ask(owner, BY_NODE, id=node)["node"], f"node {node}", own=node in shared)
    today = datetime.now(UTC).date()
    days = {"from": str(today - timedelta(days=3)), "to": str(today + timedelta(days=1))}
    figures = _ask(owner, KPIS, **days)
    values = [sum(float(next(iter(period.values()))) for period in figures[name]["periods"]) for name in figures]
    watch.see(owner, values == [ORDERS, ORDERS * price / 100, CUSTOMERS], f"exact figures, told {values}")


def _look_through_http(watch: Watch, owner: str) -> None:
    from starlette.testclient import TestClient

    from api.app import app
    from api.local import sign
    from crm.kernel.settings import settings
    from schema.principal import Kind

    key = Path(settings().require("crm_local_key")).read_text()
    authorization = {"authorization": f"Bearer {sign(Kind.SERVICE, owner, key=key)}"}
    own = set(_customers(owner))
    with TestClient(app) as http:
        for number in range(ORDERS):
            told = http.get(f"/v1/events/e{number}", headers=authorization).json()
            watch.see(owner, told.get("customerId") in own, f"event e{number}")
        foreign = next(event for event in _events(next(name for name in PRICES if name != owner)))
        told = http.post("/v1/events", json={"events": [foreign]}, headers=authorization).json()
        watch.see(owner, [one["status"] for one in told["results"]] == ["refused"], "to send for the other")


def _look_through_services(watch: Watch, owner: str, order_ids: list[str], others: dict[str, list[str]]) -> None:
    from crm.customers import service as customers
    from crm.feedback import service as feedback
    from crm.loyalty import service as loyalty
    from crm.notifications import service as notifications
    from crm.orders import service as orders
    from crm.segmentation import service as segmentation

    own = set(_customers(owner))
    for order_id in order_ids:
        order = _found(orders.get, owner, order_id)
        is_own = order is not None and order.customer_id in own and order.lines[0].sku == f"{owner}-sku"
        watch.see(owner, is_own, f"order {order_id}")
    for customer_id in others["customers"]:
        foreign = _found(customers.get, owner, customer_id)
        watch.see(owner, foreign and foreign.customer_id, f"customer {customer_id}", own=False)
        lists: list[Callable[..., Any]] = [
            orders.list_orders, feedback.responses, notifications.messages, loyalty.entries,
        ]  # fmt: skip
        for listed in lists:
            found = listed(owner, customer_id, before=None, limit=10)
            watch.see(owner, [item.pk for item in found], f"{listed.__name__} of {customer_id}", own=False)
    for segment in segmentation.list_definitions(owner):
        for shard in range(segmentation.SHARDS):
            members = segmentation.list_members(owner, segment.segment_id, shard, after=None, limit=100)
            watch.see(owner, {stay.customer_id for stay in members} <= own, f"members of {segment.name}")


def _found(get: Callable[[str, str], Any], shop: str, key: str) -> Any:
    from crm.kernel.errors import NotFound

    try:
        return get(shop, key)
    except NotFound:
        return None


def _customers(shop: str) -> Iterator[str]:
    from crm.customers import service as customers

    for shard in range(customers.SHARDS):
        yield from (one.customer_id for one in customers.list_shard(shop, shard, before=None, limit=100))
