# tests/faults/storming.py
"""A shop in the real processes, of which those are started that a storm is about; what storms have in common."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from boto3.dynamodb.types import TypeDeserializer

from infra.local.template import TEMPLATE
from tests.faults import stored
from tests.faults.killing import OFTEN, POINTS, Plan, Point, variables
from tests.local_system import ROOT, LocalSystem, eventually

Event = dict[str, Any]
STEP_SECONDS, PATIENCE_SECONDS = 15, 900
OTHERS_WRITES: Final = ("dynamodb.PutItem", "s3.")


class Storm:
    """`without`: rules of the bus that are off. `owner`: whose timers are waited for."""

    def __init__(
        self, folder: Path, shop: str, plan: Plan, *, zone: str, currency: str, owner: str, without: Sequence[str]
    ) -> None:
        self.shop, self._zone, self._currency, self._owner = shop, zone, currency, owner
        self.kills_folder = folder / "kills"
        plan.save(self.kills_folder)
        template = _template(folder, without)
        self.system = LocalSystem(folder, template=template, variables=variables(self.kills_folder))

    def start(self) -> None:
        self._began = time.monotonic()
        self.system.start()
        self.system.found_shop(self.shop, zone=self._zone, currency=self._currency)

    def send(self, events: Sequence[Event]) -> None:
        """Into the queue of the intake; return once half of them are taken in."""
        url = self.system.url("IntakeQueue")
        for start in range(0, len(events), 10):
            batch = events[start : start + 10]
            entries = [{"Id": str(place), "MessageBody": json.dumps(event)} for place, event in enumerate(batch)]
            assert not self.system.sqs.send_message_batch(QueueUrl=url, Entries=entries).get("Failed")
        eventually(
            lambda: self.system.waiting(url) <= len(events) // 2, "half are taken in", seconds=PATIENCE_SECONDS
        )  # fmt: skip

    def run(self, module: str, *arguments: str) -> str:
        """A module in a process of its own; what it printed."""
        command = [sys.executable, "-m", module, self.shop, *arguments]
        done = subprocess.run(
            command, env=self.system.environment, cwd=ROOT, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def let_time_pass(self, time: timedelta) -> None:
        """And until nothing is due any more."""
        self.system.move_clock(time.total_seconds())

        def over() -> bool:
            if self.system.settled() and not self._is_due():
                return True
            self.system.move_clock(STEP_SECONDS)
            return False

        eventually(over, "no timer is due", seconds=PATIENCE_SECONDS)
        self.rest()

    def rest(self) -> None:
        eventually(self.system.settled, "queues are empty and streams are read", seconds=PATIENCE_SECONDS)

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.system.clock_offset())

    def items(self) -> Iterator[dict[str, Any]]:
        for item in stored.scan(self.system.dynamodb, self.system.table("CrmTable")):
            if item["pk"].startswith(f"SHOP#{self.shop}#"):
                yield item

    def listed(self, key: str) -> Iterator[dict[str, Any]]:
        """What a list holds; to scan for it would take longer than all the rest."""
        pages = self.system.dynamodb.get_paginator("query").paginate(
            TableName=self.system.table("CrmTable"),
            IndexName="listing",
            KeyConditionExpression="list_pk = :key",
            ExpressionAttributeValues={":key": {"S": key}},
        )
        plain = TypeDeserializer()
        for page in pages:
            yield from ({name: plain.deserialize(value) for name, value in item.items()} for item in page["Items"])

    def tell(self, what: str) -> None:
        print(f"{time.monotonic() - self._began:4.0f} s  {what}", flush=True)

    def _is_due(self) -> bool:
        now = self.now()
        timers = (timer for shard in range(4) for timer in self.listed(f"TIMERS#{shard}"))
        return any(timer["owner"] == self._owner and instant(timer["due_at"]) <= now for timer in timers)


def points_of(functions: Sequence[str]) -> list[Point]:
    """Where workers of these are killed. What ingest writes of poison, and operations to files, is other figures'."""
    return [point for point in POINTS if point.function in functions and not _is_others(point)]


def plan_of(points: Sequence[Point], *, often: int, seldom: int, sabotage: str) -> Plan:
    if sabotage:
        often = seldom = 1
    tickets = {str(point): often if point.operation == OFTEN else seldom for point in points}
    return Plan(tickets, spacing=0.5, sabotage=sabotage)


def instant(said: str) -> datetime:
    """As PynamoDB writes it, or as events have it."""
    return datetime.fromisoformat(said.replace("Z", "+00:00").replace("+0000", "+00:00"))


def _is_others(point: Point) -> bool:
    if point.function not in {"IngestFunction", "RunOperationFunction"}:
        return False
    ingests_dead_letters = point.function == "IngestFunction" and point.operation == "sqs.SendMessage"
    return point.operation.startswith(OTHERS_WRITES) or ingests_dead_letters


def _template(folder: Path, without: Sequence[str]) -> Path:
    """As it is, without these rules and without KPIs."""
    said = TEMPLATE.read_text()
    for rule in without:
        begins = f"  {rule}:\n    Type: AWS::Events::Rule\n    Properties:\n"
        assert begins in said, rule
        said = said.replace(begins, f"{begins}      State: DISABLED\n")
    before, function, rest = said.partition("  RollUpFunction:\n")
    said = (
        before + function + rest.replace("            Stream: ", "            Enabled: false\n            Stream: ", 1)
    )
    path = folder / "template.yaml"
    path.write_text(said)
    return path
