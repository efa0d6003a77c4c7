# tests/integration/test_segment_times.py
"""A stay begins no earlier than all that it rests on was so, whatever was told late."""

from datetime import datetime
from typing import Any

import pytest

from crm.customers import service as customers
from crm.customers.events import CustomerRecorded
from crm.kernel import clock
from crm.loyalty import service as loyalty
from crm.loyalty.events import PointsPosted
from crm.orders import service as orders
from crm.orders.events import OrderRecorded
from crm.segmentation import querying, service
from crm.touchpoints.events import AcquisitionRecorded
from crm.touchpoints.service import Acquisition
from tests.integration.memberships import DAY, HOUR, Time, deliver
from tests.integration.points import STAFF
from tests.segments import define, id_of
from tests.shop_events import customer_of, event, placed, refunded
from tests.shop_events import deliver as take_in

pytestmark = pytest.mark.usefixtures("shop", "outlets")


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch, now: datetime) -> Time:
    """Ann has been a customer for a while."""
    moving = Time(now - 30 * DAY)
    monkeypatch.setattr(clock, "now", lambda: moving.now)
    told(profile(now - 30 * DAY))
    moving.now = now
    return moving


def profile(at: datetime, **said: Any) -> dict[str, Any]:
    return event("customer.updated", {}, customer={"externalId": "ann"} | said, occurredAt=at.isoformat())


def bought(at: datetime, order_id: str = "o1", version: int = 1, /, **more: Any) -> dict[str, Any]:
    return placed(order_id, version, **{"placedAt": at.isoformat(), "occurredAt": at.isoformat()} | more)


def told(*events: dict[str, Any]) -> None:
    """Taken in, and segments hear of it, as the stream tells them."""
    for each in events:
        assert take_in(each) == []
        ann = customer_of("ann")
        match each["type"]:
            case "customer.updated":
                deliver(CustomerRecorded.of(ann))
            case "order.updated" | "refund.created":
                deliver(OrderRecorded.of(orders.get("demo", each["data"]["orderId"])))
            case _:
                sources = customers.take_snapshot("demo", ann.customer_id).head(Acquisition)
                assert sources is not None
                deliver(AcquisitionRecorded.of(sources, None))


def posted(entry: loyalty.LedgerEntry) -> None:
    deliver(PointsPosted.of(entry))


def stays(name: str) -> list[tuple[datetime, datetime | None]]:
    found = service.list_memberships("demo", customer_of("ann").customer_id, id_of(name))
    return [(stay.entered_at, stay.left_at) for stay in found]


def ids() -> tuple[str, str]:
    return "demo", customer_of("ann").customer_id


def given(number: int, time: Time) -> None:
    posted(loyalty.adjust(*ids(), number, reason="A late parcel", actor=STAFF, idempotency_key="a", now=time.now).entry)


def held_for_an_hour(number: int, time: Time) -> None:
    held = loyalty.hold(*ids(), number, lasts=HOUR, actor=STAFF, idempotency_key="h", now=time.now)
    posted(held.given.entry)


def settled(time: Time) -> None:
    """As loyalty's timer does."""
    assert len(loyalty.settle(*ids(), now=time.now)) == 1
    posted(loyalty.entries(*ids(), before=None, limit=1)[0])


def test_who_has_the_points_only_now_was_no_member_when_an_order_came_that_is_told_late(
    now: datetime, time: Time
) -> None:
    define("S", "loyalty_points >= 100 AND number_of_orders >= 1", now=now - 20 * DAY)
    time.now = now - HOUR
    given(100, time)
    time.now = now
    told(bought(now - 3 * DAY))
    assert stays("S") == [(now - HOUR, None)]


def test_who_has_no_order_since_one_was_cancelled_was_no_member_while_it_stood(now: datetime, time: Time) -> None:
    define("S", "number_of_orders = 0 AND customer_tags CONTAINS 'vip'", now=now - 20 * DAY)
    told(bought(now - 10 * DAY))
    told(bought(now - 10 * DAY, "o1", 2, status="cancelled", occurredAt=(now - HOUR).isoformat()))
    told(profile(now - 3 * DAY, tags=["vip"]))
    assert stays("S") == [(now - HOUR, None)]


def test_who_has_spent_less_since_a_refund_was_no_member_before_it(now: datetime, time: Time) -> None:
    define("S", "amount_spent < 15 AND customer_tags CONTAINS 'vip'", now=now - 20 * DAY)
    define("O", "NOT orders_placed(sum_amount_min: 15) AND customer_tags CONTAINS 'vip'", now=now - 20 * DAY)
    told(bought(now - 10 * DAY), refunded("o1", "r1", occurredAt=(now - HOUR).isoformat()))
    told(bought(now - 9 * DAY, "o2", status="cancelled"))  # told late, which takes nothing back
    told(profile(now - 3 * DAY, tags=["vip"]))
    assert [stays(each) for each in "SO"] == [[(now - HOUR, None)]] * 2


