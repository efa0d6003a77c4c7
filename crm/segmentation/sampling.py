# crm/segmentation/sampling.py
"""Some of a shop's customers who stand for all of them: all, or as many from places spread evenly over their list.

Where those places are is noted by whoever walks the list of all customers, page by page (`passing`), and counts them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from crm.customers import service as customers
from crm.kernel.change import Change
from crm.kernel.operations import Operation
from crm.segmentation import repository
from crm.segmentation.models import CustomerCensus

BLOCKS: Final = 10
"""Places at which a sample is taken: customers who came together are alike."""
MOST_MARKS: Final = 60
SHARED_BY: Final = 5
"""How many of a sample must have what may be one person's for it to be told: a domain or a village may be a family's.
"""
MARKS: Final = "marks"
"""In an operation's state: how many pages it has passed, how many there are to a mark, and the marks: shard and key."""


class Sample(Struct, frozen=True):
    """Without those who are deleted. `total`: how many customers the shop has; None where nobody has counted them."""

    customer_ids: tuple[str, ...]
    total: int | None

    @property
    def is_whole(self) -> bool:
        return len(self.customer_ids) == self.total

    def estimate(self, found: int) -> int | None:
        """How many there are in the shop of what the sample has so many of."""
        if self.total is None or not self.customer_ids:
            return self.total
        return round(self.total * found / len(self.customer_ids))


def sample(shop: str, *, most: int) -> Sample:
    """All customers of a shop that has no more than so many; else as many from all over their list, or where nobody has
    noted places in it yet the newest.
    """
    limit = most // customers.SHARDS
    shards = [customers.list_shard(shop, shard, before=None, limit=limit + 1) for shard in range(customers.SHARDS)]
    newest = sorted((each for shard in shards for each in shard), key=lambda each: each.list_sk or "", reverse=True)
    if all(len(shard) <= limit for shard in shards):
        return Sample(tuple(each.customer_id for each in newest), len(newest))
    census = repository.get_census(shop)
    if census is None or not census.marks:
        return Sample(tuple(each.customer_id for each in newest[:most]), None)
    found: dict[str, None] = {}
    for shard, key in spread(census.marks, BLOCKS):
        page = customers.list_shard(shop, shard, before=key, limit=most // BLOCKS)
        found |= dict.fromkeys(each.customer_id for each in page)
    return Sample(tuple(found), max(int(census.customer_count), len(found)))


def passing(operation: Operation, shard: int, key: str) -> dict[str, Any]:
    """What to add to the state of an operation that walks the list of customers and comes to the page behind a key."""
    passed, step, marks = operation.state.get(MARKS, (0, 1, []))
    if passed % step == 0:
        marks = [*marks, (shard, key)]
        if len(marks) > MOST_MARKS:
            step, marks = step * 2, marks[::2]
    return {MARKS: (passed + 1, step, marks)}


def keep(operation: Operation, *, customer_count: int, now: datetime) -> None:
    """Note what an operation has counted that has walked the whole list."""
    census = CustomerCensus.of(operation.shop)
    census.customer_count, census.counted_at = customer_count, now
    census.marks = operation.state.get(MARKS, (0, 1, []))[2]
    change = Change(now)
    change.once_more(census, when=CustomerCensus.sk.does_not_exist() | (CustomerCensus.counted_at <= now))
    change.commit()


def spread(marks: Sequence[tuple[int, str]], count: int) -> list[tuple[int, str]]:
    """So many of the marks, at even distances, or all."""
    if len(marks) <= count:
        return list(marks)
    return [marks[place * len(marks) // count] for place in range(count)]
