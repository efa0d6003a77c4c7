# crm/loyalty/tiers/amounts.py
"""What counts for tiers, by day. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from datetime import date
from itertools import accumulate
from typing import Self

from msgspec import Struct

from crm.loyalty.tiers.definitions import Basis


class Amounts(Struct, frozen=True):
    """Points, minor units of the programme's currency, and orders."""

    points: int = 0
    spend: int = 0
    orders: int = 0

    def __add__(self, other: Self) -> Self:
        return type(self)(self.points + other.points, self.spend + other.spend, self.orders + other.orders)

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.points - other.points, self.spend - other.spend, self.orders - other.orders)

    def of(self, basis: Basis) -> int:
        match basis:
            case Basis.POINTS:
                return self.points
            case Basis.SPEND:
                return self.spend
            case Basis.ORDERS:
                return self.orders


NOTHING = Amounts()


class Days:
    """Amounts by day, and their sums."""

    def __init__(self, amounts: Mapping[date, Amounts]) -> None:
        self._amounts = {day: amount for day, amount in amounts.items() if amount != NOTHING}
        self.days = sorted(self._amounts)
        self._sums = list(accumulate((amounts[day] for day in self.days), initial=NOTHING))

    def through(self, last: date) -> "Days":
        """Without those that come later."""
        if not self.days or self.days[-1] <= last:
            return self
        return Days({day: amount for day, amount in self._amounts.items() if day <= last})

    def between(self, first: date, last: date) -> Amounts:
        """The sum over both days and those between."""
        begin, end = bisect_left(self.days, first), bisect_right(self.days, last)
        return self._sums[end] - self._sums[begin] if begin < end else NOTHING
