# crm/segmentation/backfill.py
"""The operation `segments_refresh`: what an edit of a shop's segments means is brought to its customers, step by step.

All customers are walked, newest first, and each is written with the version of the definitions, changed or not: from
then on no process that still has older ones can write them. A shop has one such walk (crm/segmentation/laps.py), which
an edit joins where it stands; the newest operation goes on with it, and ends when it has come round for its own edit.

Whoever was recorded since shortly before the edit is walked once more when no process with older definitions is left,
since it may have been the first to look at them. For a deletion, both walks are over the segment's members, and its
own.

Whom the first walk gives up on is come back to by the second. Segments are ready once everybody has been brought up;
an operation that leaves anybody behind fails, and they are not.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct, convert
from msgspec.structs import asdict
from pynamodb.expressions.condition import Condition

from crm.customers import service as customers
from crm.kernel import clock
from crm.kernel.change import Change
from crm.kernel.errors import Fault, Stale
from crm.kernel.operations import CANCELLED, DONE, Operation, OperationFault
from crm.kernel.pace import Pace, counting
from crm.kernel.rounds import Place
from crm.segmentation import bringing_up, given_up, in_force, insights, laps, repository
from crm.segmentation.books import SEGMENT, VERSION
from crm.segmentation.in_force import InForce
from crm.segmentation.models import SegmentsReady, SegmentsWalk
from crm.segmentation.stays import SHARDS

PAGE: Final = 100
"""Customers at once: as many as one batch read has of one head."""
STEP: Final = 500
"""Customers of a step at most; it ends before that when it takes long."""
LET_GO: Final = in_force.FRESH_FOR + timedelta(seconds=120)
"""When no process has definitions from before the edit any more: they look once a minute, and of the functions that
write heads by what they have found (RefreshMemberships, RunOperation, the gateway) none runs for longer than two.
"""
BEFORE: Final = timedelta(minutes=5)
"""How far the clock of who records a customer may be behind that of who edits."""
PLACE, LEFT = "place", "left"
"""State, of walks that are the operation's own: where it goes on (whose second walk is its second lap), and the ids of
those whom it is to come back to.
"""
SUPERSEDED: Final = Fault("", "SUPERSEDED", "was overtaken by a newer one, which does what this one had left to do")
INCOMPLETE: Final = Fault("", "INCOMPLETE", "left customers behind whose memberships could not be brought up")


class Page(Struct, frozen=True):
    """Some customers by id, and the place behind them."""

    ids: Sequence[str]
    behind: Place


def step(operation: Operation, *, patient: bool, now: datetime) -> None:
    """Bring some more customers up.

    What may pass is raised while one is `patient`, so that the step is done again; then the customer is given up on,
    in the first walk for the time being.
    """
    pace = Pace()
    with counting(operation):
        done = _walk(operation, patient=patient, pace=pace, now=now)
    if done and operation.waits_until is None:
        operation.waits_until = pace.rest(done, now=now)


def is_second_walk(operation: Operation) -> bool:
    return _place(operation).lap > 0


def _place(operation: Operation) -> Place:
    return convert(operation.state.get(PLACE, {}), Place)


def _walk(operation: Operation, *, patient: bool, pace: Pace, now: datetime) -> int:
    """How many customers were walked."""
    operation.waits_until = None
    kept = repository.get_walk(operation.shop)
    # Behind the walk: whatever edit has joined that, these are no older.
    definitions = in_force.current(operation.shop, now=now, anew=True)
    if SEGMENT in operation.arguments:
        return _walk_alone(operation, definitions, patient=patient, pace=pace, now=now)
    # Not before its edit has joined the walk, or edits that come fast enough would end each other without a step.
    has_joined = kept.walk().newest >= int(operation.arguments[VERSION])
    if has_joined and definitions.refreshed_by != operation.operation_id:
        operation.status = CANCELLED
        operation.faults = [OperationFault(path=SUPERSEDED.path, code=SUPERSEDED.code, message=SUPERSEDED.message)]
        return 0
    if not is_second_walk(operation):
        return _walk_on(operation, kept, definitions, patient=patient, pace=pace, now=now)
    if operation.state.get(LEFT):
        return _come_back(operation, definitions, patient=patient, now=now)
    return _walk_alone(operation, definitions, patient=patient, pace=pace, now=now)


def _walk_on(
    operation: Operation, kept: SegmentsWalk, definitions: InForce, *, patient: bool, pace: Pace, now: datetime
) -> int:
    """The walk over all customers, by whoever comes first: where another has gone on with it meanwhile, that counts."""
    if kept.rests_until is not None and now < kept.rests_until:
        operation.waits_until = kept.rests_until
        return 0
    version, stored = int(operation.arguments[VERSION]), kept.walk()
    before = walk = laps.joined(stored, version)
    done = 0
    for page in _pages(operation, walk.place) if walk.done < version else ():
        left = bringing_up.bring_up(operation, page.ids, definitions, patient=patient, now=now)
        done += len(page.ids)
        walk = laps.passed(walk, page.behind, count=len(page.ids), left=left, shards=customers.SHARDS)
        if walk.done >= version or done >= STEP or pace.is_long:
            break
    if walk.done > before.done and not walk.refused:  # first: whoever dies in between comes here again
        _ready(operation, definitions, walk.done, now=now)
    kept.rests_until = pace.rest(done, now=now)
    if walk != stored and not _keep(kept, walk, operation, now=now):
        return done
    operation.row_count = max(int(operation.row_count), walk.walked - before.walked_before(version))
    operation.row_total, operation.refused_count = walk.total, walk.refused
    if walk.done >= version:
        operation.row_count = operation.row_total = max(int(operation.row_count), walk.total or 0)
        _begin_again(operation, walk.left)
    return done


def _keep(kept: SegmentsWalk, walk: laps.Walk, operation: Operation, *, now: datetime) -> bool:
    """Whether nobody else has gone on with the walk meanwhile."""
    kept.keep(walk)
    change = Change(now)
    change.revise(kept)
    kept.cause = f"operation:{operation.operation_id}:walk:{int(kept.rev)}"
    try:
        change.commit()
    except Stale:
        return False
    return True


def _begin_again(operation: Operation, left: Sequence[str]) -> None:
    """The second walk, when nobody has older definitions any more."""
    operation.waits_until = operation.created_at + LET_GO
    operation.state = {PLACE: asdict(Place(lap=1)), LEFT: list(left)}


def _walk_alone(operation: Operation, definitions: InForce, *, patient: bool, pace: Pace, now: datetime) -> int:
    """A walk of the operation's own: over the members of a deleted segment, and each second one."""
    began = place = _place(operation)
    shards, done = _shards(operation), 0
    for page in _pages(operation, place, again=began.lap > 0):
        left = bringing_up.bring_up(operation, page.ids, definitions, patient=patient, now=now)
        operation.refused_count += len(left)
        done += len(page.ids)
        through = page.behind.walked_through(began.lap, shards=shards)
        if began.lap == 0:
            operation.row_count += len(page.ids)
            if through > place.shard:  # as many in each, by chance
                operation.row_total = round(operation.row_count * shards / through)
        place = page.behind
        if place.lap > began.lap or done >= STEP or pace.is_long:
            break
    operation.state = operation.state | {PLACE: asdict(place)}
    if place.lap > began.lap:
        _end_walk(operation, began, definitions, now=now)
    return done


