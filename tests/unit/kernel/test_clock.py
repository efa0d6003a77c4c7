# tests/unit/kernel/test_clock.py
from datetime import UTC, datetime

import pytest

from crm.kernel import clock
from crm.kernel.errors import InvalidInput


def test_a_time_is_read_into_utc() -> None:
    assert clock.parse("2026-03-01T01:30:00+02:00") == datetime(2026, 2, 28, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z"],
)
def test_a_time_at_the_end_of_the_calendar_is_refused_since_no_zone_could_be_applied_to_it(text: str) -> None:
    with pytest.raises(InvalidInput):
        clock.parse(text)
