# tests/unit/segmentation/test_touching.py
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from crm.consent.events import ConsentRecorded
from crm.customers.events import AttributesRecorded, CustomerRecorded
from crm.feedback.events import FeedbackRecorded
from crm.loyalty.events import LoyaltyEnrolled, PointsPosted
from crm.loyalty.tiers.events import TierChanged
from crm.orders.events import OrderRecorded
from crm.segmentation.language.facts import Fact
from crm.segmentation.language.reading import Reads
from crm.segmentation.touching import EVERYTHING, NOTHING, TOUCHED_BY, CustomerEvent, Touched, touched
from crm.touchpoints.events import AcquisitionRecorded, TouchpointRecorded

AT = datetime(2026, 3, 1, 11, tzinfo=UTC)
TOLD: dict[str, Any] = {
    "id": "1", "shop": "demo", "customer_id": "ann", "rev": 2, "occurred_at": AT, "cause": "event:e1",
    "replayed": False,
}  # fmt: skip


def profile(**more: Any) -> CustomerRecorded:
    return CustomerRecorded(**TOLD | {"status": "active", "test": False} | more)


def seen(type_: str) -> TouchpointRecorded:
    return TouchpointRecorded(**TOLD, touchpoint_id="e1", type=type_)


EVENTS: Final[dict[str, CustomerEvent]] = {
    "acquisition": AcquisitionRecorded(**TOLD, touchpoints_gone=False),
    "attributes": AttributesRecorded(**TOLD, keys=("shoe",)),
    "cart": seen("cart.updated"),
    "checkout": seen("checkout.started"),
    "consent": ConsentRecorded(**TOLD),
    "enrolled": LoyaltyEnrolled(**TOLD, enrolled_at=AT),
    "feedback": FeedbackRecorded(
        **TOLD, response_id="r", survey="nps", score=9, group="promoter", order_id=None, answered_on="2026-03-01"
    ),
    "gone": AcquisitionRecorded(**TOLD, touchpoints_gone=True),
    "order": OrderRecorded(
        **TOLD, order_id="o1", version=1, status="placed", currency="EUR", gross=1, refunded=0, net=1, points_spent=0,
        first=True, placed_at=AT, placed_on="2026-03-01",
    ),
    "points": PointsPosted(**TOLD, movement="earned", points=1, balance_after=1, postings={}, order_id=None),
    "profile": profile(),
    "tier": TierChanged(
        **TOLD, tier_id="t2", tier="Gold", previous_tier_id=None, previous_tier=None, direction=1, reason="ATTAINED",
        order_id=None,
    ),
    "visit": seen("visit.started"),
}  # fmt: skip
SEEN: Final = {"cart", "checkout", "gone", "visit"}
TOUCHING: Final[dict[Fact, set[str]]] = {
    Fact.ACQUISITION: {"acquisition", "gone"},
    Fact.ATTRIBUTES: {"attributes"},
    Fact.CARTS: {"cart", "checkout", "gone", "order"},
    Fact.CONSENT: {"consent"},
    Fact.FEEDBACK: {"feedback"},
    Fact.IDENTITY: set(),  # never changes
    Fact.LAST_ORDER: {"order"},
    Fact.LAST_SEEN: SEEN,
    Fact.LOYALTY: {"enrolled", "points", "tier"},
    Fact.MEMBERSHIPS: set(),  # what sets them refreshes them
    Fact.ORDERS: {"order"},
    Fact.PREDICTIONS: set(),  # nothing computes them yet
    Fact.PROFILE: {"profile"},
    Fact.RFM: {"order"},
    Fact.STATISTICS: {"order"},
    Fact.TOUCHPOINTS: SEEN,
}
"""By whose change which facts become others. What all customers are compared by is the catalogue's."""


@pytest.mark.parametrize("fact", Fact)
def test_each_kind_of_fact_is_touched_by_the_events_that_can_change_it_and_by_no_other(fact: Fact) -> None:
    assert {name for name, event in EVENTS.items() if fact in touched(event).facts} == TOUCHING[fact]


def test_every_event_about_a_customer_is_tried_here() -> None:
    assert {type(event) for event in EVENTS.values()} == set(TOUCHED_BY)


@pytest.mark.parametrize(
    "event",
    [
        profile(rev=1),
        profile(status="deleted", cause="customer:ann:delete:2"),
        profile(cause="customer:ann:restore:3"),
    ],
    ids=["new", "deleted", "restored"],
)
def test_who_is_new_deleted_or_restored_is_looked_at_for_every_segment(event: CustomerRecorded) -> None:
    assert touched(event) == EVERYTHING
    assert all(touched(event).touches(Reads(frozenset({fact}))) for fact in Fact)


def test_a_touchpoint_touches_those_who_ask_for_its_type() -> None:
    asked = Reads(frozenset({Fact.TOUCHPOINTS}), touchpoints={"product.viewed": frozenset({None})})
    assert touched(seen("product.viewed")).touches(asked)
    assert not touched(seen("visit.started")).touches(asked)
    assert touched(EVENTS["gone"]).touches(asked)
    assert EVERYTHING.touches(asked)


def test_a_value_of_an_own_attribute_touches_those_who_ask_for_it() -> None:
    told = touched(EVENTS["attributes"])
    assert told.touches(Reads(frozenset({Fact.ATTRIBUTES}), attributes=frozenset({"shoe", "pet"})))
    assert not told.touches(Reads(frozenset({Fact.ATTRIBUTES}), attributes=frozenset({"pet"})))


def test_time_touches_nothing_by_itself() -> None:
    assert not any(NOTHING.touches(Reads(frozenset({fact}))) for fact in Fact)
    assert Touched() == NOTHING
