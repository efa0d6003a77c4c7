# tests/unit/kernel/test_change.py
"""How a change behaves when DynamoDB says no. What it says is put in its mouth, in botocore."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from pynamodb.exceptions import TransactWriteError

from crm.kernel.change import ATTEMPTS, LONGEST_WAIT, MOST_WRITES, Change, PartlyDone, retrying
from crm.kernel.errors import NotFound, Stale
from crm.kernel.table import client
from crm.kpis.models import Cell
from crm.orders.models import OrderRef

Answer = dict[str, Any] | None


def cancelled(*codes: str) -> Answer:
    reasons = [{"Code": code} for code in codes]
    error = {"Code": "TransactionCanceledException", "Message": "cancelled"}
    return {"Error": error, "CancellationReasons": reasons}


def refused(code: str) -> Answer:
    return {"Error": {"Code": code, "Message": "no"}}


class Engine:
    """Answers TransactWriteItems with what is queued, the last of it for good; None is success."""

    def __init__(self) -> None:
        self.answers: list[Answer] = [None]
        self.calls = 0

    def __call__(self, **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        self.calls += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return AWSResponse("", 400 if answer else 200, HTTPHeaders(), None), {"ResponseMetadata": {}} | (answer or {})


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine()
    events = client().meta.events
    events.register_first("before-call.dynamodb.TransactWriteItems", engine)
    yield engine
    events.unregister("before-call.dynamodb.TransactWriteItems", engine)


@pytest.fixture
def sent() -> Iterator[list[dict[str, Any]]]:
    """What DynamoDB is asked to write."""
    items: list[dict[str, Any]] = []

    def keep(params: dict[str, Any], **_: Any) -> None:
        items.extend(params["TransactItems"])

    events = client().meta.events
    events.register_first("before-parameter-build.dynamodb.TransactWriteItems", keep)
    yield items
    events.unregister("before-parameter-build.dynamodb.TransactWriteItems", keep)


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr("crm.kernel.change.time.sleep", waited.append)
    return waited


def item(number: int = 0) -> OrderRef:
    return OrderRef.of("demo", f"o{number}")


def change_of(*writes: Callable[[Change], None]) -> Change:
    change = Change()
    for write in writes:
        write(change)
    return change


def cause(number: int) -> Callable[[Change], None]:
    return lambda change: change.once(Cell("pk", f"cause {number}"))


def update(number: int, otherwise: Exception | None = None) -> Callable[[Change], None]:
    refusal = otherwise if isinstance(otherwise, NotFound) else Stale()
    return lambda change: change.update(item(number), [OrderRef.rev.set(1)], when=None, otherwise=refusal)


def test_a_change_without_writes_asks_nobody(engine: Engine) -> None:
    assert Change().commit()
    assert engine.calls == 0


def test_two_writes_to_one_item_are_a_bug_found_before_anything_is_sent(engine: Engine) -> None:
    change = change_of(update(1), lambda change: change.check(item(1), when=OrderRef.sk.exists(), otherwise=Stale()))
    with pytest.raises(ValueError, match="two writes to one item"):
        change.commit()
    assert engine.calls == 0


def read(number: int, rev: int) -> OrderRef:
    found = item(number)
    found.rev = rev
    return found


@pytest.mark.parametrize("rev", [0, 7])
def test_several_who_rely_on_one_item_as_they_read_it_are_one_condition(
    rev: int, engine: Engine, sent: list[dict[str, Any]]
) -> None:
    change = change_of(*[lambda change: change.unchanged(read(1, rev))] * 3)
    assert len(change) == 1
    assert change.commit()
    assert [list(each) for each in sent] == [["ConditionCheck"]]


@pytest.mark.parametrize(("was", "found"), [(7, 8), (8, 7), (0, 1), (1, 0)])
def test_who_relies_on_another_revision_of_an_item_is_overtaken(was: int, found: int) -> None:
    for first, second in (("unchanged", "unchanged"), ("unchanged", "revise"), ("revise", "unchanged")):
        change = Change()
        getattr(change, first)(read(1, was))
        with pytest.raises(Stale):
            getattr(change, second)(read(1, found))


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("first", ["unchanged", "revise"])
@pytest.mark.parametrize("rev", [0, 7])
def test_who_relies_on_an_item_that_is_revised_is_held_to_it_by_its_revision(
    rev: int, first: str, same: bool, engine: Engine, sent: list[dict[str, Any]]
) -> None:
    one = read(1, rev)
    other = one if same else read(1, rev)
    change = Change()
    for name, each in (("unchanged", one), ("revise", other))[:: 1 if first == "unchanged" else -1]:
        getattr(change, name)(each)
    assert len(change) == 1
    assert change.commit()
    [update] = [each["Update"] for each in sent]
    assert update["ConditionExpression"].startswith("attribute_not_exists" if rev == 0 else "#")
    assert {"N": str(rev + 1)} in update["ExpressionAttributeValues"].values()


@pytest.mark.parametrize(
    "writes", [("revise", "revise"), ("unchanged", "revise", "revise"), ("unchanged", "write"), ("write", "unchanged")]
)
def test_who_relies_on_an_item_is_held_to_it_by_no_other_write(writes: tuple[str, ...], engine: Engine) -> None:
    """Such as one with a condition of its own, or with none: it may stand where the item is another by then."""
    by = {
        "revise": lambda change: change.revise(read(1, 7)),
        "unchanged": lambda change: change.unchanged(read(1, 7)),
        "write": update(1),
    }
    with pytest.raises(ValueError, match="two writes to one item"):
        change_of(*[by[each] for each in writes]).commit()
    assert engine.calls == 0


def test_the_same_key_in_another_table_is_another_item(engine: Engine) -> None:
    change = Change()
    change.update(Cell("pk", "sk"), [Cell.value.add(1)], when=None, otherwise=Stale())
    change.update(OrderRef("pk", "sk"), [OrderRef.rev.set(1)], when=None, otherwise=Stale())
    assert change.commit()


def test_a_hundred_writes_are_one_transaction_and_one_more_is_a_bug(engine: Engine) -> None:
    writes = [update(number) for number in range(MOST_WRITES)]
    assert change_of(*writes).commit()
    with pytest.raises(ValueError, match="101 writes"):
        change_of(*writes, update(MOST_WRITES)).commit()
    assert engine.calls == 1


@pytest.mark.parametrize(
    "passing",
    [
        cancelled("TransactionConflict", "None"),
        cancelled("None", "ThrottlingError"),
        cancelled("ProvisionedThroughputExceeded", "TransactionConflict"),
        refused("TransactionInProgressException"),
    ],
)
def test_conflicts_and_throttles_pass(engine: Engine, passing: Answer, waits: list[float]) -> None:
    engine.answers = [passing, passing, None]
    assert change_of(update(1), update(2)).commit()
    assert (engine.calls, len(waits)) == (3, 2)


def test_a_conflict_that_stays_is_retried_five_times_with_bounded_waits(engine: Engine, waits: list[float]) -> None:
    engine.answers = [cancelled("TransactionConflict")]
    with pytest.raises(TransactWriteError):
        change_of(update(1)).commit()
    assert engine.calls == 1 + ATTEMPTS == 6
    assert len(waits) == 5
    assert all(0 <= wait <= LONGEST_WAIT for wait in waits)


@pytest.mark.parametrize(
    "bug",
    [
        refused("ValidationException"),
        cancelled("ValidationError"),
        cancelled("ValidationError", "TransactionConflict"),
        refused("AccessDeniedException"),
    ],
)
def test_a_bug_is_never_retried(engine: Engine, bug: Answer, waits: list[float]) -> None:
    engine.answers = [bug]
    with pytest.raises(TransactWriteError):
        change_of(update(1), update(2)).commit()
    assert (engine.calls, waits) == (1, [])


def test_a_failed_condition_beside_a_conflict_is_not_waited_for(engine: Engine) -> None:
    engine.answers = [cancelled("ConditionalCheckFailed", "TransactionConflict")]
    with pytest.raises(NotFound):
        change_of(update(1, NotFound("one")), update(2)).commit()
    assert engine.calls == 1


def test_a_cause_that_had_its_effect_is_success_without_writing(engine: Engine) -> None:
    engine.answers = [cancelled("ConditionalCheckFailed", "None")]
    assert not change_of(cause(1), update(2)).commit()


def test_a_cause_that_had_its_effect_outweighs_the_conditions_that_its_effect_broke(engine: Engine) -> None:
    engine.answers = [cancelled("ConditionalCheckFailed", "ConditionalCheckFailed")]
    assert not change_of(cause(1), update(2, NotFound("spent"))).commit()


def test_of_several_causes_those_that_had_their_effect_are_named(engine: Engine) -> None:
    engine.answers = [cancelled("None", "ConditionalCheckFailed", "ConditionalCheckFailed", "None")]
    with pytest.raises(PartlyDone) as partly:
        change_of(cause(1), cause(2), cause(3), update(4)).commit()
    assert [done.sk for done in partly.value.done] == ["cause 2", "cause 3"]


def test_several_causes_that_all_had_their_effect_are_success(engine: Engine) -> None:
    engine.answers = [cancelled("ConditionalCheckFailed", "ConditionalCheckFailed", "None")]
    assert not change_of(cause(1), cause(2), update(3)).commit()


def test_what_an_item_holds_at_the_commit_is_written(engine: Engine, sent: list[dict[str, Any]]) -> None:
    change, order = Change(), item()
    change.revise(order)
    order.cause = "order:o1:late"
    change.commit()
    assert {"S": "order:o1:late"} in sent[0]["Update"]["ExpressionAttributeValues"].values()


def test_a_decision_that_was_overtaken_is_made_again() -> None:
    tries: list[int] = []

    def attempt() -> str:
        tries.append(1)
        if len(tries) < 3:
            raise Stale
        return "done"

    assert retrying(attempt) == "done"


def test_a_decision_that_is_overtaken_every_time_is_given_back(waits: list[float]) -> None:
    def attempt() -> None:
        raise Stale

    with pytest.raises(Stale):
        retrying(attempt, attempts=4)
    assert len(waits) == 3
