# crm/kernel/operations.py
"""Long work one can watch: asked for, done step by step, each step told by a message to the last.

Key design (docs/access-patterns.md, AP-120, AP-121, AP-138):
    Operation  pk=SHOP#<shop>#OPERATION#<operation>   sk=OPERATION
               list_pk=SHOP#<shop>#OPERATIONS#<name>  list_sk=<created_at>#<operation>

An operation's id comes from its idempotency key, so that the item itself is the key's guard; that of one which an edit
makes necessary, in the edit's own transaction, is new. Each step is one revision: a task names the revision it goes on
from, so a task that comes twice, or late, does nothing twice. A step is committed before the next task is sent. Whoever
dies in between has not deleted its own task: delivered again, that finds the revision gone and sends the next task in
its place. A late task that was never delivered before is a spare one, and ends.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from math import ceil
from typing import Any, Protocol, Self

from msgspec import Struct
from pynamodb.attributes import JSONAttribute, ListAttribute, NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.exceptions import DoesNotExist

from crm.kernel import batch_reads, clock, correlation, ids
from crm.kernel.actor import Actor
from crm.kernel.aws import sqs_client
from crm.kernel.change import Change, retrying
from crm.kernel.errors import Fault, InvalidInputs, KeyReused, NotFound
from crm.kernel.settings import settings
from crm.kernel.table import Part, Published

AWAITING_UPLOAD, QUEUED, RUNNING = "awaiting_upload", "queued", "running"
DONE, FAILED, CANCELLED = "done", "failed", "cancelled"
GOING_ON = frozenset({QUEUED, RUNNING})
OVER = frozenset({DONE, FAILED, CANCELLED})
LONGEST_KEY = 100  # characters
LONGEST_DELAY = 900  # seconds that SQS keeps a message back
IN_CASE = 60
"""Seconds after which a task finds the operation, if its transaction was committed: no caller lives as long."""


class OperationFault(Part):
    """Why an operation failed as a whole."""

    path = UnicodeAttribute()
    code = UnicodeAttribute()
    message = UnicodeAttribute()


class Operation(Published, discriminator="Operation"):
    """`name` is what is done, `arguments` what was asked for; `state` is where it goes on, the doer's own.

    `parts` name, in their order, the objects that hold what the steps have brought so far. `waits_until`: its next step
    is not to be done before. What the steps have asked of the store is `request_count`, `read_units`, `write_units`.
    """

    shop = UnicodeAttribute()
    operation_id = UnicodeAttribute()
    name = UnicodeAttribute()
    status = UnicodeAttribute()
    actor = UnicodeAttribute()
    arguments = JSONAttribute(default=dict)
    arguments_hash = UnicodeAttribute()
    state = JSONAttribute(default=dict)
    created_at = UTCDateTimeAttribute()
    started_at = UTCDateTimeAttribute(null=True)
    finished_at = UTCDateTimeAttribute(null=True)
    bytes_total = NumberAttribute(null=True)
    bytes_done = NumberAttribute(default=0)
    row_count = NumberAttribute(default=0)
    row_total = NumberAttribute(null=True)
    applied_count = NumberAttribute(default=0)
    waiting_count = NumberAttribute(default=0)
    refused_count = NumberAttribute(default=0)
    waits_until = UTCDateTimeAttribute(null=True)
    request_count = NumberAttribute(default=0)
    read_units = NumberAttribute(default=0)
    write_units = NumberAttribute(default=0)
    parts = JSONAttribute(default=list)
    faults: ListAttribute[OperationFault] = ListAttribute(of=OperationFault, default=list)

    @classmethod
    def of(cls, shop: str, operation_id: str) -> Self:
        return cls(f"SHOP#{shop}#OPERATION#{operation_id}", "OPERATION", shop=shop, operation_id=operation_id)

    def fail(self, faults: list[Fault]) -> None:
        self.status = FAILED
        self.faults = [OperationFault(path=each.path, code=each.code, message=each.message) for each in faults]


class Step(Protocol):
    """Does an operation's next step, by changing it. While one is `patient`, what may pass is raised to come again."""

    def __call__(self, operation: Operation, *, patient: bool, now: datetime) -> None: ...


class Task(Struct, frozen=True):
    """That an operation is to go on from a revision."""

    shop: str
    operation_id: str
    rev: int

    def text(self) -> str:
        return json.dumps({"shop": self.shop, "operationId": self.operation_id, "rev": self.rev})

    @classmethod
    def parse(cls, text: str) -> Self:
        told = json.loads(text)
        return cls(told["shop"], told["operationId"], told["rev"])


def ask_for(
    shop: str,
    name: str,
    arguments: dict[str, Any],
    *,
    status: str,
    actor: Actor,
    idempotency_key: str,
    now: datetime,
) -> tuple[Operation, bool]:
    """Write down a new operation; True beside it where an earlier call with this key did. A key is the shop's for good.

    Raises InvalidInputs, and KeyReused where the key came with something else before.
    """
    if wrong := key_faults(idempotency_key):
        raise InvalidInputs(wrong)
    asked = Operation.of(shop, f"op_{_hash(idempotency_key)[:26]}")
    asked.name, asked.arguments, asked.arguments_hash = name, arguments, _hash([name, arguments])
    asked.status, asked.actor, asked.created_at = status, str(actor), now
    asked.list_pk, asked.list_sk = list_key(shop, name), f"{clock.text(now)}#{asked.operation_id}"

    def attempt() -> tuple[Operation, bool]:
        known = find(shop, asked.operation_id)
        if known is None:
            move(asked, "ask", now=now)
            return asked, False
        if known.arguments_hash != asked.arguments_hash:
            raise KeyReused("This key came with something else before.", field="idempotencyKey")
        return known, True

    return retrying(attempt)


