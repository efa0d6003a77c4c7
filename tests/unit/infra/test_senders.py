# tests/unit/infra/test_senders.py
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.files import Row
from infra.local.send import Journal, batches, send
from infra.local.senders import Gateway, Unreachable

Answer = Callable[[list[Any]], httpx.Response]


class Door:
    """A gateway that answers as told, then takes everything."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.posted: list[list[Any]] = []
        self.waits: list[float] = []

    def gateway(self) -> Gateway:
        client = httpx.Client(transport=httpx.MockTransport(self.answer))
        return Gateway("http://door", "demo", client=client, make_token=lambda: "t", wait=self.waits.append)

    def answer(self, request: httpx.Request) -> httpx.Response:
        events = json.loads(request.content)["events"]
        self.posted.append(events)
        return (self.answers.pop(0) if self.answers else taken)(events)


def taken(events: list[Any]) -> httpx.Response:
    return httpx.Response(202, json={"results": [{"eventId": e["id"], "status": "queued"} for e in events]})


def busy(_: list[Any]) -> httpx.Response:
    return httpx.Response(429, headers={"retry-after": "3"})


def down(_: list[Any]) -> httpx.Response:
    raise httpx.ConnectError("refused")


def refusing_the_first(events: list[Any]) -> httpx.Response:
    faults = [{"path": "data.lines", "code": "REQUIRED", "message": "is required"}]
    first = {"eventId": events[0]["id"], "status": "refused", "faults": faults}
    return httpx.Response(
        202, json={"results": [first, *({"eventId": e["id"], "status": "queued"} for e in events[1:])]}
    )


def refusing_all(events: list[Any]) -> httpx.Response:
    faults = [{"path": "", "code": "NOT_JSON", "message": "is no JSON"}]
    return httpx.Response(
        422, json={"results": [{"eventId": None, "status": "refused", "faults": faults} for _ in events]}
    )


def forbidding(_: list[Any]) -> httpx.Response:
    return httpx.Response(403, json={"error": {"code": "FORBIDDEN"}})


def not_queueing_the_last(events: list[Any]) -> httpx.Response:
    queued = [{"eventId": e["id"], "status": "queued"} for e in events[:-1]]
    return httpx.Response(202, json={"results": [*queued, {"eventId": events[-1]["id"], "status": "retry"}]})


def events(count: int) -> list[dict[str, str]]:
    return [{"id": f"e{n}"} for n in range(count)]


def rows(count: int) -> list[Row]:
    return [Row(n + 1, event) for n, event in enumerate(events(count))]


def test_a_busy_gateway_is_given_the_time_it_asks_for() -> None:
    door = Door(busy)
    assert door.gateway().post(events(2)) == []
    assert door.waits == [3.0]


def test_a_gateway_that_is_away_is_asked_again_ever_more_slowly() -> None:
    door = Door(down, down, down)
    assert door.gateway().post(events(1)) == []
    assert door.waits == [0.25, 0.5, 1.0]


def test_only_what_was_not_queued_is_posted_again() -> None:
    door = Door(not_queueing_the_last)
    assert door.gateway().post(events(3)) == []
    assert door.posted == [events(3), [{"id": "e2"}]]


def test_refused_events_come_back_with_their_reasons() -> None:
    (refused,) = Door(refusing_the_first).gateway().post(events(2))
    assert (refused.number, refused.id, refused.reasons) == (0, "e0", ("data.lines: is required",))


def test_a_request_refused_as_a_whole_refuses_each_of_its_events() -> None:
    assert [one.reasons for one in Door(refusing_all).gateway().post(events(2))] == [("event: is no JSON",)] * 2
    assert len(Door(forbidding).gateway().post(events(2))) == 2


def test_nothing_counts_as_sent_that_the_gateway_never_took() -> None:
    with pytest.raises(Unreachable):
        Door(*[busy] * 20).gateway().post(events(1))


def test_an_interrupted_file_goes_on_where_it_was(tmp_path: Path) -> None:
    door = Door(taken, *[down] * 20)
    with pytest.raises(Unreachable):
        send(rows(150), door.gateway(), Journal(tmp_path, b"file", "demo"))
    again = Door()
    send(rows(150), again.gateway(), Journal(tmp_path, b"file", "demo"))
    assert [len(posted) for posted in again.posted] == [50]
    done = Door()
    send(rows(150), done.gateway(), Journal(tmp_path, b"file", "demo"))
    assert done.posted == []


def test_another_file_starts_from_its_beginning(tmp_path: Path) -> None:
    Journal(tmp_path, b"one", "demo").note(5, [])
    assert Journal(tmp_path, b"other", "demo").sent == 0


def test_what_was_refused_is_remembered_with_its_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path, b"file", "demo")
    send([Row(1, None, "not JSON"), *rows(3)[1:]], Door(refusing_the_first).gateway(), journal)
    assert Journal(tmp_path, b"file", "demo").refused == ["line 1: not JSON", "line 2 (e1): data.lines: is required"]


def test_a_request_carries_at_most_a_hundred_events_and_four_megabytes() -> None:
    assert [len(batch) for batch in batches(rows(250))] == [100, 100, 50]
    large = [Row(n, "x" * 1_500_000) for n in range(3)]
    assert [len(batch) for batch in batches(large)] == [2, 1]
