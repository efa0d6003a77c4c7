# bench/segment_events.py
"""What an event costs that segments hang on: as a shop grows, and where it touches nothing that they read."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bench.figures import Report
from tests.faults import segments_crowd as crowd
from tests.faults.segments_chain import Chain, Event

UNTOUCHED, REQUESTS, UNITS = FIGURES = (
    "segments.untouched_evaluations",
    "segments.event_requests_growth",
    "segments.event_write_units_growth",
)
NOW: Final = datetime(2026, 6, 10, 9, 30, tzinfo=UTC)
FOUNDED: Final = NOW - timedelta(days=100)
FEW, MANY, SAMPLED = 1_000, 20_000, 20
SEGMENTS: Final = {
    "Repeat": "number_of_orders >= 2",
    "Lately": "last_order_date >= -30d",
    "Big": "orders_placed(sum_amount_min: 10, since: -90d)",
    "Music": "products_purchased(category: 'music', since: -90d)",
    "Abandoned": "checkout_abandoned(60, since: -7d)",
    "Looking": "event('product.viewed', count_min: 3, since: -7d)",
    "Reachable": "email_subscription_status = 'SUBSCRIBED'",
    "Birthday": "anniversary(birth_date) BETWEEN today AND +7d",
}
"""As shops have them; an order changes some of them."""

PROFILE, ACQUISITION, CONSENT, FEEDBACK, ORDERS, SEEN, CARTS, VIEWS, VISITS, OWN_SIZE = READ = (
    ("first_name = 'Ann'", "age > 30", "customer_tags CONTAINS 'vip'", "customer_within_distance(52, 13, 20)"),
    ("utm_source = 'x'", "last_utm_medium = 'y'", "acquisition_channel = 'web'"),
    ("email_subscription_status = 'SUBSCRIBED'", "sms_subscription_status = 'SUBSCRIBED'"),
    ("nps_score >= 9", "last_feedback_date >= -30d"),
    (
        "number_of_orders >= 2", "amount_spent > 100", "last_order_channel = 'web'", "orders_placed(since: -30d)",
        "products_purchased(sku: 'A')", "rfm_recency >= 4",
    ),
    ("last_seen_channel = 'web'", "last_visit_date >= -30d"),
    ("checkout_abandoned(60)", "abandoned_checkout_date >= -7d"),
    ("event('product.viewed')", "event('product.viewed', count_min: 3, since: -7d)"),
    ("event('visit.started', count_min: 2)",),
    ("attributes.size = 'M'",),
)  # fmt: skip
"""Queries by the kind of fact that they read, and no other."""
OTHERS: Final = ("attributes.weight > 3", "loyalty_points > 5", "churn_risk > 0.5", "random_bucket('a') < 50")


def run(report: Report) -> None:
    if report.wants(UNTOUCHED):
        _touch(report)
    if report.wants(REQUESTS, UNITS):
        _grow(report)


def _touch(report: Report) -> None:
    """An event of each kind, of one customer: which of the segments are evaluated, and which of them may be."""
    shop = "bench-touched"
    queries = [query for kind in READ for query in kind] + list(OTHERS)
    crowd.found(shop, {query: query for query in queries}, zone="Europe/Vienna", currency="EUR", now=FOUNDED)
    chain = Chain(shop)
    chain.hear(_event(shop, "new", "customer.updated", {}), now=NOW)
    evaluated: Counter[str] = Counter()
    untouched = 0
    for name, (event, touched) in enumerate(_events(shop)):
        with _evaluations() as asked:
            chain.hear(event | {"id": f"touch-{name}"}, now=NOW + timedelta(minutes=name + 1))
        may_be = {query for kind in touched for query in kind}
        untouched += sum(times for query, times in asked.items() if query not in may_be)
        evaluated += asked
        print(f"{event['type']}: {len(asked)} of {len(queries)} segments evaluated, {len(may_be)} may be: "
              f"{sorted(asked.keys() - may_be) or 'none other'}", flush=True)  # fmt: skip
        assert asked.keys() & may_be, f"{event['type']} had nothing evaluated"
    report.tell(UNTOUCHED, untouched, n=evaluated.total())


def _events(shop: str) -> Iterator[tuple[Event, tuple[tuple[str, ...], ...]]]:
    """One of each kind, and what it can touch."""
    cart = {"cartId": "k1", "lines": [{"sku": "A", "quantity": 1}]}
    consents = [{"channel": "email", "purpose": "marketing", "state": "granted"}]
    yield _event(shop, "", "consent.updated", {"consents": consents}), (CONSENT,)
    yield _event(shop, "", "product.viewed", {"sku": "A"}), (VIEWS, SEEN)
    yield _event(shop, "", "visit.started", {"utm": {"source": "x"}}), (VISITS, SEEN, ACQUISITION)
    yield _event(shop, "", "cart.updated", cart), (CARTS, SEEN)
    yield _event(shop, "", "checkout.started", cart), (CARTS, SEEN)
    yield _event(shop, "", "custom.recorded", {"name": "wishlist.shared"}), (SEEN,)
    yield _event(shop, "", "feedback.received", {"score": 9}), (FEEDBACK,)
    yield _event(shop, "", "customer.updated", {}, attributes={"size": "M"}), (OWN_SIZE,)
    yield _event(shop, "", "customer.updated", {}, firstName="Ann"), (PROFILE,)
    yield _event(shop, "", "order.placed", _order("touched", "k1")), (ORDERS, CARTS)


@contextmanager
def _evaluations() -> Iterator[Counter[str]]:
    """How often each query is evaluated inside, by its text."""
    from crm.segmentation.language.compiling import Compiled

    counted: Counter[str] = Counter()
    at = Compiled.at

    def counting(self: Any, moment: Any) -> Any:
        counted[self.normalized] += 1
        return at(self, moment)

    Compiled.at = counting  # type: ignore[method-assign]
    try:
        yield counted
    finally:
        Compiled.at = at  # type: ignore[method-assign]


def _grow(report: Report) -> None:
    """Orders of new customers, among few others and among many."""
    shop = "bench-crowd"
    sizes = (100, 500) if report.quick else (FEW, MANY)
    crowd.found(shop, SEGMENTS, zone="Europe/Vienna", currency="EUR", now=FOUNDED)
    chain = Chain(shop)
    costs = []
    known = 0
    for round_, size in enumerate(sizes, start=1):
        crowd.seed(shop, range(known, size), now=NOW - timedelta(days=10), wakes_at=NOW + timedelta(days=900))
        known = size
        chain.forget()
        costs.append(_costs(chain, shop, round_))
        requests, read, written = costs[-1]
        print(f"{size} customers: an order and what it changes of segments asks {requests / SAMPLED:.2f} requests, "
              f"{read / SAMPLED:.2f} read units, {written / SAMPLED:.2f} write units", flush=True)  # fmt: skip
    if report.wants(REQUESTS):
        report.tell(REQUESTS, costs[-1][0] - costs[0][0], n=SAMPLED)
    if report.wants(UNITS):
        report.tell(UNITS, costs[-1][2] - costs[0][2], n=SAMPLED)


def _costs(chain: Chain, shop: str, round_: int) -> tuple[int, float, float]:
    """Requests, read and write units, but for what is read once a minute."""
    from crm.kernel.meter import metering

    chain.hear(_event(shop, f"first{round_}", "customer.updated", {}, name=f"first{round_}"), now=NOW)
    with metering() as meter:
        for number in range(SAMPLED):
            name = f"o{round_}{number:02}"
            chain.hear(_event(shop, name, "order.placed", _order(name, f"k{name}"), name=name), now=NOW)
    return meter.requests, meter.read_units, meter.write_units


def _order(order_id: str, cart_id: str) -> dict[str, Any]:
    line = {"id": "1", "sku": "A", "category": "music", "quantity": 2, "unitPrice": "12.50"}
    return {
        "orderId": order_id, "version": 1, "status": "placed", "currency": "EUR", "placedAt": NOW.isoformat(),
        "lines": [line], "channel": "web", "cartId": cart_id,
    }  # fmt: skip


def _event(shop: str, event_id: str, kind: str, data: dict[str, Any], *, name: str = "ann", **customer: Any) -> Event:
    event = {"id": event_id, "type": kind, "version": 1, "shop": shop, "source": "webshop"}
    who = {"externalId": name} | customer
    return event | {"occurredAt": (NOW - timedelta(minutes=5)).isoformat(), "customer": who, "data": data}
