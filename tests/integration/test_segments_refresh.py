# tests/integration/test_segments_refresh.py
"""What an edit of segments means is brought to the shop's customers, whatever happens meanwhile."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import pytest

from crm.customers import service as customers
from crm.customers.events import CustomerRecorded
from crm.customers.service import Customer
from crm.kernel import operations, pace
from crm.kernel.actor import Actor, Role
from crm.kernel.change import Change
from crm.kernel.meter import metering
from crm.kernel.operations import CANCELLED, DONE, FAILED, OVER, RUNNING, Operation
from crm.segmentation import backfill, in_force, keeping, laps, refreshing, service
from crm.segmentation.causes import CauseKind, cause_kind
from crm.segmentation.defining import Edited, SegmentFields
from crm.segmentation.in_force import InForce, Status
from crm.segmentation.models import DYNAMIC
from crm.segmentation.stays import SegmentMembership
from crm.segmentation.transitions import Interval
from crm.shops.models import Shop
from tests import bulk as queue
from tests.segment_walks import LONG_AGO, finish, members, run, store, versions

pytestmark = pytest.mark.usefixtures("shop")

ANNA = Actor(Role.STAFF, "anna")
PEOPLE = {f"cus_{number:02}": number % 3 for number in range(23)}
"""With so many orders each."""
REGULARS = sorted(customer_id for customer_id, count in PEOPLE.items() if count >= 1)
LOYAL = sorted(customer_id for customer_id, count in PEOPLE.items() if count >= 2)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "PAGE", 2)
    monkeypatch.setattr(backfill, "STEP", 4)


@pytest.fixture
def people(shop: Shop, now: datetime) -> None:
    store(PEOPLE, at=now - LONG_AGO)


def defined(now: datetime, query: str = "number_of_orders >= 1", name: str = "Regulars") -> Edited:
    return service.create("demo", DYNAMIC, SegmentFields(name, query=query), actor=ANNA, now=now)


def redefined(edited: Edited, now: datetime, query: str = "number_of_orders >= 2") -> Edited:
    fields = SegmentFields(query=query)
    return service.update("demo", edited.definition.segment_id, fields, actor=ANNA, now=now)


def status(edited: Edited, now: datetime) -> Status:
    in_force.forget_cached()
    segment = service.current("demo", now=now).segments[edited.definition.segment_id]
    return segment.status(service.ready_in("demo"))


def told(changed: Customer, *, now: datetime) -> None:
    """What segmentation makes of a profile that has changed."""
    event = CustomerRecorded.of(changed)
    touched = keeping.touched(event)
    keeping.refresh("demo", event.customer_id, touched=touched, cause=event.cause, occurred_at=now, now=now)


def stays(edited: Edited, customer_id: str) -> list[SegmentMembership]:
    return service.list_memberships("demo", customer_id, edited.definition.segment_id)


def members_of(edited: Edited) -> list[str]:
    return members(edited.definition.segment_id)


@pytest.mark.usefixtures("people")
def test_a_new_segment_gets_its_members_step_by_step(now: datetime) -> None:
    edited = defined(now)
    assert edited.operation is not None
    assert status(edited, now) is Status.COMPUTING

    done = finish(edited.operation, now=now)

    assert members_of(edited) == REGULARS
    assert status(edited, now) is Status.READY
    assert (done.status, done.row_count, done.row_total, done.applied_count, done.refused_count) == (
        DONE, 23, 23, len(REGULARS), 0,
    )  # fmt: skip
    assert versions(PEOPLE) == {1}, "those too in whom nothing changed"


@pytest.mark.usefixtures("people")
def test_whoever_enters_by_a_definition_enters_when_it_was_made(now: datetime) -> None:
    edited = defined(now)
    finish(edited.operation, now=now + timedelta(minutes=3))
    [stay] = stays(edited, REGULARS[0])
    assert (stay.entered_at, cause_kind(stay.entered_cause)) == (now, CauseKind.DEFINITION)


@pytest.mark.usefixtures("people")
def test_another_query_lets_those_leave_whom_it_is_no_longer_true_of(now: datetime) -> None:
    edited, later = defined(now), now + timedelta(hours=1)
    finish(edited.operation, now=now)
    finish(redefined(edited, later).operation, now=later)
    assert members_of(edited) == LOYAL
    left = service.list_memberships(
        "demo", next(each for each in REGULARS if each not in LOYAL), edited.definition.segment_id
    )
    assert [(stay.left_at, cause_kind(stay.left_cause or "")) for stay in left] == [(later, CauseKind.DEFINITION)]


@pytest.mark.usefixtures("people")
def test_what_is_typical_is_found_out_of_segments_too_whose_edit_was_overtaken(now: datetime) -> None:
    first, second = defined(now), defined(now, "number_of_orders >= 2", "Loyal")
    finish(second.operation, now=now)
    assert finish(first.operation, now=now).status == CANCELLED
    found_out = operations.get("demo", "op_segment_insights_v2")
    assert found_out.arguments["segments"] == sorted(each.definition.segment_id for each in (first, second))
    third = redefined(first, now)
    finish(third.operation, now=now)
    assert operations.get("demo", "op_segment_insights_v3").arguments["segments"] == [first.definition.segment_id]


@pytest.mark.usefixtures("people")
def test_it_says_how_far_it_is_and_what_it_costs(now: datetime) -> None:
    edited = defined(now)
    assert edited.operation is not None
    told = run(edited.operation, now=now)
    assert told is not None
    assert (told.status, told.row_count) == (RUNNING, 4)
    assert told.request_count >= 4, "as many writes, at least"
    assert told.write_units > 0
    assert told.read_units > 0
    done = finish(edited.operation, now=now)
    assert done.request_count > told.request_count
    assert status(edited, now) is Status.READY


@pytest.mark.usefixtures("people")
def test_one_that_dies_half_way_goes_on_where_it_was(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    edited = defined(now)
    assert edited.operation is not None
    bring_up, lives = refreshing.bring_up, iter(range(7))

    def dies(*given: Any, **more: Any) -> list[Interval]:
        if next(lives, None) is None:
            raise KeyboardInterrupt
        return bring_up(*given, **more)

    with monkeypatch.context() as broken:
        broken.setattr(refreshing, "bring_up", dies)
        with pytest.raises(KeyboardInterrupt):
            finish(edited.operation, now=now)
    with metering() as meter:
        done = finish(edited.operation, now=now)
    assert members_of(edited) == REGULARS
    assert (done.status, done.row_count) == (DONE, 23)
    steps = ceil(23 / 4) + 8
    assert meter.operations["TransactWriteItems"] <= 23 - 7 + 2 * steps, "who was brought up is not written again"
    assert {
        stay.rev for each in REGULARS for stay in service.list_memberships("demo", each, edited.definition.segment_id)
    } == {1}


@pytest.mark.usefixtures("people")
def test_a_step_that_is_done_twice_does_nothing_twice(now: datetime) -> None:
    edited = defined(now)
    assert edited.operation is not None
    queue.tasks()
    run(edited.operation, now=now)
    [task] = queue.tasks()
    assert queue.run(task)
    assert queue.run(task), "a spare one"
    done = finish(edited.operation, now=now)
    assert (done.row_count, members_of(edited)) == (23, REGULARS)


@pytest.mark.usefixtures("people")
def test_a_definition_that_is_edited_while_it_is_brought_to_customers_ends_that_and_is_brought_itself(
    now: datetime,
) -> None:
    edited, later = defined(now), now + timedelta(seconds=10)
    assert edited.operation is not None
    run(edited.operation, now=now)
    again = redefined(edited, later)

    ended = finish(edited.operation, now=later)
    assert (ended.status, [fault.code for fault in ended.faults]) == (CANCELLED, ["SUPERSEDED"])
    assert status(edited, later) is Status.COMPUTING
    assert finish(again.operation, now=later).status == DONE
    assert (members_of(edited), status(edited, later)) == (LOYAL, Status.READY)


@pytest.mark.usefixtures("people")
def test_an_edit_that_means_nothing_to_members_ends_nothing(now: datetime) -> None:
    edited = defined(now)
    assert edited.operation is not None
    run(edited.operation, now=now)
    service.update("demo", edited.definition.segment_id, SegmentFields(name="Best"), actor=ANNA, now=now)
    assert finish(edited.operation, now=now).status == DONE
    assert (members_of(edited), status(edited, now)) == (REGULARS, Status.READY)


@pytest.mark.usefixtures("people")
def test_a_worker_with_an_older_definition_does_not_overwrite_a_newer_one(now: datetime) -> None:
    edited, later = defined(now), now + timedelta(seconds=10)
    older = service.current("demo", now=now)
    finish(redefined(edited, later).operation, now=later)

    for snapshot in [customers.take_snapshot("demo", each) for each in PEOPLE]:
        refreshing.bring_up(snapshot, older, now=later)

    assert versions(PEOPLE) == {2}
    assert members_of(edited) == LOYAL


def test_a_customer_who_comes_meanwhile_and_is_judged_by_what_was_before_is_looked_at_again(now: datetime) -> None:
    first = defined(now - timedelta(hours=1))
    finish(first.operation, now=now - timedelta(hours=1))
    older = service.current("demo", now=now - timedelta(minutes=1))
    edited = redefined(first, now, "number_of_orders >= 0")
    assert edited.operation is not None
    while not service.ready_in("demo") >= 2:
        run(edited.operation, now=now)

    # A process that looked at the catalogue just before, and does so again in a minute.
    store({"cus_new": 0}, at=now + timedelta(seconds=50))
    refreshing.bring_up(customers.take_snapshot("demo", "cus_new"), older, now=now + timedelta(seconds=50))
    assert (members_of(edited), versions(["cus_new"])) == ([], {1})

    waiting = run(edited.operation, now=now + timedelta(seconds=60))
    assert waiting is None, "not before nobody has the older definitions any more"
    done = finish(edited.operation, now=now)
    assert (done.status, members_of(edited), versions(["cus_new"])) == (DONE, ["cus_new"], {2})


def test_a_customer_who_comes_meanwhile_enters_by_their_own_event_whatever_a_process_knows(now: datetime) -> None:
    first = defined(now - timedelta(hours=1))
    finish(first.operation, now=now - timedelta(hours=1))
    older, soon = service.current("demo", now=now), now + timedelta(seconds=20)
    edited = redefined(first, now, "number_of_orders >= 0")
    in_force._cache.keep("demo", (now, older))

    store({"cus_new": 0}, at=soon)
    keeping.refresh("demo", "cus_new", touched=keeping.EVERYTHING, cause="event:hello", occurred_at=soon, now=soon)

    [stay] = stays(edited, "cus_new")
    assert (stay.entered_cause, versions(["cus_new"])) == ("event:hello", {2})


@pytest.mark.usefixtures("people")
def test_who_was_deleted_at_the_edit_and_is_restored_meanwhile_is_judged_by_what_it_means(
    now: datetime,
) -> None:
    first = defined(now - timedelta(hours=2))
    finish(first.operation, now=now - timedelta(hours=2))
    told(customers.delete("demo", "cus_00", now=now - timedelta(hours=1)), now=now - timedelta(hours=1))
    older = service.current("demo", now=now)
    edited = redefined(first, now, "number_of_orders >= 0")
    assert edited.operation is not None
    while not service.ready_in("demo") >= 2:
        run(edited.operation, now=now)

    # A process that looked at the catalogue just before.
    in_force._cache.keep("demo", (now, older))
    soon = now + timedelta(seconds=20)
    told(customers.restore("demo", "cus_00", now=soon), now=soon)
    in_force.forget_cached()

    finish(edited.operation, now=now)
    assert "cus_00" in members_of(edited)


@pytest.mark.usefixtures("people")
def test_a_deleted_segment_loses_its_members_and_nobody_else_is_looked_at(now: datetime) -> None:
    edited, other, later = defined(now, "number_of_orders >= 2"), defined(now, name="Others"), now + timedelta(hours=1)
    finish(other.operation, now=now)
    deleted = service.delete("demo", edited.definition.segment_id, actor=ANNA, now=later)

    done = finish(deleted.operation, now=later)

    assert (members_of(edited), members_of(other)) == ([], REGULARS)
    assert (done.status, done.row_count) == (DONE, len(LOYAL))
    [stay] = stays(edited, LOYAL[0])
    assert (stay.left_at, stay.left_cause) == (later, f"segment:{edited.definition.segment_id}:delete:2")


@pytest.mark.usefixtures("people")
def test_a_deletion_does_not_end_what_another_edit_has_begun(now: datetime) -> None:
    gone = defined(now, "number_of_orders >= 2", "Gone")
    finish(gone.operation, now=now)
    edited = defined(now)
    assert edited.operation is not None
    run(edited.operation, now=now)
    deleted = service.delete("demo", gone.definition.segment_id, actor=ANNA, now=now)
    assert finish(edited.operation, now=now).status == DONE
    assert finish(deleted.operation, now=now).status == DONE
    assert (members_of(edited), members_of(gone), status(edited, now)) == (REGULARS, [], Status.READY)


@pytest.mark.usefixtures("people")
def test_an_edit_does_what_a_deletion_has_not_done_and_does_not_end_it(now: datetime) -> None:
    gone = defined(now, "number_of_orders >= 2", "Gone")
    finish(gone.operation, now=now)
    deleted = service.delete("demo", gone.definition.segment_id, actor=ANNA, now=now)
    edited = defined(now)
    finish(edited.operation, now=now)
    assert (members_of(edited), members_of(gone)) == (REGULARS, [])
    assert finish(deleted.operation, now=now).status == DONE


@pytest.mark.usefixtures("people")
def test_a_segment_is_repaired_on_demand(now: datetime) -> None:
    edited, later = defined(now), now + timedelta(hours=1)
    finish(edited.operation, now=now)
    lost = customers.take_snapshot("demo", REGULARS[0]).head(customers.SegmentsHead)
    assert lost is not None
    lost.open = []
    change = Change()
    change.revise(lost)
    change.commit()

    again = service.recompute("demo", edited.definition.segment_id, actor=ANNA, now=later)
    finish(again.operation, now=later)

    head = customers.take_snapshot("demo", REGULARS[0]).head(customers.SegmentsHead)
    assert head is not None
    assert [state.segment_id for state in head.open] == [edited.definition.segment_id]


class Failing:
    """Customers whose memberships cannot be brought up, while they are."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, customer_ids: Iterable[str]) -> None:
        self.customer_ids = set(customer_ids)
        bring_up = refreshing.bring_up

        def fails(snapshot: customers.Snapshot, definitions: InForce, *, now: datetime) -> list[Interval]:
            if snapshot.customer_id in self.customer_ids:
                raise ZeroDivisionError
            return bring_up(snapshot, definitions, now=now)

        monkeypatch.setattr(refreshing, "bring_up", fails)


