# tests/unit/segmentation/language/test_dates.py
"""Days and time: each side of the instant at which a verdict changes, in shops whose days have 23 to 25 hours."""

import operator
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.segmentation.language import days
from crm.segmentation.language.facts import Facts, Loyalty, Profile, Statistics
from crm.segmentation.language.tree import Offset
from crm.segmentation.language.verdicts import Verdict
from crm.segmentation.language.writing import literal
from tests.unit.segmentation.language.some import OFFSETS, ZONES, born, facts, local, verdict

INSTANT = timedelta(microseconds=1)


def ordered(text: str, zone: str = "Europe/Berlin") -> Facts:
    at = local(text, zone)
    return facts(zone, statistics=Statistics(1, 100, 100, at, at))


def turns(query: str, known: Facts, at: datetime, *, into: bool) -> None:
    """At this instant, not a microsecond earlier, the verdict becomes `into`; and what went before says so."""
    before = verdict(query, known, at - INSTANT)
    assert before == Verdict(not into, at)
    assert verdict(query, known, at - timedelta(hours=20)) == before
    assert verdict(query, known, at).member is into


@pytest.mark.parametrize(
    ("query", "ordered_at", "at", "into"),
    [
        ("last_order_date >= -30d", "2026-01-05T23:59", "2026-02-05T00:00", False),
        ("last_order_date > -30d", "2026-01-05T00:00", "2026-02-04T00:00", False),
        ("last_order_date < -30d", "2026-01-05T12:00", "2026-02-05T00:00", True),
        ("last_order_date <= -30d", "2026-01-05T12:00", "2026-02-04T00:00", True),
        ("last_order_date = -30d", "2026-01-05T12:00", "2026-02-04T00:00", True),
        ("last_order_date != -30d", "2026-01-05T12:00", "2026-02-04T00:00", False),
        ("last_order_date = today", "2026-01-05T12:00", "2026-01-06T00:00", False),
        ("last_order_date = yesterday", "2026-01-05T12:00", "2026-01-06T00:00", True),
        ("last_order_date BETWEEN -60d AND -31d", "2026-01-05T12:00", "2026-02-05T00:00", True),
        ("last_order_date NOT BETWEEN -60d AND -31d", "2026-01-05T12:00", "2026-03-07T00:00", True),
        ("last_order_date IN (-10d, -20d)", "2026-01-05T12:00", "2026-01-15T00:00", True),
        ("last_order_date IN (-10d, -20d)", "2026-01-05T12:00", "2026-01-26T00:00", False),
        ("last_order_date < -4w", "2026-01-05T12:00", "2026-02-03T00:00", True),
        # Over the day of 23 hours (29 March) and that of 25 (25 October).
        ("last_order_date >= -30d", "2026-03-01T12:00", "2026-04-01T00:00", False),
        ("last_order_date >= -30d", "2026-10-01T12:00", "2026-11-01T00:00", False),
        # Of months: 31 January is a month before no day, and 28 February before four.
        ("last_order_date < -1m", "2026-01-31T12:00", "2026-03-01T00:00", True),
        ("last_order_date >= -1m", "2026-02-28T12:00", "2026-04-01T00:00", False),
        ("last_order_date = -1m", "2026-02-28T12:00", "2026-03-28T00:00", True),
        ("last_order_date = -1m", "2026-02-28T12:00", "2026-04-01T00:00", False),
        ("last_order_date < -12m", "2024-02-29T12:00", "2025-03-01T00:00", True),
        ("last_order_date < -1y", "2024-02-29T12:00", "2025-03-01T00:00", True),
    ],
)
def test_a_relative_date_turns_with_the_shops_day(query: str, ordered_at: str, at: str, into: bool) -> None:
    turns(query, ordered(ordered_at), local(at), into=into)


@pytest.mark.parametrize(
    ("zone", "ordered_at", "at"),
    [
        ("America/New_York", "2026-02-10T12:00", "2026-03-09T00:00"),  # on 8 March clocks go on at two
        ("Asia/Kathmandu", "2026-02-10T12:00", "2026-03-09T00:00"),  # five hours and three quarters
        ("Africa/Cairo", "2024-03-30T12:00", "2024-04-26T01:00"),  # no midnight on 26 April 2024
        ("America/Santiago", "2026-08-10T12:00", "2026-09-06T01:00"),  # no midnight on 6 September 2026
        ("America/Havana", "2026-10-05T12:00", "2026-11-01T00:00"),  # midnight twice on 1 November 2026
    ],
)
def test_a_day_begins_when_it_does_in_the_shops_zone(zone: str, ordered_at: str, at: str) -> None:
    turns("last_order_date >= -26d", ordered(ordered_at, zone), local(at, zone), into=False)


