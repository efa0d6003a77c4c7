# tests/unit/segmentation/test_transitions.py
"""Histories against the plain answer: the union of what each order covers."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.kernel import clock
from crm.segmentation.definitions import SEGMENTS, Facts, Segment
from crm.segmentation.language.verdicts import Verdict
from crm.segmentation.transitions import Interval, OpenMembership, by_time, effective_time, settle

ZONE = "Europe/Vienna"
START = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATELY = SEGMENTS[0]
DAY = timedelta(days=1)


class History:
    """One customer's memberships, kept as the service keeps them."""

    def __init__(self, *segments: Segment) -> None:
        self.segments = segments
        self.orders: list[datetime] = []
        self.open: list[OpenMembership] = []
        self.stays: dict[tuple[str, datetime, str], Interval] = {}
        self.as_of: datetime | None = None
        self.wakes_at: datetime | None = None

    def settle(self, cause: str, occurred_at: datetime, now: datetime) -> None:
        facts = Facts(ZONE, len(self.orders), max(self.orders, default=None))
        at = effective_time(occurred_at, facts=facts, as_of=self.as_of, now=now)
        outcome = settle(self.open, facts, self.segments, cause=cause, at=at, now=now)
        for stay in outcome.changed:
            key = (stay.segment_id, stay.entered_at, stay.entered_cause)
            assert stay.stored == (key in self.stays)
            self.stays[key] = stay
        self.open, self.wakes_at, self.as_of = list(outcome.open), outcome.wakes_at, outcome.as_of

    def order(self, placed_at: datetime, now: datetime | None = None) -> None:
        self.orders.append(placed_at)
        self.settle(f"order:{len(self.orders)}", placed_at, now or placed_at)

    def times(self) -> list[tuple[datetime, datetime | None]]:
        return sorted((stay.entered_at, stay.left_at) for stay in self.stays.values())


def ends(placed_at: datetime) -> datetime:
    return clock.start_of_day(clock.local_day(placed_at, ZONE) + 30 * DAY, ZONE)


def plain(orders: list[datetime], now: datetime) -> list[tuple[datetime, datetime | None]]:
    """Written anew from the definition: each order covers the time until its end, and what touches is one stay."""
    stays: list[tuple[datetime, datetime]] = []
    for placed_at in sorted(orders):
        if stays and placed_at < stays[-1][1]:
            stays[-1] = (stays[-1][0], max(stays[-1][1], ends(placed_at)))
        else:
            stays.append((placed_at, ends(placed_at)))
    return [(entered, left if left <= now else None) for entered, left in stays]


def joined(stays: list[tuple[datetime, datetime | None]]) -> list[tuple[datetime, datetime | None]]:
    """What is written stays: a late order that shows a stay went on begins another one where that ended."""
    whole = stays[:1]
    for entered_at, left_at in stays[1:]:
        if whole[-1][1] == entered_at:
            whole[-1] = (whole[-1][0], left_at)
        else:
            whole.append((entered_at, left_at))
    return whole


GAPS = st.lists(st.timedeltas(timedelta(microseconds=1), 60 * DAY), min_size=1, max_size=8)


@given(GAPS, st.timedeltas(timedelta(0), 90 * DAY))
def test_time_passing_in_one_jump_gives_the_same_stays_as_a_timer_that_is_never_late(
    gaps: list[timedelta], rest: timedelta
) -> None:
    late, punctual, now = History(LATELY), History(LATELY), START
    for gap in gaps:
        now += gap
        while punctual.wakes_at and punctual.wakes_at <= now:
            punctual.settle(by_time(punctual.wakes_at), punctual.wakes_at, punctual.wakes_at)
        punctual.order(now)
        late.order(now)
    now += rest
    while punctual.wakes_at and punctual.wakes_at <= now:
        punctual.settle(by_time(punctual.wakes_at), punctual.wakes_at, punctual.wakes_at)
    if late.wakes_at and late.wakes_at <= now:
        late.settle(by_time(late.wakes_at), late.wakes_at, now)
    assert late.stays == punctual.stays
    assert late.times() == plain(late.orders, now)


@given(GAPS)
def test_orders_told_long_after_still_cover_the_time_they_cover(gaps: list[timedelta]) -> None:
    history, placed_at = History(LATELY), START
    told_at = START + sum(gaps, timedelta(0)) + 400 * DAY
    for gap in gaps:
        placed_at += gap
        history.order(placed_at, now=told_at)
    assert joined(history.times()) == plain(history.orders, told_at)
    assert history.open == []


@given(st.permutations([START, START + 10 * DAY, START + 20 * DAY]), st.integers(0, 80))
def test_whatever_order_events_come_in_the_customer_ends_up_in_the_same_segments(
    orders: list[datetime], days: int
) -> None:
    now = START + 20 * DAY + days * DAY
    history = History(*SEGMENTS)
    for placed_at in [*orders, *orders]:
        if placed_at in history.orders:
            history.settle("again", placed_at, now)
        else:
            history.order(placed_at, now)
    expected = {"seg_repeat_buyer"} | ({LATELY.id} if ends(START + 20 * DAY) > now else set())
    assert {membership.segment_id for membership in history.open} == expected
    for segment in SEGMENTS:
        stays = sorted(
            (stay.entered_at, stay.left_at) for stay in history.stays.values() if stay.segment_id == segment.id
        )
        assert all(left and left <= entered for (_, left), (entered, _) in pairwise(stays))


def test_an_order_that_comes_before_the_late_timer_does_not_hide_the_days_between() -> None:
    history = History(LATELY)
    history.order(START)
    again = ends(START) + timedelta(hours=1)
    history.order(again)
    history.settle(by_time(ends(START)), ends(START), again)
    assert history.times() == [(START, ends(START)), (again, None)]


def test_an_order_told_after_the_timer_ran_is_judged_by_when_the_timer_was_due() -> None:
    history = History(LATELY)
    history.order(START)
    history.orders.append(ends(START) - timedelta(hours=1))  # stored already; its event is still under way
    history.settle(by_time(ends(START)), ends(START), ends(START) + timedelta(hours=1))
    assert history.times() == [(START, None)]


def test_what_a_cancelled_order_leaves_ends_when_it_was_cancelled() -> None:
    history = History(LATELY)
    history.order(START)
    history.orders.clear()
    history.settle("cancelled", START + DAY, START + 2 * DAY)
    assert history.times() == [(START, START + DAY)]


def test_who_orders_at_the_very_instant_it_would_have_ended_stays() -> None:
    history = History(LATELY)
    history.order(START)
    history.order(ends(START))
    assert history.times() == [(START, None)]


def test_what_time_ended_has_time_as_its_cause_whoever_noticed_it() -> None:
    history = History(LATELY)
    history.order(START)
    history.settle("profile", ends(START), ends(START))
    assert [stay.left_cause for stay in history.stays.values()] == [by_time(ends(START))]


def test_a_clock_that_runs_behind_cannot_write_history_backwards() -> None:
    history = History(LATELY)
    history.order(START)
    history.orders.clear()
    history.settle("cancelled", START - DAY, START - DAY)
    assert history.times() == [(START, START)]


def test_a_definition_that_names_no_later_instant_is_a_bug_and_ends_no_loop() -> None:
    stuck = Segment("seg_stuck", "Stuck", lambda _, now: Verdict(member=True, flips_at=now))
    with pytest.raises(ValueError, match="seg_stuck flips at"):
        History(stuck).settle("cause", START, START)
