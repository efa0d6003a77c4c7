# tests/e2e/test_dispatcher.py
"""The dispatcher alone, on the emulator, with handlers that fail in every way a handler can."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local import resources
from infra.local.clients import client
from infra.local.dispatcher.worker import HOOK
from infra.local.emulator import Emulator
from infra.local.wiring import Wiring
from tests.local_system import eventually

TEMPLATE = Path(__file__).parent / "toy" / "template.yaml"
PATIENCE = 60
ROOT = Path(__file__).parents[2]


class Toy:
    """An emulator with the toy template's resources, and a dispatcher process that can be stopped and started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.emulator = Emulator(folder / "emulator")
        self.sightings: list[dict[str, Any]] = []
        self._dispatcher: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.emulator.start()
        self.wiring = Wiring.read(TEMPLATE, endpoint=self.emulator.endpoint)
        resources.create(self.wiring, self.emulator.endpoint)
        self.sqs = client("sqs", self.emulator.endpoint)
        self.s3 = client("s3", self.emulator.endpoint)
        self.dynamodb = client("dynamodb", self.emulator.endpoint)
        self.start_dispatcher()

    def start_dispatcher(self) -> None:
        options = ["--endpoint", self.emulator.endpoint, "--state", str(self.folder), "--template", str(TEMPLATE)]
        path, environment = self.folder / "dispatcher.log", {**os.environ, HOOK: "tests.e2e.toy.hooks:install"}
        with path.open("ab") as log:
            command = [sys.executable, "-m", "infra.local.dispatcher", *options]
            started_at = log.tell()
            self._dispatcher = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
            )
        eventually(lambda: b"dispatching" in path.read_bytes()[started_at:], "it dispatches", seconds=PATIENCE)

    def stop_dispatcher(self) -> None:
        assert self._dispatcher is not None
        self._dispatcher.terminate()
        assert self._dispatcher.wait(60) == 0

    def stop(self) -> None:
        self.stop_dispatcher()
        self.emulator.stop()

    def url(self, logical_id: str) -> str:
        return next(queue.url for queue in self.wiring.queues if queue.logical_id == logical_id)

    def send(self, do: str, identifier: str, **more: str) -> None:
        body = json.dumps({"detail": {"do": do, "id": identifier, **more}})
        self.sqs.send_message(QueueUrl=self.url("Work"), MessageBody=body)

    def put(self, *keys: str, kind: str = "Shown") -> None:
        for key in keys:
            self.dynamodb.put_item(TableName="toy", Item={"pk": {"S": key}, "kind": {"S": kind}})

    def receptions(self, identifier: str) -> list[int]:
        self._look()
        return [sighting["received"] for sighting in self.sightings if sighting.get("work") == identifier]

    def watched(self) -> list[str]:
        self._look()
        return [sighting["watch"] for sighting in self.sightings if "watch" in sighting]

    def ticks(self) -> int:
        self._look()
        return sum("tick" in sighting for sighting in self.sightings)

    def dead_letters(self) -> list[Any]:
        answer = self.sqs.receive_message(
            QueueUrl=self.url("WorkDeadLetters"), MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return [json.loads(message["Body"])["detail"]["id"] for message in answer.get("Messages", [])]

    def archived(self) -> list[dict[str, Any]]:
        keys = [entry["Key"] for entry in self.s3.list_objects_v2(Bucket="rapport-archive").get("Contents", [])]
        return [json.loads(self.s3.get_object(Bucket="rapport-archive", Key=key)["Body"].read()) for key in keys]

    def waiting(self, logical_id: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.sqs.get_queue_attributes(QueueUrl=self.url(logical_id), AttributeNames=names)
        return sum(int(count) for count in answer["Attributes"].values())

    def _look(self) -> None:
        while messages := self.sqs.receive_message(QueueUrl=self.url("Seen"), MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self.sightings.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.url("Seen"), ReceiptHandle=message["ReceiptHandle"])


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toy]:
    toy = Toy(tmp_path_factory.mktemp("toy"))
    toy.start()
    yield toy
    toy.stop()


def test_a_message_is_handled_once_and_gone(toy: Toy) -> None:
    toy.send("nothing", "plain")
    eventually(lambda: toy.receptions("plain") == [1], "handled once", seconds=PATIENCE)
    eventually(lambda: toy.waiting("Work") == 0, "deleted", seconds=PATIENCE)


def test_an_event_on_the_bus_reaches_the_queue_its_rule_names_or_the_rules_dead_letters(toy: Toy) -> None:
    events = client("events", toy.emulator.endpoint)
    told = (("toy", "by rule"), ("other", "by no rule"), ("closed", "by a rule the queue does not admit"))
    for source, identifier in told:
        detail = json.dumps({"do": "nothing", "id": identifier})
        events.put_events(
            Entries=[{"EventBusName": "toy-bus", "Source": source, "DetailType": "toy.told", "Detail": detail}]
        )
    eventually(lambda: toy.receptions("by rule") == [1], "delivered by its rule", seconds=PATIENCE)
    assert toy.waiting("Undelivered") == 1
    assert toy.receptions("by no rule") == toy.receptions("by a rule the queue does not admit") == []


def test_a_message_the_filter_does_not_want_is_dropped(toy: Toy) -> None:
    toy.sqs.send_message(QueueUrl=toy.url("Work"), MessageBody=json.dumps({"detail": {"id": "unwanted"}}))
    eventually(lambda: toy.waiting("Work") == 0, "dropped", seconds=PATIENCE)
    assert toy.receptions("unwanted") == []


@pytest.mark.parametrize("failure", ["fail once", "raise once", "die once", "sleep once"])
def test_a_failed_message_comes_again(toy: Toy, failure: str) -> None:
    toy.send(failure, failure)
    eventually(lambda: toy.receptions(failure) == [1, 2], "it came again", seconds=PATIENCE)
    eventually(lambda: toy.waiting("Work") == 0, "deleted", seconds=PATIENCE)


def test_a_message_that_always_fails_ends_in_the_dead_letter_queue_and_its_neighbours_do_not(toy: Toy) -> None:
    for n in range(5):
        toy.send("nothing", f"neighbour {n}")
    toy.send("fail", "hopeless")
    eventually(lambda: toy.dead_letters() == ["hopeless"], "dead-lettered", seconds=PATIENCE)
    assert toy.receptions("hopeless") == [1, 2, 3]
    assert [toy.receptions(f"neighbour {n}") for n in range(5)] == [[1]] * 5


def test_stream_records_come_in_order_and_only_those_the_filter_wants(toy: Toy) -> None:
    toy.put(*[f"ordered {n:02}" for n in range(25)])
    toy.put("hidden", kind="Hidden")
    eventually(
        lambda: len([key for key in toy.watched() if key.startswith("ordered")]) == 25,
        "25 records seen",
        seconds=PATIENCE,
    )
    assert [key for key in toy.watched() if key.startswith("ordered")] == [f"ordered {n:02}" for n in range(25)]
    assert "hidden" not in toy.watched()


def test_a_poison_record_is_bisected_out_and_archived_whole_while_the_others_pass(toy: Toy) -> None:
    toy.put("before", "poison", "after")
    eventually(lambda: {"before", "after"} <= set(toy.watched()), "its neighbours seen", seconds=PATIENCE)
    eventually(lambda: len(toy.archived()) == 1, "archived", seconds=PATIENCE)
    (archived,) = toy.archived()
    records = json.loads(archived["payload"])["Records"]
    assert [record["dynamodb"]["NewImage"]["pk"]["S"] for record in records] == ["poison"]
    assert archived["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert archived["requestContext"]["approximateInvokeCount"] == 3


def test_a_fault_test_can_hook_into_every_container(toy: Toy) -> None:
    log = (toy.folder / "dispatcher.log").read_text()
    assert {"WorkFunction", "WatchFunction", "TickFunction"} <= set(re.findall(r"hooked into (\w+)", log))


def test_schedules_fire(toy: Toy) -> None:
    before = toy.ticks()
    eventually(lambda: toy.ticks() > before, "a schedule fired", seconds=PATIENCE)


def test_what_was_written_while_the_dispatcher_was_away_is_seen_once_when_it_is_back(toy: Toy) -> None:
    toy.put("here")
    eventually(lambda: "here" in toy.watched(), "seen before the stop", seconds=PATIENCE)
    toy.stop_dispatcher()
    toy.put("away")
    toy.send("nothing", "left in the queue")
    toy.start_dispatcher()
    eventually(lambda: "away" in toy.watched(), "seen after the start", seconds=PATIENCE)
    eventually(lambda: toy.receptions("left in the queue") == [1], "received after the start", seconds=PATIENCE)
    assert toy.watched().count("here") == 1


def test_stopping_drains_the_stream_so_that_a_restarted_emulator_has_lost_nothing(toy: Toy) -> None:
    for n in range(20):
        toy.send("put", f"drained {n}", kind="Shown")
    toy.stop()
    toy.start()
    eventually(
        lambda: {f"drained {n}" for n in range(20)} <= set(toy.watched()),
        "all seen after the restart",
        seconds=PATIENCE,
    )
