# tests/faults/killing.py
"""Inside a worker: SIGKILL before and after its writes, fired from botocore's hooks, and what else a run asks of it.

The dispatcher calls `begin` in each container before its handler is imported (CRM_WORKER_HOOK). The plan and the kills
are files in a folder, so that they outlive the process: a kill is claimed by making its file.
"""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import botocore.handlers

from infra.local.dispatcher import worker
from infra.local.dispatcher.worker import HOOK, HOOK_ARGUMENT

BEFORE, AFTER = "before", "after"
WRITES: Final = {
    "IngestFunction": (
        "dynamodb.TransactWriteItems",
        "dynamodb.PutItem",  # what became of a poison event
        "s3.PutObject",
        "sqs.SendMessage",
    ),
    "PublishChangesFunction": ("events.PutEvents",),
    "RollUpFunction": ("dynamodb.TransactWriteItems",),
    "RefreshMembershipsFunction": ("dynamodb.TransactWriteItems",),
    "PostPointsFunction": ("dynamodb.TransactWriteItems",),
    "PlanMessagesFunction": ("dynamodb.TransactWriteItems",),
    "DeliverMessageFunction": ("dynamodb.TransactWriteItems", "sesv2.SendEmail"),
    "RunOperationFunction": (
        "dynamodb.TransactWriteItems",
        "s3.PutObject",
        "s3.CreateMultipartUpload",
        "s3.UploadPart",
        "s3.CompleteMultipartUpload",
        "sqs.SendMessage",
    ),
    "JoinVisitorFunction": ("dynamodb.TransactWriteItems",),
    "FireDueFunction": ("dynamodb.PutItem", "dynamodb.DeleteItem", "events.PutEvents"),
}
OFTEN: Final = "dynamodb.TransactWriteItems"


@dataclass(frozen=True)
class Point:
    """Where a worker may be killed: around one kind of write of one function."""

    function: str
    operation: str
    when: str

    def __str__(self) -> str:
        return f"{self.function} {self.operation} {self.when}"


POINTS: Final = tuple(
    Point(function, operation, when)
    for function, operations in WRITES.items()
    for operation in operations
    for when in (BEFORE, AFTER)
)


@dataclass
class Plan:
    """`tickets`: how often to kill at each point. `spacing`: seconds between kills of one function.

    A batch is killed only while none of its messages has been received more often than `most_receives`, and none of its
    records been killed as often as `most_kills`: below any maxReceiveCount and any MaximumRetryAttempts.
    """

    tickets: dict[str, int] = field(default_factory=dict)
    spacing: float = 2.0
    most_receives: int = 2
    most_kills: int = 3
    sabotage: str = ""
    known_types: list[str] = field(default_factory=list)
    """Types of orders' events that have become known: a deployment that fixes what was poison."""

    @classmethod
    def of(cls, *, often: int, seldom: int, spacing: float) -> "Plan":
        return cls({str(point): often if point.operation == OFTEN else seldom for point in POINTS}, spacing)

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "plan.json").write_text(json.dumps(asdict(self)))


@dataclass(frozen=True)
class Kills:
    """What happened in a folder."""

    by_point: dict[str, int]
    by_record: dict[str, int]
    mails: dict[str, int]
    """How often each customer was sent something, as the provider saw it."""

    @classmethod
    def read(cls, folder: Path) -> "Kills":
        by_point: dict[str, int] = {str(point): 0 for point in POINTS}
        by_record: dict[str, int] = {}
        for path in folder.glob("kill-*.json"):
            kill = json.loads(path.read_text())
            by_point[kill["point"]] += 1
            for record in kill["records"]:
                name = f"{kill['function']} {record}"
                by_record[name] = by_record.get(name, 0) + 1
        mails: dict[str, int] = {}
        for path in folder.glob("mail-*"):
            customer = path.read_text()
            mails[customer] = mails.get(customer, 0) + 1
        return cls(by_point, by_record, mails)

    @property
    def count(self) -> int:
        return sum(self.by_point.values())


def variables(folder: Path) -> dict[str, str]:
    """What the dispatcher's environment needs for its workers to be hooked."""
    return {HOOK: "tests.faults.killing:begin", HOOK_ARGUMENT: str(folder)}


