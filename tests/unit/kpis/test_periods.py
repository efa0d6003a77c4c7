# tests/unit/kpis/test_periods.py
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.kpis.periods import GRAINS, periods


def spans(first: str, last: str, grain: str) -> list[tuple[str, str]]:
    found = periods(date.fromisoformat(first), date.fromisoformat(last), grain)
    return [(period.start.isoformat(), period.end.isoformat()) for period in found]


def test_weeks_begin_on_monday_and_the_outer_ones_are_cut() -> None:
    assert spans("2026-03-04", "2026-03-17", "week") == [
        ("2026-03-04", "2026-03-08"),
        ("2026-03-09", "2026-03-15"),
        ("2026-03-16", "2026-03-17"),
    ]


def test_months_end_where_the_calendar_says() -> None:
    assert spans("2028-01-31", "2028-03-01", "month") == [
        ("2028-01-31", "2028-01-31"),
        ("2028-02-01", "2028-02-29"),
        ("2028-03-01", "2028-03-01"),
    ]


def test_quarters_and_years_cross_the_year() -> None:
    assert spans("2025-11-30", "2026-04-01", "quarter") == [
        ("2025-11-30", "2025-12-31"),
        ("2026-01-01", "2026-03-31"),
        ("2026-04-01", "2026-04-01"),
    ]
    assert spans("2025-11-30", "2026-04-01", "year") == [("2025-11-30", "2025-12-31"), ("2026-01-01", "2026-04-01")]


@pytest.mark.parametrize("grain", GRAINS)
@given(first=st.dates(date(2000, 1, 1), date(2050, 1, 1)), days=st.integers(0, 1200))
def test_every_day_is_in_exactly_one_period(grain: str, first: date, days: int) -> None:
    found = list(periods(first, first + timedelta(days=days), grain))
    assert found[0].start == first
    assert found[-1].end == first + timedelta(days=days)
    for before, after in pairwise(found):
        assert after.start == before.end + timedelta(days=1)
