# tests/unit/customers/test_profile.py
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from crm.customers.profile import faults, taken_on

AT = datetime(2026, 3, 1, tzinfo=UTC)


def told(*events: tuple[int, dict[str, Any]], source: str = "shop") -> dict[str, Any]:
    return ended(*((seconds, given, source) for seconds, given in events))[0]


def ended(*events: tuple[int, dict[str, Any], str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The values, and whose they are."""
    stored: dict[str, Any] = {}
    times: dict[str, str] = {}
    origins: dict[str, str] = {}
    for seconds, given, origin in events:
        change = taken_on(stored, times, origins, given, occurred_at=AT + timedelta(seconds=seconds), origin=origin)
        stored |= change.values
        times |= change.times
        origins |= change.origins
    return stored, origins


def test_each_field_follows_the_latest_event_whatever_the_order_of_arrival() -> None:
    events: list[tuple[int, dict[str, Any]]] = [
        (1, {"first_name": "Ann", "tags": {"a"}}),
        (2, {"last_name": "Lee", "first_name": None}),
        (3, {"tags": None}),
        (3, {"last_name": "Low"}),
        (3, {"last_name": "Lux"}),
    ]
    ends = [{k: v for k, v in told(*arrival).items() if v is not None} for arrival in permutations(events)]
    assert all(end == ends[0] for end in ends)
    assert ends[0]["last_name"] == "Lux"
    assert set(ends[0]) == {"last_name"}


def test_what_two_systems_say_alike_at_once_is_of_the_same_one_whatever_the_order_of_arrival() -> None:
    events = [(1, {"first_name": "Ann"}, source) for source in ("crm", "till", "shop")]
    assert {ended(*arrival)[1]["first_name"] for arrival in permutations(events)} == {"till"}


def test_a_late_event_does_not_undo_a_repeat_of_what_was_stored_before_it() -> None:
    assert told((1, {"first_name": "Ann"}), (5, {"first_name": "Ann"}), (3, {"first_name": "Bea"})) == {
        "first_name": "Ann"
    }


def test_every_fault_is_reported_at_once() -> None:
    given = {"email": "nobody", "zone": "Mars/Base", "birth_date": "2030-01-01", "gender": "x", "first_name": " "}
    found = faults(given, today=date(2026, 3, 1))
    assert [fault.path for fault in found] == list(given)


@pytest.mark.parametrize("born", ["1899-12-31", "2026-03-02", "2026-02-30"])
def test_nobody_was_born_too_early_or_in_the_future_or_on_no_day(born: str) -> None:
    assert faults({"birth_date": born}, today=date(2026, 3, 1))
