# tests/integration/test_segments_by_hand.py
from datetime import datetime, timedelta
from typing import Any

import pytest

from crm.customers import service as customers
from crm.customers.events import CustomerRecorded
from crm.customers.service import Snapshot
from crm.kernel import clock
from crm.kernel.errors import InvalidInputs, NotFound, Stale
from crm.kernel.meter import metering
from crm.segmentation import in_force, refreshing, service
from crm.segmentation.events import changes_of
from crm.segmentation.service import STATIC, CauseKind, Said, SegmentFields
from tests.integration.memberships import (
    DAY,
    HOUR,
    LATELY,
    Time,
    deliver,
    head,
    members,
    memberships,
    open_at,
    recorded,
    stays,
    store,
)
from tests.segments import ANNA, define, id_of

pytestmark = pytest.mark.usefixtures("segments")
STAFF = "Staff"


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch, now: datetime) -> Time:
    moving = Time(now)
    monkeypatch.setattr(clock, "now", lambda: moving.now)
    return moving


@pytest.fixture
def staff(segments: None, time: Time, now: datetime) -> str:
    return service.create("demo", STATIC, SegmentFields(STAFF), actor=ANNA, now=now - DAY).definition.segment_id


def add(name: str, *customer_ids: str, now: datetime) -> list[Said]:
    return service.add_members("demo", id_of(name), customer_ids or ("cus_1",), actor=ANNA, now=now)


def remove(name: str, *customer_ids: str, now: datetime) -> list[Said]:
    return service.remove_members("demo", id_of(name), customer_ids or ("cus_1",), actor=ANNA, now=now)


def test_who_is_put_into_a_segment_is_in_it_until_they_are_taken_out(staff: str, now: datetime) -> None:
    store(now)
    assert add(STAFF, "cus_1", "cus_1", "cus_2", now=now) == [
        Said("cus_1", changed=True), Said("cus_2", changed=False, fault="NOT_FOUND"),
    ]  # fmt: skip
    assert members(STAFF) == ["cus_1"]
    assert add(STAFF, now=now + HOUR) == [Said("cus_1", changed=False)]
    assert remove(STAFF, now=now + DAY) == [Said("cus_1", changed=True)]
    assert stays(STAFF) == [(now, now + DAY)]
    assert members(STAFF) == []
    (stay,) = memberships(STAFF)
    assert (stay.entered_cause, stay.left_cause) == (f"segment:{staff}:hand:1", f"segment:{staff}:hand:2")
    assert [event.by for event in changes_of(stay)] == [CauseKind.MANUAL]


@pytest.mark.usefixtures("staff")
def test_who_is_put_in_again_begins_another_stay_also_at_the_same_instant(now: datetime) -> None:
    store(now)
    for _ in range(3):
        add(STAFF, now=now)
        remove(STAFF, now=now)
    add(STAFF, now=now)
    assert stays(STAFF) == [(now, now)] * 3 + [(now, None)]


def test_who_is_taken_out_of_a_segment_with_a_query_stays_out_whatever_happens(time: Time, now: datetime) -> None:
    store(now)
    deliver(recorded(now))
    time.now = now + HOUR
    assert remove(LATELY, now=time.now) == [Said("cus_1", changed=True)]
    assert stays(LATELY) == [(now, now + HOUR)]
    time.now = now + DAY
    store(now, time.now)
    deliver(recorded(time.now, "o2"))
    assert LATELY not in open_at(time.now)
    assert add(LATELY, now=now + 2 * DAY) == [Said("cus_1", changed=True)]
    assert stays(LATELY) == [(now, now + HOUR), (now + 2 * DAY, None)]


@pytest.mark.usefixtures("time")
def test_taking_back_that_somebody_was_taken_out_forces_nobody_in(now: datetime) -> None:
    store()
    assert add(LATELY, now=now) == [Said("cus_1", changed=False)]
    remove(LATELY, now=now)
    assert add(LATELY, now=now) == [Said("cus_1", changed=True)]
    assert stays(LATELY) == []


@pytest.mark.usefixtures("staff")
def test_segments_that_ask_about_another_follow_what_was_said_by_hand_at_once(now: datetime) -> None:
    define("Buying staff", f"segment('{STAFF}') AND segment('{LATELY}')", now=now - DAY)
    store(now)
    deliver(recorded(now))
    add(STAFF, now=now)
    assert members("Buying staff") == ["cus_1"]
    remove(LATELY, now=now + HOUR)
    assert stays("Buying staff") == [(now, now + HOUR)]
    add(LATELY, now=now + DAY)
    assert members("Buying staff") == ["cus_1"]
    remove(STAFF, now=now + DAY)
    assert members("Buying staff") == []


