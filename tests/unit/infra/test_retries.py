# tests/unit/infra/test_retries.py
from hypothesis import given
from hypothesis import strategies as st

from infra.local.dispatcher.retries import Batch, Record, after_failure, too_old


def record(number: int, created: float = 0) -> Record:
    return {"dynamodb": {"SequenceNumber": f"{number:04}", "ApproximateCreationDateTime": created}}


def batch(*numbers: int, attempt: int = 0) -> Batch:
    return Batch(tuple(record(number) for number in numbers), attempt)


def test_everything_from_the_lowest_failed_record_comes_again() -> None:
    outcome = after_failure(batch(1, 2, 3, 4), ["0003", "0002"], bisect=False, max_retries=None)
    assert outcome.again == (batch(2, 3, 4, attempt=1),)


def test_bisecting_halves_without_using_up_a_retry() -> None:
    outcome = after_failure(batch(1, 2, 3), ["0001"], bisect=True, max_retries=0)
    assert outcome.again == (batch(1, 2), batch(3))


def test_a_single_record_is_retried_and_then_given_up() -> None:
    first = after_failure(batch(1), ["0001"], bisect=True, max_retries=1)
    assert first.again == (batch(1, attempt=1),)
    second = after_failure(first.again[0], ["0001"], bisect=True, max_retries=1)
    assert second.given_up == batch(1).records
    assert second.again == ()


def test_without_bisecting_a_whole_batch_is_given_up() -> None:
    outcome = after_failure(batch(1, 2, attempt=3), ["0001", "0002"], bisect=False, max_retries=3)
    assert outcome.given_up == batch(1, 2).records


def test_without_a_bound_it_is_retried_forever() -> None:
    outcome = after_failure(batch(1, attempt=10_000), ["0001"], bisect=False, max_retries=None)
    assert outcome.again == (batch(1, attempt=10_001),)


def test_records_that_waited_too_long_are_split_off() -> None:
    young, old = record(2, created=95), record(1, created=10)
    kept, given_up = too_old(Batch((old, young)), now=100, max_age=60)
    assert kept.records == (young,)
    assert given_up == (old,)


@given(size=st.integers(1, 40), poison=st.sets(st.integers(0, 39)), max_retries=st.integers(0, 3))
def test_bisecting_gives_up_the_poison_alone_and_lets_all_others_through_in_order(
    size: int, poison: set[int], max_retries: int
) -> None:
    pending = [batch(*range(size))]
    passed: list[str] = []
    given_up: list[str] = []
    while pending:
        current = pending.pop(0)
        numbers = [r["dynamodb"]["SequenceNumber"] for r in current.records]
        if not any(int(number) in poison for number in numbers):
            passed += numbers
            continue
        outcome = after_failure(current, numbers, bisect=True, max_retries=max_retries)
        given_up += [r["dynamodb"]["SequenceNumber"] for r in outcome.given_up]
        pending[:0] = outcome.again
    assert [int(number) for number in given_up] == sorted(poison & set(range(size)))
    assert [int(number) for number in passed] == sorted(set(range(size)) - poison)
