# tests/unit/segmentation/language/test_days.py
"""Days that move with today."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.segmentation.language import days
from crm.segmentation.language.days import FOREVER
from crm.segmentation.language.tree import Day, Offset, Unit
from tests.unit.segmentation.language.some import OFFSETS, ZONES

INSTANT = timedelta(microseconds=1)
NEAR = st.dates(date(1950, 1, 1), date(2100, 12, 31))


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("today", "count", "unit", "expected"),
    [
        ("2026-03-31", -1, "m", "2026-02-28"),
        ("2028-03-31", -1, "m", "2028-02-29"),
        ("2026-01-31", 1, "m", "2026-02-28"),
        ("2026-01-15", -1, "m", "2025-12-15"),
        ("2028-02-29", 1, "y", "2029-02-28"),
        ("2028-02-29", -4, "y", "2024-02-29"),
        ("2026-03-01", -1, "d", "2026-02-28"),
        ("2026-03-01", 2, "w", "2026-03-15"),
        ("2026-12-31", -12, "m", "2025-12-31"),
    ],
)
def test_a_relative_date_is_counted_on_the_calendar(today: str, count: int, unit: str, expected: str) -> None:
    assert days.shifted(day(today), Offset(count, Unit(unit))) == day(expected)


@settings(deadline=None)
@given(OFFSETS, NEAR, NEAR)
def test_the_later_today_is_the_later_is_a_day_that_moves(offset: Offset, one: date, other: date) -> None:
    earlier, later = sorted((one, other))
    assert days.shifted(earlier, offset) <= days.shifted(later, offset)


@settings(deadline=None)
@given(OFFSETS, NEAR)
def test_the_day_on_which_another_is_reached_is_the_first_such_day(offset: Offset, target: date) -> None:
    first = days.reaches(offset, target)
    if first is not None and first != date.min:
        assert days.shifted(first, offset) >= target
        assert days.shifted(first - timedelta(days=1), offset) < target


def test_a_day_that_stands_still_was_always_reached_or_never_is() -> None:
    assert days.reaches(Day(day("2026-03-01")), day("2026-03-01")) == date.min
    assert days.reaches(Day(day("2026-03-01")), day("2026-03-02")) is None


def test_beyond_the_calendar_there_is_nothing() -> None:
    century = Offset(-100, Unit.YEAR)
    assert days.shifted(day("0050-01-01"), century) == date.min
    assert days.reaches(century, day("9950-01-01")) is None
    assert days.reaches(Offset(100, Unit.YEAR), day("0050-01-01")) == date.min
    assert days.passes(century, date.max) is None
    assert days.starts(None, "UTC") == days.starts(date.max, "UTC") == FOREVER


@settings(deadline=None)
@given(st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1)), st.sampled_from(ZONES))  # noqa: DTZ001  hypothesis wants them naive
def test_today_begins_when_it_does_and_lasts_until_the_next_begins(naive: datetime, zone: str) -> None:
    now = naive.replace(tzinfo=UTC)
    today = days.today(now, zone)
    assert today == now.astimezone(ZoneInfo(zone)).date()
    assert days.starts(today, zone) <= now < days.starts(today + timedelta(days=1), zone)
    assert days.today(days.starts(today, zone), zone) == today
    assert days.today(days.starts(today, zone) - INSTANT, zone) == today - timedelta(days=1)


def test_a_day_that_has_begun_does_not_go_away_when_clocks_go_back_over_midnight() -> None:
    # In St. John's, a minute after midnight on 7 November 2010 it became 23:01 on the 6th.
    begins = days.starts(day("2010-11-07"), "America/St_Johns")
    assert (begins + timedelta(minutes=30)).astimezone(ZoneInfo("America/St_Johns")).date() == day("2010-11-06")
    assert days.today(begins + timedelta(minutes=30), "America/St_Johns") == day("2010-11-07")


def test_a_day_that_a_zone_left_out_is_as_long_as_nothing() -> None:
    # Samoa went from 29 to 31 December 2011.
    assert days.starts(day("2011-12-30"), "Pacific/Apia") == days.starts(day("2011-12-31"), "Pacific/Apia")


@pytest.mark.parametrize(
    ("born", "year", "expected"),
    [("2000-02-29", 2027, "2027-02-28"), ("2000-02-29", 2028, "2028-02-29"), ("1990-11-25", 2026, "2026-11-25")],
)
def test_in_a_year_without_29_february_its_anniversary_is_the_28th(born: str, year: int, expected: str) -> None:
    assert days.anniversary(day(born), year) == day(expected)
