# tests/integration/memberships.py
"""One customer's segments: what is delivered, stored and read of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from crm.customers import service as customers
from crm.customers.service import Customer, SegmentsHead
from crm.kernel import timers
from crm.kernel.change import Change
from crm.kernel.timers import Timer, TimerDue
from crm.orders.events import OrderRecorded
from crm.orders.service import Statistics
from crm.segmentation import service
from crm.segmentation.service import SegmentMembership
from functions.segmentation.refresh_memberships import handler
from tests.integration.deliveries import batch, failed
from tests.segments import LATELY, REPEAT, id_of, name_of

__all__ = ["LATELY", "REPEAT"]

DAY, HOUR, INSTANT = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)
SINCE = datetime(2025, 6, 1, tzinfo=UTC)
"""When these customers were first heard of."""
ENDS = datetime(2026, 4, 8, 22, tzinfo=UTC)  # 9 April in Vienna, the 30th day after NOW's


class Time:
    def __init__(self, now: datetime) -> None:
        self.now = now


def store(*placed_at: datetime, customer_id: str = "cus_1", replayed: bool = False) -> None:
    """What the orders area writes: these are the customer's orders that are not cancelled."""
    snapshot = customers.take_snapshot("demo", customer_id)
    change = Change(max(placed_at, default=ENDS))
    if snapshot.head(Customer) is None:
        change.revise(Customer.of("demo", customer_id, now=SINCE))
    item = snapshot.head(Statistics) or Statistics.of("demo", customer_id)
    item.order_count = len(placed_at)
    item.first_order_at, item.last_order_at = min(placed_at, default=None), max(placed_at, default=None)
    item.replayed = replayed
    change.revise(item)
    change.commit()


def recorded(at: datetime, name: str = "o1", *, customer_id: str = "cus_1", replayed: bool = False) -> OrderRecorded:
    return OrderRecorded(
        id=name, shop="demo", customer_id=customer_id, order_id=name, rev=1, version=1, status="placed", currency="EUR",
        gross=1, refunded=0, net=1, points_spent=0, first=True, placed_at=at, placed_on="", occurred_at=at,
        cause=f"event:{name}:order", replayed=replayed,
    )  # fmt: skip


def deliver(*events: Any) -> list[str]:
    context: Any = None
    return failed(handler(batch(*events), context))


def timer() -> Timer | None:
    return timers.get("demo", "cus_1", "segmentation", "memberships")


def fire() -> None:
    armed = timer()
    assert armed is not None
    deliver(TimerDue("demo", "cus_1", armed.owner, armed.subject, armed.due_at))


def memberships(name: str, customer_id: str = "cus_1") -> list[SegmentMembership]:
    return service.list_memberships("demo", customer_id, id_of(name))


def stays(name: str, customer_id: str = "cus_1") -> list[tuple[datetime, datetime | None]]:
    return [(stay.entered_at, stay.left_at) for stay in memberships(name, customer_id)]


def members(name: str) -> list[str]:
    segment_id = id_of(name)
    shards = [service.list_members("demo", segment_id, shard, after=None, limit=100) for shard in range(service.SHARDS)]
    return sorted(member.customer_id for shard in shards for member in shard)


def members_at(name: str, at: datetime) -> list[str]:
    """Whoever was one at that moment, is so still or has left since."""
    segment_id = id_of(name)
    found = [
        member.customer_id
        for shard in range(service.SHARDS)
        for member in (
            *service.list_members("demo", segment_id, shard, after=None, limit=100, as_of=at),
            *service.list_left("demo", segment_id, shard, after=None, limit=100, as_of=at).stays,
        )
    ]
    assert len(set(found)) == len(found)
    return sorted(found)


def open_at(now: datetime, customer_id: str = "cus_1") -> list[str]:
    standing = service.open_segments(customers.take_snapshot("demo", customer_id), now=now)
    return sorted(name_of(membership.segment_id) for membership in standing)


def head() -> SegmentsHead:
    item = customers.take_snapshot("demo", "cus_1").head(SegmentsHead)
    assert item is not None
    return item
