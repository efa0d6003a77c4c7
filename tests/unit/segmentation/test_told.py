# tests/unit/segmentation/test_told.py
"""Since when what the heads say is so."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from crm.consent.models import ConsentHead, ConsentState
from crm.customers.models import Customer
from crm.customers.service import Snapshot
from crm.feedback.models import FeedbackHead
from crm.loyalty.models import LoyaltyAccount
from crm.orders.models import Statistics
from crm.segmentation.in_force import InForce
from crm.segmentation.language.catalogue import Catalogue
from crm.segmentation.language.facts import Fact
from crm.segmentation.language.reading import NOTHING
from crm.segmentation.loading import OF_ORDERS, load
from crm.touchpoints.models import Acquisition, SourcePart

NOW: Final = datetime(2026, 3, 10, 12, tzinfo=UTC)
IN_FORCE: Final = InForce("demo", 1, "Europe/Vienna", "EUR", Catalogue("EUR"))
BACK: Final = {days: NOW - timedelta(days=days) for days in range(31)}


def head(kind: Any, **said: Any) -> Any:
    item = kind.of("demo", "ann")
    for name, value in said.items():
        setattr(item, name, value)
    return item


def profile(**said: Any) -> Customer:
    item = Customer.of("demo", "ann", now=BACK[30])
    for name, value in said.items():
        setattr(item, name, value)
    return item


def source(at: datetime) -> SourcePart:
    return SourcePart(touchpoint_id="t", occurred_at=at)


def consent(at: datetime) -> ConsentState:
    return ConsentState(channel="email", purpose="marketing", state="granted", source="shop", occurred_at=at)


@pytest.mark.parametrize(
    ("said", "facts", "days"),
    [
        ([profile()], [Fact.PROFILE], 30),
        ([profile(changed_at=BACK[2])], [Fact.PROFILE], 2),
        ([profile(changed_at=BACK[3], newest_at=BACK[1])], [Fact.PROFILE], 1),
        ([head(Statistics)], OF_ORDERS, None),
        ([head(Statistics, last_order_at=BACK[3])], OF_ORDERS, 3),  # of before the newest was kept
        ([head(Statistics, last_order_at=BACK[3], newest_at=BACK[1])], OF_ORDERS, 1),
        ([head(Statistics, newest_at=BACK[1])], OF_ORDERS, 1),
        ([head(Statistics, last_order_at=BACK[1], newest_at=BACK[3])], OF_ORDERS, 1),
        ([head(LoyaltyAccount, posted_at=BACK[1])], [Fact.LOYALTY], None),
        ([head(LoyaltyAccount, posted_at=BACK[1], newest_at=BACK[3])], [Fact.LOYALTY], 3),
        ([head(ConsentHead, states=[consent(BACK[1]), consent(BACK[3])])], [Fact.CONSENT], 1),
        ([head(Acquisition, last=source(BACK[3]))], [Fact.ACQUISITION], 3),
        ([head(Acquisition, last=source(BACK[3]), occurred_at=BACK[2], newest_at=BACK[1])], [Fact.ACQUISITION], 1),
        ([head(Acquisition, occurred_at=BACK[2], newest_at=BACK[1])], [Fact.ACQUISITION], 1),  # touchpoints went away
        ([head(FeedbackHead, latest_at=BACK[1])], [Fact.FEEDBACK], 1),
    ],
)
def test_a_head_says_since_when_what_it_says_is_so(said: list[Any], facts: list[Fact], days: int | None) -> None:
    heads = {each.SK: each.to_dynamodb_dict() for each in (profile(), *said)}
    told = load(Snapshot("demo", "ann", heads), NOTHING, earliest=NOW, in_force=IN_FORCE).told
    assert [told.get(fact) for fact in facts] == [None if days is None else BACK[days]] * len(facts)
