# tests/unit/loyalty/test_expiry.py
from datetime import UTC, datetime

import pytest

from crm.kernel import clock
from crm.loyalty.expiry import (
    LONGEST_MONTHS,
    NEVER,
    Expiry,
    Rounding,
    available_at,
    ends_at,
    expires_at,
    grace_until,
    is_past,
    pool_of,
)

VIENNA = "Europe/Vienna"


@pytest.mark.parametrize(
    ("earned", "months", "rounding", "last_day_ends"),
    [
        ("2026-03-10T12:00:00Z", 12, Rounding.DAY, "2027-03-10T23:00:00Z"),
        ("2026-01-31T12:00:00Z", 1, Rounding.DAY, "2026-02-28T23:00:00Z"),
        ("2024-02-29T12:00:00Z", 12, Rounding.DAY, "2025-02-28T23:00:00Z"),
        ("2026-11-30T12:00:00Z", 3, Rounding.DAY, "2027-02-28T23:00:00Z"),
        ("2026-03-10T12:00:00Z", 12, Rounding.MONTH, "2027-03-31T22:00:00Z"),
        ("2026-03-10T12:00:00Z", 12, Rounding.YEAR, "2027-12-31T23:00:00Z"),
        # 23:30 in Vienna is the day before in UTC, and the next month.
        ("2026-03-31T22:30:00Z", 1, Rounding.MONTH, "2026-05-31T22:00:00Z"),
        # The day on which the clocks go back has 25 hours.
        ("2026-09-25T12:00:00Z", 1, Rounding.DAY, "2026-10-25T23:00:00Z"),
    ],
)
def test_points_expire_at_the_end_of_a_day_month_or_year_of_the_programme(
    earned: str, months: int, rounding: Rounding, last_day_ends: str
) -> None:
    assert expires_at(clock.parse(earned), Expiry(months, rounding), VIENNA) == clock.parse(last_day_ends)


def test_without_a_rule_points_never_expire() -> None:
    assert expires_at(datetime(2026, 3, 10, tzinfo=UTC), None, VIENNA) is None
    assert (pool_of(None), ends_at(NEVER)) == (NEVER, None)
    assert not is_past(NEVER, datetime(9998, 1, 1, tzinfo=UTC))


def test_a_pool_is_past_at_the_instant_it_ends() -> None:
    end = clock.parse("2026-03-10T23:00:00Z")
    pool = pool_of(end)
    assert ends_at(pool) == end
    assert is_past(pool, end)
    assert not is_past(pool, clock.parse("2026-03-10T22:59:59.999999Z"))


def test_a_return_window_ends_with_its_last_day_and_none_is_no_wait() -> None:
    earned = clock.parse("2026-03-10T12:00:00Z")
    assert available_at(earned, 0, VIENNA) == earned
    assert available_at(earned, 14, VIENNA) == clock.parse("2026-03-24T23:00:00Z")


def test_grace_is_so_many_whole_days() -> None:
    assert grace_until(clock.parse("2026-03-10T12:00:00Z"), 30, VIENNA) == clock.parse("2026-04-09T22:00:00Z")


@pytest.mark.parametrize("months", [0, -1, LONGEST_MONTHS + 1])
def test_points_live_for_at_least_a_month_and_for_no_longer_than_can_be_kept(months: int) -> None:
    with pytest.raises(ValueError, match="1 to 60"):
        Expiry(months)
