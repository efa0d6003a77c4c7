# crm/loyalty/tiers/windows.py
"""Over which days is counted what attains a tier. Pure; days are those of the programme's zone."""

from collections.abc import Iterator
from datetime import date, timedelta

from crm.loyalty.expiry import months_later
from crm.loyalty.tiers.definitions import Window

DAY = timedelta(days=1)


def first_day(window: Window, day: date, joined_on: date) -> date:
    """Of the days that count on `day`."""
    match window:
        case Window.ROLLING:
            return months_later(day, -12) + DAY
        case Window.CALENDAR_YEAR:
            return date(day.year, 1, 1)
        case Window.MEMBERSHIP_YEAR:
            began = _anniversary(joined_on, day.year)
            return began if began <= day else _anniversary(joined_on, day.year - 1)


def next_start(window: Window, day: date, joined_on: date) -> date:
    """When the year after that of `day` begins; of years only, since rolling windows have none."""
    if window is Window.MEMBERSHIP_YEAR:
        began = _anniversary(joined_on, day.year)
        return began if began > day else _anniversary(joined_on, day.year + 1)
    return date(day.year + 1, 1, 1)


def starts(window: Window, after: date, through: date, joined_on: date) -> Iterator[date]:
    """The first days of the years that begin then."""
    if window is Window.ROLLING:
        return
    while (after := next_start(window, after, joined_on)) <= through:
        yield after


def leaves_on(day: date) -> date:
    """The first day whose 12 months leave out `day`."""
    leaves = months_later(day, 12)
    return leaves if first_day(Window.ROLLING, leaves, day) > day else leaves + DAY


def _anniversary(joined_on: date, year: int) -> date:
    return months_later(joined_on, 12 * (year - joined_on.year))
