# tests/integration/test_bulk_steps.py
"""Steps that are repeated, raced, interrupted and given up on."""

from typing import Any

import pytest

from crm.bulk import files, reading
from crm.intake import service as intake
from crm.kernel import operations
from crm.kernel.errors import Stale
from tests.bulk import change, drain, objects, results, run, seen, stored, tasks, uploaded
from tests.shop_events import customer_of

pytestmark = pytest.mark.usefixtures("shop", "outlets")

ROWS = "".join(f"c{number},c{number}@example.com\n" for number in range(7))


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SLICE_ROWS", 3)


@pytest.fixture
def started() -> str:
    """An import of 7 rows, 3 a step."""
    operation_id = uploaded("external_id,email\n" + ROWS)
    change("importStart", id=operation_id)
    return operation_id


def done_rightly(operation_id: str) -> None:
    drain()
    done = seen(operation_id)
    assert (done["status"], done["progress"]["rows"], done["progress"]["applied"]) == ("DONE", 7, 7)
    assert [line["row"] for line in results(done)] == [2, 3, 4, 5, 6, 7, 8]


def test_an_import_goes_on_step_by_step(started: str) -> None:
    progress = []
    while found := tasks():
        [task] = found
        assert run(task)
        progress.append((seen(started)["status"], seen(started)["progress"]["rows"]))
    assert progress == [("RUNNING", 3), ("RUNNING", 6), ("RUNNING", 7), ("DONE", 7)]
    done_rightly(started)


def test_what_a_cancelled_import_has_done_is_told(started: str) -> None:
    [task] = tasks()
    assert run(task)
    for _ in range(2):
        cancelled = change("operationCancel", id=started)["operation"]
        assert (cancelled["status"], cancelled["progress"]["applied"]) == ("CANCELLED", 3)
        assert [line["row"] for line in results(cancelled)] == [2, 3, 4]
    drain()
    assert [line["row"] for line in results(seen(started))] == [2, 3, 4]


def test_a_step_that_dies_before_its_commit_is_done_again(started: str, monkeypatch: pytest.MonkeyPatch) -> None:
    [task] = tasks()
    with monkeypatch.context() as broken:
        broken.setattr(operations, "move", _dies)
        assert not run(task)
    assert customer_of("c0").email == "c0@example.com"
    kept = objects()
    assert run(task, delivery=2)
    assert objects() == kept, "the same rows bring the same part"
    assert customer_of("c0").rev == 1
    done_rightly(started)


def test_a_step_that_dies_before_it_sends_the_next_one_is_made_up_for(
    started: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    [task] = tasks()
    with monkeypatch.context() as broken:
        broken.setattr(operations, "send_on", _dies)
        assert not run(task)
    assert (seen(started)["progress"]["rows"], tasks()) == (3, [])
    assert run(task, delivery=2)
    assert seen(started)["progress"]["rows"] == 3
    done_rightly(started)


def _dies(*_: Any, **__: Any) -> None:
    raise TimeoutError


def test_a_task_that_comes_twice_does_not_make_two_of_the_next(started: str) -> None:
    [task] = tasks()
    assert run(task)
    assert run(task)
    assert run(task, delivery=2)
    following = tasks()
    assert len(following) == 2, "its own, and one in place of what may not have been sent"
    assert all(run(one) for one in following)
    [only] = tasks()
    assert run(only)
    done_rightly(started)


def test_of_two_that_do_one_step_at_once_one_stands_and_the_other_comes_again(
    started: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    [task] = tasks()
    move = operations.move

    def overtaken(operation: operations.Operation, effect: str, **more: Any) -> None:
        monkeypatch.setattr(operations, "move", move)
        assert run(task), "the other one is quicker"
        move(operation, effect, **more)

    monkeypatch.setattr(operations, "move", overtaken)
    assert not run(task)
    assert seen(started)["progress"] == seen(started)["progress"] | {"rows": 3, "applied": 3}
    assert len(stored(started).parts) == 1
    assert run(task, delivery=2)
    done_rightly(started)


def test_a_row_that_keeps_failing_is_given_up_on_and_the_others_are_not(
    started: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = intake.apply

    def fails(body: str, **more: Any) -> intake.Outcome:
        if "c1@example.com" in body:
            raise ZeroDivisionError
        if "c5@example.com" in body:
            raise Stale
        return apply(body, **more)

    monkeypatch.setattr(intake, "apply", fails)
    for _ in range(2):
        [task] = tasks()
        assert [run(task, delivery=delivery) for delivery in (1, 2, 3)] == [False, False, True]
    drain()
    done = seen(started)
    assert (done["status"], done["progress"]["applied"], done["progress"]["refused"]) == ("DONE", 5, 2)
    refused = {line["row"]: line["faults"][0]["code"] for line in results(done) if line["status"] == "refused"}
    assert refused == {3: "FAILED", 7: "FAILED"}


def test_a_task_of_an_operation_that_is_over_or_was_never_there_does_nothing(started: str) -> None:
    [task] = tasks()
    assert run(task)
    drain()
    assert run(task, delivery=2)
    assert run(task | {"Body": '{"shop": "demo", "operationId": "op_none", "rev": 1}'})
    assert tasks() == []


@pytest.fixture
def in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts are gathered two by two, and sent as soon as they are as large as a step's results."""
    monkeypatch.setattr(files, "MOST_PARTS", 2)
    monkeypatch.setattr(files, "LEAST_BYTES", 400)
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 100)


@pytest.mark.usefixtures("in_pieces")
def test_what_is_joined_is_whole_also_where_it_is_sent_in_pieces(started: str) -> None:
    most = 0
    while found := tasks():
        [task] = found
        assert run(task)
        most = max(most, len(stored(started).parts))
    assert most == 2, "however many steps there are"
    assert stored(started).state[files.SENT] == 1
    done_rightly(started)


def test_parts_that_are_too_small_for_a_piece_are_made_one(started: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_PARTS", 2)
    drain()
    assert len(stored(started).parts) == 1
    done_rightly(started)


@pytest.mark.usefixtures("in_pieces")
def test_whichever_step_dies_before_its_commit_is_done_again_and_the_result_is_the_same(
    started: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    while found := tasks():
        [task] = found
        with monkeypatch.context() as broken:
            broken.setattr(operations, "move", _dies)
            assert not run(task)
        assert run(task, delivery=2)
    done_rightly(started)
