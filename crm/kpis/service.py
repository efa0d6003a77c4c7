# crm/kpis/service.py
"""What can be asked of KPIs, and how they learn of facts: the only door into this area."""

from collections.abc import Collection, Iterator, Sequence
from datetime import MAXYEAR, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from msgspec import Struct
from msgspec.structs import replace

from crm.customers.service import Customer
from crm.feedback.service import FeedbackResponse
from crm.kernel import clock
from crm.kernel.errors import Fault, InvalidInput, InvalidInputs
from crm.kernel.money import Money, is_currency
from crm.kernel.table import STORE_ERRORS, Item
from crm.kpis import balances, contributions, repository, rollup, sources
from crm.kpis.contributions import ENTERED, EVERY, LEFT, MEMBERS, Share
from crm.kpis.definitions import DEFINITIONS, FRACTION, MONEY, Definition
from crm.kpis.facts import ANSWER, POINTS, Fact
from crm.kpis.models import Contribution
from crm.kpis.periods import DAY, GRAINS, Period, periods
from crm.loyalty.models import LedgerEntry
from crm.orders.service import Order
from crm.segmentation.stays import SegmentMembership
from crm.shops import service as shops

__all__ = [
    "DEFINITIONS", "GRAINS", "MONEY", "MOST_DAYS", "Contribution", "Definition", "GrowthRow", "Kpi", "KpiRow", "News",
    "Share",
    "facts", "growth", "kpi", "member_counts", "news", "roll_up", "share",
]  # fmt: skip

MOST_DAYS = 1096  # three years with their leap day: one page of a query for each metric
SETTLING = timedelta(days=1)  # shops send what happened up to a day late


class News(Struct, frozen=True):
    """What a changed record tells: facts, or that all facts of `recount` (shop, customer) count anew."""

    facts: tuple[Fact, ...] = ()
    recount: tuple[str, str] | None = None


class KpiRow(Struct, frozen=True):
    """The value of one period, and the sums it comes from: counts, or minor units of money."""

    start: date
    end: date
    value: Decimal | None
    """Whole units of the currency, a count, or a fraction of one; None where the denominator is zero."""
    numerator: int
    denominator: int | None
    complete: bool
    """False while the period, or the day after it, has not ended at the shop: its facts may still be on their way."""


class Kpi(Struct, frozen=True):
    definition: Definition
    grain: str
    currency: str | None
    """What money is in; for a count, which orders were counted (None: those of every currency)."""
    rows: list[KpiRow]


class GrowthRow(Struct, frozen=True):
    """How many stays in a segment began and ended in a period, by when they did, and how many stood at its end."""

    start: date
    end: date
    entered: int
    left: int
    members: int


def news(item: Item, before: Item | None, *, now: datetime) -> News:
    """What a record says to KPIs that has changed from `before`.

    Raises InvalidInput for a kind that tells no facts, and NotFound for a stay in a segment, or points, of an unknown
    shop.
    """
    match item:
        case Order() | FeedbackResponse():
            return News(facts=tuple(_told(item, zone="")))
        case LedgerEntry():
            return News(facts=tuple(_told(item, zone=shops.current(item.shop, now=now).zone)))
        case SegmentMembership():
            return News(facts=tuple(sources.of_stay(item, zone=shops.current(item.shop, now=now).zone)))
        case Customer():
            was_test = isinstance(before, Customer) and bool(before.test)
            return News(recount=(item.shop, item.customer_id) if bool(item.test) != was_test else None)
    raise InvalidInput(f"{type(item).__name__} tells no facts", field="kind")


def roll_up(all_news: Sequence[News], *, now: datetime) -> set[int]:
    """Let what is new count; return the positions of the news for which that failed for now.

    The same news again changes nothing.
    """
    told: dict[tuple[str, str] | None, list[Fact]] = {None: [fact for each in all_news for fact in each.facts]}
    unread = set()
    for customer in {each.recount for each in all_news if each.recount is not None}:
        try:
            told[customer] = list(_facts_of(*customer, now=now))
        except STORE_ERRORS:
            unread.add(customer)
    failed = rollup.roll_up(fact for facts_told in told.values() for fact in facts_told)
    return {
        position
        for position, each in enumerate(all_news)
        if each.recount in unread
        or any(fact.key in failed for fact in each.facts)
        or (each.recount is not None and any(fact.key in failed for fact in told[each.recount]))
    }


