# crm/segmentation/language/days.py
"""Days of a shop, and days that move with today. Pure calendar: 23, 24 or 25 hours, a day is one day.

A day that moves never goes back: the later today is, the later is `-1m`, or the same. So whatever is compared with it
changes once, on a day that can be computed.
"""

import calendar
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, TypeAlias

from msgspec import Struct

from crm.kernel import clock
from crm.segmentation.language.tree import Day, Offset, Unit

FOREVER: Final = datetime.max.replace(tzinfo=UTC)
"""When time will change what it never changes."""
BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
"""When what always was so came to be so."""
MONTHS: Final = {Unit.MONTH: 1, Unit.YEAR: 12}
DAYS: Final = {Unit.DAY: 1, Unit.WEEK: 7}

Moving: TypeAlias = Day | Offset


class Exclusive(Struct, frozen=True):
    """A bound that is itself left out."""

    day: Moving


Edge: TypeAlias = Moving | Exclusive


@lru_cache(maxsize=4096)
def today(now: datetime, zone: str) -> date:
    """The last day that has begun. Where clocks go back over midnight, the new day has begun all the same."""
    day = clock.local_day(now, zone)
    return day + timedelta(days=1) if starts(day + timedelta(days=1), zone) <= now else day


@lru_cache(maxsize=4096)
def starts(day: date | None, zone: str) -> datetime:
    """The first instant of a day; beyond the calendar's end (None) `FOREVER`, in its first year `BEGINNING`."""
    if day is None or day.year == MAXYEAR:
        return FOREVER
    return BEGINNING if day.year == MINYEAR else clock.start_of_day(day, zone)


@lru_cache(maxsize=4096)
def of(instant: datetime, zone: str) -> date:
    """The day on which something happened."""
    return clock.local_day(instant, zone)


def at(moving: Moving, now: date) -> date:
    """Which day it is when today is `now`."""
    return moving.value if isinstance(moving, Day) else shifted(now, moving)


def shifted(day: date, offset: Offset) -> date:
    """So many units away. A month without that day has its last one instead: 31 March `-1m` is 28 or 29 February.
    Where the calendar ends, its end.
    """
    try:
        if offset.unit in DAYS:
            return day + timedelta(days=offset.count * DAYS[offset.unit])
        months = day.year * 12 + day.month - 1 + offset.count * MONTHS[offset.unit]
        year, month = months // 12, months % 12 + 1
        return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
    except (OverflowError, ValueError):
        return date.max if offset.count > 0 else date.min


@lru_cache(maxsize=4096)
def reaches(moving: Moving, day: date) -> date | None:
    """The first `today` on which it is that day or later; `date.min` where it always was, None where it never is."""
    if isinstance(moving, Day):
        return date.min if moving.value >= day else None
    guess = shifted(day, Offset(-moving.count, moving.unit))
    if guess in {date.min, date.max}:
        return date.min if guess == date.min else None
    if moving.unit in DAYS:
        return guess
    # Months are shortened by three days at most, on the way there and on the way back.
    first = shifted(guess, Offset(-4, Unit.DAY))
    while shifted(first, moving) < day:
        first += timedelta(days=1)
    return first


def passes(moving: Moving, day: date) -> date | None:
    """The first `today` on which it is later than that day."""
    return None if day == date.max else reaches(moving, day + timedelta(days=1))


def anniversary(born: date, year: int) -> date:
    """The day in a year. Of 29 February, in a year that has none, 28 February: as `+1y` has it."""
    return date(year, born.month, min(born.day, calendar.monthrange(year, born.month)[1]))
