# tests/integration/test_refresh_memberships.py
from datetime import UTC, datetime
from itertools import permutations

import pytest

from crm.customers import service as customers
from crm.customers.events import CustomerRecorded
from crm.customers.service import Customer
from crm.kernel import clock, timers
from crm.kernel.change import Change
from crm.kernel.meter import metering
from crm.kernel.timers import Timer, TimerDue
from crm.segmentation import service
from crm.segmentation.events import SegmentChanged, SegmentEntered, SegmentLeft, changes_of
from tests.integration.deliveries import record
from tests.integration.memberships import (
    DAY,
    ENDS,
    HOUR,
    INSTANT,
    LATELY,
    REPEAT,
    Time,
    deliver,
    fire,
    head,
    members,
    memberships,
    open_at,
    recorded,
    stays,
    store,
    timer,
)

pytestmark = pytest.mark.usefixtures("segments")


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch, now: datetime) -> Time:
    moving = Time(now)
    monkeypatch.setattr(clock, "now", lambda: moving.now)
    return moving


def test_who_orders_is_in_the_segment_until_time_takes_them_out(time: Time, now: datetime) -> None:
    store(now)
    assert deliver(recorded(now)) == []
    assert stays(LATELY) == [(now, None)]
    assert members(LATELY) == ["cus_1"]
    armed = timer()
    assert armed is not None
    assert armed.due_at == ENDS
    time.now = ENDS + 3 * HOUR
    fire()
    assert stays(LATELY) == [(now, ENDS)]
    assert members(LATELY) == []
    assert timer() is None
    left = memberships(LATELY)[0]
    assert left.left_cause == "time:2026-04-08T22:00:00.000000Z:flip"


def test_the_second_order_makes_a_repeat_buyer_for_good(time: Time, now: datetime) -> None:
    store(now, now + HOUR)
    time.now = now + HOUR
    deliver(recorded(now), recorded(now + HOUR, "o2"))
    assert stays(REPEAT) == [(now + HOUR, None)]
    time.now = ENDS
    fire()
    assert members(REPEAT) == ["cus_1"]
    assert open_at(ENDS + 1000 * DAY) == [REPEAT]


@pytest.mark.parametrize("repeats", [1, 2, 5])
def test_the_same_event_again_changes_nothing(time: Time, now: datetime, repeats: int) -> None:
    store(now)
    deliver(recorded(now))
    revision = head().rev
    deliver(*[recorded(now)] * repeats)
    assert head().rev == revision
    assert stays(LATELY) == [(now, None)]


def test_events_in_any_order_end_in_the_same_segments_entered_at_the_same_times(time: Time, now: datetime) -> None:
    time.now = now + 2 * DAY
    events = [recorded(now + place * DAY, f"o{place}") for place in range(3)]
    for number, permutation in enumerate(permutations(events)):
        customer = f"cus_{number}"
        store(*(event.placed_at for event in events), customer_id=customer)
        deliver(*(recorded(event.placed_at, event.order_id, customer_id=customer) for event in permutation * 2))
        assert open_at(time.now, customer) == [LATELY, REPEAT]
        assert stays(LATELY, customer) == [(now + 2 * DAY, None)]
        assert stays(REPEAT, customer) == [(now + 2 * DAY, None)]


def test_another_order_moves_the_end_and_the_timer_that_comes_early_is_set_anew(time: Time, now: datetime) -> None:
    store(now)
    deliver(recorded(now))
    again = now + 10 * DAY
    store(again)  # the first was cancelled, say
    time.now = again
    deliver(recorded(again, "o2"))
    assert [state.flips_at for state in head().open] == [ENDS + 10 * DAY]
    armed = timer()
    assert armed is not None
    assert armed.due_at == ENDS
    time.now = ENDS + HOUR
    fire()
    assert stays(LATELY) == [(now, None)]
    armed = timer()
    assert armed is not None
    assert armed.due_at == head().wakes_at == ENDS + 10 * DAY


def test_a_timer_that_comes_twice_or_too_early_does_nothing(time: Time, now: datetime) -> None:
    store(now)
    deliver(recorded(now))
    due = TimerDue("demo", "cus_1", "segmentation", "memberships", ENDS)
    time.now = ENDS - INSTANT
    deliver(due)
    assert head().rev == 1
    time.now = ENDS
    deliver(due, due)
    deliver(due)
    assert head().rev == 2
    assert stays(LATELY) == [(now, ENDS)]


def test_a_cancellation_takes_out_at_once_and_takes_the_timer_with_it(time: Time, now: datetime) -> None:
    store(now)
    deliver(recorded(now))
    store()
    time.now = now + DAY
    deliver(recorded(now + DAY, "o1"))
    assert stays(LATELY) == [(now, now + DAY)]
    assert timer() is None


def test_when_the_last_order_is_cancelled_the_one_before_decides_and_the_timer_comes_sooner(
    time: Time, now: datetime
) -> None:
    time.now = now + 5 * DAY
    store(now, now + 5 * DAY)
    deliver(recorded(now + 5 * DAY))
    store(now)
    deliver(recorded(now + 5 * DAY, "o2"))
    armed = timer()
    assert armed is not None
    assert armed.due_at == ENDS
    assert members(REPEAT) == []


