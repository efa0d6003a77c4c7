# tests/unit/touchpoints/test_touchpoints.py
from datetime import UTC, datetime
from typing import Any

import pytest

from crm.kernel.change import Change
from crm.kernel.errors import InvalidInputs
from crm.touchpoints.service import Campaign, Told, TouchpointSeen, record

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOLD = Told("e1", "event:e1", NOON, NOON, replayed=False)


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"type": "Viewed"}, "type"),
        ({"type": "viewed"}, "type"),
        ({"channel": ""}, "channel"),
        ({"direction": "sideways"}, "direction"),
        ({"session_id": "x" * 201}, "session_id"),
        ({"campaign": Campaign(term="x" * 201)}, "campaign.term"),
        ({"properties": {"note": "ü" * 50_000}}, "properties"),
    ],
)
def test_a_touchpoint_that_is_nearly_right_is_refused_and_writes_nothing(wrong: dict[str, Any], path: str) -> None:
    change = Change()
    with pytest.raises(InvalidInputs) as refused:
        record(change, "demo", "cus_1", TouchpointSeen(**{"type": "product.viewed"} | wrong), TOLD)
    assert [fault.path for fault in refused.value.faults] == [path]
    assert len(change) == 0