def test_that_an_order_is_delivered_makes_nobody_a_later_member(now: datetime, time: Time) -> None:
    define("S", "number_of_orders = 1 AND customer_tags CONTAINS 'vip'", now=now - 20 * DAY)
    told(bought(now - 10 * DAY))
    told(bought(now - 10 * DAY, "o1", 2, status="delivered", occurredAt=(now - HOUR).isoformat()))
    told(profile(now - 3 * DAY, tags=["vip"]))
    assert stays("S") == [(now - 3 * DAY, None)]


def test_the_channel_of_the_order_before_counts_since_the_last_one_was_cancelled(now: datetime, time: Time) -> None:
    define("S", "last_order_channel = 'pos' AND customer_tags CONTAINS 'vip'", now=now - 20 * DAY)
    told(bought(now - 10 * DAY, "o1", channel="pos"), bought(now - 9 * DAY, "o2", channel="web"))
    cancelled = {"status": "cancelled", "occurredAt": (now - HOUR).isoformat()}
    told(bought(now - 9 * DAY, "o2", 2, channel="web", **cancelled))
    told(profile(now - 3 * DAY, tags=["vip"]))
    assert stays("S") == [(now - HOUR, None)]


def test_a_cart_is_abandoned_no_more_since_it_was_ordered(now: datetime, time: Time) -> None:
    define("S", "NOT checkout_abandoned(60) AND customer_tags CONTAINS 'vip'", now=now - 20 * DAY)
    cart = {"cartId": "c1", "lines": [{"sku": "A", "quantity": 1}]}
    assert take_in(
        event("checkout.started", cart, customer={"externalId": "ann"}, occurredAt=(now - 5 * DAY).isoformat())
    ) == []  # fmt: skip
    told(bought(now - HOUR, cartId="c1"))
    told(profile(now - 3 * DAY, tags=["vip"]))
    assert stays("S") == [(now - HOUR, None)]


def test_a_profile_is_as_new_as_the_newest_of_it_though_something_older_was_told_last(
    now: datetime, time: Time
) -> None:
    define("S", "customer_tags CONTAINS 'vip' AND first_name = 'Ann'", now=now - 20 * DAY)
    told(profile(now - HOUR, tags=["vip"]), profile(now - 3 * DAY, firstName="Ann"))
    assert stays("S") == [(now - HOUR, None)]


def test_what_brought_a_visitor_brought_the_customer_since_it_is_known_that_they_were_one(
    now: datetime, time: Time
) -> None:
    define("S", "utm_source = 'news' AND number_of_orders = 1", now=now - 20 * DAY)
    utm = {"utm": {"source": "news"}}
    visit = event("visit.started", utm, customer={"anonymousId": "v1"}, occurredAt=(now - 5 * DAY).isoformat())
    assert take_in(visit) == []
    who = {"externalId": "ann", "anonymousId": "v1"}
    told(event("product.viewed", {"sku": "A"}, customer=who, occurredAt=(now - HOUR).isoformat()))
    told(bought(now - 3 * DAY))
    assert stays("S") == [(now - HOUR, None)]


def test_points_that_are_due_count_as_the_account_shows_them_though_nothing_is_posted_yet(
    now: datetime, time: Time
) -> None:
    define("S", "loyalty_points >= 10", now=now - 20 * DAY)
    time.now = now - 2 * DAY
    given(10, time)
    time.now = now - DAY
    held_for_an_hour(5, time)
    time.now = now
    assert loyalty.balances_at(*ids(), now=now).net == 10
    said = querying.explain_query(*ids(), "loyalty_points >= 10", now=now)
    before = querying.explain_query(*ids(), "loyalty_points >= 10", now=now - DAY + HOUR / 2)
    assert (said.member, before.member) == (True, False)
    assert stays("S") == [(now - 2 * DAY, now - DAY)]

    settled(time)
    assert stays("S") == [(now - 2 * DAY, now - DAY), (now - DAY + HOUR, None)]


def test_points_due_count_since_they_were_with_whatever_makes_segments_look(now: datetime, time: Time) -> None:
    define("S", "loyalty_points >= 10 AND number_of_orders = 1", now=now - 20 * DAY)
    time.now = now - 2 * DAY
    given(10, time)
    time.now = now - DAY
    held_for_an_hour(5, time)
    time.now = now
    told(bought(now - 3 * DAY))
    assert stays("S") == [(now - DAY + HOUR, None)]
    settled(time)
    assert stays("S") == [(now - DAY + HOUR, None)]