def test_readers_do_not_wait_for_a_late_timer(time: Time, now: datetime) -> None:
    store(now)
    deliver(recorded(now))
    assert open_at(ENDS - INSTANT) == [LATELY]
    assert open_at(ENDS) == []
    assert members(LATELY) == ["cus_1"]  # its timer has not fired


def test_an_order_before_the_late_timer_begins_a_new_stay_and_the_timer_then_finds_nothing(
    time: Time, now: datetime
) -> None:
    store(now)
    deliver(recorded(now))
    due = TimerDue("demo", "cus_1", "segmentation", "memberships", ENDS)
    time.now = ENDS + HOUR
    store(now, ENDS + HOUR)
    deliver(recorded(ENDS + HOUR, "o2"), due)
    assert stays(LATELY) == [(now, ENDS), (ENDS + HOUR, None)]
    assert members(LATELY) == ["cus_1"]
    armed = timer()
    assert armed is not None
    assert armed.due_at == head().wakes_at == datetime(2026, 5, 8, 22, tzinfo=UTC)


def test_an_order_told_long_after_it_was_placed_leaves_a_stay_that_is_over(time: Time, now: datetime) -> None:
    time.now = now + 100 * DAY
    store(now, replayed=True)
    deliver(recorded(now, replayed=True))
    assert stays(LATELY) == [(now, ENDS)]
    assert members(LATELY) == []
    assert timer() is None
    stay = memberships(LATELY)[0]
    assert [type(event) for event in changes_of(stay)] == [SegmentEntered, SegmentLeft]
    assert all(event.replayed for event in changes_of(stay))


def test_whether_a_stay_was_replayed_does_not_depend_on_the_event_that_comes_first(time: Time, now: datetime) -> None:
    profile = Customer.of("demo", "cus_1", now=now)
    profile.rev, profile.cause = 1, "event:e1:customer"
    store(now, replayed=True)
    deliver(CustomerRecorded.of(profile), recorded(now, replayed=True))
    store(now, customer_id="cus_2")
    deliver(recorded(now - DAY, "o0", customer_id="cus_2", replayed=True), recorded(now, customer_id="cus_2"))
    told = [memberships(LATELY, customer_id)[0].replayed for customer_id in ("cus_1", "cus_2")]
    assert told == [True, False]


def test_an_imported_stay_that_time_ends_later_ends_live(time: Time, now: datetime) -> None:
    store(now, replayed=True)
    deliver(recorded(now, replayed=True))
    time.now = ENDS
    fire()
    [stay] = memberships(LATELY)
    assert (stay.left_at, stay.replayed) == (ENDS, False)


def test_the_timer_of_a_customer_who_is_gone_ends_with_them(time: Time, now: datetime) -> None:
    change = Change()
    timers.set_to(change, None, Timer.of("demo", "cus_1", "segmentation", "memberships", now))
    change.commit()
    fire()
    assert timer() is None


def test_a_change_of_profile_refreshes_too_and_who_is_unknown_is_left_alone(time: Time, now: datetime) -> None:
    store(now)
    profile = Customer.of("demo", "cus_1", now=now)
    profile.rev, profile.cause = 1, "event:e1:customer"
    stranger = Customer.of("demo", "cus_erased", now=now)
    assert deliver(CustomerRecorded.of(profile), CustomerRecorded.of(stranger)) == []
    assert stays(LATELY) == [(now, None)]
    assert not customers.take_snapshot("demo", "cus_erased")


def test_each_transition_is_published_once_with_an_id_of_its_own(time: Time, now: datetime) -> None:
    published: list[SegmentChanged] = []
    store(now)
    deliver(recorded(now))
    published += changes_of(memberships(LATELY)[0])
    time.now = ENDS
    fire()
    published += changes_of(memberships(LATELY)[0])
    assert [(type(event), event.occurred_at, event.cause) for event in published] == [
        (SegmentEntered, now, "event:o1:order"),
        (SegmentLeft, ENDS, "time:2026-04-08T22:00:00.000000Z:flip"),
    ]
    assert len({event.id for event in published}) == 2
    assert SegmentEntered.parse(published[0].detail()) == published[0]


def test_an_event_costs_a_look_one_read_and_one_transaction_only_if_something_changed(
    time: Time, now: datetime
) -> None:
    store(now)
    service.current("demo", now=now)  # cached from here on
    with metering() as first:
        deliver(recorded(now))
    with metering() as second:
        deliver(recorded(now))
    # The catalogue is looked at; and for whom nobody has judged yet once more, after they were read.
    assert first.operations == {"Query": 1, "GetItem": 2, "TransactWriteItems": 1}
    assert second.operations == {"Query": 1, "GetItem": 1}


def test_a_record_that_cannot_be_read_does_not_hold_up_its_neighbours(time: Time, now: datetime) -> None:
    store(now)
    unknown = record("order.eaten", recorded(now).detail(), "")
    halved = record("timer.due", {"shop": "demo"}, "")
    profile = record("customer.recorded", {}, "")
    assert deliver(unknown, halved, profile, recorded(now)) == ["0", "1", "2"]
    assert members(LATELY) == ["cus_1"]
