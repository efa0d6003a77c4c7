# tests/faults/oracle.py
"""What a shop's events come to, as docs/glossary.md and docs/events.md define it: a plain fold over them. Pure.

It shares no code with what it judges, and is as simple as it can be: it holds everything and counts anew.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

RECENT, REPEAT = "Ordered in the last 30 days", "Repeat buyer"
Sums = tuple[int, int, int, int]


@dataclass
class Expected:
    """Of one customer. `left_at`: when time ended the last stay among those who ordered recently, where only time did,
    and after `since` (what had ended before it was told of need not have begun).
    """

    name: str | None = None
    test: bool = False
    orders: int = 0
    totals: dict[str, Sums] = field(default_factory=dict)
    """Per currency: orders, gross, refunded, net."""
    first: datetime | None = None
    last: datetime | None = None
    points: int = 0
    segments: set[str] = field(default_factory=set)
    touchpoints: list[str] = field(default_factory=list)
    """The products they looked at, also before anybody knew them; sorted."""
    left_at: datetime | None = None


Cell = tuple[str, str, str]
"""Metric, dimension, day."""


@dataclass(frozen=True)
class Worth:
    customer: str
    placed: datetime
    currency: str
    cancelled: bool
    gross: int
    refunds: list[tuple[datetime, int]]
    order_id: str
    points_spent: int
    bill: int
    """All that it cost: gift cards, taxes and shipping with it."""
    given_back: int
    """What of that was refunded."""

    @property
    def refunded(self) -> int:
        return sum(amount for _, amount in self.refunds)

    @property
    def net(self) -> int:
        return self.gross - self.refunded


@dataclass(frozen=True)
class Verdict:
    customers: dict[str, Expected]
    cells: dict[Cell, int]


def fold(
    events: Iterable[dict[str, Any]], *, zone: str, currency: str, now: datetime, since: datetime | None = None
) -> Verdict:
    """What these events (each once, of one shop, in any order) come to at `now`; `since`: when all had been told."""
    place = ZoneInfo(zone)
    all_told = sorted(events, key=lambda event: datetime.fromisoformat(event["occurredAt"]))
    everything = [event for event in all_told if "externalId" in event["customer"]]
    customers: dict[str, Expected] = {}
    for event in everything:  # the latest event to say something about a field wins
        known = customers.setdefault(event["customer"]["externalId"], Expected())
        known.name = event["customer"].get("firstName", known.name)
        known.test = event["customer"].get("test", known.test)
    cells: Counter[Cell] = Counter()
    edited: set[str] = set()
    for worth in worths(everything):
        known = customers[worth.customer]
        if worth.cancelled:
            edited.add(worth.customer)
            continue
        _count(known, worth, currency)
        if not known.test:
            _count_cells(cells, worth, place)
    for event in everything:
        who = customers[event["customer"]["externalId"]]
        if event["type"] == "feedback.received" and not who.test:
            _count_answer(cells, event, place)
    for external_id, sku in _looked_at(all_told):
        customers[external_id].touchpoints = sorted([*customers[external_id].touchpoints, sku])
    for external_id, known in customers.items():
        _belong(known, place, now)
        if external_id in edited or (since and known.left_at and known.left_at <= since):
            known.left_at = None
    return Verdict(customers, {cell: amount for cell, amount in cells.items() if amount})


def _looked_at(events: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Who looked at what. A visitor is the first who was said to be them."""
    visitors: dict[str, str] = {}
    for event in events:
        who = event["customer"]
        if "anonymousId" in who and "externalId" in who:
            visitors.setdefault(who["anonymousId"], who["externalId"])
    for event in events:
        who = event["customer"]
        external_id = who.get("externalId") or visitors.get(who["anonymousId"])
        if event["type"] == "product.viewed" and external_id is not None:
            yield external_id, event["data"]["sku"]


def worths(events: Iterable[dict[str, Any]]) -> list[Worth]:
    """Each order as its highest version says, with all its refunds."""
    newest: dict[str, dict[str, Any]] = {}
    refunds: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        if event["type"] == "refund.created":
            refunds.setdefault(event["data"]["orderId"], []).append(event)
        elif event["type"].startswith("order."):
            stored = newest.get(event["data"]["orderId"])
            if stored is None or event["data"]["version"] > stored["data"]["version"]:
                newest[event["data"]["orderId"]] = event
    return [
        Worth(
            customer=event["customer"]["externalId"],
            placed=datetime.fromisoformat(event["data"]["placedAt"]),
            currency=event["data"]["currency"],
            cancelled=event["data"]["status"] == "cancelled",
            gross=sum(map(_line_value, event["data"]["lines"])),
            refunds=_refunds(event["data"]["lines"], refunds.get(order_id, [])),
            order_id=order_id,
            points_spent=event["data"].get("pointsSpent", 0),
            bill=sum(map(_cost, event["data"]["lines"])) + _minor(event["data"].get("shipping", "0")),
            given_back=sum(_cost_given_back(line, refunds.get(order_id, [])) for line in event["data"]["lines"]),
        )
        for order_id, event in newest.items()
    ]


