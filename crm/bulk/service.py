# crm/bulk/service.py
"""Imports and exports, as operations, and the steps of all operations there are: the only door into this area."""

from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct

from crm.bulk import exporting, files, loading, members
from crm.bulk.reading import CSV, JSONL, Place
from crm.bulk.rows import CUSTOMERS, ORDERS
from crm.bulk.slices import ETAG, IGNORED, PLACE
from crm.customers.identifiers import SOURCE
from crm.kernel import clock, operations
from crm.kernel.actor import Actor
from crm.kernel.change import retrying
from crm.kernel.errors import Fault, InvalidInputs, NotFound
from crm.kernel.operations import (
    AWAITING_UPLOAD,
    CANCELLED,
    DONE,
    FAILED,
    GOING_ON,
    QUEUED,
    RUNNING,
    Operation,
    OperationFault,
    Task,
)
from crm.loyalty import walks as loyalty
from crm.segmentation import service as segmentation

__all__ = [
    "AWAITING_UPLOAD", "CANCELLED", "CSV", "DONE", "EXPORTS", "FAILED", "IMPORTS", "JSONL", "MEMBERS_IMPORT",
    "MOST_BYTES", "QUEUED", "RUNNING", "ImportAsked", "Operation", "OperationFault", "cancel", "export", "find_many",
    "ignored_columns", "import_from", "import_members", "list_newest", "result_url", "run", "start", "upload_url",
]  # fmt: skip

IMPORTS: Final = {"customers_import": CUSTOMERS, "orders_import": ORDERS}
EXPORTS: Final = {"customers_export": CUSTOMERS, "orders_export": ORDERS}
MEMBERS_IMPORT: Final = "segment_members_import"
MOST_BYTES: Final = 50_000_000
PATIENCE: Final = 3
"""At which delivery of a task a row, or a customer, that cannot be dealt with is given up on."""
NO_SOURCE: Final = Fault(
    "source", "INVALID", "must be 1 to 40 lower-case letters, digits, dots, hyphens and underscores"
)
LATEST, EARLIEST = timedelta(minutes=10), datetime(1970, 1, 1, tzinfo=UTC)

find_many = operations.find_many
list_newest = operations.list_newest
upload_url = files.upload_url
result_url = files.result_url


class ImportAsked(Struct, frozen=True):
    """`source` is the system the file comes from, whose ids its external ids are; `as_of` when what it says was true,
    where a row does not say.
    """

    source: str
    format: str
    as_of: datetime


def import_from(
    shop: str, name: str, asked: ImportAsked, *, actor: Actor, idempotency_key: str, now: datetime
) -> tuple[Operation, bool]:
    """A new import that awaits its file; True beside it where an earlier call with this key asked for it.

    Raises InvalidInputs, KeyReused.
    """
    wrong = []
    if not SOURCE.fullmatch(asked.source):
        wrong.append(NO_SOURCE)
    if asked.as_of > now + LATEST:
        wrong.append(Fault("asOf", "FROM_THE_FUTURE", "lies more than 10 minutes in the future"))
    if asked.as_of < EARLIEST:
        wrong.append(Fault("asOf", "INVALID", "lies before 1970"))
    wrong += operations.key_faults(idempotency_key)
    if wrong:
        raise InvalidInputs(wrong)
    arguments = {"source": asked.source, "format": asked.format, "asOf": clock.text(asked.as_of)}
    return operations.ask_for(
        shop, name, arguments, status=AWAITING_UPLOAD, actor=actor, idempotency_key=idempotency_key, now=now
    )


