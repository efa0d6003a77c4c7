# crm/segmentation/previewing.py
"""What a query would do as a segment, told from a sample of the shop's customers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from crm.customers import service as customers
from crm.customers.service import Snapshot
from crm.segmentation import loading, sampling
from crm.segmentation.in_force import InForce
from crm.segmentation.language.compiling import Compiled
from crm.segmentation.language.facts import Fact
from crm.segmentation.language.reading import Reads
from crm.segmentation.recording import HEADS
from crm.segmentation.sampling import Sample

MOST: Final = 1_000
"""Customers looked at where their heads say all: ten batch reads."""
MOST_WITH_HISTORIES: Final = 100
"""Customers looked at where the query reads histories: a few Queries for each."""
REQUESTS: Final = {Fact.ATTRIBUTES: 1, Fact.CARTS: 3, Fact.LAST_ORDER: 1, Fact.LAST_SEEN: 2, Fact.ORDERS: 1}
"""What reading a history takes at most; of touchpoints one for each type."""
BATCH: Final = 100
"""Keys of one batch read."""


class Looked(Struct, frozen=True):
    """The sample, with what was read of it."""

    sample: Sample
    snapshots: Sequence[Snapshot]


def look(shop: str, reads: Reads) -> Looked:
    """Read a sample of the customers, as large as what is to be read of each allows."""
    found = sampling.sample(shop, most=MOST if histories(reads) == 0 else MOST_WITH_HISTORIES)
    return Looked(found, list(customers.snapshots(shop, found.customer_ids, HEADS).values()))


def members_among(snapshots: Sequence[Snapshot], compiled: Compiled, in_force: InForce, *, now: datetime) -> list[str]:
    """The ids of those of whom a query is true."""
    return [
        snapshot.customer_id
        for snapshot in snapshots
        if compiled.evaluate(loading.load(snapshot, compiled.reads, earliest=now, in_force=in_force), now).member
    ]


def histories(reads: Reads) -> int:
    """How many requests reading what the heads do not say takes, at most, for one customer."""
    return sum(REQUESTS.get(fact, 0) for fact in reads.facts) + len(reads.touchpoints)


def requests(reads: Reads, customer_count: int) -> int:
    """How many requests it takes at most to ask a query about so many customers."""
    batches = -(-customer_count * len(HEADS) // BATCH)
    return batches + customer_count * histories(reads)
