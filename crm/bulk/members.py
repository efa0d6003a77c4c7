# crm/bulk/members.py
"""An import of a segment's members: each row names a customer, who is put into the segment, or taken out of it."""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from crm.bulk import slices
from crm.bulk.reading import Row
from crm.bulk.slices import APPLIED, REFUSED
from crm.customers import service as customers
from crm.kernel.actor import Actor
from crm.kernel.errors import CrmError, Fault, InvalidInputs, NotFound, Stale, without_words
from crm.kernel.operations import Operation
from crm.segmentation import service as segmentation
from crm.segmentation.service import Said

log = logging.getLogger(__name__)

CUSTOMER_ID, EXTERNAL_ID, SOURCE, EMAIL, PHONE = "customer_id", "external_id", "source", "email", "phone"
COLUMNS: Final = frozenset({CUSTOMER_ID, EXTERNAL_ID, SOURCE, EMAIL, PHONE})
IDENTIFYING: Final = (CUSTOMER_ID, EXTERNAL_ID, EMAIL, PHONE)
NOBODY: Final = Fault(CUSTOMER_ID, "REQUIRED", "one of customer_id, external_id, email and phone must be given")
UNKNOWN: Final = Fault("", "NOT_FOUND", "is no customer's")
FAILED: Final = Fault("", "FAILED", "could not be done for now: import it again")
REASONS: Final = {
    "NOT_FOUND": UNKNOWN,
    "CUSTOMER_DELETED": Fault("", "NOT_FOUND", "is a deleted customer's: restore them first"),
    Stale.code: FAILED,
}


class Named(Struct):
    """Whom a row names, or what is wrong with it."""

    row: Row
    customer_id: str | None = None
    fault: Fault | None = None


def step(operation: Operation, *, patient: bool, now: datetime) -> None:
    """Do the next slice of rows. A row that names nobody holds up no other.

    What may pass is raised while one is `patient`, so that the slice is done again; then its rows are given up on.
    """
    found = slices.take(operation, _ignored)
    if found is None:
        return
    named = [_named(operation, row) for group in found.groups for row in group.told]
    try:
        said = _say(operation, named, patient=patient, now=now)
    except NotFound as refusal:
        slices.give_up(operation, refusal.faults)
        return
    results = [_result(each, said) for each in named]
    operation.row_count += len(results)
    operation.applied_count += sum(each["status"] == APPLIED for each in results)
    operation.refused_count += sum(each["status"] == REFUSED for each in results)
    slices.tell(operation, found, results)


def _ignored(columns: Sequence[str]) -> list[str]:
    """Raises InvalidInputs where no column names anybody."""
    if not set(columns) & set(IDENTIFYING):
        raise InvalidInputs([NOBODY])
    return sorted({column for column in columns if column} - COLUMNS)


def _named(operation: Operation, row: Row) -> Named:
    if row.fault is not None:
        return Named(row, fault=row.fault)
    cells = {name: cell for name, cell in _cells(row) if name in COLUMNS}
    try:
        customer_id = _customer_id(operation, cells)
    except InvalidInputs as refusal:
        return Named(row, fault=refusal.faults[0])
    return Named(row, customer_id, None if customer_id else UNKNOWN)


def _cells(row: Row) -> Iterator[tuple[str, str]]:
    """Of a row of CSV, or of a line of JSON, which has the same names."""
    given = row.value if isinstance(row.value, dict) else row.cells
    return ((name, value) for name, value in given.items() if isinstance(value, str) and value)


def _customer_id(operation: Operation, cells: dict[str, str]) -> str | None:
    """By the first of the identifiers that is given. Raises InvalidInputs."""
    shop = operation.shop
    kind = next((name for name in IDENTIFYING if name in cells), None)
    match kind:
        case None:
            raise InvalidInputs([NOBODY])
        case "customer_id":
            return cells[CUSTOMER_ID]
        case "external_id":
            source = cells.get(SOURCE, operation.arguments["source"])
            return customers.find(shop, "external", cells[EXTERNAL_ID], source=source)
    return customers.find(shop, kind, cells[kind])


def _say(operation: Operation, named: Sequence[Named], *, patient: bool, now: datetime) -> dict[str, Said | Fault]:
    """What became of each customer. Raises NotFound where the segment is gone."""
    asked = operation.arguments
    say = segmentation.remove_members if asked["remove"] else segmentation.add_members
    said: dict[str, Said | Fault] = {}
    ids = list(dict.fromkeys(each.customer_id for each in named if each.customer_id is not None))
    for start in range(0, len(ids), segmentation.MOST_BY_HAND):
        some = ids[start : start + segmentation.MOST_BY_HAND]
        try:
            found = say(operation.shop, asked["segmentId"], some, actor=Actor.parse(operation.actor), now=now)
        except Exception as error:
            if patient or (isinstance(error, CrmError) and not isinstance(error, Stale)):
                raise
            # Its words may be a row's.
            log.error("members not set: %s", without_words(error), extra={"shop": operation.shop})  # noqa: TRY400
            said |= dict.fromkeys(some, FAILED)
            continue
        if patient and any(each.fault == Stale.code for each in found):
            raise Stale
        said |= {each.customer_id: each for each in found}
    return said


def _result(named: Named, said: dict[str, Said | Fault]) -> dict[str, Any]:
    told: dict[str, Any] = {"row": named.row.number}
    fault, changed = named.fault, False
    if named.customer_id is not None:
        outcome = said[named.customer_id]
        fault = outcome if isinstance(outcome, Fault) else REASONS.get(outcome.fault or "")
        changed = isinstance(outcome, Said) and outcome.changed
        told["customerId"] = named.customer_id
    if fault is not None:
        shown = {"path": fault.path, "code": fault.code, "message": fault.message}
        return told | {"status": REFUSED, "faults": [shown]}
    return told | {"status": APPLIED, "changed": changed}