def kpi(
    shop: str,
    name: str,
    from_day: date,
    to_day: date,
    *,
    grain: str = DAY,
    currency: str | None = None,
    now: datetime,
) -> Kpi:
    """A KPI over shop-local days, both included, in periods of the grain; the outer periods are cut to the days.

    Money is in the shop's currency unless another is named. Raises NotFound for an unknown shop, and InvalidInputs for
    an unknown name, grain or currency, and for days that are reversed or more than MOST_DAYS.
    """
    definition = DEFINITIONS.get(name)
    faults = _faults(name, from_day, to_day, grain, currency)
    if faults or definition is None:
        raise InvalidInputs(faults)
    owner = shops.current(shop, now=now)
    if definition.unit == MONEY and currency is None:
        currency = owner.currency
    today = clock.local_day(now, owner.zone)
    if definition.before:
        return _balances(shop, definition, from_day, to_day, grain=grain, zone=owner.zone, now=now)
    dimension = currency or EVERY
    added = repository.list_cells(shop, definition.added, dimension, first=from_day, last=to_day)
    subtracted, divisor = (
        repository.list_cells(shop, metric, dimension, first=from_day, last=to_day) if metric else None
        for metric in (definition.subtracted, definition.divisor)
    )
    rows = []
    for period in periods(from_day, to_day, grain):
        numerator = _sum(added, period) - (_sum(subtracted, period) if subtracted else 0)
        denominator = _sum(divisor, period) if divisor is not None else None
        value = _value(definition.unit, numerator, denominator, currency)
        complete = period.end + SETTLING < today
        rows.append(KpiRow(period.start, period.end, value, numerator, denominator, complete))
    return Kpi(definition, grain, currency, rows)


def member_counts(shop: str, segment_ids: Collection[str]) -> dict[str, int]:
    """How many members each of these segments has; the numbers follow the lists of members within moments."""
    totals = repository.get_totals(shop, MEMBERS, segment_ids)
    return {segment_id: totals.get(segment_id, 0) for segment_id in segment_ids}


def growth(
    shop: str, segment_id: str, from_day: date, to_day: date, *, grain: str = DAY, now: datetime
) -> list[GrowthRow]:
    """How a segment grew over shop-local days, both included, in periods of the grain; the outer ones are cut to them,
    and the last one to the day there is now.

    Stays count when they began and ended, not when that was found out. Raises InvalidInputs for an unknown grain, and
    for days that are reversed or more than MOST_DAYS.
    """
    if faults := _period_faults(from_day, to_day, grain):
        raise InvalidInputs(faults)
    to_day = min(to_day, clock.local_day(now, shops.current(shop, now=now).zone))
    if from_day > to_day:
        return []
    entered, left = (
        repository.list_cells(shop, metric, segment_id, first=date.min, last=to_day) for metric in (ENTERED, LEFT)
    )
    before = Period(date.min, from_day - timedelta(days=1)) if from_day > date.min else None
    members = _sum(entered, before) - _sum(left, before) if before else 0
    rows = []
    for period in periods(from_day, to_day, grain):
        came, went = _sum(entered, period), _sum(left, period)
        members += came - went
        rows.append(GrowthRow(period.start, period.end, came, went, members))
    return rows


def facts(shop: str, name: str, day: date, *, after: str | None, limit: int) -> list[Contribution]:
    """The facts that a day of a KPI is made of, by id, from behind the fact id `after`: those of every currency.

    The list follows the cells within moments. Of points it is all that moved any that day, also what adds nothing to
    this figure. Raises InvalidInputs for an unknown name, and for what points are worth, which no fact is.
    """
    if _defined(name).is_worth:
        raise InvalidInputs([Fault("name", "INVALID", "is made of points: ask for those of points_outstanding")])
    return repository.list_facts(shop, _defined(name).fact_kind, day, after=after, limit=limit)


