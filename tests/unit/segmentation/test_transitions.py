# tests/unit/segmentation/test_transitions.py
"""Histories against the plain answer: the union of what each order covers."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from crm.kernel import clock
from crm.segmentation.causes import CauseKind, by_time, cause_kind
from crm.segmentation.language.facts import Fact, Facts, Profile
from crm.segmentation.language.reading import NOTHING
from crm.segmentation.language.verdicts import Verdict
from crm.segmentation.transitions import MOST_FOLLOWED, Flip, OpenMembership, Outcome, Question, Standing, settle
from tests.unit.segmentation.history import DAY, HOUR, LATELY, REPEAT, START, ZONE, History, Times

ORDERS = {"lately": LATELY, "repeat": REPEAT}


def ends(placed_at: datetime) -> datetime:
    return clock.start_of_day(clock.local_day(placed_at, ZONE) + 30 * DAY, ZONE)


def plain(orders: list[datetime], now: datetime) -> Times:
    """Written anew from the definition: each order covers the time until its end, and what touches is one stay."""
    stays: list[tuple[datetime, datetime]] = []
    for placed_at in sorted(orders):
        if stays and placed_at < stays[-1][1]:
            stays[-1] = (stays[-1][0], max(stays[-1][1], ends(placed_at)))
        else:
            stays.append((placed_at, ends(placed_at)))
    return [(entered, left if left <= now else None) for entered, left in stays]


def joined(stays: Times) -> Times:
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
    late, punctual, now = History({"lately": LATELY}), History({"lately": LATELY}), START
    for gap in gaps:
        now += gap
        punctual.wake_on_time(now)
        punctual.order(now)
        late.order(now)
    now += rest
    punctual.wake_on_time(now)
    late.wake(now)
    assert late.times() == punctual.times() == plain(late.orders, now)
    assert late.causes() == punctual.causes()


@given(GAPS)
def test_orders_told_long_after_still_cover_the_time_they_cover(gaps: list[timedelta]) -> None:
    history, placed_at = History({"lately": LATELY}), START
    told_at = START + sum(gaps, timedelta(0)) + 400 * DAY
    for gap in gaps:
        placed_at += gap
        history.order(placed_at, now=told_at)
    assert joined(history.times()) == plain(history.orders, told_at)
    assert history.members() == set()


@given(st.permutations([START, START + 10 * DAY, START + 20 * DAY]), st.integers(0, 80))
def test_whatever_order_events_come_in_the_customer_ends_up_in_the_same_segments(
    orders: list[datetime], days: int
) -> None:
    now = START + 20 * DAY + days * DAY
    history = History(ORDERS)
    for placed_at in [*orders, *orders]:
        if placed_at in history.orders:
            history.settle("again", placed_at, now)
        else:
            history.order(placed_at, now)
    expected = {"repeat"} | ({"lately"} if ends(START + 20 * DAY) > now else set())
    assert history.members() == expected
    for name in ORDERS:
        assert all(left and left <= entered for (_, left), (entered, _) in pairwise(history.times(name)))


def test_an_order_that_comes_before_the_late_timer_does_not_hide_the_days_between() -> None:
    history = History({"lately": LATELY})
    history.order(START)
    again = ends(START) + HOUR
    history.order(again)
    history.wake(again)
    assert history.times() == [(START, ends(START)), (again, None)]


def test_an_order_told_after_the_timer_ran_is_judged_by_when_the_timer_was_due() -> None:
    history = History({"lately": LATELY})
    history.order(START)
    history.orders.append(ends(START) - HOUR)  # stored already; its event is still under way
    history.know_orders()
    history.wake(ends(START) + HOUR)
    assert history.times() == [(START, None)]


def test_what_a_cancelled_order_leaves_ends_when_it_was_cancelled() -> None:
    history = History({"lately": LATELY})
    history.order(START)
    history.orders.clear()
    history.know_orders()
    history.settle("cancelled", START + DAY, START + 2 * DAY)
    assert history.times() == [(START, START + DAY)]


def test_who_orders_at_the_very_instant_it_would_have_ended_stays() -> None:
    history = History({"lately": LATELY})
    history.order(START)
    history.order(ends(START))
    assert history.times() == [(START, None)]


def test_what_time_ended_has_time_as_its_cause_whoever_noticed_it() -> None:
    history = History({"lately": LATELY})
    history.order(START)
    history.settle("profile", ends(START), ends(START))
    assert history.causes() == ["order:1", by_time(ends(START))]


def test_a_clock_that_runs_behind_cannot_write_history_backwards() -> None:
    history = History({"lately": LATELY})
    history.order(START)
    history.orders.clear()
    history.know_orders()
    history.settle("cancelled", START - DAY, START - DAY)
    assert history.times() == [(START, START)]


def test_what_a_cause_does_not_touch_is_not_asked_unless_it_is_due() -> None:
    asked: list[str] = []

    def question(name: str, *, touched: bool) -> Question:
        def judge(_: object) -> Verdict:
            asked.append(name)
            return Verdict(member=True)

        return Question(name, 1, judge, NOTHING, touched=touched)

    stands = OpenMembership("kept", START, "order:1", None, 1, 1)
    standing = Standing({"kept": stands}, {"kept": Flip(START + DAY)}, START)
    outcome = settle(
        standing, [question("new", touched=True)], known(), cause="c", occurred_at=START, now=START + 9 * DAY
    )
    assert asked == ["new"]
    assert outcome.open["kept"] is stands
    assert outcome.flips == {"kept": Flip(START + DAY)}
    assert [stay.segment_id for stay in outcome.changed] == ["new"]


def test_a_flip_that_changes_nothing_is_followed_to_the_one_that_does() -> None:
    outcome = asked_with(lambda now: Verdict(now < START + 5 * DAY, now + DAY))
    assert outcome.flips == {"s": Flip(START + 5 * DAY)}
    assert outcome.open["s"].flips_at == START + 5 * DAY


def test_who_is_behind_too_many_of_them_is_asked_again_and_nothing_is_promised() -> None:
    def judge(now: datetime) -> Verdict:
        return Verdict(now < START + 100 * DAY, now + DAY)

    first = asked_with(judge)
    last = START + (MOST_FOLLOWED + 1) * DAY
    assert first.flips == {"s": Flip(last, certain=False)}
    stands = replace(first.open["s"], begun_in=1)
    assert stands.flips_at is None
    overtaken = Standing({"s": stands}, first.flips, START)
    later = settle(overtaken, [question_with(judge)], known(), cause="c", occurred_at=last + DAY, now=last + DAY)
    assert later.changed == []


def test_a_definition_that_names_no_later_instant_is_a_bug_and_ends_no_loop() -> None:
    with pytest.raises(ValueError, match="s flips at"):
        asked_with(lambda now: Verdict(member=True, flips_at=now))


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        ("event:e1:order", CauseKind.EVENT),
        ("customer:cus_1:delete:3", CauseKind.EVENT),
        (by_time(START), CauseKind.TIME),
        ("segment:seg_1:define:2", CauseKind.DEFINITION),
        ("rfm:4:score", CauseKind.TIME),
        ("shop:demo:update:2", CauseKind.DEFINITION),
        ("segment:seg_1:hand:5", CauseKind.MANUAL),
    ],
)
def test_a_cause_says_of_what_kind_it_is(cause: str, kind: CauseKind) -> None:
    assert cause_kind(cause) is kind


def known(**told: datetime) -> Facts:
    return Facts("cus_1", "UTC", Profile(START), told={Fact(name): at for name, at in told.items()})


def question_with(judge: Callable[[datetime], Verdict]) -> Question:
    return Question("s", 1, lambda moment: judge(moment.now), NOTHING, touched=True)


def asked_with(judge: Callable[[datetime], Verdict]) -> Outcome:
    return settle(Standing({}, {}), [question_with(judge)], known(), cause="c", occurred_at=START, now=START)
