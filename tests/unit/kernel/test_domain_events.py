# tests/unit/kernel/test_domain_events.py
from datetime import UTC, datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from crm.customers.events import CustomerRecorded
from crm.feedback.events import FeedbackRecorded
from crm.intake.domain_schemas import domain_schema_of
from crm.kernel.errors import InvalidInput
from crm.kernel.timers import TimerDue
from crm.loyalty.events import PointsPosted
from crm.loyalty.redemptions.events import RedemptionCancelled, RewardRedeemed, VoucherRefused, VoucherUsed
from crm.loyalty.tiers.events import TierChanged, TierDowngradeUpcoming
from crm.notifications.events import MessagePlanned
from crm.orders.events import OrderRecorded
from crm.segmentation.events import SegmentEntered, SegmentLeft

LATER = {"hasCoupon", "total", "returned", "number", "fingerprint"}
"""What events from before a release do not say."""
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
COMMON: dict[str, Any] = {"id": "1", "shop": "demo", "customer_id": "cus_1", "rev": 1, "occurred_at": NOON}
COMMON |= {"cause": "event:e1", "replayed": False}
ORDER: dict[str, Any] = dict.fromkeys(("version", "gross", "refunded", "net", "points_spent"), 1)
ORDER |= {"order_id": "o1", "status": "placed", "currency": "EUR", "first": True, "placed_on": "2026-03-10"}
POINTS: dict[str, Any] = {"movement": "earn", "points": 5, "balance_after": 5, "order_id": "o1"}
POINTS |= {"postings": {"customer:available": 5, "programme:issued": -5}}
EVENTS = [
    CustomerRecorded(**COMMON, status="active", test=False),
    OrderRecorded(**COMMON, **ORDER, placed_at=NOON),
    FeedbackRecorded(
        **COMMON, response_id="a1", survey="nps", score=9, group="promoter", order_id=None, answered_on="2026-03-10"
    ),
    PointsPosted(**COMMON, **POINTS),
    SegmentEntered(**COMMON, segment_id="seg_1", definition_version=1, by="event"),
    SegmentLeft(**COMMON, segment_id="seg_1", definition_version=1, by="time"),
    TierChanged(
        **COMMON,
        tier_id="t2",
        tier="Gold",
        previous_tier_id=None,
        previous_tier=None,
        direction=1,
        reason="ATTAINED",
        order_id=None,
    ),
    TierDowngradeUpcoming(
        **COMMON,
        tier_id="t2",
        tier="Gold",
        next_tier_id=None,
        next_tier=None,
        ends_on="2027-01-01",
        basis="POINTS",
        missing=200,
    ),
    *(
        RewardRedeemed(
            **COMMON, redemption_id="rdn_1", reward_id="rwd_1", reward_version=1, points=100, usable_until=until
        )
        for until in (NOON, None)
    ),
    RedemptionCancelled(**COMMON, redemption_id="rdn_1", reward_id="rwd_1", points=100),
    VoucherUsed(**COMMON, redemption_id="rdn_1", reward_id="rwd_1", order_id=None),
    VoucherRefused(**COMMON, order_id="o1", redemption_id="rdn_1", given_to="cus_2", reason="USED_BEFORE"),
    MessagePlanned(**COMMON, message_id="m1", template="thank_you"),
    TimerDue("demo", "cus_1", "segmentation", "memberships", NOON),
]
by_type = pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.detail_type)


@by_type
def test_an_event_is_read_as_it_was_written(event: Any) -> None:
    assert type(event).parse(event.detail()) == event


def test_an_event_from_before_a_release_that_says_more_is_read() -> None:
    told = OrderRecorded(**COMMON, **ORDER, placed_at=NOON, has_coupon=True)
    before = {name: value for name, value in told.detail().items() if name != "hasCoupon"}
    assert OrderRecorded.parse(told.detail()).has_coupon
    assert not OrderRecorded.parse(before).has_coupon


@by_type
def test_an_event_is_as_its_json_schema_says(event: Any) -> None:
    validator = Draft202012Validator(domain_schema_of(type(event)))
    detail = event.detail()
    assert validator.is_valid(detail)
    for field in detail.keys() - LATER:
        assert not validator.is_valid({key: detail[key] for key in detail if key != field})
    assert not any(validator.is_valid(detail | {field: {"a": "b"}}) for field in detail)


@by_type
def test_what_is_missing_or_of_another_type_is_refused_and_named_in_every_event(event: Any) -> None:
    detail = event.detail()
    for field, value in detail.items():
        odd = [str(value), float(value)] if type(value) is int else ["true", 1] if isinstance(value, bool) else [7]
        given = [detail | {field: one} for one in odd]
        if field not in LATER:
            given.append({key: detail[key] for key in detail if key != field})
        for one in given:
            with pytest.raises(InvalidInput) as refused:
                type(event).parse(one)
            assert refused.value.field == field


@pytest.mark.parametrize("given", [None, [], "text", 7])
def test_a_detail_that_is_no_object_is_refused(given: Any) -> None:
    with pytest.raises(InvalidInput):
        TimerDue.parse(given)


def test_true_is_no_number_and_a_time_needs_its_zone() -> None:
    posted = PointsPosted(**COMMON, **POINTS).detail()
    with pytest.raises(InvalidInput):
        PointsPosted.parse(posted | {"points": True})
    with pytest.raises(InvalidInput):
        PointsPosted.parse(posted | {"postings": {"customer:available": "5"}})
    with pytest.raises(InvalidInput):
        PointsPosted.parse(posted | {"occurredAt": "2026-03-10T12:00:00"})