def share(name: str, fact: Contribution) -> Share:
    """What one of its facts adds to a KPI. Raises InvalidInputs for an unknown name."""
    return contributions.share(
        _defined(name), ((part.metric, part.dimension, int(part.amount)) for part in fact.addends)
    )


def _told(record: Order | FeedbackResponse | LedgerEntry, *, zone: str) -> Iterator[Fact]:
    match record:
        case Order():
            return sources.of_order(record)
        case LedgerEntry():
            return sources.of_entry(record, zone=zone)
    return sources.of_response(record)


def _facts_of(shop: str, customer_id: str, *, now: datetime) -> list[Fact]:
    """Of those facts for which it matters whether the customer is a test customer."""
    records = list(repository.list_records(shop, customer_id))
    zone = shops.current(shop, now=now).zone if any(isinstance(one, LedgerEntry) for one in records) else ""
    return [fact for record in records for fact in _told(record, zone=zone)]


def _balances(
    shop: str, definition: Definition, from_day: date, to_day: date, *, grain: str, zone: str, now: datetime
) -> Kpi:
    """A worth is in the currency of the programme that counts at the end; null where another counted then."""
    asked = list(periods(from_day, to_day, grain))
    numbers, today = balances.at_ends(shop, definition, asked), clock.local_day(now, zone)
    rows = [
        KpiRow(one.start, one.end, Decimal(points), points, None, one.end + SETTLING < today)
        for one, points in zip(asked, numbers, strict=True)
    ]
    if not definition.is_worth:
        return Kpi(definition, grain, None, rows)
    counting = balances.programmes(shop, asked, zone=zone, now=now)
    currency = counting[-1].currency
    for position, programme in enumerate(counting):
        worth = balances.worth(numbers[position], programme)
        rows[position] = replace(
            rows[position], numerator=worth.minor, value=worth.amount if worth.currency == currency else None
        )
    return Kpi(definition, grain, currency, rows)


def _sum(days: dict[date, int], period: Period) -> int:
    return sum(amount for day, amount in days.items() if period.start <= day <= period.end)


def _value(unit: str, numerator: int, denominator: int | None, currency: str | None) -> Decimal | None:
    """Halves rounded up: money to the currency's digits, fractions to six."""
    if denominator == 0:
        return None
    quotient = Decimal(numerator) / (denominator or 1)
    if unit == MONEY and currency is not None:
        return Money(int(quotient.to_integral_value(rounding=ROUND_HALF_UP)), currency).amount
    return quotient.quantize(Decimal("0.000001"), rounding=ROUND_HALF_UP) if unit == FRACTION else quotient


def _faults(name: str, from_day: date, to_day: date, grain: str, currency: str | None) -> list[Fault]:
    faults = []
    definition = DEFINITIONS.get(name)
    if definition is None:
        faults.append(_unknown())
    elif currency is not None and definition.fact_kind in {ANSWER, POINTS}:
        faults.append(Fault("currency", "INVALID", "may not be given: this KPI is in no currency, or in one only"))
    if currency is not None and not is_currency(currency):
        faults.append(Fault("currency", "UNKNOWN", "must be an ISO 4217 currency such as EUR"))
    return faults + _period_faults(from_day, to_day, grain)


def _period_faults(from_day: date, to_day: date, grain: str) -> list[Fault]:
    faults = []
    if grain not in GRAINS:
        faults.append(Fault("grain", "UNKNOWN", f"must be one of {', '.join(GRAINS)}"))
    if from_day > to_day:
        faults.append(Fault("from", "INVALID", "may not lie after `to`"))
    elif (to_day - from_day).days >= MOST_DAYS:
        faults.append(Fault("to", "TOO_LONG", f"must end {MOST_DAYS:,} days at most after `from`"))
    if to_day.year == MAXYEAR:  # there is no day after its last period
        faults.append(Fault("to", "INVALID", f"must lie before the year {MAXYEAR}"))
    return faults


def _defined(name: str) -> Definition:
    definition = DEFINITIONS.get(name)
    if definition is None:
        raise InvalidInputs([_unknown()])
    return definition


def _unknown() -> Fault:
    return Fault("name", "UNKNOWN", f"must be one of {', '.join(sorted(DEFINITIONS))}")
