# tests/unit/infra/test_streams.py
from collections.abc import Callable
from typing import Any

from infra.local.declarations import Function, StreamSource
from infra.local.dispatcher.bell import Bell
from infra.local.dispatcher.container import InvocationFailed
from infra.local.dispatcher.streams import StreamPump

FUNCTION = Function("F", "F", "a.handler", 30, 128, {}, 2, None, None)


def source(**changes: Any) -> StreamSource:
    settings: dict[str, Any] = {
        "name": "S",
        "function": FUNCTION,
        "table": "crm",
        "batch_size": 4,
        "window": 0,
        "partial": True,
        "bisect": True,
        "max_retries": 1,
        "max_age": None,
        "lanes": 1,
        "filters": (),
        "on_failure": None,
    }
    return StreamSource(**settings | changes)


def record(number: int) -> dict[str, Any]:
    keys = {"pk": {"S": str(number)}}
    return {"dynamodb": {"SequenceNumber": f"{number:03}", "Keys": keys, "ApproximateCreationDateTime": 0}}


class Stream:
    """Stands in for shard, container and destination, and notes what each was told."""

    def __init__(self, count: int, answer: Callable[[list[str]], Any]) -> None:
        self.unread = [record(n) for n in range(count)]
        self.answer = answer
        self.invoked: list[list[str]] = []
        self.given_up: list[str] = []
        self.position = ""
        self.left: list[str] = []

    def read(self, most: int) -> list[Any]:
        taken, self.unread = self.unread[:most], self.unread[most:]
        return taken

    def handled(self, records: list[Any]) -> None:
        self.position = numbers(records)[-1]

    def leave(self, records: list[Any]) -> int:
        self.left = numbers([*records, *self.unread])
        return len(self.left)

    def invoke(self, event: Any) -> Any:
        self.invoked.append(numbers(event["Records"]))
        return self.answer(self.invoked[-1])

    def stop(self) -> None:
        pass

    def stream_records(self, _source: StreamSource, records: Any, **_: Any) -> None:
        self.given_up += numbers(records)

    def drain(self, **changes: Any) -> "Stream":
        this: Any = self
        pump = StreamPump(source(**changes), this, [this], this, hint=Bell(), done=Bell())
        pump.drain()
        pump.start()
        pump.finish(30)
        return self


def numbers(records: Any) -> list[str]:
    return [r["dynamodb"]["SequenceNumber"] for r in records]


def raise_for(*poison: str) -> Callable[[list[str]], None]:
    def answer(batch: list[str]) -> None:
        if set(batch) & set(poison):
            raise InvocationFailed("ValueError", "told to")

    return answer


def test_a_drain_hands_on_everything_in_batches_and_keeps_the_place() -> None:
    stream = Stream(10, raise_for()).drain()
    assert [len(batch) for batch in stream.invoked] == [4, 4, 2]
    assert stream.position == "009"


def test_a_failing_batch_is_halved_until_the_poison_is_alone_and_given_up_after_its_retries() -> None:
    stream = Stream(4, raise_for("002")).drain()
    assert stream.invoked == [
        ["000", "001", "002", "003"],
        ["000", "001"],
        ["002", "003"],
        ["002"],
        ["002"],
        ["003"],
    ]
    assert stream.given_up == ["002"]
    assert stream.position == "003"


def test_only_what_comes_from_the_lowest_reported_failure_on_is_repeated() -> None:
    failures = iter([{"batchItemFailures": [{"itemIdentifier": "002"}]}, None])
    stream = Stream(4, lambda _: next(failures)).drain(bisect=False)
    assert stream.invoked == [["000", "001", "002", "003"], ["002", "003"]]


def test_without_partial_responses_an_answer_cannot_fail_a_batch() -> None:
    stream = Stream(1, lambda _: {"batchItemFailures": [{"itemIdentifier": "000"}]}).drain(partial=False)
    assert stream.invoked == [["000"]]


def test_records_too_old_are_given_up_unseen() -> None:
    stream = Stream(2, raise_for()).drain(max_age=60)
    assert (stream.invoked, stream.given_up) == ([], ["000", "001"])


def test_a_stop_in_the_middle_of_endless_retries_leaves_the_rest_for_the_next_start() -> None:
    stream = Stream(6, raise_for("001"))
    this: Any = stream
    pump = StreamPump(source(max_retries=None), this, [this], this, hint=Bell(), done=Bell())
    pump.start()
    pump.drain()
    pump.finish(0.3)
    assert stream.left == ["001", "002", "003", "004", "005"]
    assert stream.given_up == []
