# tests/unit/notifications/test_eligibility.py
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from crm.notifications.eligibility import STALE_AFTER, Attempt, Refusal, refusal

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WELCOME = Attempt(
    planned_at=NOON,
    known=True,
    active=True,
    order_stands=True,
    placed_at=NOON,
    consented=True,
    address="ann@example.com",
    suppressed=False,
    sender="shop@example.com",
)


def test_a_known_consenting_customer_is_written_to() -> None:
    assert refusal(WELCOME, now=NOON) is None


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        ({"replayed": True}, Refusal.REPLAYED),
        ({"known": False}, Refusal.CUSTOMER_UNKNOWN),
        ({"active": False}, Refusal.CUSTOMER_BLOCKED),
        ({"order_stands": False}, Refusal.ORDER_CANCELLED),
        ({"consented": False}, Refusal.NO_CONSENT),
        ({"address": None}, Refusal.NO_ADDRESS),
        ({"address": ""}, Refusal.NO_ADDRESS),
        ({"suppressed": True}, Refusal.SUPPRESSED),
        ({"sender": None}, Refusal.SHOP_HAS_NO_SENDER),
        ({"planned_at": NOON - STALE_AFTER - timedelta(seconds=1)}, Refusal.TOO_LATE),
        ({"placed_at": NOON - STALE_AFTER - timedelta(seconds=1)}, Refusal.TOO_LATE),
        ({"placed_at": None}, Refusal.TOO_LATE),
    ],
)
def test_one_fact_against_it_is_enough_and_is_named(fact: dict[str, Any], expected: Refusal) -> None:
    assert refusal(replace(WELCOME, **fact), now=NOON) is expected


def test_a_replay_is_refused_before_anything_is_known() -> None:
    assert refusal(Attempt(planned_at=NOON, replayed=True), now=NOON) is Refusal.REPLAYED


def test_what_is_not_known_counts_against_it() -> None:
    assert refusal(Attempt(planned_at=NOON), now=NOON) is Refusal.CUSTOMER_UNKNOWN
    assert Attempt(planned_at=NOON).suppressed
