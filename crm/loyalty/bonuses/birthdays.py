# crm/loyalty/bonuses/birthdays.py
"""When a birthday is, and which one earns next. Pure: days are those of the customer's zone.

A bonus is one calendar year's. Whoever changes the date, takes it out or gives it again has one from the next year on,
so that no change brings one nearer. Born on 29 February is celebrated on the 28th in common years.

What is posted of one says no more than its month: entries are evidence, and nothing personal may stand in what cannot
be erased.
"""

from calendar import isleap
from datetime import date, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from crm.kernel import clock

CAUSE = "birthday:"


class Birthday(Struct, frozen=True):
    """`day` is month and day (`02-29`), None where it is not known any more; `year` the next one whose birthday earns,
    `next_at` when it begins.
    """

    day: str | None
    year: int
    next_at: datetime | None


def cause_of(year: int) -> str:
    return f"{CAUSE}{year}:bonus"


def told_at(day: date, zone: str) -> datetime:
    """When evidence says that it was: the first of the month."""
    return clock.start_of_day(day.replace(day=1), zone)


def lives_from(day: date, zone: str) -> datetime:
    """From when what is given lives, so that its end says no more and is no earlier: the last of the month."""
    next_month = day.replace(day=28) + timedelta(days=4)
    return clock.start_of_day(next_month.replace(day=1) - timedelta(days=1), zone)


def told(known: Birthday | None, birth_date: str | None, *, zone: str, now: datetime) -> Birthday | None:
    """What is to be known once a profile says so; None while it has never said anything. What was due by then has been
    handled before.
    """
    day = birth_date[5:] if birth_date else None
    today = clock.local_day(now, zone)
    if known is None:
        return _first(day, today, zone, now) if day else None
    if known.day == day:
        return _next(known, zone)  # where the customer lives elsewhere by now
    return _next(replace(known, day=day, year=max(known.year, today.year + 1)), zone)


def from_year(known: Birthday | None, year: int, *, zone: str) -> Birthday:
    """The first that earns is that year's, whether the day is known or not."""
    return _next(Birthday(known.day if known else None, year, None), zone)


def after(birthday: Birthday, *, zone: str) -> Birthday:
    """Once this year's has been."""
    return _next(replace(birthday, year=birthday.year + 1), zone)


def in_year(day: str, year: int) -> date:
    month, of_month = int(day[:2]), int(day[3:])
    if (month, of_month) == (2, 29) and not isleap(year):
        return date(year, 2, 28)
    return date(year, month, of_month)


def _first(day: str, today: date, zone: str, now: datetime) -> Birthday:
    """Who is known since their birthday has it since then: nothing is given before anybody knew of it."""
    this_year = in_year(day, today.year)
    if this_year == today:
        return Birthday(day, today.year, now)
    return _next(Birthday(day, today.year + (this_year < today), None), zone)


def _next(birthday: Birthday, zone: str) -> Birthday:
    if birthday.day is None:
        return replace(birthday, next_at=None)
    return replace(birthday, next_at=clock.start_of_day(in_year(birthday.day, birthday.year), zone))
