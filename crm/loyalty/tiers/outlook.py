# crm/loyalty/tiers/outlook.py
"""How far it is to the next tier, and what becomes of this one if nothing more comes. Pure."""

from datetime import date

from msgspec import Struct

from crm.loyalty.tiers import fold
from crm.loyalty.tiers.definitions import Tier
from crm.loyalty.tiers.fold import Given, State


class End(Struct, frozen=True):
    """Without `missing` more, counted by then, the tier is a lower one from the morning of `on`. None: whatever is
    reached, since nobody attains this one any more, nor one above it.
    """

    on: date
    after: str | None
    missing: int | None


class Outlook(Struct, frozen=True):
    """`counted` since the day named; `next_tier` takes `missing` more. `ends`: None while the tier is had for good.
    `changes_on`: when the tier will be another, also by what is dated ahead.
    """

    since: date
    counted: int
    next_tier: Tier | None
    missing: int
    ends: End | None
    changes_on: date | None


def tier_on(state: State, given: Given, day: date) -> str | None:
    """Which it is in the morning of a day to come, if nothing more comes."""
    past = [step for step in fold.coming(state, given) if step.on <= day]
    return past[-1].after if past else state.tier


def outlook(state: State, given: Given) -> Outlook:
    """As of the evening of the state's day."""
    tiers = given.tiers(state.day)
    since, counted = fold.reached(given, state.day)
    above = tiers.above(state.tier)
    steps = fold.coming(state, given)
    down = fold.first_lower(steps, state, tiers)
    end = None
    if down and (tier := tiers.find(state.tier)):
        first, _ = fold.judged_over(given, down.on)
        made = given.days.between(first, state.day).of(tiers.basis)
        keeps = tiers.keeping(tier)
        end = End(down.on, down.after, max(1, keeps.threshold - made) if keeps else None)
    missing = max(1, above.threshold - counted) if above else 0
    return Outlook(since, counted, above, missing, end, steps[0].on if steps else None)
