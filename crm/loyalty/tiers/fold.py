# crm/loyalty/tiers/fold.py
"""Which tier somebody has, as it follows from what counts by day. Pure.

A tier is attained as soon as enough is reached in the window, and is then had at least until what was reached has left
it: years carry it through the year after, and are judged when that ends; rolling windows are judged when too little is
left in them. Judging waits for the grace. Since it follows from the days alone as they stand, orders and refunds may
come late, twice and in any order.

A day has a morning, in which tiers end, and an evening, by which what came on it counts.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from crm.loyalty.expiry import months_later
from crm.loyalty.tiers import windows
from crm.loyalty.tiers.amounts import Days
from crm.loyalty.tiers.definitions import Downgrade, Regime, Tiers, Window
from crm.loyalty.tiers.windows import DAY

HORIZON = timedelta(days=4 * 366)
"""Whatever is carried is judged by then, step by step: two years for the first, one more for the next."""


class Why(StrEnum):
    """Why a tier changed by itself."""

    ATTAINED = "ATTAINED"
    ENDED = "ENDED"
    REDEFINED = "REDEFINED"
    """The programme defines its tiers anew."""


class State(Struct, frozen=True):
    """What the days through `day` have come to. `carried` is had whatever the window holds, until it is judged in the
    morning of `until`. Where that is a higher one, `least` is what is carried after it, until `least_until`: when the
    programme defined its tiers anew, it was promised.
    """

    day: date
    tier: str | None = None
    since: date | None = None
    carried: str | None = None
    until: date | None = None
    least: str | None = None
    least_until: date | None = None


class Step(Struct, frozen=True):
    """A change of tier."""

    on: date
    before: str | None
    after: str | None
    why: Why


class Given(Struct, frozen=True):
    """What counts, since when somebody is a member, and by which rules: the regimes ascend, and the first counts for
    all that was before.
    """

    days: Days
    regimes: Sequence[Regime]
    joined_on: date

    @property
    def first_day(self) -> date:
        """On which somebody had a tier at the earliest: orders may have been placed before they joined."""
        return min([self.joined_on, *self.days.days[:1]])

    def tiers(self, day: date) -> Tiers:
        index = bisect_right(self.regimes, day, key=_since)
        return self.regimes[max(0, index - 1)].tiers


def beginning(given: Given) -> State:
    """Before anything counted."""
    return State(given.first_day - DAY)


def advance(state: State, given: Given, through: date) -> tuple[State, tuple[Step, ...]]:
    """Let the days behind `state` pass, through the evening of the one named."""
    steps: list[Step] = []
    coming = sorted(set(_days(state, given, through)))
    at = 0
    while True:
        while at < len(coming) and coming[at] <= state.day:
            at += 1
        awaited = [*coming[at : at + 1], *([state.until] if state.until and state.until > state.day else [])]
        if not awaited or (day := min(awaited)) > through:
            return replace(state, day=max(state.day, through)), tuple(steps)
        morning, why = _morning(replace(state, day=day), given, before=given.tiers(state.day))
        steps += _step(state, morning, why)
        state = _evening(morning, given)
        steps += _step(morning, state, Why.ATTAINED)


def coming(state: State, given: Given) -> tuple[Step, ...]:
    """What becomes of a tier if nothing more comes."""
    return advance(state, given, state.day + HORIZON)[1]


def first_lower(steps: Sequence[Step], state: State, tiers: Tiers) -> Step | None:
    """By which somebody loses what they have; None: they have it for good."""
    return next((step for step in steps if tiers.is_lower(step.after, state.tier)), None)


def judged_over(given: Given, on: date) -> tuple[date, date]:
    """The days that count where what is carried is judged in the morning of `on`."""
    tiers = given.tiers(on)
    if tiers.window is Window.ROLLING:
        return windows.first_day(tiers.window, on, given.joined_on), on - DAY
    last = on - timedelta(days=tiers.grace_days) - DAY
    return windows.first_day(tiers.window, last, given.joined_on), on - DAY


def reached(given: Given, day: date) -> tuple[date, int]:
    """What the window of a day holds in its evening, and since when it counts."""
    tiers = given.tiers(day)
    first = windows.first_day(tiers.window, day, given.joined_on)
    return first, given.days.between(first, day).of(tiers.basis)


def _days(state: State, given: Given, through: date) -> Iterator[date]:
    """Those on which something may change, besides that on which what is carried is judged."""
    yield given.first_day
    for day in given.days.days:
        yield day
        yield windows.leaves_on(day)
    for regime in given.regimes:
        yield regime.since
        yield from windows.starts(regime.tiers.window, state.day, through, given.joined_on)


def _morning(state: State, given: Given, *, before: Tiers) -> tuple[State, Why]:
    """Before anything of the day counts."""
    day, tiers = state.day, given.tiers(state.day)
    if day == given.first_day:
        return state, Why.ATTAINED
    first = windows.first_day(tiers.window, day, given.joined_on)
    found = tiers.attained(_sum(given, first, day - DAY, tiers))
    turns = tiers.window is not Window.ROLLING and day == first
    why = Why.ENDED
    if before.rules() != tiers.rules():
        # Nobody loses by that at once, nor sooner than they were told.
        state, why = _promising(state, given, tiers), Why.REDEFINED
    elif turns:
        past = windows.first_day(tiers.window, day - DAY, given.joined_on)
        made = tiers.attained(_sum(given, past, day - DAY, tiers))
        if not tiers.is_lower(made, state.carried):
            until = _year_after(tiers, day, given.joined_on)
            state = _carrying(state, made, max(until, state.until or until) if made == state.carried else until)
    elif tiers.window is Window.ROLLING:
        state = _reached_again(state, found, tiers)
        if state.until and tiers.is_lower(found, state.carried) and _was_reached(state, given, tiers):
            state = replace(state, until=max(state.until, day + timedelta(days=tiers.grace_days)))
        if tiers.is_lower(tiers.higher(found, state.carried), state.tier):
            state = _carrying(state, state.tier, day + timedelta(days=tiers.grace_days))
    if state.until == day:
        state = _judged(state, given, tiers)
    state = _at_least(state, tiers)
    return _having(state, tiers.higher(found, state.carried)), why


def _judged(state: State, given: Given, tiers: Tiers) -> State:
    first, last = judged_over(given, state.day)
    made = tiers.attained(_sum(given, first, last, tiers))
    if not tiers.is_lower(made, state.carried):
        kept = state.carried
    elif tiers.downgrade is Downgrade.REEVALUATE:
        kept = made
    else:
        kept = tiers.higher(made, tiers.below(state.carried))
    is_step = kept != state.carried and tiers.downgrade is Downgrade.ONE_STEP
    if tiers.window is Window.ROLLING and not tiers.is_lower(made, kept) and not is_step:
        return _carrying(state, None, None)
    return _carrying(state, kept, _year_after(tiers, state.day, given.joined_on))


def _evening(state: State, given: Given) -> State:
    tiers = given.tiers(state.day)
    _, amount = reached(given, state.day)
    made = tiers.attained(amount)
    if tiers.window is Window.ROLLING:
        state = _at_least(_reached_again(state, made, tiers), tiers)
    return _having(state, tiers.higher(made, state.carried))


def _reached_again(state: State, made: str | None, tiers: Tiers) -> State:
    """What is carried is so no more once a rolling window holds it or a higher one; it itself, when the grace alone
    keeps it as long.
    """
    if tiers.is_lower(made, state.carried):
        return state
    is_promised = state.until is not None and state.until > state.day + timedelta(days=tiers.grace_days)
    if is_promised and not tiers.is_lower(state.carried, made):
        return state
    return _carrying(state, None, None)


def _was_reached(state: State, given: Given, tiers: Tiers) -> bool:
    """Whether a rolling window held what is carried the evening before."""
    before = state.day - DAY
    first = windows.first_day(tiers.window, before, given.joined_on)
    return not tiers.is_lower(tiers.attained(_sum(given, first, before, tiers)), state.carried)


def _promising(state: State, given: Given, tiers: Tiers) -> State:
    """With all that they have carried as long as they were told, and as what was promised before."""
    promises = (_promised(replace(state, day=state.day - DAY), given), state.least_until)
    promised = max((each for each in promises if each), default=None)
    carrying = _carrying(state, state.tier, _carried_until(tiers, state.day, promised, given.joined_on))
    return replace(carrying, least=carrying.carried, least_until=carrying.until)


def _at_least(state: State, tiers: Tiers) -> State:
    """Carrying what was promised, unless a higher one is."""
    if state.least_until is None or state.least_until <= state.day:
        return replace(state, least=None, least_until=None)
    if tiers.is_lower(state.least, state.carried):
        return state
    until = max(state.least_until, state.until or state.least_until)
    return _carrying(state, state.least, until if state.carried == state.least else state.least_until)


def _promised(state: State, given: Given) -> date | None:
    """Until when somebody has what they have, by the definitions of the state's day and what counts by then."""
    if state.tier is None:
        return None
    regimes = [each for each in given.regimes if each.since <= state.day] or given.regimes[:1]
    steps = coming(state, Given(given.days.through(state.day), regimes, given.joined_on))
    down = first_lower(steps, state, given.tiers(state.day))
    return down.on if down else None


