# crm/segmentation/rfm.py
"""How lately, how often and for how much a customer buys, against the shop's others. Pure; docs/rfm.md tells the rule.

A score is a function of four bounds, stored, and of the customer's sums: it is computed where it is asked for, and
changes with an order or with new bounds, never by time alone.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final, TypeVar

from msgspec import Struct

from crm.kernel import clock
from crm.segmentation.language.facts import Rfm, Statistics

V = TypeVar("V", date, int)

FIFTHS: Final = 5
PROSPECTS: Final = "PROSPECTS"
_GRID: Final[Mapping[int, tuple[str, str, str, str, str]]] = {
    # frequency and monetary together:  1, 2, 3, 4, 5
    5: ("NEW", "ACTIVE", "ACTIVE", "CHAMPIONS", "CHAMPIONS"),
    4: ("PROMISING", "ACTIVE", "ACTIVE", "LOYAL", "LOYAL"),
    3: ("ALMOST_LOST", "ALMOST_LOST", "NEEDS_ATTENTION", "LOYAL", "LOYAL"),
    2: ("DORMANT", "DORMANT", "AT_RISK", "AT_RISK", "PREVIOUSLY_LOYAL"),
    1: ("DORMANT", "DORMANT", "AT_RISK", "AT_RISK", "PREVIOUSLY_LOYAL"),
}
"""By recency. Names and meanings are those of Shopify's `CustomerRfmGroup`, the cells the usual grid of ten."""


class Counts(Struct, frozen=True):
    """How many customers have each value: the day of their last order, how many orders, how much they spent."""

    recency: Mapping[date, int]
    frequency: Mapping[int, int]
    monetary: Mapping[int, int]


class Thresholds(Struct, frozen=True):
    """The bounds between the fifths, as of the shop-local day `on`: a value beyond the first is worth 2, one beyond all
    four is worth 5. Amounts are minor units of `currency`, days those of `zone`.

    `customers`: how many were compared. Of none there are no bounds.
    """

    version: int
    on: date
    zone: str
    currency: str
    customers: int
    recency: tuple[date, ...] = ()
    frequency: tuple[int, ...] = ()
    monetary: tuple[int, ...] = ()


def thresholds(counts: Counts, *, version: int, on: date, zone: str, currency: str) -> Thresholds:
    """The bounds that the shop's customers with standing orders set."""
    return Thresholds(
        version,
        on,
        zone,
        currency,
        sum(counts.frequency.values()),
        bounds(counts.recency),
        bounds(counts.frequency),
        bounds(counts.monetary),
    )


def bounds(counts: Mapping[V, int]) -> tuple[V, ...]:
    """Of n values in order, the least first, those at the places n/5, 2n/5, 3n/5 and 4n/5, each rounded up."""
    total = sum(counts.values())
    places = [-(-total * fifth // FIFTHS) for fifth in range(1, FIFTHS)]
    found: list[V] = []
    passed = 0
    for value in sorted(counts):
        passed += counts[value]
        while total and len(found) < len(places) and passed >= places[len(found)]:
            found.append(value)
    return tuple(found)


def score(drawn: Thresholds, statistics: Statistics, *, currency: str) -> Rfm | None:
    """How a customer compares; None where there is nothing to compare with: nobody had ordered, or in another currency.

    `currency` is that of the amount spent. One without standing orders is a prospect, without scores.
    """
    if not statistics.order_count or statistics.last_order_at is None:
        return Rfm(PROSPECTS)
    if not drawn.customers or drawn.currency != currency:
        return None
    recency = _fifth(drawn.recency, clock.local_day(statistics.last_order_at, drawn.zone))
    frequency = _fifth(drawn.frequency, statistics.order_count)
    monetary = _fifth(drawn.monetary, statistics.spent)
    return Rfm(group(recency, frequency, monetary), recency, frequency, monetary)


def group(recency: int, frequency: int, monetary: int) -> str:
    """What the three scores make of a customer. How often and for how much count as one: their mean, halves up."""
    return _GRID[recency][(frequency + monetary + 1) // 2 - 1]


def _fifth(bounds: Iterable[V], value: V) -> int:
    """One more than the bounds that the value lies beyond: of those who share a value nobody is above the others."""
    return 1 + sum(value > bound for bound in bounds)
