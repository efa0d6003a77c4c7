# tests/unit/touchpoints/test_touchpoints.py
from datetime import UTC, datetime
from typing import Any

import pytest

from crm.kernel.change import Change
from crm.kernel.errors import InvalidInputs
from crm.touchpoints.service import TouchpointSeen, record

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"type": "Viewed"}, "type"),
        ({"type": "viewed"}, "type"),
        ({"channel": ""}, "channel"),
        ({"session_id": "x" * 201}, "session_id"),
        ({"properties": {"note": "ü" * 40_000}}, "properties"),
    ],
)
def test_a_touchpoint_that_is_nearly_right_is_refused_and_writes_nothing(wrong: dict[str, Any], path: str) -> None:
    change = Change()
    with pytest.raises(InvalidInputs) as refused:
        record(
            change,
            "demo",
            "cus_1",
            TouchpointSeen(**{"type": "product.viewed"} | wrong),
            touchpoint_id="e1",
            cause="event:e1",
            occurred_at=NOON,
            now=NOON,
            replayed=False,
        )
    assert [fault.path for fault in refused.value.faults] == [path]
    assert len(change) == 0
