# tests/integration/test_segments_refresh_of_many_edits.py
"""A shop that edits its segments faster than its customers can be walked: each edit is done after one walk all the
same, and the operations that go on with it one after another may cross, and die.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest

from crm.kernel import operations, pace
from crm.kernel.actor import Actor, Role
from crm.kernel.operations import CANCELLED, DONE, OVER, Operation
from crm.segmentation import backfill, bringing_up, in_force, refreshing, repository, service
from crm.segmentation.defining import Edited, SegmentFields
from crm.segmentation.in_force import InForce, Status
from crm.segmentation.models import DYNAMIC
from crm.shops.models import Shop
from tests.segment_walks import LONG_AGO, finish, members, run, store, versions

pytestmark = pytest.mark.usefixtures("shop", "people")

ANNA = Actor(Role.STAFF, "anna")
PEOPLE = {f"cus_{number:02}": number % 3 for number in range(23)}
REGULARS = sorted(customer_id for customer_id, count in PEOPLE.items() if count >= 1)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "PAGE", 2)
    monkeypatch.setattr(backfill, "STEP", 4)


@pytest.fixture
def people(shop: Shop, now: datetime) -> None:
    store(PEOPLE, at=now - LONG_AGO)


def defined(now: datetime, query: str = "number_of_orders >= 1", name: str = "Regulars") -> Edited:
    return service.create("demo", DYNAMIC, SegmentFields(name, query=query), actor=ANNA, now=now)


def edited_again(edited: Edited, now: datetime, count: int) -> Operation:
    fields = SegmentFields(query=f"number_of_orders >= {count}")
    again = service.update("demo", edited.definition.segment_id, fields, actor=ANNA, now=now)
    assert again.operation is not None
    return again.operation


def status(edited: Edited, now: datetime) -> Status:
    in_force.forget_cached()
    return service.current("demo", now=now).segments[edited.definition.segment_id].status(service.ready_in("demo"))


def step(operation: Operation | None, *, now: datetime, delivery: int = 1) -> Operation:
    assert operation is not None
    told = run(operation, now=now, delivery=delivery)
    assert told is not None
    return told


def test_edits_that_keep_coming_hold_up_none_that_came_before(now: datetime) -> None:
    regulars, other = defined(now), defined(now, "number_of_orders >= 5", "Other")
    newest, ready = other.operation, [0]
    for count in range(6, 30):
        now += timedelta(seconds=10)
        overtaken, newest = newest, edited_again(other, now, count)
        step(newest, now=now)
        assert overtaken is not None
        assert step(overtaken, now=now).status == CANCELLED
        ready.append(service.ready_in("demo"))
    steps = len(PEOPLE) // 4 + 1 + service.SHARDS
    late = [edit - 2 - done for edit, done in enumerate(ready, start=2)]
    assert 0 < max(late) <= steps, "behind, by the steps of one walk"
    assert (status(regulars, now), status(other, now)) == (Status.READY, Status.COMPUTING)
    assert members(regulars.definition.segment_id) == REGULARS

    done = finish(newest, now=now)
    assert (done.status, status(other, now), versions(PEOPLE)) == (DONE, Status.READY, {26})
    assert abs(done.row_count - 23) <= 2, "a walk round, to where it began, and at most to the end of that page"
    assert done.row_total == done.row_count


def test_an_edit_takes_a_step_before_a_newer_one_ends_its_operation(now: datetime) -> None:
    first, second = defined(now), defined(now, "number_of_orders >= 2", "Loyal")
    third = defined(now, "number_of_orders >= 3", "Best")
    assert step(first.operation, now=now).row_count == 4
    assert step(second.operation, now=now).row_count == 4
    assert [step(each.operation, now=now).status for each in (first, second)] == [CANCELLED, CANCELLED]
    done = finish(third.operation, now=now)
    assert (done.status, service.ready_in("demo"), versions(PEOPLE)) == (DONE, 3, {3})


def test_an_edit_whose_work_a_newer_one_does_already_takes_no_step(now: datetime) -> None:
    first, second = defined(now), defined(now, "number_of_orders >= 2", "Loyal")
    step(second.operation, now=now)
    ended = step(first.operation, now=now)
    assert (ended.status, [fault.code for fault in ended.faults], ended.row_count) == (CANCELLED, ["SUPERSEDED"], 0)


def test_one_that_is_stopped_by_hand_is_gone_on_with_by_the_next_edit(now: datetime) -> None:
    regulars = defined(now)
    told = step(regulars.operation, now=now)
    operations.cancel("demo", told.operation_id, now=now)
    other = defined(now, "number_of_orders >= 5", "Other")
    while status(regulars, now) is not Status.READY:
        told = step(other.operation, now=now)
    assert told.row_count < len(PEOPLE)
    assert (status(other, now), members(regulars.definition.segment_id)) == (Status.COMPUTING, REGULARS)


def test_two_operations_that_go_on_with_the_walk_at_once_count_one_of_them(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, others = defined(now), list[Edited]()
    bring_up = bringing_up.bring_up

    def and_another_does(*given: Any, **more: Any) -> list[str]:
        """In between somebody edits, and the newer operation takes two steps."""
        monkeypatch.setattr(bringing_up, "bring_up", bring_up)
        others.append(second := defined(now, "number_of_orders >= 2", "Loyal"))
        step(second.operation, now=now)
        step(second.operation, now=now)
        return bring_up(*given, **more)

    monkeypatch.setattr(bringing_up, "bring_up", and_another_does)
    told = step(first.operation, now=now)
    assert (told.row_count, told.status) == (0, "running"), "what it did is done; where the walk stands, the other says"
    assert repository.get_walk("demo").walk().walked == 8
    assert step(first.operation, now=now).status == CANCELLED
    [second] = others
    done = finish(second.operation, now=now)
    assert (done.row_count, service.ready_in("demo"), versions(PEOPLE)) == (23, 2, {2})


def test_an_edit_that_joins_while_definitions_are_read_is_not_done_by_those(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, others = defined(now), list[Edited]()
    current = in_force.current

    def and_somebody_edits(*given: Any, **more: Any) -> InForce:
        monkeypatch.setattr(in_force, "current", current)
        found = current(*given, **more)
        others.append(second := defined(now, "number_of_orders >= 2", "Loyal"))
        step(second.operation, now=now)
        return found

    monkeypatch.setattr(in_force, "current", and_somebody_edits)
    step(first.operation, now=now)
    [second] = others
    while service.ready_in("demo") < 2:
        step(second.operation, now=now)
    assert versions(PEOPLE) == {2}


def test_an_edit_does_not_cut_the_rest_of_the_walk_short(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "PER_SECOND", 1)
    step(defined(now).operation, now=now)
    second = defined(now, "number_of_orders >= 2", "Loyal")
    told = step(second.operation, now=now + timedelta(seconds=1))
    assert told.row_count == 0
    assert told.waits_until is not None
    assert timedelta(seconds=2) <= told.waits_until - now <= timedelta(seconds=4)
    assert step(second.operation, now=told.waits_until).row_count == 4


def test_nobody_is_done_before_whom_an_overtaken_operation_gave_up_on_is(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring_up, failing = refreshing.bring_up, set(PEOPLE)

    def fails(snapshot: Any, *given: Any, **more: Any) -> Any:
        if snapshot.customer_id in failing:
            raise ZeroDivisionError
        return bring_up(snapshot, *given, **more)

    monkeypatch.setattr(refreshing, "bring_up", fails)
    first = defined(now)
    assert step(first.operation, now=now, delivery=3).refused_count == 4
    failing.clear()
    step(first.operation, now=now)
    second = defined(now, "number_of_orders >= 2", "Loyal")
    while not service.ready_in("demo"):
        step(second.operation, now=now)
    assert (service.ready_in("demo"), members(first.definition.segment_id)) == (2, REGULARS)


@pytest.mark.parametrize(
    ("module", "write"),
    [(backfill, "_ready"), (backfill, "_keep"), (operations, "move")],
    ids=["ready", "keep", "move"],
)
def test_one_that_dies_as_it_comes_round_ends_right(
    now: datetime, monkeypatch: pytest.MonkeyPatch, module: Any, write: str
) -> None:
    """Before one of the three things is written that the step writes in which it does."""
    regulars = defined(now)
    assert regulars.operation is not None
    writes = getattr(module, write)

    def dies(*given: Any, **more: Any) -> Any:
        if write == "_ready" or service.ready_in("demo"):
            monkeypatch.setattr(module, write, writes)
            raise KeyboardInterrupt
        return writes(*given, **more)

    monkeypatch.setattr(module, write, dies)
    with pytest.raises(KeyboardInterrupt):
        finish(regulars.operation, now=now)
    assert operations.get("demo", regulars.operation.operation_id).status not in OVER
    done = finish(regulars.operation, now=now)
    assert (done.status, done.row_count, done.row_total) == (DONE, 23, 23)
    assert (status(regulars, now), members(regulars.definition.segment_id)) == (Status.READY, REGULARS)
