# tests/unit/customers/test_segments.py
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crm.customers.segments import segments_at, segments_before
from crm.customers.service import SegmentsHead, SegmentState
from crm.kernel import clock

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR, INSTANT = timedelta(hours=1), timedelta(microseconds=1)


def head(**said: Any) -> SegmentsHead:
    """In one segment since noon, for an hour; in another in an hour from noon."""
    stay = SegmentState(segment_id="lately", entered_at=NOON, entered_cause="event:e1", flips_at=NOON + HOUR)
    return SegmentsHead(open=[stay], flips={"quiet": clock.text(NOON + HOUR)}, **said)


@pytest.mark.parametrize(
    ("at", "found"),
    [
        (NOON - INSTANT, set()), (NOON, {"lately"}), (NOON + HOUR - INSTANT, {"lately"}), (NOON + HOUR, {"quiet"}),
        (NOON + 9 * HOUR, {"quiet"}),
    ],
)  # fmt: skip
def test_time_brings_customers_in_and_out_though_its_timer_is_late(at: datetime, found: set[str]) -> None:
    assert segments_at(head(), at) == found
    assert segments_before(head(), at + INSTANT) == found


def test_what_is_to_be_asked_again_brings_nobody_in() -> None:
    asked = SegmentsHead(asks={"quiet": clock.text(NOON)}, flips=None)
    assert segments_at(asked, NOON + HOUR) == set()


def test_who_is_hidden_or_was_never_looked_at_is_in_none() -> None:
    assert segments_at(head(hidden=True), NOON) == segments_at(None, NOON) == set()
