# tests/integration/test_refresh_memberships.py
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from crm.customers import service as customers
from crm.customers.events import CustomerRecorded
from crm.customers.service import Customer, SegmentsHead, Snapshot
from crm.kernel import change as kernel_change
from crm.kernel import clock, timers
from crm.kernel.change import Change
from crm.kernel.meter import metering
from crm.kernel.timers import Timer, TimerDue
from crm.orders.events import OrderRecorded
from crm.orders.service import Statistics
from crm.segmentation import service
from crm.segmentation.definitions import Verdict
from crm.segmentation.events import SegmentChanged, SegmentEntered, SegmentLeft, changes_of
from crm.segmentation.models import SegmentMembership
from crm.shops import service as shops
from functions.segmentation.refresh_memberships import handler
from tests.integration.deliveries import batch, failed, record

pytestmark = pytest.mark.usefixtures("shop")

LATELY, REPEAT = "seg_ordered_last_30_days", "seg_repeat_buyer"
DAY, HOUR, INSTANT = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)
ENDS = datetime(2026, 4, 8, 22, tzinfo=UTC)  # 9 April in Vienna, the 30th day after NOW's


class Time:
    def __init__(self, now: datetime) -> None:
        self.now = now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch, now: datetime) -> Time:
    moving = Time(now)
    monkeypatch.setattr(clock, "now", lambda: moving.now)
    return moving


def store(*placed_at: datetime, customer_id: str = "cus_1") -> None:
    """What the orders area writes: these are the customer's orders that are not cancelled."""
    item = customers.take_snapshot("demo", customer_id).head(Statistics) or Statistics.of("demo", customer_id)
    item.order_count = len(placed_at)
    item.first_order_at, item.last_order_at = min(placed_at, default=None), max(placed_at, default=None)
    change = Change()
    change.revise(item)
    change.commit()


def recorded(at: datetime, name: str = "o1", *, customer_id: str = "cus_1", replayed: bool = False) -> OrderRecorded:
    return OrderRecorded(
        id=name, shop="demo", customer_id=customer_id, order_id=name, rev=1, version=1, status="placed", currency="EUR",
        gross=1, refunded=0, net=1, points_spent=0, first=True, placed_at=at, placed_on="", occurred_at=at,
        cause=f"event:{name}:order", replayed=replayed,
    )  # fmt: skip


def deliver(*events: Any) -> list[str]:
    context: Any = None
    return failed(handler(batch(*events), context))


def timer() -> Timer | None:
    return timers.get("demo", "cus_1", "segmentation", "memberships")


def fire() -> None:
    armed = timer()
    assert armed is not None
    deliver(TimerDue("demo", "cus_1", armed.owner, armed.subject, armed.due_at))


def stays(segment_id: str, customer_id: str = "cus_1") -> list[tuple[datetime, datetime | None]]:
    found = service.list_memberships("demo", customer_id, segment_id)
    return [(stay.entered_at, stay.left_at) for stay in found]


def members(segment_id: str) -> list[str]:
    shards = [service.list_members("demo", segment_id, shard, after=None, limit=100) for shard in range(service.SHARDS)]
    return sorted(member.customer_id for shard in shards for member in shard)


def open_at(now: datetime, customer_id: str = "cus_1") -> list[str]:
    standing = service.open_segments(customers.take_snapshot("demo", customer_id), now=now)
    return [membership.segment_id for membership in standing]


def head() -> SegmentsHead:
    item = customers.take_snapshot("demo", "cus_1").head(SegmentsHead)
    assert item is not None
    return item


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
    left = service.list_memberships("demo", "cus_1", LATELY)[0]
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
    store(now)
    deliver(recorded(now, replayed=True))
    assert stays(LATELY) == [(now, ENDS)]
    assert members(LATELY) == []
    assert timer() is None
    stay = service.list_memberships("demo", "cus_1", LATELY)[0]
    assert [type(event) for event in changes_of(stay)] == [SegmentEntered, SegmentLeft]
    assert all(event.replayed for event in changes_of(stay))


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
    published += changes_of(service.list_memberships("demo", "cus_1", LATELY)[0])
    time.now = ENDS
    fire()
    published += changes_of(service.list_memberships("demo", "cus_1", LATELY)[0])
    assert [(type(event), event.occurred_at, event.cause) for event in published] == [
        (SegmentEntered, now, "event:o1:order"),
        (SegmentLeft, ENDS, "time:2026-04-08T22:00:00.000000Z:flip"),
    ]
    assert len({event.id for event in published}) == 2
    assert SegmentEntered.parse(published[0].detail()) == published[0]


def test_an_event_costs_one_read_and_one_transaction_only_if_something_changed(time: Time, now: datetime) -> None:
    store(now)
    shops.current("demo", now=now)  # cached from here on
    with metering() as first:
        deliver(recorded(now))
    with metering() as second:
        deliver(recorded(now))
    assert first.operations == {"Query": 1, "TransactWriteItems": 1}
    assert second.operations == {"Query": 1}


