# infra/local/demo.py
"""Loads the demo shop: `--first-start` (the first 200 customers, then a few live events) or `--all` (the rest).

History goes to the intake queue as the operator, flagged as replay, so that it messages no one: no outside door may
claim that flag. Safe to repeat and to interrupt: events have their ids from the log, and the state folder remembers how
far it got and by how many days the log was shifted.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from infra.local import purchases
from infra.local.clients import client
from infra.local.instance import DEMO_SHOP, INTERRUPTED, Instance, NotRunning
from infra.local.live import live_events
from infra.local.locks import AlreadyRunning, hold
from infra.local.senders import Gateway, Unreachable
from infra.local.wiring import Wiring

FIRST_CUSTOMERS = 200

_MOST_WAITING = 60
"""Messages that may wait in the intake queue: what a person posts meanwhile stands behind these."""
_LOOK_AGAIN_SECONDS = 0.2
_REPLAY = {"replay": {"DataType": "String", "StringValue": "true"}}


class Memory:
    """What has been loaded into this instance, and the shift it started with."""

    def __init__(self, path: Path, now: datetime) -> None:
        self._path = path
        today = now.astimezone(purchases.ZONE).date()
        state: dict[str, Any] = {
            "customers": 0,
            "shift": purchases.days_since(today),
            "since": now.isoformat(),
            "live": False,
        }
        if path.exists():
            state |= json.loads(path.read_text())
        self.customers = int(state["customers"])
        self.shift = int(state["shift"])
        self.since = datetime.fromisoformat(str(state["since"]))
        self.live = bool(state["live"])
        self.save()

    def save(self) -> None:
        state: dict[str, Any] = {
            "customers": self.customers,
            "shift": self.shift,
            "since": self.since.isoformat(),
            "live": self.live,
        }
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(state))
        new.replace(self._path)


class IntakeQueue:
    def __init__(self, url: str, endpoint: str) -> None:
        self._url = url
        self._sqs = client("sqs", endpoint)

    def send(self, events: Sequence[dict[str, Any]]) -> None:
        for start in range(0, len(events), 10):
            entries = [
                {"Id": str(n), "MessageBody": json.dumps(event), "MessageAttributes": _REPLAY}
                for n, event in enumerate(events[start : start + 10])
            ]
            answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
            if answer.get("Failed"):
                raise RuntimeError(f"the intake queue refused {answer['Failed']}")

    def wait_until_at_most(self, messages: int) -> None:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        while True:
            attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=names)["Attributes"]
            if sum(int(attributes[name]) for name in names) <= messages:
                return
            time.sleep(_LOOK_AGAIN_SECONDS)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.local.demo", description=__doc__)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--first-start", action="store_true", help="the first 200 customers, then a few live events")
    which.add_argument("--all", action="store_true", help="every customer")
    options = parser.parse_args(arguments)
    try:
        instance = Instance.running()
    except NotRunning as error:
        print(error, file=sys.stderr)
        return 1
    try:
        with hold(instance.folder / "demo.lock", otherwise="The demo is being loaded already."):
            return _load_into(instance, first_start=options.first_start)
    except (AlreadyRunning, Unreachable) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted: the same command goes on from here.", file=sys.stderr)
        return INTERRUPTED


def _load_into(instance: Instance, *, first_start: bool) -> int:
    memory = Memory(instance.folder / "demo.json", datetime.now(UTC))
    wiring = Wiring.read(endpoint=instance.endpoint)
    url = next(queue.url for queue in wiring.queues if queue.logical_id == "IntakeQueue")
    customers = purchases.by_customer(purchases.read())
    if first_start:
        customers = customers[:FIRST_CUSTOMERS]
    load(customers, IntakeQueue(url, instance.endpoint), memory)
    if not first_start or memory.live:
        return 0
    refused = Gateway(instance.url, DEMO_SHOP).post(list(live_events(DEMO_SHOP, now=memory.since)))
    for one in refused:
        print(f"{one.id}: {'; '.join(one.reasons)}", file=sys.stderr)
    memory.live = not refused
    memory.save()
    return 1 if refused else 0


def load(customers: Sequence[Sequence[purchases.Purchase]], queue: IntakeQueue, memory: Memory) -> None:
    with _bar() as progress:
        task = progress.add_task("customers", total=len(customers), completed=min(memory.customers, len(customers)))
        for number, some in _remaining(customers, memory.customers):
            queue.wait_until_at_most(_MOST_WAITING)
            queue.send(list(purchases.events(some, shop=DEMO_SHOP, shift=memory.shift, now=memory.since)))
            memory.customers = number
            memory.save()
            progress.update(task, completed=number)
        queue.wait_until_at_most(0)


def _remaining(
    customers: Sequence[Sequence[purchases.Purchase]], done: int
) -> Iterator[tuple[int, Sequence[purchases.Purchase]]]:
    yield from list(enumerate(customers, start=1))[done:]


def _bar() -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())


if __name__ == "__main__":
    sys.exit(main())
