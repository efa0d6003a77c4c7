# tests/unit/segmentation/test_time_passing.py
"""What time changes, whoever notices and however late."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from crm.kernel import clock
from crm.segmentation.causes import CauseKind, by_time, cause_kind
from crm.segmentation.language.facts import Fact, Order, Profile, Touchpoint
from tests.unit.segmentation.history import DAY, HOUR, INSTANT, START, ZONE, History

ZONES = ["Europe/Vienna", "America/Havana", "Africa/Cairo", "Australia/Lord_Howe", "America/Santiago", "UTC"]
QUERIES = [
    "last_order_date > -30d",
    "last_order_date < -20d",
    "last_order_date BETWEEN -21d AND -14d",
    "NOT (last_order_date > -10d) AND number_of_orders >= 1",
    "anniversary(birth_date) BETWEEN today AND +7d",
    "orders_placed(count_min: 1, since: -1m) AND anniversary(birth_date) = today",
    "orders_placed(count_min: 2, since: -12d)",
    "event('product.viewed', count_min: 2, since: -7d)",
    "event('product.viewed', since: -5d) OR last_order_date > -9d",
    "customer_added_date = -40d OR customer_added_date = -50d",
]
DAYS = st.integers(-60, 0).map(lambda days: START + days * DAY)


@st.composite
def histories(draw: st.DrawFn) -> dict[str, Any]:
    """All that is known of somebody at START."""
    zone = draw(st.sampled_from(ZONES))
    placed = draw(st.lists(DAYS, max_size=4))
    seen = draw(st.lists(DAYS, max_size=4))
    born = date(1990, 1, 1) + timedelta(days=draw(st.integers(0, 364)))
    return {
        "zone": zone,
        "profile": Profile(START - draw(st.integers(0, 60)) * DAY, birth_date=born),
        "orders": tuple(Order(f"o{at:%j}", at, "EUR", 100) for at in placed),
        "touchpoints": {"product.viewed": tuple(Touchpoint(f"t{at:%j}", "product.viewed", at) for at in seen)},
        "placed": placed,
    }


def begun(said: dict[str, Any], queries: dict[str, str]) -> History:
    known = dict(said)
    history = History(queries, known.pop("zone"), **{key: value for key, value in known.items() if key != "placed"})
    history.orders = list(said["placed"])
    history.know_orders()
    history.settle("event:e1:order", START, START)
    return history


@settings(max_examples=60)
@given(histories(), st.lists(st.sampled_from(QUERIES), min_size=1, max_size=4, unique=True))
def test_ninety_days_in_one_jump_and_in_ninety_steps_leave_the_same_stays(
    said: dict[str, Any], queries: list[str]
) -> None:
    named = {f"s{place}": query for place, query in enumerate(queries)}
    jumped, stepped, punctual = begun(said, named), begun(said, named), begun(said, named)
    ends = START + 90 * DAY
    jumped.wake(ends)
    for day in range(1, 91):
        stepped.wake(START + day * DAY)
    punctual.wake_on_time(ends)
    for name in named:
        assert jumped.times(name) == stepped.times(name) == punctual.times(name)
        assert all(left and left <= entered for (_, left), (entered, _) in pairwise(jumped.times(name)))
    assert jumped.causes() == stepped.causes() == punctual.causes()
    assert jumped.members() == jumped.true_at(ends)


@settings(max_examples=60)
@given(
    histories(),
    st.lists(st.sampled_from(QUERIES), min_size=1, max_size=4, unique=True),
    st.lists(st.tuples(st.sampled_from(["order", "view", "cancel"]), st.integers(0, 480)), max_size=8),
)
def test_whatever_happens_the_right_segments_are_open_and_stays_do_not_overlap(
    said: dict[str, Any], queries: list[str], happens: list[tuple[str, int]]
) -> None:
    named = {f"s{place}": query for place, query in enumerate(queries)}
    history, now = begun(said, named), START
    for number, (kind, gap) in enumerate(happens):
        now += gap * HOUR
        touched = known_now(history, kind, now)
        history.settle(f"event:e{number}:{kind}", now, now, touched=touched)
        assert history.members() == history.true_at(now)
    history.wake(now + 90 * DAY)
    assert history.members() == history.true_at(now + 90 * DAY)
    for name in named:
        assert all(left and left <= entered for (_, left), (entered, _) in pairwise(history.times(name)))


def known_now(history: History, kind: str, now: datetime) -> frozenset[str]:
    """Something new is known; which segments that can touch."""
    if kind == "view":
        seen = (*(history.facts.touchpoints or {})["product.viewed"], Touchpoint("t", "product.viewed", now))
        history.facts = replace(history.facts, touchpoints={"product.viewed": seen})
        read = {Fact.TOUCHPOINTS}
    else:
        if kind == "order":
            history.orders.append(now)
        elif history.orders:
            history.orders.remove(max(history.orders))
        orders = tuple(Order(str(at), at, "EUR", 100) for at in history.orders)
        history.know_orders()
        history.facts = replace(history.facts, orders=orders)
        read = {Fact.ORDERS, Fact.STATISTICS}
    return frozenset(name for name, segment in history.segments.items() if segment.reads.facts & read)


def test_a_day_of_23_or_25_hours_ends_a_stay_where_it_ends() -> None:
    for told, ends in (("2026-03-27T12:00", "2026-03-28T23:00"), ("2026-10-23T12:00", "2026-10-24T22:00")):
        history = History({"lately": "last_order_date > -2d"})
        at = datetime.fromisoformat(told).replace(tzinfo=UTC)
        history.order(at)
        history.wake(at + 9 * DAY)
        assert history.times() == [(at, datetime.fromisoformat(ends).replace(tzinfo=UTC))]
    assert clock.local_day(datetime(2026, 3, 28, 23, tzinfo=UTC), ZONE) == date(2026, 3, 29)


def test_what_is_due_comes_before_the_event_that_notices_it() -> None:
    history = History({"lately": "last_order_date > -30d", "lapsed": "last_order_date <= -30d"})
    history.order(START)
    due = history.wakes_at
    assert due is not None
    history.order(due + HOUR)
    assert history.times("lately") == [(START, due), (due + HOUR, None)]
    assert history.times("lapsed") == [(due, due + HOUR)]
    assert history.causes() == ["order:1", by_time(due), by_time(due), "order:2", "order:2"]


def test_an_order_that_is_stored_and_not_yet_told_of_does_not_move_what_was_due_before_it() -> None:
    history = History({"lately": "last_order_date > -30d"})
    history.order(START)
    due = history.wakes_at
    assert due is not None
    history.orders.append(due + HOUR)
    history.know_orders()
    history.settle("event:visit", due + 2 * HOUR, due + 2 * HOUR, touched=frozenset())
    assert history.times() == [(START, due), (due + HOUR, None)]


def test_an_event_that_touches_other_facts_does_not_hide_that_a_late_order_kept_a_stay_going() -> None:
    history = History({"lately": "last_order_date > -30d", "seen": "event('product.viewed', since: -9d)"})
    history.facts = replace(history.facts, touchpoints={"product.viewed": ()})
    history.order(START)
    due = history.wakes_at
    assert due is not None
    history.orders.append(due - HOUR)
    history.know_orders()
    visit = Touchpoint("t", "product.viewed", due + HOUR)
    history.facts = replace(history.facts, touchpoints={"product.viewed": (visit,)})
    history.settle("event:visit", due + HOUR, due + HOUR, touched=frozenset({"seen"}))
    assert history.times() == [(START, None)]


def test_another_definition_takes_effect_when_it_was_written_and_what_was_due_before_is_by_the_old_one() -> None:
    history = History({"s": "last_order_date > -30d"})
    history.order(START)
    due = history.wakes_at
    assert due is not None
    written = due + DAY
    history.segments |= History({"s": "last_order_date > -60d"}).segments
    history.versions["s"], history.since["s"] = 2, written
    history.settle("x", written, written + HOUR, touched=frozenset(), redefined={"s": "segment:s:define:2"})
    assert history.times("s") == [(START, due), (written, None)]
    assert [cause_kind(cause) for cause in history.causes()] == [
        CauseKind.EVENT, CauseKind.TIME, CauseKind.DEFINITION,
    ]  # fmt: skip
    history.wake(written + 60 * DAY)
    assert history.times("s")[1][1] is not None


def test_no_stay_begins_before_its_segment_meant_what_it_means() -> None:
    history = History({"repeat": "number_of_orders >= 1"})
    history.since["repeat"] = START + DAY
    history.order(START, now=START + 2 * DAY)
    assert history.times("repeat") == [(START + DAY, None)]


def test_a_deleted_customer_leaves_when_they_are_deleted_and_what_was_due_before_is_by_time() -> None:
    history = History({"lately": "last_order_date > -30d", "repeat": "number_of_orders >= 1"})
    history.order(START)
    due = history.wakes_at
    assert due is not None
    history.facts = replace(history.facts, hidden=True)
    history.settle("customer:cus_1:delete:2", due + HOUR, due + HOUR)
    assert history.times("lately") == [(START, due)]
    assert history.times("repeat") == [(START, due + HOUR)]
    assert history.wakes_at is None


def test_a_flip_is_the_first_instant_at_which_it_is_another() -> None:
    history = History({"lately": "last_order_date > -30d"})
    history.order(START)
    due = history.wakes_at
    assert due is not None
    assert history.true_at(due - INSTANT) == {"lately"}
    assert history.true_at(due) == set()


@pytest.mark.parametrize("repeats", [1, 3])
def test_the_same_event_again_changes_nothing(repeats: int) -> None:
    history = History({"lately": "last_order_date > -30d"})
    history.order(START)
    for _ in range(repeats):
        assert history.settle("order:1", START, START + DAY).changed == []
    assert history.times() == [(START, None)]
