# crm/segmentation/overlap.py
"""How far segments have the same members."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final

from msgspec import Struct

from crm.customers import service as customers
from crm.customers.service import Customer, SegmentsHead
from crm.segmentation import repository, sampling
from crm.segmentation.stays import SHARDS

MOST_SEGMENTS: Final = 5
MOST_COUNTED: Final = 10_000
"""Members of all of them together who are counted one by one; of more it is estimated."""
PAGE: Final = 1_000
SAMPLED: Final = 1_000


class Region(Struct, frozen=True):
    """Customers who are in all of these segments (`count`), and those who are in none of the others (`only`)."""

    segment_ids: tuple[str, ...]
    count: int
    only: int


class Overlap(Struct, frozen=True):
    """`regions` are all combinations, single segments first. Where it is not `exact`, it is told from a sample."""

    exact: bool
    either: int
    regions: tuple[Region, ...]


def overlap(shop: str, segment_ids: Sequence[str]) -> Overlap | None:
    """How far segments have the same members; None where they have too many to count, and nobody knows how many
    customers the shop has.
    """
    members = _counted(shop, segment_ids)
    if members is not None:
        return of_sets(segment_ids, Counter(members.values()), exact=True)
    sample = sampling.sample(shop, most=SAMPLED)
    if sample.total is None:
        return None
    found = Counter[frozenset[str]]()
    for snapshot in customers.snapshots(shop, sample.customer_ids, [Customer, SegmentsHead]).values():
        head, profile = snapshot.head(SegmentsHead), snapshot.head(Customer)
        if head is not None and profile is not None and not customers.is_hidden(profile):
            found[frozenset(state.segment_id for state in head.open) & frozenset(segment_ids)] += 1
    scaled = Counter({each: sample.estimate(count) or 0 for each, count in found.items()})
    return of_sets(segment_ids, scaled, exact=False)


def of_sets(segment_ids: Sequence[str], customers_in: Mapping[frozenset[str], int], *, exact: bool) -> Overlap:
    """From how many customers are in which of the segments, and in none of the others."""
    regions = []
    for among in _combinations(segment_ids):
        wanted = frozenset(among)
        count = sum(number for each, number in customers_in.items() if wanted <= each)
        regions.append(Region(among, count, customers_in.get(wanted, 0)))
    return Overlap(exact, sum(number for each, number in customers_in.items() if each), tuple(regions))


def _combinations(segment_ids: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for size in range(1, len(segment_ids) + 1):
        yield from combinations(segment_ids, size)


def _counted(shop: str, segment_ids: Sequence[str]) -> dict[str, frozenset[str]] | None:
    """Of each member in which of the segments they are; None where there are too many."""
    found: dict[str, set[str]] = {}
    counted = 0
    for segment_id in segment_ids:
        for customer_id in _members(shop, segment_id):
            counted += 1
            if counted > MOST_COUNTED:
                return None
            found.setdefault(customer_id, set()).add(segment_id)
    return {customer_id: frozenset(each) for customer_id, each in found.items()}


def _members(shop: str, segment_id: str) -> Iterator[str]:
    for shard in range(SHARDS):
        after: str | None = None
        while page := repository.list_members(shop, segment_id, shard, after=after, limit=PAGE):
            yield from (stay.customer_id for stay in page)
            after = page[-1].list_sk
            if len(page) < PAGE:
                break
