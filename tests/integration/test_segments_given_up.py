# tests/integration/test_segments_given_up.py
"""What is read of segments that are deleted: all of it while they may have members, and nothing once they have none."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from crm.kernel.actor import Actor, Role
from crm.kernel.meter import metering
from crm.kernel.operations import DONE, FAILED, Operation
from crm.segmentation import backfill, given_up, in_force, keeping, refreshing, repository, service
from crm.segmentation.defining import Edited, SegmentFields
from crm.segmentation.models import DYNAMIC
from tests.segment_walks import LONG_AGO, finish, members, run, store

pytestmark = pytest.mark.usefixtures("shop")

ANNA = Actor(Role.STAFF, "anna")
PEOPLE = {"cus_1": 1, "cus_2": 2}


@pytest.fixture
def bought(now: datetime) -> str:
    """A segment with members, by id; beside another one."""
    store(PEOPLE, at=now - LONG_AGO)
    defined(now - timedelta(hours=2), "number_of_orders >= 9", "Others")
    edited = defined(now - timedelta(hours=2))
    finish(edited.operation, now=now - timedelta(hours=2))
    assert members(edited.definition.segment_id) == [*PEOPLE]
    return edited.definition.segment_id


def defined(now: datetime, query: str = "number_of_orders >= 1", name: str = "Bought") -> Edited:
    return service.create("demo", DYNAMIC, SegmentFields(name, query=query), actor=ANNA, now=now)


def deleted(segment_id: str, now: datetime) -> Operation:
    operation = service.delete("demo", segment_id, actor=ANNA, now=now).operation
    assert operation is not None
    return operation


def failing(monkeypatch: pytest.MonkeyPatch, bring_up: Callable[..., Any]) -> Callable[[], None]:
    """While members are brought up otherwise; call it to let that be as ever."""
    ever = refreshing.bring_up
    monkeypatch.setattr(refreshing, "bring_up", bring_up)
    return lambda: monkeypatch.setattr(refreshing, "bring_up", ever)


def read_with_all() -> list[str]:
    return [each.name for each in repository.list_definitions("demo")]


def gone(now: datetime) -> list[str]:
    in_force.forget_cached()
    return [*service.current("demo", now=now).gone]


def test_once_nobody_is_a_member_a_deleted_segment_is_read_no_more(bought: str, now: datetime) -> None:
    operation = deleted(bought, now)
    while not (told := run(operation, now=now)) or not backfill.is_second_walk(told):
        assert read_with_all() == ["Others", "Bought"]
    assert (members(bought), gone(now)) == ([], [bought]), "until the second walk is over"

    assert finish(operation, now=now).status == DONE
    assert (read_with_all(), gone(now)) == (["Others"], [])
    assert [each.name for each in service.list_definitions("demo")] == ["Others"]


def test_what_it_was_is_found_by_its_id(bought: str, now: datetime) -> None:
    [other] = [each for each in service.list_definitions("demo") if each.name == "Others"]
    finish(deleted(bought, now), now=now)

    with metering() as meter:
        found = service.find_many("demo", [bought, other.segment_id, "seg_unknown"])
    assert {segment_id: (each.name, each.deleted_at) for segment_id, each in found.items()} == {
        bought: ("Bought", now),
        other.segment_id: ("Others", None),
    }
    assert found[bought].changed_cause == f"segment:{bought}:delete:2"
    assert meter.operations == {"BatchGetItem": 2}
    with metering() as meter:
        service.find_many("demo", [other.segment_id])
    assert meter.operations == {"BatchGetItem": 1}, "of those that are there"
    assert [int(each.version) for each in service.list_versions("demo", bought, before=None, limit=10)] == [2, 1]
    assert service.find("demo", bought) is None


def test_its_name_is_free_and_its_id_never_again_somebody_elses(bought: str, now: datetime) -> None:
    finish(deleted(bought, now), now=now)
    again = defined(now)
    assert again.definition.segment_id != bought


def test_while_anybody_is_left_behind_it_is_read_until_all_have_been_brought_up(
    bought: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    operation, mended = deleted(bought, now), failing(monkeypatch, fails)
    while (told := run(operation, now=now + backfill.LET_GO, delivery=3)) and told.status != FAILED:
        pass
    mended()
    assert (gone(now), members(bought)) == ([bought], [*PEOPLE])

    [other] = service.list_definitions("demo")
    later = now + timedelta(hours=1)
    finish(service.recompute("demo", other.segment_id, actor=ANNA, now=later).operation, now=later)
    assert (gone(later), members(bought), read_with_all()) == ([], [], ["Others"])


def test_an_edit_puts_nothing_away_that_was_deleted_after_it(bought: str, now: datetime) -> None:
    [other] = [each for each in service.list_definitions("demo") if each.name == "Others"]
    edited = service.recompute("demo", other.segment_id, actor=ANNA, now=now)
    deleted(bought, now + timedelta(seconds=1))
    assert finish(edited.operation, now=now).status == DONE
    assert gone(now) == [bought]


def test_who_is_a_member_all_the_same_leaves_by_its_deletion(
    bought: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought = failing(monkeypatch, lambda *_, **__: [])
    finish(deleted(bought, now), now=now)
    brought()
    assert (gone(now), members(bought)) == ([], [*PEOPLE])

    soon = now + timedelta(hours=1)
    keeping.refresh("demo", "cus_1", touched=keeping.EVERYTHING, cause="event:e1", occurred_at=soon, now=soon)
    assert members(bought) == ["cus_2"]
    [stay] = service.list_memberships("demo", "cus_1", bought)
    assert (stay.left_at, stay.left_cause) == (now, f"segment:{bought}:delete:2")


def test_putting_it_away_again_changes_nothing(bought: str, now: datetime) -> None:
    [other] = [each for each in service.list_definitions("demo") if each.name == "Others"]
    finish(deleted(bought, now), now=now)
    for segment_id in (bought, other.segment_id, "seg_unknown"):
        given_up.put_away("demo", segment_id, now=now)
    assert (read_with_all(), [*service.find_many("demo", [bought])]) == (["Others"], [bought])


def test_of_two_who_put_it_away_at_once_one_does(bought: str, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    deleted(bought, now)
    read = repository.get_definition

    def and_another_does(shop: str, segment_id: str) -> Any:
        monkeypatch.setattr(repository, "get_definition", read)
        found = read(shop, segment_id)
        given_up.put_away("demo", bought, now=now)
        return found

    monkeypatch.setattr(repository, "get_definition", and_another_does)
    given_up.put_away("demo", bought, now=now)
    assert (read_with_all(), [*service.find_many("demo", [bought])]) == (["Others"], [bought])