def begin(
    change: Change, operation_id: str, shop: str, name: str, arguments: dict[str, Any], *, actor: Actor, now: datetime
) -> Operation:
    """Add to `change` an operation that what is changed makes necessary, of a new id (`new_id`).

    Its first task is to be sent twice: before the commit, late enough to find it there (`IN_CASE`), and right after.
    Whoever dies in between has left nothing undone; where the commit failed, the task finds nothing.
    """
    operation = Operation.of(shop, operation_id)
    operation.name, operation.arguments, operation.arguments_hash = name, arguments, _hash([name, arguments])
    operation.status, operation.actor, operation.created_at = QUEUED, str(actor), now
    operation.list_pk, operation.list_sk = list_key(shop, name), f"{clock.text(now)}#{operation_id}"
    change.revise(operation)
    operation.cause = f"operation:{operation_id}:ask:1"
    return operation


def new_id(now: datetime) -> str:
    return ids.new_id("op", now)


def key_faults(idempotency_key: str) -> list[Fault]:
    if 0 < len(idempotency_key) <= LONGEST_KEY:
        return []
    return [Fault("idempotencyKey", "INVALID", f"must have 1 to {LONGEST_KEY} characters")]


def find(shop: str, operation_id: str) -> Operation | None:
    """AP-120."""
    key = Operation.of(shop, operation_id)
    try:
        return Operation.get(key.pk, key.sk, consistent_read=True)
    except DoesNotExist:
        return None


def find_many(shop: str, operation_ids: Iterable[str]) -> dict[str, Operation]:
    """By id, in batch reads of the exact keys of AP-120 (AP-138)."""
    keys = [Operation.of(shop, operation_id) for operation_id in operation_ids]
    found = map(Operation.from_raw_data, batch_reads.read(settings().crm_table, [(key.pk, key.sk) for key in keys]))
    return {operation.operation_id: operation for operation in found}


def get(shop: str, operation_id: str) -> Operation:
    """Raises NotFound, also for the operation of another shop."""
    operation = find(shop, operation_id)
    if operation is None:
        raise NotFound("There is no such operation.", field="id")
    return operation


def list_newest(shop: str, name: str, *, before: str | None, limit: int) -> list[Operation]:
    """Operations of one name, newest first, from behind the sort key `before` (AP-121)."""
    older = Operation.list_sk < before if before else None
    page = Operation.listing.query(list_key(shop, name), older, scan_index_forward=False, limit=limit)
    return [operation for operation in page if isinstance(operation, Operation)]


def list_key(shop: str, name: str) -> str:
    return f"SHOP#{shop}#OPERATIONS#{name}"


def move(operation: Operation, effect: str, *, now: datetime) -> None:
    """Write an operation's next revision. Raises Stale where it has moved since it was read."""
    if operation.status in OVER:
        operation.finished_at = now
    operation.cause = f"operation:{operation.operation_id}:{effect}:{int(operation.rev) + 1}"
    change = Change(now)
    change.revise(operation)
    change.commit()


def cancel(shop: str, operation_id: str, *, now: datetime) -> Operation:
    """Let an operation do no further step; what it has done stays. One that is over is left so. Raises NotFound."""

    def attempt() -> Operation:
        operation = get(shop, operation_id)
        if operation.status not in OVER:
            operation.status = CANCELLED
            move(operation, "cancel", now=now)
        return operation

    return retrying(attempt)


def send_on(operation: Operation, *, seconds: int = 0) -> None:
    """Send the task that lets an operation go on from where it is, in so many seconds."""
    task = Task(operation.shop, operation.operation_id, int(operation.rev))
    sqs_client().send_message(
        QueueUrl=settings().require("operations_queue_url"),
        MessageBody=task.text(),
        MessageAttributes=correlation.attributes(),
        DelaySeconds=min(seconds, LONGEST_DELAY),
    )


def go_on(task: Task, step: Callable[[Operation], None], *, again: bool, now: datetime) -> Operation | None:
    """Do an operation's next step, once, and send the task for the one after; None where there is nothing to do, or not
    yet: then the task is sent again.

    `step` changes the operation it is given and may be run twice at once or one after another, of which one stands.
    `again`: the task was delivered before. Raises Stale where another task has done this step meanwhile: delivered
    again, this one makes sure that the next was sent.
    """
    operation = find(task.shop, task.operation_id)
    if operation is None or operation.status not in GOING_ON:
        return None
    if operation.rev != task.rev:
        if again:
            send_on(operation, seconds=_seconds_left(operation, now))
        return None
    if seconds := _seconds_left(operation, now):
        send_on(operation, seconds=seconds)
        return None
    operation.status, operation.started_at = RUNNING, operation.started_at or now
    step(operation)
    move(operation, "step", now=now)
    if operation.status in GOING_ON:
        send_on(operation, seconds=_seconds_left(operation, now))
    return operation


def _seconds_left(operation: Operation, now: datetime) -> int:
    return 0 if operation.waits_until is None else max(0, ceil((operation.waits_until - now).total_seconds()))


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
