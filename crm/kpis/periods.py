# crm/kpis/periods.py
"""Days, weeks (from Monday, ISO 8601), months, quarters and years of the calendar."""

from collections.abc import Iterator
from datetime import date, timedelta

from msgspec import Struct

DAY, WEEK, MONTH, QUARTER, YEAR = GRAINS = ("day", "week", "month", "quarter", "year")


class Period(Struct, frozen=True):
    """From `start` to `end`, both included."""

    start: date
    end: date


def periods(first: date, last: date, grain: str) -> Iterator[Period]:
    """The periods that cover the days, both included; the outer ones are cut to them."""
    start = first
    while start <= last:
        end = min(last, _last_day(start, grain))
        yield Period(start, end)
        start = end + timedelta(days=1)


def _last_day(day: date, grain: str) -> date:
    match grain:
        case "day":
            return day
        case "week":
            return day + timedelta(days=6 - day.weekday())
        case "month":
            return _end_of_month(day.year, day.month)
        case "quarter":
            return _end_of_month(day.year, day.month + -day.month % 3)
        case "year":
            return date(day.year, 12, 31)
    raise ValueError(f"no grain: {grain!r}")


def _end_of_month(year: int, month: int) -> date:
    following = date(year + month // 12, month % 12 + 1, 1)
    return following - timedelta(days=1)