def test_absolute_dates_are_not_changed_by_time() -> None:
    known = ordered("2026-01-05T23:30")
    assert verdict("last_order_date = 2026-01-05", known, local("2026-01-05T23:59")) == Verdict(member=True)
    assert verdict("last_order_date BETWEEN 2026-01-01 AND 2026-01-04", known, local("2026-02-01T00:00")) == Verdict(
        member=False
    )


def test_one_instant_is_on_different_days_in_different_shops() -> None:
    at = datetime(2026, 1, 5, 23, 30, tzinfo=UTC)
    in_berlin, in_utc = (facts(zone, statistics=Statistics(1, 1, 1, at, at)) for zone in ("Europe/Berlin", "UTC"))
    assert verdict("last_order_date = 2026-01-06", in_berlin, at).member
    assert verdict("last_order_date = 2026-01-05", in_utc, at).member


@pytest.mark.parametrize(
    ("query", "birth", "at", "into"),
    [
        ("age >= 18", "2008-03-10", "2026-03-10T00:00", True),
        ("age < 18", "2008-03-10", "2026-03-10T00:00", False),
        ("age > 18", "2008-03-10", "2027-03-10T00:00", True),
        ("age <= 18", "2008-03-10", "2027-03-10T00:00", False),
        ("age = 18", "2008-03-10", "2026-03-10T00:00", True),
        ("age = 18", "2008-03-10", "2027-03-10T00:00", False),
        ("age != 18", "2008-03-10", "2027-03-10T00:00", True),
        ("age BETWEEN 18 AND 20", "2008-03-10", "2029-03-10T00:00", False),
        ("age IN (18, 20)", "2008-03-10", "2028-03-10T00:00", True),
        ("age >= 18", "2008-02-29", "2026-02-28T00:00", True),
        ("age >= 20", "2008-02-29", "2028-02-29T00:00", True),
        ("anniversary(birth_date) = today", "1990-03-10", "2026-03-10T00:00", True),
        ("anniversary(birth_date) = today", "1990-03-10", "2026-03-11T00:00", False),
        ("anniversary(birth_date) = today", "2000-02-29", "2027-02-28T00:00", True),
        ("anniversary(birth_date) = today", "2000-02-29", "2028-02-29T00:00", True),
        ("anniversary(birth_date) BETWEEN today AND +7d", "1990-03-10", "2026-03-03T00:00", True),
        ("anniversary(birth_date) BETWEEN today AND +7d", "1990-03-10", "2026-03-11T00:00", False),
        ("anniversary(birth_date) BETWEEN today AND +7d", "1990-01-02", "2025-12-26T00:00", True),
        ("anniversary(birth_date) NOT BETWEEN today AND +7d", "1990-01-02", "2026-01-03T00:00", True),
        ("anniversary(birth_date) BETWEEN -3d AND -1d", "1990-12-31", "2026-01-01T00:00", True),
        ("anniversary(birth_date) BETWEEN today AND +1m", "2000-02-29", "2027-01-28T00:00", True),
        ("anniversary(customer_added_date) = today", "1990-03-10", "2027-01-01T00:00", True),
    ],
)
def test_birthdays_turn_with_the_shops_day(query: str, birth: str, at: str, into: bool) -> None:
    turns(query, facts(profile=born(birth)), local(at), into=into)


def test_numbers_that_no_age_can_be_are_numbers_all_the_same() -> None:
    known, now = facts(profile=born("2008-03-10")), local("2026-01-01T00:00")
    assert verdict("age > -5000", known, now) == Verdict(member=True)
    assert verdict("age >= 9000", known, now) == Verdict(member=False)


def test_a_year_on_an_anniversary_is_not_looked_at() -> None:
    for birth, member in (("1990-12-24", True), ("1971-12-26", True), ("1990-12-27", False), ("2000-02-29", False)):
        query = "anniversary(birth_date) BETWEEN 2026-12-24 AND 2026-12-26"
        assert verdict(query, facts(profile=born(birth)), local("2026-06-01T00:00")) == Verdict(member)


@pytest.mark.parametrize(
    "window",
    [
        "2026-12-20 AND 2026-01-05",
        "2026-12-20 AND 2027-01-05",
        "1999-12-20 AND 1960-01-05",
        "2026-12-20 AND 2001-01-05",
    ],
)
def test_a_window_of_anniversaries_may_go_over_the_turn_of_the_year(window: str) -> None:
    query = f"anniversary(birth_date) BETWEEN {window}"
    for birth, member in (
        ("1990-12-19", False), ("1990-12-20", True), ("1971-01-01", True), ("1990-01-05", True), ("1990-01-06", False),
        ("2000-02-29", False),
    ):  # fmt: skip
        for now in ("2026-06-01T00:00", "2026-12-25T00:00", "2031-01-01T00:00"):
            known = facts(profile=born(birth))
            assert verdict(query, known, local(now)) == Verdict(member), birth
            assert verdict(query.replace("BETWEEN", "NOT BETWEEN"), known, local(now)) == Verdict(not member), birth


