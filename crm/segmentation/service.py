# crm/segmentation/service.py
"""What can be done with segments. Called by resolvers and functions alike."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from msgspec.structs import asdict

from crm.customers import service as customers
from crm.customers.service import Customer, SegmentsHead, SegmentState, Snapshot
from crm.kernel import timers
from crm.kernel.change import Change, retrying
from crm.kernel.errors import Stale
from crm.kernel.operations import Step
from crm.kernel.timers import Timer, TimerDue
from crm.orders.service import Statistics
from crm.segmentation import defining, drafting, in_force, insights, repository, scoring
from crm.segmentation.books import REFRESH
from crm.segmentation.defining import MOST_SEGMENTS, Edited, SegmentFields
from crm.segmentation.definitions import SEGMENTS, Facts, Segment
from crm.segmentation.in_force import InForce, Meaning, Status
from crm.segmentation.insights import Insights
from crm.segmentation.language import suggesting
from crm.segmentation.language.catalogue import Catalogue
from crm.segmentation.language.compiling import Understood
from crm.segmentation.language.facts import ORIGINS, Rfm
from crm.segmentation.language.facts import Fact as FactKind
from crm.segmentation.language.mistakes import Mistake
from crm.segmentation.language.suggesting import Suggestion
from crm.segmentation.language.templates import TEMPLATES, Template
from crm.segmentation.models import DYNAMIC, STATIC, SegmentDefinition, SegmentVersion
from crm.segmentation.refusals import SegmentNamed, TooManySegments
from crm.segmentation.rfm import Thresholds
from crm.segmentation.stays import SHARDS, SegmentLeaving, SegmentMembership
from crm.segmentation.touching import TOUCHED_BY, CustomerEvent
from crm.segmentation.traits import Choice, Number, Share, Typical
from crm.segmentation.transitions import Interval, OpenMembership, Outcome, by_time, effective_time, settle
from crm.shops import service as shops

__all__ = [
    "DYNAMIC", "MOST_SEGMENTS", "ORIGINS", "REFRESH", "SEGMENTS", "SHARDS", "STATIC", "STEPS", "TEMPLATES",
    "TOUCHED_BY", "Catalogue", "Choice", "CustomerEvent", "Edited", "FactKind", "InForce", "Insights", "Interval",
    "Meaning", "Mistake", "Number", "OpenMembership", "Rfm", "Segment", "SegmentDefinition", "SegmentFields",
    "SegmentLeaving", "SegmentMembership", "SegmentNamed", "SegmentVersion", "Share", "Status", "Suggestion",
    "Template", "Thresholds", "TooManySegments", "Typical", "Understood", "begin_day", "create", "current", "delete",
    "duplicate", "filters_at", "find", "get", "get_version", "insights_of", "list_definitions", "list_members",
    "list_memberships", "may_be_named", "open_segments", "ready_in", "recompute", "refresh", "rfm_of", "shop_changed",
    "understood", "update", "values_at", "wake",
]  # fmt: skip

STEPS: Final[Mapping[str, Step]] = {insights.INSIGHTS: insights.step, scoring.SCORE: scoring.step}
"""How each of segmentation's operations goes on, by its name."""
OWNER, SUBJECT = "segmentation", "memberships"

create = defining.create
update = defining.update
delete = defining.delete
duplicate = defining.duplicate
recompute = defining.recompute
shop_changed = defining.shop_changed
find = defining.find
ready_in = repository.ready_in
get = defining.get
get_version = repository.get_version
list_definitions = defining.list_definitions
current = in_force.current
may_be_named = drafting.may_be_named
understood = drafting.understood
filters_at = suggesting.filters_at
values_at = suggesting.values_at
begin_day = scoring.score_shop
rfm_of = scoring.rfm_of
insights_of = insights.insights
list_members = repository.list_members
list_memberships = repository.list_memberships


def refresh(shop: str, customer_id: str, *, cause: str, occurred_at: datetime, now: datetime) -> list[Interval]:
    """Bring a customer's memberships up to `now`; return the stays that began or ended.

    Decides by the snapshot alone, so that events may come late, twice and in any order. One snapshot read and, where
    anything changed, one transaction. A customer that does not exist is left alone, without a timer. Whether a stay is
    told as replayed is the statistics' to say, not the event's that happens to come first. Raises NotFound for an
    unknown shop.
    """
    return retrying(lambda: _refresh(shop, customer_id, cause=cause, occurred_at=occurred_at, now=now))


def wake(due: TimerDue, *, now: datetime) -> list[Interval]:
    """Handle a timer. One that comes early is set anew, one that comes again finds nothing to do."""
    return refresh(due.shop, due.customer_id, cause=by_time(due.due_at), occurred_at=due.due_at, now=now)