@pytest.mark.usefixtures("staff")
def test_putting_somebody_in_is_a_look_at_the_definitions_one_read_and_one_transaction(now: datetime) -> None:
    store(now)
    deliver(recorded(now))
    staff = id_of(STAFF)
    service.current("demo", now=now)
    with metering() as first:
        service.add_members("demo", staff, ["cus_1"], actor=ANNA, now=now)
    with metering() as again:
        service.add_members("demo", staff, ["cus_1"], actor=ANNA, now=now)
    assert first.operations == {"GetItem": 1, "Query": 1, "TransactWriteItems": 1}
    assert again.operations == {"GetItem": 1, "Query": 1}


def test_nobody_is_put_into_a_segment_that_was_deleted_a_moment_ago_whatever_a_process_knows(
    staff: str, now: datetime
) -> None:
    store(now)
    older = service.current("demo", now=now)
    service.delete("demo", staff, actor=ANNA, now=now)
    in_force._cache.keep("demo", (now, older))
    with pytest.raises(NotFound):
        service.add_members("demo", staff, ["cus_1"], actor=ANNA, now=now + timedelta(seconds=20))


@pytest.mark.usefixtures("staff")
def test_a_deleted_customer_is_not_put_in_and_a_restored_one_is_where_they_were(time: Time, now: datetime) -> None:
    store(now)
    add(STAFF, now=now)
    time.now = now + HOUR
    deliver(CustomerRecorded.of(customers.delete("demo", "cus_1", now=time.now)))
    assert members(STAFF) == []
    assert add(STAFF, now=now + HOUR) == [Said("cus_1", changed=False, fault="CUSTOMER_DELETED")]
    time.now = now + 2 * HOUR
    deliver(CustomerRecorded.of(customers.restore("demo", "cus_1", now=time.now)))
    assert stays(STAFF) == [(now, now + HOUR), (now + 2 * HOUR, None)]


@pytest.mark.usefixtures("staff")
def test_what_happens_between_reading_and_writing_is_decided_by_too(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    store()
    meanwhile = [lambda: add(STAFF, now=now)]
    read = customers.take_snapshot

    def read_and_be_overtaken(shop: str, customer_id: str) -> Snapshot:
        answer = read(shop, customer_id)
        if meanwhile:
            meanwhile.pop()()
        return answer

    monkeypatch.setattr(customers, "take_snapshot", read_and_be_overtaken)
    assert add(STAFF, now=now) == [Said("cus_1", changed=False)]
    assert stays(STAFF) == [(now, None)]
    assert head().rev == 1


def test_what_is_said_of_somebody_deleted_who_was_never_looked_at_is_kept(time: Time, now: datetime) -> None:
    store()
    customers.delete("demo", "cus_1", now=now)
    assert remove(LATELY, now=now) == [Said("cus_1", changed=True)]
    assert remove(LATELY, now=now) == [Said("cus_1", changed=False)]
    deliver(CustomerRecorded.of(customers.restore("demo", "cus_1", now=now)))
    store(now)
    deliver(recorded(now))
    assert open_at(now) == []


@pytest.mark.usefixtures("staff")
def test_a_customer_whom_others_keep_changing_holds_up_no_other(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    store(customer_id="cus_1")
    store(customer_id="cus_2")
    say = refreshing.by_hand

    def overtaken(snapshot: Snapshot, *args: Any, **more: Any) -> None:
        if snapshot.customer_id == "cus_1":
            raise Stale
        say(snapshot, *args, **more)

    monkeypatch.setattr("crm.kernel.change.time.sleep", lambda _: None)
    monkeypatch.setattr(refreshing, "by_hand", overtaken)
    assert add(STAFF, "cus_1", "cus_2", now=now) == [
        Said("cus_1", changed=False, fault="STALE"), Said("cus_2", changed=True),
    ]  # fmt: skip
    assert members(STAFF) == ["cus_2"]


@pytest.mark.usefixtures("time")
def test_a_segment_of_another_shop_or_too_many_customers_at_once_are_refused(now: datetime, two_shops: None) -> None:
    with pytest.raises(NotFound):
        service.add_members("other", id_of(LATELY), ["cus_1"], actor=ANNA, now=now)
    with pytest.raises(InvalidInputs):
        service.add_members("demo", id_of(LATELY), [str(number) for number in range(101)], actor=ANNA, now=now)
