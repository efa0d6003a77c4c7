# bench/segments.py
"""What it costs to ask 200 segments about one customer, against the same predicates written by hand in Python.

The 200 are twenty kinds of segments as shops have them (templates and the like), each with ten windows or thresholds.
By hand, a predicate is a function of facts, today and the shop's zone, which says yes or no; the engine says until when
as well. Both are asked of the same customers at the same moments, and must agree.
"""

import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from bench.figures import Report

if TYPE_CHECKING:
    from crm.segmentation.language.facts import Facts

(RATIO,) = FIGURES = ("segments.evaluation_ratio",)
ZONE: Final = "Europe/Vienna"
NOW: Final = datetime(2026, 6, 10, 9, 30, tzinfo=UTC)
ROUNDS, CUSTOMERS = 40, 20
WINDOWS: Final = (7, 14, 30, 45, 60, 90, 120, 180, 270, 365)

ByHand = Callable[["Facts", date, ZoneInfo], bool]


@dataclass(frozen=True)
class Pair:
    """A query, and the same by hand."""

    query: str
    by_hand: ByHand


def run(report: Report) -> None:
    from crm.segmentation.language.catalogue import Catalogue
    from crm.segmentation.language.compiling import understand
    from crm.segmentation.language.truth import Moment

    pairs = [pair for number, days in enumerate(WINDOWS) for pair in _pairs(days, number)]
    understood = [understand(pair.query, Catalogue("EUR")) for pair in pairs]
    compiled = [each.compiled for each in understood if each.compiled is not None]
    assert len(compiled) == len(pairs) == 200, [each.mistakes for each in understood if each.mistakes]
    draw = random.Random(report.seed)
    customers = [_customer(draw, number) for number in range(CUSTOMERS)]
    zone = ZoneInfo(ZONE)

    def by_engine(facts: "Facts", now: datetime) -> list[bool]:
        moment = Moment(facts, now)
        return [segment.at(moment).member for segment in compiled]

    def by_hand(facts: "Facts", now: datetime) -> list[bool]:
        today = now.astimezone(zone).date()
        return [pair.by_hand(facts, today, zone) for pair in pairs]

    members = 0
    for facts in customers:
        found = by_engine(facts, NOW)
        differing = [
            pair.query for pair, *both in zip(pairs, found, by_hand(facts, NOW), strict=True) if both[0] != both[1]
        ]
        assert not differing, differing
        members += sum(found)
    ratios, times = [], []
    for number in range(3 if report.quick else ROUNDS):
        now = NOW + timedelta(minutes=number)
        engine, hand = _seconds(by_engine, customers, now), _seconds(by_hand, customers, now)
        ratios.append(engine / hand)
        times.append(engine)
    each = statistics.median(times) / len(customers)
    print(f"200 segments of one customer: {1000 * each:.2f} ms; {members / len(customers):.0f} of them true of one")
    report.tell(RATIO, statistics.median(ratios), n=len(ratios))


def _seconds(ask: Callable[["Facts", datetime], list[bool]], customers: Sequence["Facts"], now: datetime) -> float:
    began = time.perf_counter()
    for facts in customers:
        ask(facts, now)
    return time.perf_counter() - began


