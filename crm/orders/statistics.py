# crm/orders/statistics.py
"""How a customer's statistics follow from their orders. Pure: values in, values out."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct


class Counted(Struct, frozen=True):
    """What one order adds to its customer's statistics; a cancelled order adds nothing (None in its place)."""

    currency: str
    gross: int
    refunded: int
    net: int
    placed_at: datetime


class Sums(Struct, frozen=True):
    """Sums over the orders of one currency, in its minor units."""

    orders: int = 0
    gross: int = 0
    refunded: int = 0
    net: int = 0


def moved(sums: Mapping[str, Sums], before: Counted | None, after: Counted | None) -> dict[str, Sums]:
    """The sums per currency once an order that added `before` adds `after`."""
    result = dict(sums)
    for counted, sign in ((before, -1), (after, 1)):
        if counted is not None:
            old = result.get(counted.currency, Sums())
            result[counted.currency] = Sums(
                old.orders + sign,
                old.gross + sign * counted.gross,
                old.refunded + sign * counted.refunded,
                old.net + sign * counted.net,
            )
    return {currency: total for currency, total in result.items() if total.orders}


def average(sums: Sums) -> int | None:
    """Mean net per order in minor units, halves rounded up; None without orders."""
    return (2 * sums.net + sums.orders) // (2 * sums.orders) if sums.orders else None


def span(placed: Iterable[datetime]) -> tuple[datetime, datetime] | None:
    """The first and the last of some times, or None of none."""
    times = list(placed)
    return (min(times), max(times)) if times else None
