# tests/integration/test_refresh_memberships_at_once.py
"""What happens between the read a decision is made by and its write."""

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from crm.customers import service as customers
from crm.customers.service import SegmentsHead, Snapshot
from crm.kernel import change as kernel_change
from crm.kernel import clock
from crm.kernel.timers import TimerDue
from crm.segmentation.stays import SegmentMembership
from tests.integration.memberships import (
    DAY,
    ENDS,
    HOUR,
    LATELY,
    REPEAT,
    Time,
    deliver,
    fire,
    head,
    members,
    memberships,
    recorded,
    stays,
    store,
    timer,
)
from tests.segments import define

pytestmark = pytest.mark.usefixtures("segments")


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch, now: datetime) -> Time:
    moving = Time(now)
    monkeypatch.setattr(clock, "now", lambda: moving.now)
    return moving


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
def test_a_customer_who_is_gone_is_in_no_segment_that_fits_everybody(now: datetime) -> None:
    define("Everybody", "number_of_orders >= 0", now=now)
    store(now)
    assert deliver(recorded(now), recorded(now, customer_id="cus_erased")) == []
    assert members("Everybody") == ["cus_1"]


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
    memberships(LATELY)[0].update([SegmentMembership.left_at.set(now + HOUR)])
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
