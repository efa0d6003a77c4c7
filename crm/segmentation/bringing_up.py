# crm/segmentation/bringing_up.py
"""Customers brought up to what a shop's segments mean, many at once. One who cannot be brought up holds up no other."""

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime

from crm.customers import service as customers
from crm.customers.service import Customer, SegmentsHead, Snapshot
from crm.kernel.errors import without_words
from crm.kernel.operations import Operation
from crm.kernel.table import Published
from crm.segmentation import refreshing
from crm.segmentation.in_force import InForce
from crm.segmentation.recording import GUARDED_BY
from crm.segmentation.stays import SegmentsByHand

log = logging.getLogger(__name__)

AT_ONCE: int = 8
"""Threads; moto takes but one."""


def bring_up(
    operation: Operation, ids: Sequence[str], definitions: InForce, *, patient: bool, now: datetime
) -> list[str]:
    """Count in whom anything changed, and return who is given up on: nobody while one is `patient`, when what may pass
    is raised.
    """
    if not ids:
        return []
    found = customers.snapshots(operation.shop, ids, _heads(definitions)).values()

    def one(snapshot: Snapshot) -> bool | None:
        """Whether anything changed; None where it could not be found out."""
        try:
            return bool(refreshing.bring_up(snapshot, definitions, now=now))
        except Exception as error:
            if patient:
                raise
            told = {"shop": snapshot.shop, "customer_id": snapshot.customer_id}
            log.error("memberships not brought up: %s", without_words(error), extra=told)  # noqa: TRY400
            return None

    outcomes = list(zip(found, each(one, found), strict=True))
    operation.applied_count += sum(changed is True for _, changed in outcomes)
    return [snapshot.customer_id for snapshot, changed in outcomes if changed is None]


def each(one: Callable[[Snapshot], bool | None], snapshots: Collection[Snapshot]) -> Iterator[bool | None]:
    """Several at once: each is one transaction, and waits for the store."""
    if AT_ONCE == 1:
        yield from map(one, snapshots)
        return
    with ThreadPoolExecutor(AT_ONCE) as threads:
        # With the context, in which the store is asked on behalf of this operation, and counted.
        running = [threads.submit(copy_context().run, one, snapshot) for snapshot in snapshots]
        yield from (done.result() for done in running)


def _heads(definitions: InForce) -> list[type[Published]]:
    """What of the customers is read: what decides about any of the segments."""
    facts = {fact for segment in definitions.segments.values() for fact in segment.reads.facts}
    read = {GUARDED_BY[fact] for fact in facts if fact in GUARDED_BY}
    return [Customer, SegmentsHead, SegmentsByHand, *sorted(read, key=lambda kind: str(kind.SK))]