def _end_walk(operation: Operation, place: Place, definitions: InForce, *, now: datetime) -> None:
    if place.lap == 0:  # whoever still is a member is come to again in any case
        operation.refused_count = 0
        _begin_again(operation, ())
    elif operation.refused_count:
        operation.fail([INCOMPLETE])
        _not_ready(operation, now=now)
    else:
        for segment_id in _left_by_all(operation, definitions):
            given_up.put_away(operation.shop, segment_id, now=now)
        operation.status = DONE


def _left_by_all(operation: Operation, definitions: InForce) -> list[str]:
    """The deleted segments of which nobody is a member any more: the one that this is about; or, once everybody has
    been brought up, all that were deleted before.
    """
    if SEGMENT in operation.arguments:
        return [str(operation.arguments[SEGMENT])]
    version = int(operation.arguments[VERSION])
    return [segment_id for segment_id, meaning in definitions.gone.items() if meaning.version <= version]


def _come_back(operation: Operation, definitions: InForce, *, patient: bool, now: datetime) -> int:
    """To some of those whom the first walk gave up on."""
    left = operation.state[LEFT]
    some, others = left[:PAGE], left[PAGE:]
    again = bringing_up.bring_up(operation, some, definitions, patient=patient, now=now)
    operation.refused_count += len(again) - len(some)
    operation.state = operation.state | {LEFT: others}
    if not others and not operation.refused_count:
        _ready(operation, definitions, int(operation.arguments[VERSION]), now=now)
    return len(some)


def _shards(operation: Operation) -> int:
    return SHARDS if SEGMENT in operation.arguments else customers.SHARDS


def _pages(operation: Operation, place: Place, *, again: bool = False) -> Iterator[Page]:
    """From a place on, round and round."""
    while True:
        ids, keys = (
            _members(operation, place.shard, place.behind)
            if SEGMENT in operation.arguments
            else _customers(operation, place.shard, place.behind, again=again)
        )
        place = place.after(keys, most=PAGE, shards=_shards(operation))
        yield Page(ids, place)


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


def _find_out(shop: str, definitions: InForce, version: int, *, now: datetime) -> None:
    """What is typical of the segments that mean something else than when all customers were last looked at, by edits up
    to this version; of all where there are none.
    """
    ready_in = repository.ready_in(shop)
    about = [each.id for each in definitions.segments.values() if ready_in < each.meaning.version <= version]
    insights.ask(shop, sorted(about or definitions.segments), f"v{version}", now=now)


def _ready(operation: Operation, definitions: InForce, version: int, *, now: datetime) -> None:
    """Note for which version of the catalogue all customers have been looked at, unless that is a newer one."""
    kind = SegmentsReady
    # First: whoever comes again after that was noted would not know any more since when nobody was looked at.
    _find_out(operation.shop, definitions, version, now=now)
    older = kind.ready_in.does_not_exist() | (kind.ready_in < version)
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
