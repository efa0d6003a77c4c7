# tests/integration/test_timers.py
from datetime import datetime, timedelta

import pytest

from crm.kernel import clock, timers
from crm.kernel.change import Change
from crm.kernel.errors import InvalidInput, Stale
from crm.kernel.ids import shard_of
from crm.kernel.table import customer_key
from crm.kernel.timers import SHARDS, Timer, TimerDue

pytestmark = pytest.mark.usefixtures("tables")

INSTANT = timedelta(microseconds=1)


def timer(due_at: datetime, customer_id: str = "cus_1") -> Timer:
    return Timer.of("demo", customer_id, "segmentation", "memberships", due_at)


def shard(customer_id: str = "cus_1") -> int:
    return shard_of(customer_key("demo", customer_id), SHARDS)


def set_to(stored: Timer | None, wanted: Timer | None) -> None:
    change = Change()
    timers.set_to(change, stored, wanted)
    change.commit()


def stored() -> Timer | None:
    return timers.get("demo", "cus_1", "segmentation", "memberships")


def due(now: datetime, *, page: int = 100) -> list[datetime]:
    return [found.due_at for found in timers.due(now, shard=shard(), page=page)]


def test_a_timer_is_due_at_its_instant_and_not_before(now: datetime) -> None:
    set_to(None, timer(now))
    assert due(now - INSTANT) == []
    assert due(now) == [now]


def test_timers_fall_due_in_the_order_of_their_times_whatever_the_page(now: datetime) -> None:
    same_shard = [name for name in (f"cus_{number}" for number in range(40)) if shard(name) == shard()][:4]
    for number, name in enumerate(same_shard):
        set_to(None, timer(now - number * INSTANT, name))
    for page in (1, 2, 3, 100):
        assert due(now, page=page) == [now - 3 * INSTANT, now - 2 * INSTANT, now - INSTANT, now]


def test_a_timer_can_be_moved_and_taken_away(now: datetime) -> None:
    set_to(None, timer(now))
    set_to(stored(), timer(now + INSTANT))
    assert due(now) == []
    assert due(now + INSTANT) == [now + INSTANT]
    set_to(stored(), None)
    assert stored() is None


def test_who_did_not_see_a_timer_move_does_not_move_it(now: datetime) -> None:
    set_to(None, timer(now))
    seen = stored()
    set_to(stored(), timer(now + INSTANT))
    for unaware, wanted in [(None, timer(now)), (seen, timer(now - INSTANT)), (seen, None)]:
        with pytest.raises(Stale):
            set_to(unaware, wanted)
    kept = stored()
    assert kept is not None
    assert kept.due_at == now + INSTANT


def test_a_timer_that_stays_as_it_is_costs_no_write(now: datetime) -> None:
    change = Change()
    timers.set_to(change, timer(now), timer(now))
    timers.set_to(change, None, None)
    assert len(change) == 0


def test_one_run_at_a_time_fires_a_shard_until_its_lease_ends_or_is_given_back(now: datetime) -> None:
    assert timers.hold_lease(0, "one", now=now)
    assert timers.hold_lease(0, "one", now=now)
    assert not timers.hold_lease(0, "other", now=now + timedelta(seconds=timers.LEASE_SECONDS) - INSTANT)
    assert timers.hold_lease(1, "other", now=now)
    assert timers.hold_lease(0, "other", now=now + timedelta(seconds=timers.LEASE_SECONDS))
    timers.release_lease(0, "one")
    assert not timers.hold_lease(0, "one", now=now + timedelta(seconds=timers.LEASE_SECONDS))
    timers.release_lease(0, "other")
    assert timers.hold_lease(0, "one", now=now + timedelta(seconds=timers.LEASE_SECONDS))


def test_what_a_timer_says_reads_as_it_was_written_and_half_of_it_is_refused(now: datetime) -> None:
    event = TimerDue("demo", "cus_1", "segmentation", "memberships", now)
    assert TimerDue.parse(event.detail()) == event
    for name in event.detail():
        with pytest.raises(InvalidInput):
            TimerDue.parse({key: value for key, value in event.detail().items() if key != name})
    with pytest.raises(InvalidInput):
        TimerDue.parse(event.detail() | {"dueAt": clock.text(now).removesuffix("Z")})