def open_segments(snapshot: Snapshot, *, now: datetime) -> list[OpenMembership]:
    """The segments a customer is in at `now`. What time has changed and no timer has yet handled is computed; one who
    is deleted is in none from that moment, also before that has been handled.
    """
    head = snapshot.head(SegmentsHead)
    if head is None or _hidden(snapshot.head(Customer)):
        return []
    if head.wakes_at is None or head.wakes_at > now:
        return _standing(head)
    outcome = _settled(snapshot, head, cause=by_time(head.wakes_at), occurred_at=head.wakes_at, now=now)
    return list(outcome.open)


def _refresh(shop: str, customer_id: str, *, cause: str, occurred_at: datetime, now: datetime) -> list[Interval]:
    snapshot = customers.take_snapshot(shop, customer_id)
    if not snapshot:
        _disarm(shop, customer_id)
        return []
    head = snapshot.head(SegmentsHead) or SegmentsHead.of(shop, customer_id)
    outcome = _settled(snapshot, head, cause=cause, occurred_at=occurred_at, now=now)
    wakes_at = _wakes_at(head.wakes_at, outcome.wakes_at, now=now)
    if list(outcome.open) == _standing(head) and not outcome.changed and wakes_at == head.wakes_at:
        return []
    change = Change()
    statistics = snapshot.head(Statistics) or Statistics.of(shop, customer_id)
    replayed = bool(statistics.replayed)
    change.unchanged(statistics)
    profile = snapshot.head(Customer)
    if profile is not None:
        change.unchanged(profile)
    timers.set_to(change, _timer(shop, customer_id, head.wakes_at), _timer(shop, customer_id, wakes_at))
    for interval in outcome.changed:
        # What stood and time ended, ended while nothing was told: that is live, though an import may have begun it.
        ended_by_time = interval.stored and interval.left_at and interval.left_cause == by_time(interval.left_at)
        _write(change, shop, customer_id, interval, replayed=replayed and not ended_by_time)
    head.open = [SegmentState(**asdict(membership)) for membership in outcome.open]
    head.as_of, head.wakes_at = outcome.as_of, wakes_at
    head.cause, head.replayed = cause, replayed
    change.revise(head)
    change.commit()
    return list(outcome.changed)


def _disarm(shop: str, customer_id: str) -> None:
    """Nobody is there whom time could change: left alone, the timer would fall due each minute for good."""
    change = Change()
    timers.set_to(change, timers.get(shop, customer_id, OWNER, SUBJECT), None)
    change.commit()


def _settled(snapshot: Snapshot, head: SegmentsHead, *, cause: str, occurred_at: datetime, now: datetime) -> Outcome:
    statistics = snapshot.head(Statistics)
    facts = Facts(
        zone=shops.current(snapshot.shop, now=now).zone,
        order_count=int(statistics.order_count) if statistics else 0,
        last_order_at=statistics.last_order_at if statistics else None,
        hidden=_hidden(snapshot.head(Customer)),
    )
    at = effective_time(occurred_at, facts=facts, as_of=head.as_of, now=now)
    return settle(_standing(head), facts, SEGMENTS, cause=cause, at=at, now=now)


def _hidden(profile: Customer | None) -> bool:
    return profile is not None and customers.is_hidden(profile)


def _wakes_at(stored: datetime | None, computed: datetime | None, *, now: datetime) -> datetime | None:
    """When the timer is to wake: moved only to an earlier time while it is to come, since a late hint costs one early
    wake, and moving it a write with every order.
    """
    if stored is None or stored <= now or computed is None:
        return computed
    return min(stored, computed)


def _timer(shop: str, customer_id: str, due_at: datetime | None) -> Timer | None:
    return Timer.of(shop, customer_id, OWNER, SUBJECT, due_at) if due_at else None


def _standing(head: SegmentsHead) -> list[OpenMembership]:
    states: list[SegmentState] = list(head.open)
    return [OpenMembership(state.segment_id, state.entered_at, state.entered_cause, state.flips_at) for state in states]


def _write(change: Change, shop: str, customer_id: str, interval: Interval, *, replayed: bool) -> None:
    item = SegmentMembership.of(shop, customer_id, interval.segment_id, interval.entered_at, interval.entered_cause)
    item.left_at, item.left_cause = interval.left_at, interval.left_cause
    item.cause, item.replayed = interval.left_cause or interval.entered_cause, replayed
    if interval.left_at and interval.left_cause:
        leaving = SegmentLeaving.of(shop, customer_id, interval.segment_id, interval.left_at, interval.left_cause)
        change.write(leaving, when=None, otherwise=Stale())
    if not interval.stored:
        if interval.left_at:
            item.list_pk = item.list_sk = None
        item.rev = 1
        change.create(item, otherwise=Stale())
        return
    kind = SegmentMembership
    change.update(
        item,
        [
            kind.left_at.set(item.left_at), kind.left_cause.set(item.left_cause), kind.cause.set(item.cause),
            kind.replayed.set(replayed), kind.rev.set(2), kind.list_pk.remove(), kind.list_sk.remove(),
        ],
        when=kind.rev == 1,
        otherwise=Stale(),
    )  # fmt: skip
