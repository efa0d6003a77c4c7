# crm/segmentation/refreshing.py
"""How a customer's memberships are brought up to date: read, decide, write; and again where that may be overtaken.

What a write relied on is in its condition: the heads that were read, the timer, and the segments head with the version
of the definitions by which it was judged. Touchpoints, carts and own attributes have no head. Where a decision that was
written relied on them, they are read again after the write: of two that pass each other, the one that writes last reads
last, and sees what made the other come.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from crm.customers import service as customers
from crm.customers.service import Customer, SegmentsHead, Snapshot
from crm.kernel import timers
from crm.kernel.change import Change, retrying
from crm.kernel.errors import Stale
from crm.kernel.timers import Timer, TimerDue
from crm.segmentation import given_up, loading
from crm.segmentation import in_force as definitions
from crm.segmentation.asking import is_read, questions, reads_of
from crm.segmentation.causes import by_time
from crm.segmentation.in_force import InForce
from crm.segmentation.language.facts import Fact, Facts
from crm.segmentation.language.reading import NOTHING as READS_NOTHING
from crm.segmentation.recording import MOST_AT_ONCE, cost, guard, is_replayed, write, write_by_hand
from crm.segmentation.standings import judged_of, keep, standing_of, wakes_by, with_sleeping
from crm.segmentation.stays import SegmentSaid, SegmentsByHand
from crm.segmentation.touching import NOTHING, Touched
from crm.segmentation.transitions import Interval, OpenMembership, Outcome, Question, Standing, settle

OWNER, SUBJECT = "segmentation", "memberships"
MOST_PASSES: Final = 8
UNGUARDED: Final = frozenset({Fact.ATTRIBUTES, Fact.CARTS, Fact.LAST_SEEN, Fact.TOUCHPOINTS})
"""Facts without a head, whose change no condition notices."""


class Why(Struct, frozen=True):
    """What somebody's segments are looked at for. `segments` are asked whatever was touched; `stamp`: the head is
    written with the version of the definitions even where nothing changed. `by_hand` is to be written with it, and what
    it says of one segment in `listed`.
    """

    cause: str
    occurred_at: datetime
    touched: Touched = NOTHING
    replayed: bool = False
    segments: frozenset[str] = frozenset()
    stamp: bool = False
    by_hand: SegmentsByHand | None = None
    listed: SegmentSaid | None = None


class Passed(Struct, frozen=True):
    """`unsure`: segments whose change relied on what no condition guards. `rest`: there was more than one write holds,
    and these segments are done.
    """

    changed: list[Interval] = field(default_factory=list)
    unsure: frozenset[str] = frozenset()
    rest: frozenset[str] = frozenset()


def refresh(
    shop: str,
    customer_id: str,
    *,
    touched: Touched,
    cause: str,
    occurred_at: datetime,
    now: datetime,
    replayed: bool = False,
) -> list[Interval]:
    """Bring a customer's memberships up to `now`; return the stays that began or ended.

    Decides by what is stored, not by the event, so that events may come late, twice and in any order. Whether the
    definitions have moved is looked at each time: the fact was stored before, so that whoever brings customers up to an
    edit that comes after that look finds it. No more is read where no segment reads what was touched; else one snapshot
    and the histories that the segments in question read and, where anything changed, one transaction. A customer that
    does not exist is left alone, without a timer. Whether a stay is told as replayed is for the heads to say that its
    segment reads, and only without any for the event. Raises NotFound for an unknown shop.
    """
    in_force = definitions.current(shop, now=now, anew=True)
    if not is_read(in_force, touched):
        return []
    why = Why(cause, occurred_at, touched, replayed)
    return _bring(shop, customer_id, in_force, why, now=now)


def wake(due: TimerDue, *, now: datetime) -> list[Interval]:
    """Handle a timer. One that comes early is set anew, one that comes again finds nothing to do."""
    in_force = definitions.current(due.shop, now=now)
    return _bring(due.shop, due.customer_id, in_force, Why(by_time(due.due_at), due.due_at), now=now)


def bring_up(snapshot: Snapshot, in_force: InForce, *, now: datetime) -> list[Interval]:
    """Let a customer's memberships follow what the definitions mean by now, by a snapshot of at least `HEADS`; return
    the stays that began or ended.

    Afterwards the head names their version, so that no process that still has older ones can write it. One transaction,
    or none where it names that already. Of whom nothing is stored nobody is there.
    """
    head = snapshot.head(SegmentsHead)
    if not snapshot or (head is not None and (head.definitions_version or 0) >= in_force.version):
        return []
    meanings = [*(each.meaning for each in in_force.segments.values()), *in_force.gone.values()]
    latest = max(meanings, key=lambda each: each.version, default=None)
    why = Why(latest.cause if latest else f"shop:{in_force.shop}:update", latest.at if latest else now, stamp=True)
    return _bring(snapshot.shop, snapshot.customer_id, in_force, why, now=now, snapshot=snapshot)


def by_hand(snapshot: Snapshot, said: SegmentsByHand, segment_id: str, *, in_force: InForce, now: datetime) -> None:
    """Write what somebody has said of a customer, and what follows from it, in one transaction. Raises Stale."""
    asking = {each.id for each in in_force.segments.values() if segment_id in each.reads.segments}
    listed = SegmentSaid.of(snapshot.shop, snapshot.customer_id, segment_id)
    why = Why(said.cause or "", now, segments=frozenset({segment_id, *asking}), by_hand=said, listed=listed)
    passed = _once(snapshot, in_force, why, now=now)
    if passed.unsure or passed.rest:
        again = replace(why, by_hand=None, listed=None)
        _bring(snapshot.shop, snapshot.customer_id, in_force, again, now=now, passed=passed)


def newest_for(snapshot: Snapshot, in_force: InForce, *, now: datetime) -> InForce:
    """The definitions to judge somebody by: those in force, unless they have been judged by newer ones. The walk after
    an edit comes to nobody who is hidden, and not at once to all who are new: who is hidden no longer, or was never
    judged, is judged by those of this moment.
    """
    judged = judged_of(snapshot.head(SegmentsHead) or SegmentsHead.of(snapshot.shop, snapshot.customer_id))
    missed = (judged.hidden or judged.version is None) and not _is_hidden(snapshot)
    version = judged.version or 0
    if version <= in_force.version and not missed:
        return in_force
    return definitions.current(snapshot.shop, now=now, at_least=version, anew=missed)


def open_segments(snapshot: Snapshot, *, now: datetime) -> list[OpenMembership]:
    """The segments a customer is in at `now`, by the definitions they were last looked at by. What time has changed and
    no timer has yet handled is computed, for which all heads are read; one who is deleted is in none from that moment.
    """
    head, profile = snapshot.head(SegmentsHead), snapshot.head(Customer)
    if head is None or (profile is not None and customers.is_hidden(profile)):
        return []  # a list of customers reads their profiles apart, and shows none that is hidden
    if head.wakes_at is None or head.wakes_at > now:
        return list(standing_of(head).open.values())
    whole = customers.take_snapshot(snapshot.shop, snapshot.customer_id)
    head = whole.head(SegmentsHead)
    if head is None or _is_hidden(whole):
        return []
    in_force = definitions.current(snapshot.shop, now=now)
    why = Why(by_time(head.wakes_at or now), head.wakes_at or now)
    standing = standing_of(head, in_force)
    due = [
        each
        for each in _asked(whole, head, standing, in_force, why, now=now)
        if each.redefined is None and not each.touched
    ]
    return list(_settled(whole, standing, due, in_force, why, now=now).open.values())


def _bring(
    shop: str,
    customer_id: str,
    in_force: InForce,
    why: Why,
    *,
    now: datetime,
    snapshot: Snapshot | None = None,
    passed: Passed | None = None,
) -> list[Interval]:
    """`snapshot`: one that has been read already; `passed`: what a first pass came to."""
    given = [snapshot] if snapshot is not None else []

    def attempt() -> Passed:
        read = given.pop() if given else customers.take_snapshot(shop, customer_id)
        if not read:
            _disarm(shop, customer_id)
            return Passed()
        newest = in_force if why.stamp and read is snapshot else newest_for(read, in_force, now=now)
        return _once(read, newest, asking, now=now, without=done)

    changed: list[Interval] = []
    unsure: frozenset[str] = frozenset()
    done: frozenset[str] = frozenset()
    asking = why
    for _ in range(MOST_PASSES):
        if passed is None:
            passed = retrying(attempt)
        changed += passed.changed
        unsure |= passed.unsure
        done |= passed.rest
        if not passed.rest:
            if not unsure:
                return changed
            asking = Why(why.cause, why.occurred_at, replayed=why.replayed, segments=unsure)
            unsure = done = frozenset()
        passed = None
    raise Stale


def _once(snapshot: Snapshot, in_force: InForce, why: Why, *, now: datetime, without: Collection[str] = ()) -> Passed:
    head = snapshot.head(SegmentsHead) or SegmentsHead.of(snapshot.shop, snapshot.customer_id)
    standing, hidden = standing_of(head, in_force), _is_hidden(snapshot)
    in_force = given_up.known(in_force, standing.open)
    asked = _asked(snapshot, head, standing, in_force, why, now=now, without=without)
    outcome = _settled(snapshot, standing, asked, in_force, why, now=now)
    rest: frozenset[str] = frozenset()
    if sum(map(cost, outcome.changed)) > MOST_AT_ONCE:
        asked = _first(asked, outcome)
        outcome = _settled(snapshot, standing, asked, in_force, why, now=now)
        rest = frozenset(each.segment_id for each in asked)
    if not hidden:
        outcome = with_sleeping(outcome, head, in_force, without={each.segment_id for each in asked}, now=now)
    wakes_at = _wakes_at(head.wakes_at, wakes_by(outcome, in_force, now=now), now=now)
    before = (standing_of(head), head.wakes_at, judged_of(head).hidden, judged_of(head).version is not None)
    after = (Standing(outcome.open, outcome.flips, outcome.as_of), wakes_at, hidden, True)
    is_new_version = why.stamp and judged_of(head).version != in_force.version
    if before == after and not outcome.changed and not rest and not is_new_version and why.by_hand is None:
        return Passed()
    if not head.rev and hidden and not why.stamp and why.by_hand is None:
        return Passed()  # who was never in any segment and is hidden need not be told to be in none
    change = Change(now)
    guard(change, snapshot, asked, hidden=hidden)
    if why.by_hand is not None and why.listed is not None:
        write_by_hand(change, why.by_hand, why.listed)
    timers.set_to(change, _timer(snapshot, head.wakes_at), _timer(snapshot, wakes_at))
    flipped = {each: flip.at for each, flip in standing.flips.items()}
    reads = {each.segment_id: each.reads for each in asked}
    for interval in outcome.changed:
        replayed = is_replayed(snapshot, interval, reads[interval.segment_id], flipped, why.cause, told=why.replayed)
        write(change, head, interval, snapshot=snapshot, replayed=replayed)
    keep(head, outcome)
    head.wakes_at, head.cause, head.replayed = wakes_at, why.cause, why.replayed
    if not rest:
        head.hidden, head.definitions_version = hidden, in_force.version
    change.revise(head)
    change.commit()
    return Passed(list(outcome.changed), _unsure(asked, standing, outcome, hidden=hidden), rest)


def _asked(
    snapshot: Snapshot,
    head: SegmentsHead,
    standing: Standing,
    in_force: InForce,
    why: Why,
    *,
    now: datetime,
    without: Collection[str] = (),
) -> list[Question]:
    profile = snapshot.head(Customer)
    return questions(
        standing,
        judged_of(head),
        in_force,
        touched=why.touched,
        segments=why.segments,
        hidden=_is_hidden(snapshot),
        added_at=profile.created_at if profile else None,
        now=now,
        without=without,
    )


def _settled(
    snapshot: Snapshot, standing: Standing, asked: list[Question], in_force: InForce, why: Why, *, now: datetime
) -> Outcome:
    if not asked:
        return Outcome([], standing.open, standing.flips, standing.as_of)
    facts = _facts(snapshot, standing, asked, in_force, why, now=now)
    return settle(standing, asked, facts, cause=why.cause, occurred_at=why.occurred_at, now=now)


def _facts(
    snapshot: Snapshot, standing: Standing, asked: list[Question], in_force: InForce, why: Why, *, now: datetime
) -> Facts:
    """From the first moment on that may be asked about; of somebody hidden nothing but that they are."""
    earliest = now
    for question in asked:
        floor = max(filter(None, (standing.as_of, question.since)), default=None)
        flip = standing.flips.get(question.segment_id)
        starts = [flip.at] if flip is not None else []
        if question.touched:
            starts.append(max(why.occurred_at, floor) if floor else why.occurred_at)
        if question.redefined and floor:
            starts.append(floor)
        earliest = min([earliest, *starts])
    reads = READS_NOTHING if _is_hidden(snapshot) else reads_of(asked)
    facts = loading.load(snapshot, reads, earliest=earliest, in_force=in_force, now=now)
    if why.by_hand is None:
        return facts
    said = why.by_hand
    return replace(facts, memberships=frozenset(said.members), exclusions=frozenset(said.exclusions))


def _first(asked: list[Question], outcome: Outcome) -> list[Question]:
    """As many as one write holds, those first whose changes are over first: nothing takes effect before what is
    written.
    """
    writes: dict[str, int] = {}
    lasts: dict[str, datetime] = {}
    for each in outcome.changed:
        writes[each.segment_id] = writes.get(each.segment_id, 0) + cost(each)
        lasts[each.segment_id] = max(lasts.get(each.segment_id, each.entered_at), each.left_at or each.entered_at)
    room = MOST_AT_ONCE
    chosen: set[str] = set()
    for segment_id in sorted(lasts, key=lambda each: (lasts[each], each)):
        if chosen and writes[segment_id] > room:
            break
        room -= writes[segment_id]
        chosen.add(segment_id)
    return [each for each in asked if each.segment_id in chosen or each.segment_id not in writes]


def _unsure(asked: list[Question], standing: Standing, outcome: Outcome, *, hidden: bool) -> frozenset[str]:
    if hidden:
        return frozenset()
    changed = {each.segment_id for each in outcome.changed}
    return frozenset(
        each.segment_id
        for each in asked
        if each.reads.facts & UNGUARDED
        and (each.segment_id in changed or standing.flips.get(each.segment_id) != outcome.flips.get(each.segment_id))
    )


def _is_hidden(snapshot: Snapshot) -> bool:
    """Whether the customer is in no segment, whatever they are: deleted, or not there."""
    profile = snapshot.head(Customer)
    return profile is None or customers.is_hidden(profile)


def _disarm(shop: str, customer_id: str) -> None:
    """Nobody is there whom time could change: left alone, the timer would fall due each minute for good."""
    change = Change()
    timers.set_to(change, timers.get(shop, customer_id, OWNER, SUBJECT), None)
    change.commit()


def _wakes_at(stored: datetime | None, computed: datetime | None, *, now: datetime) -> datetime | None:
    """When the timer is to wake: moved only to an earlier time while it is to come, since a late hint costs one early
    wake, and moving it a write with every order.
    """
    if stored is None or stored <= now or computed is None:
        return computed
    return min(stored, computed)


def _timer(snapshot: Snapshot, due_at: datetime | None) -> Timer | None:
    return Timer.of(snapshot.shop, snapshot.customer_id, OWNER, SUBJECT, due_at) if due_at else None