def walk(operation: Operation | None, *, now: datetime) -> Operation:
    """The first walk, each step delivered for the last time."""
    assert operation is not None
    told: Operation | None = None
    while told is None or not backfill.is_second_walk(told):
        told = run(operation, now=now, delivery=3)
        assert told is not None
    return told


def give_up(operation: Operation | None, *, now: datetime) -> Operation:
    """To the end, each step delivered for the last time."""
    assert operation is not None
    while (told := operations.get("demo", operation.operation_id)).status not in OVER:
        now = max(now, told.waits_until or now)
        run(told, now=now, delivery=3)
    return told


@pytest.mark.usefixtures("people")
def test_a_customer_who_cannot_be_brought_up_holds_up_no_other(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    edited = defined(now)
    assert edited.operation is not None
    Failing(monkeypatch, REGULARS[:1])
    with pytest.raises(ZeroDivisionError):
        finish(edited.operation, now=now)
    with pytest.raises(ZeroDivisionError):
        run(edited.operation, now=now, delivery=2)
    assert run(edited.operation, now=now, delivery=3)
    done = give_up(edited.operation, now=now)
    assert (done.refused_count, members_of(edited)) == (1, REGULARS[1:])


@pytest.mark.usefixtures("people")
def test_segments_are_not_ready_while_anybody_is_left_behind(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    edited, later = defined(now), now + timedelta(hours=1)
    failing = Failing(monkeypatch, REGULARS[:3])
    done = give_up(edited.operation, now=now)
    assert (done.status, [fault.code for fault in done.faults], done.refused_count) == (FAILED, ["INCOMPLETE"], 3)
    assert (status(edited, now), service.ready_in("demo")) == (Status.COMPUTING, 0)

    failing.customer_ids.clear()
    again = service.recompute("demo", edited.definition.segment_id, actor=ANNA, now=later)
    assert finish(again.operation, now=later).status == DONE
    assert (members_of(edited), status(edited, later)) == (REGULARS, Status.READY)


@pytest.mark.usefixtures("people")
def test_whom_the_first_walk_gave_up_on_is_come_back_to(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    edited = defined(now)
    failing = Failing(monkeypatch, REGULARS[:3])
    told = walk(edited.operation, now=now)
    assert (told.refused_count, members_of(edited), status(edited, now)) == (3, REGULARS[3:], Status.COMPUTING)

    failing.customer_ids.clear()
    done = finish(edited.operation, now=now)
    assert (done.status, done.refused_count, done.row_count) == (DONE, 0, 23)
    assert (members_of(edited), status(edited, now)) == (REGULARS, Status.READY)


def test_segments_are_ready_no_more_where_somebody_who_came_meanwhile_is_left_behind(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited = defined(now)
    Failing(monkeypatch, ["cus_new"])
    walk(edited.operation, now=now)
    assert status(edited, now) is Status.READY
    store({"cus_new": 1}, at=now + timedelta(seconds=1))
    done = give_up(edited.operation, now=now)
    assert (done.status, done.refused_count, status(edited, now)) == (FAILED, 1, Status.COMPUTING)


@pytest.mark.usefixtures("people")
def test_with_more_than_can_be_come_back_to_it_fails(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laps, "MOST_LEFT", 2)
    edited = defined(now)
    failing = Failing(monkeypatch, REGULARS[:3])
    assert walk(edited.operation, now=now).refused_count == 3
    failing.customer_ids.clear()
    done = finish(edited.operation, now=now)
    assert (done.status, done.refused_count, status(edited, now)) == (FAILED, 1, Status.COMPUTING)


@pytest.mark.usefixtures("people")
def test_a_member_of_a_deleted_segment_who_was_given_up_on_is_come_back_to(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited, later = defined(now), now + timedelta(hours=1)
    finish(edited.operation, now=now)
    failing = Failing(monkeypatch, REGULARS[:3])
    deleted = service.delete("demo", edited.definition.segment_id, actor=ANNA, now=later)
    walk(deleted.operation, now=later)
    assert members_of(edited) == REGULARS[:3]
    failing.customer_ids.remove(REGULARS[0])
    done = give_up(deleted.operation, now=later)
    assert (done.status, done.refused_count, members_of(edited)) == (FAILED, 2, REGULARS[1:3])


@pytest.mark.usefixtures("people")
def test_its_requests_are_those_that_it_cannot_do_without(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "PAGE", 100)
    monkeypatch.setattr(backfill, "STEP", 500)
    edited = defined(now)
    with metering() as meter:
        finish(edited.operation, now=now)
    shards, heads, steps = customers.SHARDS, 4, 2
    told = "one a customer, a step, for where the walk stands, `ready`, and what is typical of them"
    assert meter.operations["TransactWriteItems"] == len(PEOPLE) + steps + 3, told
    assert meter.operations["BatchGetItem"] == shards * ceil(heads * 1 / 100), "one a head for each hundred"
    assert meter.operations["Query"] <= 2 * shards + 2, "one a shard and walk, and two for definitions"


def test_a_shop_without_customers_is_ready_at_once(now: datetime) -> None:
    edited = defined(now)
    assert finish(edited.operation, now=now).status == DONE
    assert status(edited, now) is Status.READY


@pytest.mark.usefixtures("people")
def test_it_takes_no_more_of_the_table_than_its_share(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "PER_SECOND", 1)
    edited = defined(now)
    assert edited.operation is not None
    told = run(edited.operation, now=now)
    assert told is not None
    assert told.waits_until is not None
    assert timedelta(seconds=2) <= told.waits_until - now <= timedelta(seconds=4)
    assert run(edited.operation, now=now + timedelta(seconds=1)) is None
    assert finish(edited.operation, now=now).status == DONE