def _pairs(days: int, number: int) -> list[Pair]:
    """Twenty segments, each as a query and as somebody would write it in Python."""
    back, count = timedelta(days=days), 1 + number % 5
    amount = 100 * (number + 1)
    country, tag = ("AT", "DE", "US")[number % 3], ("vip", "wholesale", "press")[number % 3]
    channel = ("email", "sms", "push")[number % 3]
    return [
        Pair(
            f"number_of_orders >= {count} AND last_order_date >= -{days}d",
            lambda f, t, z: (
                f.statistics.order_count >= count and (last := _last(f, z)) is not None and last >= t - back
            ),
        ),
        Pair(
            f"number_of_orders >= {count} AND last_order_date BETWEEN -{2 * days}d AND -{days}d",
            lambda f, t, z: (
                f.statistics.order_count >= count
                and (last := _last(f, z)) is not None
                and t - 2 * back <= last <= t - back
            ),
        ),
        Pair(f"last_order_date < -{days}d", lambda f, t, z: (last := _last(f, z)) is not None and last < t - back),
        Pair(f"customer_added_date >= -{days}d", lambda f, t, z: _day(f.profile.added_at, z) >= t - back),
        Pair(f"number_of_orders = {count}", lambda f, _, __: f.statistics.order_count == count),
        Pair(f"amount_spent > {amount}", lambda f, _, __: f.statistics.spent > 100 * amount),
        Pair(
            f"amount_spent BETWEEN {amount} AND {2 * amount} OR average_order_value > {amount}",
            lambda f, _, __: (
                100 * amount <= f.statistics.spent <= 200 * amount
                or (f.statistics.average is not None and f.statistics.average > 100 * amount)
            ),
        ),
        Pair(
            f"anniversary(birth_date) BETWEEN today AND +{number}d",
            lambda f, t, _: f.profile.birth_date is not None and _has_birthday(f.profile.birth_date, t, number),
        ),
        Pair(
            f"age BETWEEN {20 + number} AND {30 + 2 * number} AND gender IN ('female', 'other')",
            lambda f, t, _: (
                f.profile.birth_date is not None
                and 20 + number <= _age(f.profile.birth_date, t) <= 30 + 2 * number
                and f.profile.gender in {"female", "other"}
            ),
        ),
        Pair(
            f"customer_countries CONTAINS '{country}' AND customer_tags NOT CONTAINS '{tag}'",
            lambda f, _, __: (
                any(address.country == country for address in f.profile.addresses)
                and tag not in {known.casefold() for known in f.profile.tags}
            ),
        ),
        Pair(
            "email_subscription_status != 'SUBSCRIBED' AND sms_subscription_status != 'SUBSCRIBED' "
            f"AND number_of_orders > {number}",
            lambda f, _, __: (
                f.consents.get("email") != "granted"
                and f.consents.get("sms") != "granted"
                and f.statistics.order_count > number
            ),
        ),
        Pair(
            f"{channel}_subscription_status = 'SUBSCRIBED' AND last_order_date < -{days}d",
            lambda f, t, z: (
                f.consents.get(channel) == "granted" and (last := _last(f, z)) is not None and last < t - back
            ),
        ),
        Pair(
            f"orders_placed(count_min: {count}, since: -{days}d)",
            lambda f, t, z: sum(_day(order.placed_at, z) >= t - back for order in f.orders or ()) >= count,
        ),
        Pair(
            f"orders_placed(sum_amount_min: {amount}, since: -{days}d)",
            lambda f, t, z: (
                (recent := [order for order in f.orders or () if _day(order.placed_at, z) >= t - back]) != []
                and sum(order.net for order in recent if order.currency == "EUR") >= 100 * amount
            ),
        ),
        Pair(
            f"products_purchased(tag: 'sale', since: -{days}d)",
            lambda f, t, z: (
                sum(
                    line.quantity
                    for order in f.orders or ()
                    if _day(order.placed_at, z) >= t - back
                    for line in order.lines
                    if "sale" in {known.casefold() for known in line.tags}
                )
                >= 1
            ),
        ),
        Pair(
            f"products_purchased(category: 'music', quantity_min: {count}, since: -{days}d)",
            lambda f, t, z: (
                sum(
                    line.quantity
                    for order in f.orders or ()
                    if _day(order.placed_at, z) >= t - back
                    for line in order.lines
                    if line.category is not None and line.category.casefold() == "music"
                )
                >= count
            ),
        ),
        Pair(
            f"event('product.viewed', count_min: {count}, since: -{days}d)",
            lambda f, t, z: sum(_day(view.occurred_at, z) >= t - back for view in _views(f)) >= count,
        ),
        Pair(
            f"event('product.viewed', since: -{days}d, properties.sku: 'MUG') AND NOT products_purchased(sku: 'MUG')",
            lambda f, t, z: (
                any(
                    _day(view.occurred_at, z) >= t - back and str(view.properties.get("sku")).casefold() == "mug"
                    for view in _views(f)
                )
                and not any(
                    line.quantity for order in f.orders or () for line in order.lines if line.sku.casefold() == "mug"
                )
            ),
        ),
        Pair(
            f"last_visit_date < -{days}d OR utm_source = 'newsletter'",
            lambda f, t, z: (
                (f.last_visit_at is not None and _day(f.last_visit_at, z) < t - back)
                or (f.first_source is not None and (f.first_source.source or "").casefold() == "newsletter")
            ),
        ),
        Pair(
            f"loyalty_points >= {amount} AND loyalty_tier = 'gold' AND customer_email_domain != 'example.com'",
            lambda f, _, __: (
                f.loyalty is not None
                and f.loyalty.points >= amount
                and (f.loyalty.tier or "").casefold() == "gold"
                and f.profile.email is not None
                and f.profile.email.rpartition("@")[2].casefold() != "example.com"
            ),
        ),
    ]


