# tests/faults/segments_calendar.py
"""Days of a shop as docs/segments.md defines them, found the slow way. Pure; shares no code with what it judges."""

import calendar
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

QUARTER: Final = timedelta(minutes=15)
INSTANT: Final = timedelta(microseconds=1)
Offset = tuple[int, str]
"""Such as (-90, "d")."""


@lru_cache(maxsize=200_000)
def day_of(instant: datetime, zone: str) -> date:
    """What the shop's calendar showed then."""
    return instant.astimezone(ZoneInfo(zone)).date()


@lru_cache(maxsize=200_000)
def first_instant(day: date, zone: str) -> datetime:
    """The first at which the shop's calendar shows this day or a later one: looked for in steps of quarters of an hour
    from the day before, and then ever more closely.
    """
    before = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=16)
    while day_of(before + QUARTER, zone) < day:
        before += QUARTER
    after = before + QUARTER
    while after - before > INSTANT:
        middle = before + (after - before) // 2
        before, after = (middle, after) if day_of(middle, zone) < day else (before, middle)
    return after


@lru_cache(maxsize=200_000)
def today(now: datetime, zone: str) -> date:
    """The last day that has begun: where clocks go back over midnight, the day does not."""
    return max(day_of(now - hours, zone) for hours in (timedelta(hours=h) for h in range(3)))


@lru_cache(maxsize=500_000)
def away(day: date, offset: Offset) -> date:
    """So many days, weeks, months or years from a day. A month without that day has its last one instead."""
    count, unit = offset
    if unit == "d":
        return day + timedelta(days=count)
    if unit == "w":
        return day + timedelta(days=7 * count)
    year, month = day.year, day.month
    for _ in range(abs(count) * (12 if unit == "y" else 1)):
        month += 1 if count > 0 else -1
        if month in {0, 13}:
            year, month = (year + 1, 1) if month == 13 else (year - 1, 12)
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def recurs(day: date, year: int) -> date:
    """The anniversary in a year; of 29 February 28 February where there is no other."""
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


@lru_cache(maxsize=200_000)
def years_old(born: date, on: date) -> int:
    """How many birthdays there were, the day of birth not counted."""
    return sum(1 for year in range(born.year + 1, on.year + 1) if recurs(born, year) <= on)
