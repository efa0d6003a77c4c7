# tests/integration/test_moments.py
"""What happened to a customer, and what has changed, as the store sorts it."""

from datetime import UTC, datetime, timedelta

import pytest

from crm.kernel import timeline
from crm.kernel.change import Change
from crm.kernel.errors import Stale
from crm.kernel.table import Item, customer_key
from crm.orders.models import Order, OrderRefund, Statistics
from crm.touchpoints.models import Touchpoint
from tests.shop_events import customer_of, deliver, placed, refunded

pytestmark = pytest.mark.usefixtures("shop", "outlets")
START = datetime(2026, 3, 1, 10, tzinfo=UTC)


def hours(number: int) -> str:
    return (START + timedelta(hours=number)).isoformat()


def partition() -> str:
    found = customer_of()
    return customer_key(found.shop, found.customer_id)


def told(items: list[Item]) -> list[str]:
    return [item.sk for item in items]


def test_moments_of_all_kinds_come_in_one_list_newest_first_page_by_page() -> None:
    deliver(placed("o1", placedAt=hours(1)), placed("o2", placedAt=hours(4)), refunded("o1", "r1"))
    deliver(placed("o3", placedAt=hours(2)))
    whole = timeline.moments(partition(), before=None, limit=10)
    assert [item.moment_key for item in whole] == sorted((str(item.moment_key) for item in whole), reverse=True)
    assert set(told(whole)) == {"ORDER#o1", "ORDER#o2", "ORDER#o3", "REFUND#o1#r1"}
    paged: list[Item] = []
    while page := timeline.moments(partition(), before=paged[-1].moment_key if paged else None, limit=1):
        paged += page
    assert told(paged) == told(whole)
    assert told(timeline.moments(partition(), before=None, limit=10, only=[OrderRefund])) == ["REFUND#o1#r1"]


def test_the_moments_of_one_kind_go_on_behind_a_place_among_all_kinds() -> None:
    deliver(placed("o1", placedAt=hours(1)), placed("o2", placedAt=hours(4)))
    (second, first) = timeline.moments_of(Order, "ORDER", partition(), before=None, limit=5)
    assert (second.order_id, first.order_id) == ("o2", "o1")
    same = str(second.moment_key).split("#", 1)[0]
    for before, expected in [
        (second.moment_key, ["ORDER#o1"]),
        (f"{same}#LEDGER#x", ["ORDER#o1"]),  # at one instant LEDGER comes before ORDER: it is behind it, newest first
        (f"{same}#TOUCHPOINT#x", ["ORDER#o2", "ORDER#o1"]),
    ]:
        assert told(list(timeline.moments_of(Order, "ORDER", partition(), before=before, limit=5))) == expected


def test_an_order_whose_day_is_corrected_moves_on_the_timeline() -> None:
    deliver(placed("o1", placedAt=hours(1)), placed("o2", placedAt=hours(2)))
    deliver(placed("o1", 2, placedAt=hours(3)))
    assert told(timeline.moments(partition(), before=None, limit=5)) == ["ORDER#o1", "ORDER#o2"]


def test_a_refund_that_waited_for_its_order_has_its_place_once_the_order_is_there() -> None:
    deliver(refunded("o1", "r1"), refunded("o1", "r2"))
    deliver(placed("o1"))
    deliver(refunded("o1", "r2"))
    assert sorted(told(timeline.moments(partition(), before=None, limit=9))) == [
        "ORDER#o1",
        "REFUND#o1#r1",
        "REFUND#o1#r2",
    ]


def test_so_many_refunds_can_wait_that_their_order_still_fits_one_transaction() -> None:
    for number in range(40):
        assert deliver(refunded("o1", f"r{number}")) == []
    assert deliver(refunded("o1", "r40")) == []  # dead-lettered, not failed
    deliver(placed("o1"))
    found = timeline.moments(partition(), before=None, limit=100, only=[OrderRefund])
    assert len(found) == 40


def test_what_changed_comes_in_the_order_in_which_it_was_recorded_and_once() -> None:
    pk = customer_key("demo", "cus_1")
    for number, order_id in enumerate(["o1", "o2", "o1"]):
        change = Change(START + timedelta(seconds=number))
        order = Order.of("demo", "cus_1", order_id)
        order.version, order.status, order.currency = 1, "placed", "EUR"
        order.placed_at = order.occurred_at = START
        order.placed_on, order.gross, order.refunded, order.net = "2026-03-01", 1, 0, 1
        change.write(order, when=None, otherwise=Stale())
        change.commit()
    assert told(timeline.changed(pk, after=None, limit=5)) == ["ORDER#o2", "ORDER#o1"]
    (last,) = timeline.changed(pk, after=timeline.changed(pk, after=None, limit=1)[0].changed_key, limit=5)
    assert last.sk == "ORDER#o1"


def test_what_apps_keep_a_copy_of_cannot_be_written_without_the_time() -> None:
    with pytest.raises(ValueError, match="needs the time"):
        Change().write(Statistics.of("demo", "cus_1"), when=None, otherwise=Stale())
    statistics = Statistics.of("demo", "cus_1")
    with pytest.raises(TypeError, match="written whole"):
        Change(START).update(statistics, [Statistics.order_count.set(1)], when=None, otherwise=Stale())
    Change().write(
        Touchpoint.of("demo", "cus_1", "product.viewed", "t1", occurred_at=START), when=None, otherwise=Stale()
    )
