# crm/loyalty/rewards/limits.py
"""How often one customer may redeem a reward. Pure: days are those of the programme's zone."""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum

from msgspec import Struct


class Period(StrEnum):
    """By the calendar; weeks begin on Monday."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    YEAR = "YEAR"
    EVER = "EVER"


class Limit(Struct, frozen=True):
    count: int
    period: Period = Period.EVER


def is_reached(limit: Limit, *, ever: int, by_day: Mapping[date, int], today: date) -> bool:
    return used(limit.period, ever=ever, by_day=by_day, today=today) >= limit.count


def used(period: Period, *, ever: int, by_day: Mapping[date, int], today: date) -> int:
    """How often in the period that today is in. What came before it is gone, whatever the limit was then."""
    begins = first_day(period, today)
    if begins is None:
        return ever
    return sum(count for day, count in by_day.items() if day >= begins)


def first_day(period: Period, today: date) -> date | None:
    match period:
        case Period.DAY:
            return today
        case Period.WEEK:
            return today - timedelta(days=today.weekday())
        case Period.MONTH:
            return today.replace(day=1)
        case Period.YEAR:
            return today.replace(month=1, day=1)
        case Period.EVER:
            return None


def next_day(period: Period, today: date) -> date | None:
    """When the next period begins; None: never."""
    begins = first_day(period, today)
    match period:
        case Period.DAY:
            return today + timedelta(days=1)
        case Period.WEEK:
            return begins and begins + timedelta(days=7)
        case Period.MONTH:
            return begins and (begins + timedelta(days=31)).replace(day=1)
        case Period.YEAR:
            return begins and begins.replace(year=today.year + 1)
        case Period.EVER:
            return None
