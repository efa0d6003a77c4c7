# tests/segment_walks.py
"""Customers of a shop whose segments change, and the operation that brings them up to that."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from crm.bulk import service as bulk
from crm.customers import service as customers
from crm.customers.service import Customer, SegmentsHead
from crm.kernel import operations
from crm.kernel.change import Change
from crm.kernel.operations import Operation, Task
from crm.orders.service import Statistics
from crm.segmentation import service

LONG_AGO = timedelta(days=30)
"""Before any edit."""


def store(orders: dict[str, int], *, at: datetime, shop: str = "demo") -> None:
    """Customers with so many orders each, as the areas below write them."""
    for customer_id, count in orders.items():
        change = Change(at)
        change.revise(Customer.of(shop, customer_id, now=at))
        statistics = Statistics.of(shop, customer_id)
        statistics.order_count, statistics.first_order_at, statistics.last_order_at = count, at, at
        change.revise(statistics)
        change.commit()


def run(operation: Operation, *, now: datetime, delivery: int = 1) -> Operation | None:
    """One step, from where the operation is."""
    stored = operations.get(operation.shop, operation.operation_id)
    task = Task(stored.shop, stored.operation_id, int(stored.rev))
    return bulk.run(task.text(), delivery=delivery, now=now)


def finish(operation: Operation | None, *, now: datetime) -> Operation:
    """All steps to the end, waiting as long as it says."""
    assert operation is not None
    for _ in range(1_000):
        stored = operations.get(operation.shop, operation.operation_id)
        if stored.status in operations.OVER:
            return stored
        now = max(now, stored.waits_until or now)
        run(stored, now=now)
    raise AssertionError("the operation does not end")


def members(segment_id: str, *, shop: str = "demo") -> list[str]:
    """By the index."""
    shards = (service.list_members(shop, segment_id, shard, after=None, limit=1_000) for shard in range(service.SHARDS))
    return sorted(stay.customer_id for shard in shards for stay in shard)


def versions(customer_ids: Iterable[str], *, shop: str = "demo") -> set[int]:
    """By which versions of the catalogue customers were looked at last; 0: never."""
    found = customers.snapshots(shop, customer_ids, [SegmentsHead]).values()
    heads = [snapshot.head(SegmentsHead) for snapshot in found]
    return {int(head.definitions_version or 0) if head else 0 for head in heads}
