# crm/segmentation/recording.py
"""What is written when a customer's memberships change, and on what condition."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from crm.consent.service import ConsentHead
from crm.customers.service import Customer, SegmentsHead, Snapshot
from crm.feedback.service import FeedbackHead
from crm.kernel.change import Change
from crm.kernel.errors import Stale
from crm.kernel.table import Published
from crm.loyalty.reading import LoyaltyAccount
from crm.orders.service import Statistics
from crm.segmentation.causes import CauseKind, cause_kind
from crm.segmentation.language.facts import Fact
from crm.segmentation.language.reading import Reads
from crm.segmentation.stays import SegmentLeaving, SegmentMembership, SegmentSaid, SegmentsByHand
from crm.segmentation.transitions import Interval, Question
from crm.touchpoints.service import Acquisition

# PynamoDB's models have no common `of`; all of these take shop and customer id.
GUARDED_BY: Final[Mapping[Fact, Any]] = {
    Fact.ACQUISITION: Acquisition,
    Fact.CONSENT: ConsentHead,
    Fact.FEEDBACK: FeedbackHead,
    Fact.LAST_ORDER: Statistics,
    Fact.LOYALTY: LoyaltyAccount,
    Fact.ORDERS: Statistics,
    Fact.RFM: Statistics,
    Fact.STATISTICS: Statistics,
}
"""The head whose revision moves with every change of these facts. What is set by hand comes with the segments head."""
HEADS: Final[tuple[type[Published], ...]] = (Customer, SegmentsHead, SegmentsByHand, *sorted(
    set(GUARDED_BY.values()), key=lambda each: str(each.SK)
))  # fmt: skip
"""What of a snapshot decides about memberships."""
MOST_AT_ONCE: Final = 85
"""Writes for stays in one transaction, which holds 100: the rest is for heads, their conditions and the timer."""


def guard(change: Change, snapshot: Snapshot, asked: Collection[Question], *, hidden: bool) -> None:
    """Add to `change`: the heads that were relied on are as they were read."""
    facts = frozenset[Fact]() if hidden else frozenset(fact for each in asked for fact in each.reads.facts)
    profile = snapshot.head(Customer)
    if profile is not None:
        change.unchanged(profile)
    for kind in {GUARDED_BY[fact] for fact in facts if fact in GUARDED_BY}:
        change.unchanged(snapshot.head(kind) or kind.of(snapshot.shop, snapshot.customer_id))


def write_by_hand(change: Change, said: SegmentsByHand, listed: SegmentSaid) -> None:
    """Add to `change` what somebody has said of a customer, and its place in the list of the segment it is about."""
    change.revise(said)
    segment_id = listed.segment_id
    told = said.members.get(segment_id) or said.exclusions.get(segment_id)
    if told is None:
        change.delete(listed, when=None, otherwise=Stale())
        return
    listed.say(*told, excluded=segment_id in said.exclusions)
    change.write(listed, when=None, otherwise=Stale())


def cost(interval: Interval) -> int:
    """How many items a changed stay writes."""
    return 2 if interval.left_at else 1


def is_replayed(
    snapshot: Snapshot, interval: Interval, reads: Reads, flips: Mapping[str, datetime], why: str, *, told: bool
) -> bool:
    """Whether what changed is part of a history that was told late, so that nobody is messaged for it.

    What had stood and time changed, changed while nothing was told: that is live, though an import may have begun it.
    So is what people and definitions do. Else the heads say that the segment reads, not the event that comes first.
    """
    at, cause = interval.left_at or interval.entered_at, interval.left_cause or interval.entered_cause
    if cause_kind(why) is not CauseKind.EVENT or cause_kind(cause) not in {CauseKind.EVENT, CauseKind.TIME}:
        return False
    if cause_kind(cause) is CauseKind.TIME and (interval.begun_in or flips.get(interval.segment_id) == at):
        return False
    kinds = {GUARDED_BY.get(fact, Customer if fact is Fact.PROFILE else None) for fact in reads.facts} - {None}
    heads = [head for kind in kinds if (head := snapshot.head(kind)) is not None]
    return all(bool(head.replayed) for head in heads) if heads else told


def write(change: Change, head: SegmentsHead, interval: Interval, *, snapshot: Snapshot, replayed: bool) -> None:
    """Add to `change` a stay that began, ended, or both, with the head's next revision."""
    revision = int(head.rev) + 1
    stay = SegmentMembership.of(
        snapshot.shop,
        snapshot.customer_id,
        interval.segment_id,
        interval.entered_at,
        interval.entered_cause,
        begun_in=interval.begun_in or revision,
    )
    stay.version, stay.replayed = interval.version, replayed
    stay.cause = interval.left_cause or interval.entered_cause
    if interval.left_at and interval.left_cause:
        stay.end(interval.left_at, interval.left_cause, interval.left_version)
        change.create(SegmentLeaving.of(stay, ended_in=revision), otherwise=Stale())
    if not interval.begun_in:
        stay.rev = 1
        change.create(stay, otherwise=Stale())
        return
    kind = SegmentMembership
    change.update(
        stay,
        [
            kind.left_at.set(stay.left_at), kind.left_cause.set(stay.left_cause),
            kind.left_version.set(stay.left_version), kind.cause.set(stay.cause), kind.replayed.set(replayed),
            kind.rev.set(2), kind.list_pk.set(stay.list_pk), kind.list_sk.set(stay.list_sk),
        ],
        when=kind.rev == 1,
        otherwise=Stale(),
    )  # fmt: skip
