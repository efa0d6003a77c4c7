# crm/loyalty/expiry.py
"""When points become available, and when they expire. Pure: days are those of the programme's zone."""

from calendar import monthrange
from datetime import date, datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from crm.kernel import clock

LONGEST_MONTHS = 60

NEVER = "never"
"""Sorts behind every instant, as the pools of INACTIVITY do."""
IDLE = "idle#"
"""And the month in which they were earned: points that expire when nothing happens for so long. Those of other months
are other pools, so that a refund of points that have expired so takes nothing of what was earned since.
"""

GRACE = "#grace"
"""Behind when they expire: points that were given back after they would have. They are not given more time again."""


class Rounding(StrEnum):
    """To the end of which an expiry is put off."""

    DAY = "DAY"
    MONTH = "MONTH"
    YEAR = "YEAR"


class Kind(StrEnum):
    """From when the months are counted."""

    EARNED = "EARNED"
    """From when the points were earned, each for themselves."""
    INACTIVITY = "INACTIVITY"
    """From when the customer last earned or spent any, all together."""


class Expiry(Struct, frozen=True):
    """So many months, then to the end of that day, month or year."""

    months: int
    rounding: Rounding = Rounding.DAY
    kind: Kind = Kind.EARNED

    def __post_init__(self) -> None:
        if not 0 < self.months <= LONGEST_MONTHS:
            raise ValueError(f"points live for 1 to {LONGEST_MONTHS} months")


def expires_at(earned_at: datetime, expiry: Expiry | None, zone: str) -> datetime | None:
    """The first instant at which points earned then cannot be spent any more; None: they never expire by themselves.

    31 January and a month is the last of February. The end of a day is the start of the next, also where the day has 23
    or 25 hours.
    """
    return None if expiry is None or expiry.kind is Kind.INACTIVITY else _end(earned_at, expiry, zone)


def idle_at(active_at: datetime, expiry: Expiry | None, zone: str) -> datetime | None:
    """When points that wait for their customer expire, where nothing happens after `active_at`; None: never."""
    return None if expiry is None or expiry.kind is not Kind.INACTIVITY else _end(active_at, expiry, zone)


def _end(since: datetime, expiry: Expiry, zone: str) -> datetime:
    last = months_later(clock.local_day(since, zone), expiry.months)
    if expiry.rounding is Rounding.MONTH:
        last = last.replace(day=monthrange(last.year, last.month)[1])
    elif expiry.rounding is Rounding.YEAR:
        last = last.replace(month=12, day=31)
    return end_of(last, zone)


def available_at(earned_at: datetime, return_window_days: int, zone: str) -> datetime:
    """When points earned then can be spent: at once, or at the end of the last day of the return window."""
    if not return_window_days:
        return earned_at
    return end_of(clock.local_day(earned_at, zone) + timedelta(days=return_window_days), zone)


def grace_until(now: datetime, days: int, zone: str) -> datetime:
    """How long points can be spent at least that are given back after they would have expired."""
    return end_of(clock.local_day(now, zone) + timedelta(days=days), zone)


def end_of(day: date, zone: str) -> datetime:
    return clock.start_of_day(day + timedelta(days=1), zone)


def pool_of(instant: datetime | None) -> str:
    """The pool of the points that expire then."""
    return NEVER if instant is None else clock.text(instant)


def grace_pool(now: datetime, days: int, zone: str) -> str:
    """The pool of those that are given back now, and would have expired."""
    return f"{pool_of(grace_until(now, days, zone))}{GRACE}"


def had_grace(pool: str) -> bool:
    return pool.endswith(GRACE)


def pool_for(earned_at: datetime, expiry: Expiry | None, zone: str) -> str:
    """The pool of the points that are earned then."""
    if expiry is not None and expiry.kind is Kind.INACTIVITY:
        return f"{IDLE}{clock.local_day(earned_at, zone):%Y-%m}"
    return pool_of(expires_at(earned_at, expiry, zone))


def ends_at(pool: str) -> datetime | None:
    """None: at no time that its name says."""
    return None if pool == NEVER or is_idle(pool) else clock.parse(pool.removesuffix(GRACE))


def is_idle(pool: str) -> bool:
    return pool.startswith(IDLE)


def is_past(pool: str, now: datetime) -> bool:
    return pool.removesuffix(GRACE) <= clock.text(now)


def months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