def test_a_window_that_ends_on_29_february_ends_on_the_28th_of_a_year_without() -> None:
    query = "anniversary(birth_date) BETWEEN 2025-12-20 AND 2024-02-29"
    for birth, member in (("1990-02-28", True), ("2000-02-29", True), ("1990-03-01", False), ("1990-12-20", True)):
        assert verdict(query, facts(profile=born(birth)), local("2026-06-01T00:00")) == Verdict(member), birth


@pytest.mark.parametrize("window", ["today AND +1y", "-1y AND today", "-400d AND -10d", "2020-01-01 AND 2025-01-01"])
def test_a_window_of_a_year_holds_every_anniversary(window: str) -> None:
    for birth in ("1990-03-10", "2000-02-29", "1999-12-31"):
        now = local("2026-02-27T09:00")
        assert verdict(f"anniversary(birth_date) BETWEEN {window}", facts(profile=born(birth)), now).member


def test_a_window_that_misses_one_anniversary_may_meet_the_next() -> None:
    # 14 February is a month before 14 March, and 29 days before it in leap years only.
    query, known = "anniversary(birth_date) BETWEEN -1m AND -29d", facts(profile=born("1990-02-14"))
    found = verdict(query, known, now := local("2026-01-01T00:00"))
    while not found.member:
        assert found.flips_at is not None
        found = verdict(query, known, now := found.flips_at)
    assert now == local("2028-03-14T00:00")
    assert found.flips_at == local("2028-03-15T00:00")


def test_an_own_list_of_dates_turns_with_each_of_them() -> None:
    known = facts(attributes={"holidays": (date(2026, 3, 10), date(2026, 3, 12))})
    turns("attributes.holidays CONTAINS today", known, local("2026-03-10T00:00"), into=True)
    turns("attributes.holidays CONTAINS today", known, local("2026-03-11T00:00"), into=False)
    turns("attributes.holidays NOT CONTAINS today", known, local("2026-03-12T00:00"), into=False)


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "!=": operator.ne, ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
}  # fmt: skip
NEAR = OFFSETS.filter(lambda offset: abs(days.shifted(date(2026, 1, 1), offset) - date(2026, 1, 1)).days < 900)
NOWS = st.datetimes(datetime(2024, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  hypothesis wants them naive


@settings(deadline=None)
@given(
    st.sampled_from(sorted(COMPARISONS)),
    NEAR,
    st.dates(date(2022, 1, 1), date(2031, 1, 1)),
    NOWS,
    st.sampled_from(ZONES),
)
def test_a_comparison_is_what_it_says_on_every_day_and_turns_just_then(
    sign: str, offset: Offset, joined: date, now: datetime, zone: str
) -> None:
    known = facts(zone, loyalty=Loyalty(0, joined_on=joined))
    query = f"loyalty_member_since {sign} {literal(offset)}"

    def expected(at: datetime) -> bool:
        return COMPARISONS[sign](joined, days.shifted(days.today(at, zone), offset))

    found = verdict(query, known, now)
    assert found.member is expected(now)
    if found.flips_at is None:
        ends = [now + timedelta(days=1_000), now + timedelta(days=9_000)]
    else:
        ends = [found.flips_at - INSTANT]
        assert expected(found.flips_at) is not found.member
    for end in ends:
        for share in (0.1, 0.5, 0.9, 1):
            assert expected(now + (end - now) * share) is found.member


@settings(deadline=None)
@given(NEAR, NEAR, st.dates(date(1940, 1, 1), date(2020, 1, 1)), NOWS, st.sampled_from(ZONES))
def test_an_anniversary_is_where_one_of_any_year_is_and_nothing_turns_early(
    one: Offset, other: Offset, birth: date, now: datetime, zone: str
) -> None:
    first, last = sorted((one, other), key=lambda offset: days.shifted(date(2026, 1, 1), offset))
    if days.shifted(date(2026, 1, 1), first) == days.shifted(date(2026, 1, 1), last):
        last = first
    known = facts(zone, profile=Profile(datetime(2020, 1, 1, tzinfo=UTC), birth_date=birth))
    query = f"NOT anniversary(birth_date) NOT BETWEEN {literal(first)} AND {literal(last)}"

    def expected(at: datetime) -> bool:
        today = days.today(at, zone)
        start, end = days.shifted(today, first), days.shifted(today, last)
        return any(start <= days.anniversary(birth, year) <= end for year in range(start.year, end.year + 1))

    found = verdict(query, known, now)
    assert found.member is expected(now)
    end = (found.flips_at - INSTANT) if found.flips_at else now + timedelta(days=2_000)
    for share in (0.1, 0.3, 0.5, 0.7, 0.9, 1):
        assert expected(now + (end - now) * share) is found.member
