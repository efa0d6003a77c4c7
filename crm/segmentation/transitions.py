# crm/segmentation/transitions.py
"""Which memberships begin and end, and when. Pure: what stands, what is known now, and out comes what changes."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from crm.kernel import clock
from crm.segmentation.definitions import Facts, Segment
from crm.segmentation.language.verdicts import Verdict


class Interval(Struct, frozen=True):
    """One stay in a segment. `stored`: its beginning is written already."""

    segment_id: str
    entered_at: datetime
    entered_cause: str
    left_at: datetime | None = None
    left_cause: str | None = None
    stored: bool = False


class OpenMembership(Struct, frozen=True):
    """`flips_at`: the instant at which time alone ends it, if no event comes before."""

    segment_id: str
    entered_at: datetime
    entered_cause: str
    flips_at: datetime | None


class Outcome(Struct, frozen=True):
    """`changed` began or ended; `open` is all that stands now; `wakes_at` when time will next change anything."""

    changed: Sequence[Interval]
    open: Sequence[OpenMembership]
    wakes_at: datetime | None
    as_of: datetime


def effective_time(occurred_at: datetime, *, facts: Facts, as_of: datetime | None, now: datetime) -> datetime:
    """When what a cause changes takes effect: when the cause occurred, but not before the newest fact, which would be
    judging a moment by what came after it; not in the future; and never before what is written already (`as_of`).
    """
    effective = min(now, max(occurred_at, facts.newest_at or occurred_at))
    return max(effective, as_of) if as_of else effective


def settle(
    standing: Iterable[OpenMembership],
    facts: Facts,
    segments: Iterable[Segment],
    *,
    cause: str,
    at: datetime,
    now: datetime,
) -> Outcome:
    """Bring memberships from what stands to `now`: first what time had ended by then, then what `cause` changes at
    `at`, then what time changed since. What time changes has the instant itself as its time and in its cause.
    """
    stands = {membership.segment_id: membership for membership in standing}
    changed: list[Interval] = []
    open_: list[OpenMembership] = []
    flips: list[datetime] = []
    as_of = at
    for segment in segments:
        intervals, verdict = _follow(segment, stands.get(segment.id), facts, cause=cause, at=at, now=now)
        changed += [interval for interval in intervals if interval.left_at or not interval.stored]
        for interval in intervals:
            as_of = max(as_of, interval.left_at or interval.entered_at)
            if interval.left_at is None:
                open_.append(OpenMembership(segment.id, interval.entered_at, interval.entered_cause, verdict.flips_at))
        if verdict.flips_at:
            flips.append(verdict.flips_at)
    return Outcome(changed, open_, min(flips, default=None), as_of)


def by_time(instant: datetime) -> str:
    """The cause of what time changed."""
    return f"time:{clock.text(instant)}:flip"


def _follow(
    segment: Segment, stands: OpenMembership | None, facts: Facts, *, cause: str, at: datetime, now: datetime
) -> tuple[list[Interval], Verdict]:
    intervals: list[Interval] = []
    current: Interval | None = None
    moment, why = at, cause
    if stands:
        current = Interval(segment.id, stands.entered_at, stands.entered_cause, stored=True)
        if stands.flips_at and stands.flips_at <= at:
            if facts.newest_at and facts.newest_at > stands.flips_at:
                # The newest fact came after time had ended it: nothing known before kept it open.
                intervals.append(_left(current, stands.flips_at, by_time(stands.flips_at)))
                current = None
            else:
                moment, why = stands.flips_at, by_time(stands.flips_at)
    while True:
        verdict = Verdict(member=False) if facts.hidden else segment.evaluate(facts, moment)
        if verdict.member and current is None:
            current = Interval(segment.id, moment, why)
        elif not verdict.member and current is not None:
            intervals.append(_left(current, moment, why))
            current = None
        if verdict.flips_at is None or verdict.flips_at > now:
            return [*intervals, *([current] if current else [])], verdict
        if verdict.flips_at <= moment:
            raise ValueError(f"{segment.id} flips at {verdict.flips_at}, which is not after {moment}")
        moment, why = verdict.flips_at, by_time(verdict.flips_at)


def _left(interval: Interval, at: datetime, cause: str) -> Interval:
    return replace(interval, left_at=at, left_cause=cause)