def _line_value(line: dict[str, Any]) -> int:
    """Quantity x unit price - discount; a gift card is no sale."""
    return 0 if line.get("giftCard") else _price(line)


def _price(line: dict[str, Any]) -> int:
    return max(0, int(line["quantity"]) * _minor(line["unitPrice"]) - _minor(line["discount"]))


def _cost(line: dict[str, Any]) -> int:
    return _price(line) + _minor(line.get("tax", "0"))


def _cost_given_back(line: dict[str, Any], refunds: list[dict[str, Any]]) -> int:
    """A line's tax goes back as its price does."""
    parts = [part for refund in refunds for part in refund["data"]["lines"] if part["lineId"] == line["id"]]
    price = _price(line)
    part = _given_back(line, parts, worth=price)
    return part + (_minor(line.get("tax", "0")) * part // price if price else 0)


def _refunds(lines: list[dict[str, Any]], refunds: list[dict[str, Any]]) -> list[tuple[datetime, int]]:
    """Each refund with what it takes off the order beyond those before it."""
    told: list[tuple[datetime, int]] = []
    parts: list[dict[str, Any]] = []
    before = 0
    for refund in sorted(refunds, key=lambda one: (datetime.fromisoformat(one["occurredAt"]), one["data"]["refundId"])):
        parts += refund["data"]["lines"]
        after = sum(
            _given_back(line, [part for part in parts if part["lineId"] == line["id"]], worth=_line_value(line))
            for line in lines
        )
        told.append((datetime.fromisoformat(refund["occurredAt"]), after - before))
        before = after
    return told


def _given_back(line: dict[str, Any], parts: list[dict[str, Any]], *, worth: int) -> int:
    """Of one line, never more than it was `worth`: stated amounts, and the other units' share of it, rounded down."""
    stated = sum(_minor(part["amount"]) for part in parts if "amount" in part)
    units = min(line["quantity"], sum(part["quantity"] for part in parts if "amount" not in part))
    share = int(Decimal(worth) * units // line["quantity"])
    return min(worth, stated + share)


def _count(known: Expected, worth: Worth, shop_currency: str) -> None:
    orders, gross, refunded, net = known.totals.get(worth.currency, (0, 0, 0, 0))
    known.totals[worth.currency] = (orders + 1, gross + worth.gross, refunded + worth.refunded, net + worth.net)
    known.orders += 1
    known.first = min(filter(None, (known.first, worth.placed)))
    known.last = max(filter(None, (known.last, worth.placed)))
    if worth.currency == shop_currency:
        known.points += worth.net // 100  # one a whole unit of an order's net


def _count_cells(cells: Counter[Cell], worth: Worth, place: ZoneInfo) -> None:
    day = _day(worth.placed, place).isoformat()
    cells["orders", "all", day] += 1
    cells["orders", worth.currency, day] += 1
    cells["gross_revenue", worth.currency, day] += worth.gross
    cells["net_revenue", worth.currency, day] += worth.net
    for at, amount in worth.refunds:
        cells["refunded", worth.currency, _day(at, place).isoformat()] += amount


def _count_answer(cells: Counter[Cell], event: dict[str, Any], place: ZoneInfo) -> None:
    day = _day(datetime.fromisoformat(event["occurredAt"]), place).isoformat()
    score = event["data"]["score"]
    cells["nps_responses", "all", day] += 1
    cells["nps_promoters", "all", day] += int(score >= 9)
    cells["nps_detractors", "all", day] += int(score <= 6)


def _belong(known: Expected, place: ZoneInfo, now: datetime) -> None:
    if known.orders >= 2:
        known.segments.add(REPEAT)
    if known.last is None:
        return
    # Today and the 29 days before it.
    ends_on = _day(known.last, place) + timedelta(days=30)
    if _day(now, place) < ends_on:
        known.segments.add(RECENT)
    else:
        known.left_at = datetime.combine(ends_on, time(), place).astimezone(UTC)


def _day(instant: datetime, place: ZoneInfo) -> date:
    return instant.astimezone(place).date()


def _minor(amount: str) -> int:
    return int(Decimal(amount) * 100)