def import_members(
    shop: str,
    segment_id: str,
    *,
    source: str,
    form: str,
    remove: bool,
    actor: Actor,
    idempotency_key: str,
    now: datetime,
) -> tuple[Operation, bool]:
    """A new import that awaits its file, whose rows name customers that are put into a segment, or taken out of it
    (`remove`); True beside it where an earlier call with this key asked for it. `source` is the system whose ids
    external ids are, where a row does not say.

    Raises InvalidInputs, KeyReused, and NotFound for the segment.
    """
    segmentation.get(shop, segment_id)
    wrong = [] if SOURCE.fullmatch(source) else [NO_SOURCE]
    wrong += operations.key_faults(idempotency_key)
    if wrong:
        raise InvalidInputs(wrong)
    arguments = {"segmentId": segment_id, "source": source, "format": form, "remove": remove}
    return operations.ask_for(
        shop, MEMBERS_IMPORT, arguments, status=AWAITING_UPLOAD, actor=actor, idempotency_key=idempotency_key, now=now
    )


def start(shop: str, operation_id: str, *, now: datetime) -> Operation:
    """Let an import begin with the file that is there now. One that has begun is sent on from where it is; one that is
    over is left so. Raises NotFound, and InvalidInputs where no file is there, or none that can be imported, or the
    import was cancelled.
    """

    def attempt() -> Operation:
        operation = operations.get(shop, operation_id)
        if operation.name not in {*IMPORTS, MEMBERS_IMPORT}:
            raise NotFound("There is no such import.", field="id")
        if operation.status == CANCELLED:
            raise InvalidInputs([Fault("id", "CANCELLED", "was cancelled: ask for a new import")])
        if operation.status == AWAITING_UPLOAD:
            upload = files.uploaded(operation)
            if upload is None or upload.size == 0:
                raise InvalidInputs([Fault("id", "UPLOAD_MISSING", "has no file yet: PUT it to the upload address")])
            if upload.size > MOST_BYTES:
                raise InvalidInputs([Fault("id", "TOO_LARGE", f"has a file of more than {MOST_BYTES:,} bytes")])
            operation.status, operation.bytes_total = QUEUED, upload.size
            operation.state = {ETAG: upload.etag, PLACE: Place().stored()}
            operations.move(operation, "start", now=now)
        if operation.status in GOING_ON:
            operations.send_on(operation)
        return operation

    return retrying(attempt)


def cancel(shop: str, operation_id: str, *, now: datetime) -> Operation:
    """Let an operation do no further step; what it has done stays, and is told. One that is over is left so; one that
    was cancelled without its result's being made has it made. Raises NotFound.
    """
    operation = operations.cancel(shop, operation_id, now=now)
    if operation.status == CANCELLED and operation.name in IMPORTS | EXPORTS:
        files.join(operation)
    return operation


def export(
    shop: str, name: str, form: str = JSONL, *, actor: Actor, idempotency_key: str, now: datetime
) -> tuple[Operation, bool]:
    """A new export, on its way; True beside it where an earlier call with this key asked for it: it is sent on from
    where it is. Raises InvalidInputs, KeyReused.
    """
    operation, replayed = operations.ask_for(
        shop, name, {"format": form}, status=QUEUED, actor=actor, idempotency_key=idempotency_key, now=now
    )
    if operation.status in GOING_ON:
        operations.send_on(operation)
    return operation, replayed


def run(task: str, *, delivery: int, now: datetime) -> Operation | None:
    """Do what a task of the queue says, which is delivered for the nth time: one step of an operation. None where there
    is nothing to do. Raises Stale, and what stores raise: to be delivered again.
    """

    def step(operation: Operation) -> None:
        patient = delivery < PATIENCE
        if of_others := segmentation.STEPS.get(operation.name) or loyalty.STEPS.get(operation.name):
            of_others(operation, patient=patient, now=now)
        elif files.is_full(operation):
            files.gather(operation)
        elif operation.name in IMPORTS:
            loading.step(operation, IMPORTS[operation.name], patient=patient, now=now)
        elif operation.name == MEMBERS_IMPORT:
            members.step(operation, patient=patient, now=now)
        else:
            exporting.step(operation, EXPORTS[operation.name], now=now)

    return operations.go_on(Task.parse(task), step, again=delivery > 1, now=now)


def ignored_columns(operation: Operation) -> list[str]:
    """The columns of an import's CSV from which nothing is read."""
    return [str(column) for column in operation.state.get(IGNORED, ())]
