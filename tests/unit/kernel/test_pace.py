# tests/unit/kernel/test_pace.py
from datetime import UTC, datetime, timedelta

import pytest

from crm.kernel import pace
from crm.kernel.pace import Pace

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def elapsed(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    seconds = [100.0]
    monkeypatch.setattr(pace, "monotonic", lambda: seconds[-1])
    return seconds


def test_a_step_rests_until_it_has_taken_no_more_than_its_share(elapsed: list[float]) -> None:
    step = Pace()
    elapsed.append(102.0)
    assert step.rest(3_000, now=NOW) == NOW + timedelta(seconds=10)
    assert step.rest(500, now=NOW) is None
    assert step.rest(0, now=NOW) is None


def test_a_step_is_long_after_twenty_seconds(elapsed: list[float]) -> None:
    step = Pace()
    elapsed.append(119.9)
    assert not step.is_long
    elapsed.append(120.0)
    assert step.is_long