def _carried_until(tiers: Tiers, day: date, promised: date | None, joined_on: date) -> date:
    """As `_year_after`, or when a year has ended by the end of which what was promised has."""
    until = _year_after(tiers, day, joined_on)
    if promised is None or promised <= until:
        return until
    if tiers.window is Window.ROLLING:
        return promised
    return _year_after(tiers, promised - timedelta(days=tiers.grace_days) - DAY, joined_on)


def _year_after(tiers: Tiers, day: date, joined_on: date) -> date:
    """When what is carried from a day on is judged: a year later, or when the year it is in has ended."""
    if tiers.window is Window.ROLLING:
        return months_later(day, 12)
    return windows.next_start(tiers.window, day, joined_on) + timedelta(days=tiers.grace_days)


def _carrying(state: State, tier: str | None, until: date | None) -> State:
    return replace(state, carried=tier, until=until if tier else None)


def _having(state: State, tier: str | None) -> State:
    return state if tier == state.tier else replace(state, tier=tier, since=state.day if tier else None)


def _step(before: State, after: State, why: Why) -> list[Step]:
    return [] if before.tier == after.tier else [Step(after.day, before.tier, after.tier, why)]


def _sum(given: Given, first: date, last: date, tiers: Tiers) -> int:
    return given.days.between(first, last).of(tiers.basis)


def _since(regime: Regime) -> date:
    return regime.since
