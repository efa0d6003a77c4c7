# crm/loyalty/tiers/passing.py
"""What time has made of a tier since it was written down. Pure."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from msgspec import Struct

from crm.kernel import clock
from crm.loyalty.tiers.definitions import Regime
from crm.loyalty.tiers.fold import State, Step, Why
from crm.loyalty.tiers.models import ChangeReason
from crm.loyalty.tiers.record import Kept

REASONS = {
    Why.ATTAINED: ChangeReason.ATTAINED,
    Why.ENDED: ChangeReason.ENDED,
    Why.REDEFINED: ChangeReason.REDEFINED,
}


class Passing(Struct, frozen=True):
    """`on`: the day in the programme's zone."""

    at: datetime
    on: date
    before: str | None
    after: str | None
    why: ChangeReason


def passings(
    kept: Kept, state: State, steps: Sequence[Step], regimes: Sequence[Regime], *, zone: str, now: datetime
) -> list[Passing]:
    """The changes by now, in the order in which they came. `state` is today's, `steps` have led to it.

    What somebody had before anything was written down is told by the last step alone.
    """
    if kept.settled_on is None:
        if kept.tier == state.tier or state.since is None:
            return []
        at = _instant(state.since, regimes, zone)
        return [Passing(at, state.since, kept.tier, state.tier, REASONS[steps[-1].why])]
    coming = [step for step in steps if step.on > kept.settled_on]
    return list(_since(kept, state, coming, regimes, zone=zone, now=now))


def _since(
    kept: Kept, state: State, steps: Sequence[Step], regimes: Sequence[Regime], *, zone: str, now: datetime
) -> Iterator[Passing]:
    had, underneath, override = kept.tier, steps[0].before if steps else state.tier, kept.override
    coming: list[tuple[datetime, Step | None]] = [(_instant(step.on, regimes, zone), step) for step in steps]
    if override and override.until <= now:
        coming.append((override.until, None))
    for at, step in sorted(coming, key=lambda each: each[0]):
        if step:
            underneath = step.after
        else:
            override = None
        if override is None and underneath != had:
            why = REASONS[step.why] if step else ChangeReason.OVERRIDE_ENDED
            yield Passing(at, clock.local_day(at, zone), had, underneath, why)
            had = underneath
    if override is None and state.tier != had:  # definitions count for all of the day on which they took effect
        at = _instant(state.day, regimes, zone) if regimes[-1].since == state.day else now
        yield Passing(at, state.day, had, state.tier, ChangeReason.REDEFINED)


def _instant(day: date, regimes: Sequence[Regime], zone: str) -> datetime:
    """When what changes on a day does: in its morning, or when the definitions of that day took effect."""
    morning = clock.start_of_day(day, zone)
    began = next((each.began_at for each in regimes if each.since == day), None)
    return max(morning, began) if began else morning