def _day(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()


def _last(facts: "Facts", zone: ZoneInfo) -> date | None:
    at = facts.statistics.last_order_at
    return None if at is None else _day(at, zone)


def _views(facts: "Facts") -> Sequence[Any]:
    return (facts.touchpoints or {}).get("product.viewed", ())


def _age(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _has_birthday(born: date, today: date, days: int) -> bool:
    """Of those of this year and the next, one is now or within so many days."""
    return any(
        today <= born.replace(year=year, day=min(born.day, 28)) <= today + timedelta(days=days)
        for year in (today.year, today.year + 1)
    )


def _customer(draw: random.Random, number: int) -> "Facts":
    """Somebody who orders a few times a year, and looks around more often."""
    from crm.segmentation.language.facts import (
        Address,
        Facts,
        Line,
        Loyalty,
        Order,
        Profile,
        Source,
        Statistics,
        Touchpoint,
    )

    def ago(days: int) -> datetime:
        return NOW - timedelta(seconds=draw.randrange(1, days * 86_400))

    def line() -> Line:
        tags = frozenset(draw.sample(["sale", "new", "Christmas"], draw.randint(0, 2)))
        return Line(draw.choice(["MUG", "CD", "TEE"]), draw.randint(1, 3), draw.choice(["Music", "home", None]), tags)

    orders = sorted(
        (
            Order(f"o{n}", ago(700), "EUR", draw.randrange(1_000, 30_000), lines=tuple(line() for _ in range(3)))
            for n in range(draw.randint(0, 12))
        ),
        key=lambda order: order.placed_at,
    )
    spent = sum(order.net for order in orders)
    views = tuple(
        Touchpoint(f"t{n}", "product.viewed", ago(300), {"sku": draw.choice(["MUG", "CD"])})
        for n in range(draw.randint(0, 40))
    )
    return Facts(
        f"cus_{number}",
        ZONE,
        Profile(
            ago(900), "Ada", "Byron", f"a{number}@{draw.choice(['example.com', 'gmail.com'])}", "de-AT",
            draw.choice(["female", "male", None]), date(draw.randint(1950, 2007), draw.randint(1, 12), 9),
            tags=frozenset(draw.sample(["VIP", "press", "Late"], 2)),
            addresses=(Address(draw.choice(["AT", "DE", "US"]), None, "Wien"),),
        ),
        Statistics(len(orders), spent, spent // len(orders), orders[0].placed_at, orders[-1].placed_at)
        if orders
        else Statistics(),
        {"email": draw.choice(["granted", "denied"]), "sms": "pending"},
        first_source=Source(draw.choice(["Newsletter", "google"])),
        loyalty=Loyalty(spent // 100, draw.choice(["Gold", None])),
        last_visit_at=ago(400),
        orders=tuple(orders),
        touchpoints={"product.viewed": views},
    )  # fmt: skip
