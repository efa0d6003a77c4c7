# crm/segmentation/standings.py
"""Where a customer stands, as the segments head keeps it."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from crm.customers.service import SegmentsHead, SegmentState
from crm.kernel import clock
from crm.segmentation.asking import Judged
from crm.segmentation.in_force import InForce
from crm.segmentation.transitions import Flip, OpenMembership, Outcome, Standing


def standing_of(head: SegmentsHead, in_force: InForce | None = None) -> Standing:
    """What time will do to segments that are not `in_force`, or cannot be asked, is left out."""
    states: list[SegmentState] = list(head.open)
    open_ = {
        state.segment_id: OpenMembership(
            state.segment_id,
            state.entered_at,
            state.entered_cause,
            state.flips_at,
            int(state.version),
            int(state.begun_in),
        )
        for state in states
    }
    flips = {each.segment_id: Flip(each.flips_at) for each in open_.values() if each.flips_at is not None}
    flips |= {segment_id: Flip(at) for segment_id, at in _instants(head.flips)}
    flips |= {segment_id: Flip(at, certain=False) for segment_id, at in _instants(head.asks)}
    if in_force is not None:
        flips = {each: flip for each, flip in flips.items() if _is_asked(each, in_force)}
    return Standing(open_, flips, head.as_of)


def with_sleeping(
    outcome: Outcome, head: SegmentsHead, in_force: InForce, *, without: Collection[str], now: datetime
) -> Outcome:
    """What time will do to segments that are broken is kept for when they are mended. What it would have done meanwhile
    is not known any more, and asked then, as of no earlier than what is written.
    """
    broken = {each.id for each in in_force.segments.values() if each.is_broken} - set(without)
    kept = {each: flip for each, flip in standing_of(head).flips.items() if each in broken}
    passed = {
        each: Flip(max(filter(None, (flip.at, outcome.as_of))), certain=False)
        for each, flip in kept.items()
        if flip.at <= now
    }
    return replace(outcome, flips={**outcome.flips, **kept, **passed}) if kept else outcome


def wakes_by(outcome: Outcome, in_force: InForce, *, now: datetime) -> datetime | None:
    """When time will next change anything. What has passed while a segment is broken waits for its mending."""
    return min(
        (flip.at for each, flip in outcome.flips.items() if flip.at > now or _is_asked(each, in_force)), default=None
    )


def judged_of(head: SegmentsHead) -> Judged:
    version = head.definitions_version
    return Judged(None if version is None else int(version), bool(head.hidden))


def keep(head: SegmentsHead, outcome: Outcome) -> None:
    """Let the head say what came out, as of its next revision."""
    begins = int(head.rev) + 1
    head.open = [
        SegmentState(
            segment_id=each.segment_id,
            entered_at=each.entered_at,
            entered_cause=each.entered_cause,
            version=each.version,
            begun_in=each.begun_in or begins,
            flips_at=each.flips_at,
        )
        for each in outcome.open.values()
    ]
    head.flips = _texts(
        {each: flip for each, flip in outcome.flips.items() if flip.certain and each not in outcome.open}
    )
    head.asks = _texts({each: flip for each, flip in outcome.flips.items() if not flip.certain})
    head.as_of = outcome.as_of


def _is_asked(segment_id: str, in_force: InForce) -> bool:
    segment = in_force.segments.get(segment_id)
    return segment is not None and not segment.is_broken


def _instants(stored: Any) -> list[tuple[str, datetime]]:
    return [(segment_id, clock.parse(at)) for segment_id, at in (stored or {}).items()]


def _texts(flips: dict[str, Flip]) -> dict[str, str]:
    return {segment_id: clock.text(flip.at) for segment_id, flip in flips.items()}