@pytest.fixture
def overtaken(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Callable[[], object]]]:
    """What is put in here happens between the next read of the snapshot and what is written by it."""
    meanwhile: list[Callable[[], object]] = []
    read = customers.take_snapshot

    def read_and_be_overtaken(shop: str, customer_id: str) -> Snapshot:
        answer = read(shop, customer_id)
        if meanwhile:
            meanwhile.pop()()
        return answer

    monkeypatch.setattr(customers, "take_snapshot", read_and_be_overtaken)
    yield meanwhile
    assert meanwhile == []


def test_statistics_that_move_meanwhile_are_what_decides(
    time: Time, now: datetime, overtaken: list[Callable[[], object]]
) -> None:
    store(now, now)
    overtaken.append(store)  # both orders are cancelled
    assert deliver(recorded(now)) == []
    assert stays(LATELY) == stays(REPEAT) == []


def test_the_same_event_handled_twice_at_once_begins_one_stay(
    time: Time, now: datetime, overtaken: list[Callable[[], object]]
) -> None:
    store(now)
    overtaken.append(lambda: deliver(recorded(now)))
    assert deliver(recorded(now)) == []
    assert stays(LATELY) == [(now, None)]
    assert head().rev == 1


def test_two_events_handled_at_once_begin_one_stay(
    time: Time, now: datetime, overtaken: list[Callable[[], object]]
) -> None:
    store(now, now)
    overtaken.append(lambda: deliver(recorded(now, "o2")))
    assert deliver(recorded(now, "o1")) == []
    assert stays(LATELY) == [(now, None)]
    assert members(LATELY) == ["cus_1"]


def test_two_events_at_once_begin_one_stay_also_where_no_timer_is_set(
    time: Time, now: datetime, overtaken: list[Callable[[], object]]
) -> None:
    time.now = now + 100 * DAY
    store(now, now)
    overtaken.append(lambda: deliver(recorded(now, "o2")))
    assert deliver(recorded(now, "o1")) == []
    assert stays(REPEAT) == [(now, None)]
    assert members(REPEAT) == ["cus_1"]


@pytest.mark.usefixtures("time")
def test_a_customer_who_is_gone_is_in_no_segment_that_fits_everybody(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = service.Segment("seg_everybody", "Everybody", lambda _, __: Verdict(member=True))
    monkeypatch.setattr(service, "SEGMENTS", (everybody,))
    store(now)
    assert deliver(recorded(now), recorded(now, customer_id="cus_erased")) == []
    assert members("seg_everybody") == ["cus_1"]


def test_a_late_timer_and_an_order_at_once_end_one_stay_and_begin_one(
    time: Time, now: datetime, overtaken: list[Callable[[], object]]
) -> None:
    store(now)
    deliver(recorded(now))
    time.now = ENDS + HOUR

    def order_again() -> None:
        store(now, ENDS + HOUR)
        deliver(recorded(ENDS + HOUR, "o2"))

    overtaken.append(order_again)
    deliver(TimerDue("demo", "cus_1", "segmentation", "memberships", ENDS))
    assert stays(LATELY) == [(now, ENDS), (ENDS + HOUR, None)]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_change, "wait_before", lambda _: None)


@pytest.mark.usefixtures("impatient")
def test_a_stay_once_written_is_not_written_over_should_the_head_be_lost(time: Time, now: datetime) -> None:
    store(now)
    deliver(recorded(now))
    service.list_memberships("demo", "cus_1", LATELY)[0].update([SegmentMembership.left_at.set(now + HOUR)])
    head().delete()
    armed = timer()
    assert armed is not None
    armed.delete()
    assert deliver(recorded(now)) == ["0"]
    assert stays(LATELY) == [(now, now + HOUR)]


@pytest.mark.usefixtures("impatient")
def test_a_stay_that_has_ended_does_not_end_again_should_the_head_be_wrong(time: Time, now: datetime) -> None:
    store(now)
    deliver(recorded(now))
    before = head()
    time.now = ENDS
    fire()
    head().update([SegmentsHead.open.set(before.open)])
    time.now = ENDS + DAY
    store()
    assert deliver(recorded(ENDS + DAY, "o2")) == ["0"]
    assert stays(LATELY) == [(now, ENDS)]


def test_a_record_that_cannot_be_read_does_not_hold_up_its_neighbours(time: Time, now: datetime) -> None:
    store(now)
    unknown = record("order.eaten", recorded(now).detail(), "")
    halved = record("timer.due", {"shop": "demo"}, "")
    profile = record("customer.recorded", {}, "")
    assert deliver(unknown, halved, profile, recorded(now)) == ["0", "1", "2"]
    assert members(LATELY) == ["cus_1"]
