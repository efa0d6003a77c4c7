# crm/segmentation/backfill.py
"""The operation `segments_refresh`: what an edit of a shop's segments means is brought to its customers, step by step.

All customers are walked, newest first, and each is written with the version of the definitions, changed or not: from
then on no process that still has older ones can write them. Whoever was recorded since shortly before the edit is
walked once more when no such process is left, since it may have been the first to look at them. For a deletion, the
walks are over the segment's members.

Whom the first walk gives up on is come back to by the second. Segments are ready once everybody has been brought up;
an operation that leaves anybody behind fails, and they are not.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from datetime import datetime, timedelta
from typing import Final, Self

from msgspec import Struct
from msgspec.structs import asdict
from pynamodb.expressions.condition import Condition

from crm.customers import service as customers
from crm.customers.service import Customer, SegmentsHead, Snapshot
from crm.kernel import clock
from crm.kernel.change import Change
from crm.kernel.errors import Fault, Stale, without_words
from crm.kernel.meter import metering
from crm.kernel.operations import CANCELLED, DONE, Operation, OperationFault
from crm.kernel.table import Published
from crm.segmentation import in_force, insights, refreshing, repository
from crm.segmentation.books import SEGMENT, VERSION
from crm.segmentation.in_force import InForce
from crm.segmentation.models import SegmentsReady
from crm.segmentation.recording import GUARDED_BY
from crm.segmentation.stays import SHARDS, SegmentsByHand

log = logging.getLogger(__name__)

PAGE: Final = 100
"""Customers at once: as many as one batch read has of one head."""
STEP: Final = 500
"""Customers of a step at most; it ends before that when it has taken `LONGEST` seconds."""
LONGEST: Final = 20.0
PER_SECOND: Final = 250
"""Customers at most: half of what a new table takes is left to the shop."""
AT_ONCE: int = 8
"""Threads; moto takes but one."""
LET_GO: Final = in_force.FRESH_FOR + timedelta(seconds=120)
"""When no process has definitions from before the edit any more: they look once a minute, and of the functions that
write heads by what they have found (RefreshMemberships, RunOperation, the gateway) none runs for longer than two.
"""
BEFORE: Final = timedelta(minutes=5)
"""How far the clock of who records a customer may be behind that of who edits."""
PLACE, LEFT = "place", "left"
"""State: where the walk goes on, and the ids of those whom the first walk gave up on."""
MOST_LEFT: Final = 1_000
"""So many are come back to; with more the operation fails in any case."""
SUPERSEDED: Final = Fault("", "SUPERSEDED", "was overtaken by a newer one, which does what this one had left to do")
INCOMPLETE: Final = Fault("", "INCOMPLETE", "left customers behind whose memberships could not be brought up")


class Place(Struct, frozen=True):
    """Where a walk goes on: in which shard, behind which sort key. `again`: it is the second."""

    shard: int = 0
    behind: str | None = None
    again: bool = False

    @classmethod
    def of(cls, operation: Operation) -> Self:
        return cls(**operation.state.get(PLACE, {}))


class Page(Struct, frozen=True):
    """Some customers by id, and the place behind them."""

    ids: Sequence[str]
    behind: Place


def step(operation: Operation, *, patient: bool, now: datetime) -> None:
    """Bring some more customers up. One whose memberships cannot be brought up holds up no other.

    What may pass is raised while one is `patient`, so that the step is done again; then the customer is given up on,
    in the first walk for the time being.
    """
    began = time.monotonic()
    with metering() as meter:
        done = _walk(operation, patient=patient, began=began, now=now)
    operation.request_count += meter.requests
    operation.read_units += meter.read_units
    operation.write_units += meter.write_units
    if done and operation.waits_until is None:
        pause = int(done / PER_SECOND - (time.monotonic() - began))
        operation.waits_until = now + timedelta(seconds=pause) if pause > 0 else None


def _walk(operation: Operation, *, patient: bool, began: float, now: datetime) -> int:
    """How many customers were walked."""
    operation.waits_until = None
    catalogue = repository.get_catalogue(operation.shop)
    version = int(operation.arguments[VERSION])
    if catalogue is None or catalogue.refresh_in > version:
        operation.status = CANCELLED
        operation.faults = [OperationFault(path=SUPERSEDED.path, code=SUPERSEDED.code, message=SUPERSEDED.message)]
        return 0
    definitions = in_force.current(operation.shop, now=now, at_least=int(catalogue.rev))
    place, done = Place.of(operation), 0
    if place.again and operation.state.get(LEFT):
        return _come_back(operation, definitions, patient=patient, now=now)
    for page in _pages(operation, place):
        behind = _bring_up(operation, page.ids, definitions, patient=patient, now=now)
        done += len(page.ids)
        if not place.again:
            operation.state[LEFT] = [*operation.state.get(LEFT, []), *behind][:MOST_LEFT]
            operation.row_count += len(page.ids)
            if page.behind.shard > place.shard:  # as many in each, by chance
                operation.row_total = round(operation.row_count * _shards(operation) / page.behind.shard)
        place = page.behind
        if done >= STEP or time.monotonic() - began >= LONGEST:
            break
    operation.state = operation.state | {PLACE: asdict(place)}
    if place.shard == _shards(operation):
        _end_walk(operation, place, definitions, now=now)
    return done


def _end_walk(operation: Operation, place: Place, definitions: InForce, *, now: datetime) -> None:
    if place.again and operation.refused_count:
        operation.fail([INCOMPLETE])
        _not_ready(operation, now=now)
    elif place.again:
        operation.status = DONE
    else:
        if SEGMENT in operation.arguments:  # whoever still is a member is come to again in any case
            operation.refused_count, operation.state[LEFT] = 0, []
        _ready(operation, definitions, now=now)
        operation.waits_until = operation.created_at + LET_GO
        operation.state = operation.state | {PLACE: asdict(Place(again=True))}


def _come_back(operation: Operation, definitions: InForce, *, patient: bool, now: datetime) -> int:
    """To some of those whom the first walk gave up on."""
    left = operation.state[LEFT]
    operation.state = operation.state | {LEFT: left[PAGE:]}
    operation.refused_count -= len(left[:PAGE])
    _bring_up(operation, left[:PAGE], definitions, patient=patient, now=now)
    if not left[PAGE:]:
        _ready(operation, definitions, now=now)
    return len(left[:PAGE])


def _shards(operation: Operation) -> int:
    return SHARDS if SEGMENT in operation.arguments else customers.SHARDS


def _pages(operation: Operation, place: Place) -> Iterator[Page]:
    """From a place on to the end of the walk."""
    for shard in range(place.shard, _shards(operation)):
        behind = place.behind if shard == place.shard else None
        last = Place(shard + 1, None, place.again)
        while True:
            ids, keys = (
                _members(operation, shard, behind)
                if SEGMENT in operation.arguments
                else _customers(operation, shard, behind, again=place.again)
            )
            if len(keys) < PAGE:
                yield Page(ids, last)
                break
            behind = keys[-1]
            yield Page(ids, Place(shard, behind, place.again))


def _customers(operation: Operation, shard: int, behind: str | None, *, again: bool) -> tuple[list[str], list[str]]:
    """Those who were there when the operation was asked for; `again`, those who have come since shortly before. With
    the sort keys by which to go on.
    """
    edited_at: datetime = operation.created_at
    before = behind or (None if again else clock.text(edited_at))
    page = customers.list_shard(operation.shop, shard, before=before, limit=PAGE)
    if again:
        since = clock.text(edited_at - BEFORE)
        page = [each for each in page if str(each.list_sk) >= since]
    return [each.customer_id for each in page], [str(each.list_sk) for each in page]


def _members(operation: Operation, shard: int, behind: str | None) -> tuple[list[str], list[str]]:
    segment_id = str(operation.arguments[SEGMENT])
    page = repository.list_members(operation.shop, segment_id, shard, after=behind, limit=PAGE)
    return [each.customer_id for each in page], [str(each.list_sk) for each in page]


def _bring_up(
    operation: Operation, ids: Sequence[str], definitions: InForce, *, patient: bool, now: datetime
) -> list[str]:
    """Who is given up on."""
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

    outcomes = list(zip(found, _each(one, found), strict=True))
    behind = [snapshot.customer_id for snapshot, changed in outcomes if changed is None]
    operation.refused_count += len(behind)
    operation.applied_count += sum(changed is True for _, changed in outcomes)
    return behind


def _each(one: Callable[[Snapshot], bool | None], snapshots: Collection[Snapshot]) -> Iterator[bool | None]:
    """Several at once: each is one transaction, and waits for the store."""
    if AT_ONCE == 1:
        yield from map(one, snapshots)
        return
    with ThreadPoolExecutor(AT_ONCE) as threads:
        # With the context, in which the store is asked on behalf of this operation, and counted.
        running = [threads.submit(copy_context().run, one, snapshot) for snapshot in snapshots]
        yield from (each.result() for each in running)


def _heads(definitions: InForce) -> list[type[Published]]:
    """What of the customers is read: what decides about any of the segments."""
    facts = {fact for segment in definitions.segments.values() for fact in segment.reads.facts}
    read = {GUARDED_BY[fact] for fact in facts if fact in GUARDED_BY}
    return [Customer, SegmentsHead, SegmentsByHand, *sorted(read, key=lambda kind: str(kind.SK))]


def _find_out(operation: Operation, definitions: InForce, *, ready_in: int, now: datetime) -> None:
    """What is typical of the segments that mean something else than when customers were last looked at, by this edit
    or by others that this one overtook; of all where there are none.
    """
    about = [each.id for each in definitions.segments.values() if each.meaning.version > ready_in]
    occasion = f"v{int(operation.arguments[VERSION])}"
    insights.ask(operation.shop, sorted(about or definitions.segments), occasion, now=now)


def _ready(operation: Operation, definitions: InForce, *, now: datetime) -> None:
    """Note for which version of the catalogue all customers have been looked at, unless that is a newer one, or anybody
    is left behind.
    """
    if SEGMENT in operation.arguments or operation.refused_count:
        return
    version, kind = int(operation.arguments[VERSION]), SegmentsReady
    older = kind.ready_in.does_not_exist() | (kind.ready_in < version)
    # First: whoever comes again after that was noted would not know any more since when nobody was looked at.
    _find_out(operation, definitions, ready_in=repository.ready_in(operation.shop), now=now)
    _write_ready(operation.shop, version, when=older, now=now)


def _not_ready(operation: Operation, *, now: datetime) -> None:
    """Take that back, where the second walk has left somebody behind after the first had not."""
    if SEGMENT not in operation.arguments:
        version = int(operation.arguments[VERSION])
        _write_ready(operation.shop, version - 1, when=SegmentsReady.ready_in == version, now=now)


def _write_ready(shop: str, version: int, *, when: Condition, now: datetime) -> None:
    ready = SegmentsReady.of(shop)
    ready.ready_in, ready.ready_at = version, now
    change = Change(now)
    change.write(ready, when=when, otherwise=Stale())
    with suppress(Stale):
        change.commit()