def begin(function: str) -> None:
    folder = Path(os.environ[HOOK_ARGUMENT])
    plan = Plan(**json.loads((folder / "plan.json").read_text()))
    killer = Killer(function, plan, folder)
    botocore.handlers.BUILTIN_HANDLERS.extend([
        ("before-call.*.*", killer.before),
        ("after-call.*.*", killer.after),
        ("before-parameter-build.sesv2.SendEmail", killer.addressed),
    ])  # fmt: skip
    answer = worker._answer

    def noting(handler: Any, request: Any, environment: Any) -> bytes:
        killer.request = request
        return answer(handler, request, environment)

    worker._answer = noting
    if plan.known_types:
        _learn(plan.known_types)
    if function == "RunOperationFunction":
        _take_small_steps()
    if plan.sabotage:
        from tests.faults import sabotage  # it imports the code it breaks

        sabotage.in_worker(plan.sabotage)


class Killer:
    def __init__(self, function: str, plan: Plan, folder: Path) -> None:
        self.request: Any = {}
        self._function = function
        self._plan = plan
        self._folder = folder
        self._addressee = ""

    def before(self, model: Any, **_: Any) -> None:
        self._at(BEFORE, model)

    def after(self, model: Any, http_response: Any, **_: Any) -> None:
        if http_response.status_code >= 300:
            return
        if model.name == "SendEmail":
            (self._folder / f"mail-{os.getpid()}-{time.monotonic_ns()}").write_text(self._addressee)
        self._at(AFTER, model)

    def addressed(self, params: dict[str, Any], **_: Any) -> None:
        self._addressee = next(tag["Value"] for tag in params["EmailTags"] if tag["Name"] == "customer")

    def _at(self, when: str, model: Any) -> None:
        point = Point(self._function, f"{model.service_model.service_name}.{model.name}", when)
        records = self.request.get("event", {}).get("Records", [])
        names = [_name(record) for record in records]
        if self._plan.tickets.get(str(point), 0) and self._young(records) and self._may_kill(point, names):
            self._kill(point, names)

    def _young(self, records: Iterable[dict[str, Any]]) -> bool:
        counts = [int(record.get("attributes", {}).get("ApproximateReceiveCount", 1)) for record in records]
        return all(count <= self._plan.most_receives for count in counts)

    def _may_kill(self, point: Point, names: list[str]) -> bool:
        """Nothing keeps apart the first kill at a point: some are passed once in a run."""
        kills = list(self._folder.glob(f"kill-{self._function}-*.json"))
        is_first = not any(self._folder.glob(f"kill-{self._function}-{point.operation}-{point.when}-*.json"))
        newest = max((path.stat().st_mtime for path in kills), default=0.0)
        if not is_first and time.time() - newest < self._plan.spacing:
            return False
        killed = Counter(record for path in kills for record in json.loads(path.read_text())["records"])
        return all(killed[name] < self._plan.most_kills for name in names)

    def _kill(self, point: Point, records: list[str]) -> None:
        """Claim one of the point's tickets, and die."""
        for number in range(self._plan.tickets[str(point)]):
            name = f"kill-{self._function}-{point.operation}-{point.when}-{number}.json"
            try:
                claim = (self._folder / f"{name}.new").open("x")
            except FileExistsError:
                continue
            with claim:
                json.dump({"point": str(point), "function": self._function, "records": records}, claim)
            os.link(claim.name, self._folder / name)  # whole, for those who read it meanwhile
            os.kill(os.getpid(), signal.SIGKILL)


def _name(record: dict[str, Any]) -> str:
    return str(record.get("messageId") or record["dynamodb"]["SequenceNumber"])


def _take_small_steps() -> None:
    """Five rows each; and a result that is sent in pieces of two steps."""
    from crm.bulk import files, reading

    reading.SLICE_ROWS = 5  # type: ignore[misc]
    files.MOST_PARTS, files.LEAST_BYTES = 2, 1  # type: ignore[misc]


def _learn(types: list[str]) -> None:
    from crm.intake.event_types import EVENT_TYPES, EventType, OrderData

    for name in types:
        EVENT_TYPES[name] = EventType(name, OrderData, "An order from an older system.")
