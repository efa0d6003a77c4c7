# tests/unit/loyalty/test_birthdays.py
from datetime import date, datetime

import pytest

from crm.kernel import clock
from crm.loyalty.bonuses.birthdays import Birthday, after, in_year, told

VIENNA, AUCKLAND = "Europe/Vienna", "Pacific/Auckland"
MARCH = clock.parse("2026-03-10T12:00:00Z")


def known(birth_date: str | None, *, at: datetime = MARCH, before: Birthday | None = None) -> Birthday:
    found = told(before, birth_date, zone=VIENNA, now=at)
    assert found is not None
    return found


def test_who_was_born_on_29_february_has_a_birthday_on_the_28th_in_common_years() -> None:
    assert [in_year("02-29", year) for year in (2027, 2028, 2100)] == [
        date(2027, 2, 28), date(2028, 2, 29), date(2100, 2, 28),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("birth_date", "year", "begins"),
    [
        ("1990-10-01", 2026, "2026-09-30T22:00:00Z"),
        ("1990-03-09", 2027, "2027-03-08T23:00:00Z"),
        ("1988-02-29", 2027, "2027-02-27T23:00:00Z"),
        # On the day itself it begins when it is told: nothing is given before anybody knew of it.
        ("1990-03-10", 2026, "2026-03-10T12:00:00Z"),
    ],
)
def test_the_first_date_that_is_told_counts_at_once(birth_date: str, year: int, begins: str) -> None:
    found = known(birth_date)
    assert (found.year, found.next_at) == (year, clock.parse(begins))


def test_a_birthday_begins_where_the_customer_lives_and_moves_with_them() -> None:
    here = known("1990-10-01")
    there = told(here, "1990-10-01", zone=AUCKLAND, now=MARCH)
    assert there == Birthday("10-01", 2026, clock.parse("2026-09-30T11:00:00Z"))


def test_a_date_that_is_changed_earns_from_the_next_calendar_year_on() -> None:
    changed = known("1990-03-11", before=known("1990-10-01"))
    assert (changed.year, changed.next_at) == (2027, clock.parse("2027-03-10T23:00:00Z"))
    back = known("1990-10-01", before=changed)
    assert back.year == 2027


def test_a_date_that_is_taken_out_and_given_again_is_a_changed_one() -> None:
    without = known(None, before=known("1990-10-01"))
    assert (without.day, without.year, without.next_at) == (None, 2027, None)
    assert known("1990-03-11", before=without).year == 2027
    assert known("1990-03-11", before=without, at=clock.parse("2029-01-01T12:00:00Z")).year == 2030


def test_the_same_date_told_again_changes_nothing() -> None:
    once = known("1990-10-01")
    assert known("1990-10-01", before=once) == once
    assert known("1985-10-01", before=once) == once  # the year of birth is not the birthday


def test_who_never_told_a_date_waits_for_none() -> None:
    assert told(None, None, zone=VIENNA, now=MARCH) is None


def test_a_birthday_that_was_is_followed_by_the_next_years() -> None:
    found = known("1988-02-29")
    assert [found.next_at, after(found, zone=VIENNA).next_at] == [
        clock.parse("2027-02-27T23:00:00Z"), clock.parse("2028-02-28T23:00:00Z"),
    ]  # fmt: skip
