# crm/kpis/contributions.py
"""What a fact adds to which cells, and what a correction of it changes. Pure: values in, values out."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date

from msgspec import Struct

from crm.feedback.nps import DETRACTOR, PROMOTER
from crm.kpis.definitions import OUTSTANDING, OUTSTANDING_BY_YEAR, Definition
from crm.kpis.facts import AnswerFact, EntryFact, ExitFact, Fact, OrderFact, PointsFact, RefundFact

EVERY = "all"
ENTERED, LEFT, MEMBERS = "segment_entered", "segment_left", "segment_members"
EVER = date.max
"""The day of a cell that sums up all days."""


class CellKey(Struct, frozen=True, order=True):
    """One number of a shop: `dimension` is `all`, a currency, or a segment."""

    day: date
    metric: str
    dimension: str


Addends = Mapping[CellKey, int]


def addends(fact: Fact, *, day: date, test: bool) -> dict[CellKey, int]:
    """What the fact adds, on its shop-local day; mostly nothing for test customers. Money is minor units of its
    currency.
    """
    counted = Counter() if test and not fact.of_tests else _counted(fact)
    cells = {CellKey(day, metric, dimension): amount for (metric, dimension), amount in counted.items() if amount}
    if OUTSTANDING in {metric for metric, _ in counted}:
        cells[CellKey(first_of_year(day), OUTSTANDING_BY_YEAR, EVERY)] = counted[OUTSTANDING, EVERY]
    match fact:
        case EntryFact():
            cells[CellKey(EVER, MEMBERS, fact.segment_id)] = 1
        case ExitFact():
            cells[CellKey(EVER, MEMBERS, fact.segment_id)] = -1
    return cells


def first_of_year(day: date) -> date:
    """The day of the cell that sums up a year: a balance is that of the years before, and the days since."""
    return day.replace(month=1, day=1)


def _counted(fact: Fact) -> Counter[tuple[str, str]]:
    cells: Counter[tuple[str, str]] = Counter()
    match fact:
        case OrderFact(cancelled=False):
            cells["orders", EVERY] = 1
            cells["orders", fact.currency] = 1
            cells["gross_revenue", fact.currency] = fact.gross
            cells["net_revenue", fact.currency] = fact.net
        case RefundFact(cancelled=False):
            cells["refunded", fact.currency] = fact.amount
        case AnswerFact(group=str(group)):
            cells["nps_responses", EVERY] = 1
            cells["nps_promoters", EVERY] = int(group == PROMOTER)
            cells["nps_detractors", EVERY] = int(group == DETRACTOR)
        case PointsFact():
            cells["points_issued", EVERY] = fact.issued
            cells["points_redeemed", EVERY] = fact.redeemed
            cells["points_expired", EVERY] = fact.expired
            cells["points_adjusted", EVERY] = fact.adjusted
            if fact.outstanding:
                cells[OUTSTANDING, EVERY] = fact.outstanding
        case EntryFact():
            cells[ENTERED, fact.segment_id] = 1
        case ExitFact():
            cells[LEFT, fact.segment_id] = 1
    return cells


class Share(Struct, frozen=True):
    """What one fact adds to a KPI: counts, or minor units of the fact's currency (None where it has none)."""

    numerator: int
    denominator: int | None
    currency: str | None


def share(definition: Definition, added: Iterable[tuple[str, str, int]]) -> Share:
    """Of what a fact adds (metric, dimension, amount) that which the KPI sums above and below its line.

    A fact adds the same to a metric in each of its dimensions: they count it for every currency and for its own.
    """
    amounts: dict[str, int] = {}
    currency = None
    for metric, dimension, amount in added:
        amounts[metric] = amount
        currency = currency if dimension == EVERY else dimension
    subtracted = amounts.get(definition.subtracted, 0) if definition.subtracted else 0
    below = amounts.get(definition.divisor, 0) if definition.divisor else None
    return Share(amounts.get(definition.added, 0) - subtracted, below, currency)


def difference(before: Addends, after: Addends) -> dict[CellKey, int]:
    """What must be added to each cell for `after` to stand where `before` stood."""
    return total([after, {cell: -amount for cell, amount in before.items()}])


def total(parts: Iterable[Addends]) -> dict[CellKey, int]:
    """Sum by cell; cells that come to nothing are left out."""
    sums: Counter[CellKey] = Counter()
    for part in parts:
        for cell, amount in part.items():
            sums[cell] += amount
    return {cell: amount for cell, amount in sorted(sums.items()) if amount}
