# crm/bulk/loading.py
"""An import, slice by slice: each row becomes an event, is applied as any other, and is told of."""

import json
import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from crm.bulk import columns, files, reading, rows
from crm.bulk.columns import Told
from crm.bulk.files import UploadChanged
from crm.bulk.reading import CSV, SLICE_BYTES, Place
from crm.bulk.rows import ORDERS, Judged
from crm.customers import service as customers
from crm.customers.service import AttributeRule
from crm.intake import service as intake
from crm.intake.service import Outcome
from crm.kernel.errors import CrmError, Fault, InvalidInputs, Stale, without_words
from crm.kernel.operations import DONE, Operation

log = logging.getLogger(__name__)

APPLIED, WAITING, REFUSED = "applied", "waiting", "refused"
FAILED = Fault("", "FAILED", "could not be applied for now: import it again")
CHANGED = Fault("", "UPLOAD_CHANGED", "is not the file any more that the import was started with")
PLACE, ETAG, IGNORED, IMPORTED = "place", "etag", "ignored", "imported"
"""In an operation's state: where to go on, in which file, without which columns; whether all rows are done."""


def step(operation: Operation, what: str, *, patient: bool, now: datetime) -> None:
    """Do the next slice of rows. A row that cannot be taken in holds up no other.

    What may pass is raised while one is `patient`, so that the slice is done again; then the row is given up on.
    """
    state, asked = dict(operation.state), operation.arguments
    if IMPORTED in state:
        files.join(operation)
        operation.status = DONE
        return
    place = Place.of(state[PLACE])
    told = Told(operation.shop, asked["source"], asked["asOf"], _attributes(operation.shop, now))
    try:
        data = files.read(operation, place.offset, SLICE_BYTES, etag=state[ETAG])
        last = place.offset + len(data) >= int(operation.bytes_total)
        together = columns.TOGETHER if (what, asked["format"]) == (ORDERS, CSV) else ()
        found = reading.read(data, place, asked["format"], together=together, last=last)
        if place.header is None and found.place.header is not None:
            _check_header(found.place.header.columns, what)
            state[IGNORED] = columns.unknown(found.place.header.columns, told, orders=what == ORDERS)
    except UploadChanged:
        _give_up(operation, [CHANGED])
        return
    except InvalidInputs as refusal:
        _give_up(operation, refusal.faults)
        return
    lines = []
    for group in found.groups:
        judged = rows.judge(group, what, told)
        if judged is not None:
            outcome = _applied(judged, patient=patient, now=now)
            lines += list(_results(judged, outcome))
            _count(operation, judged, outcome)
    if lines:
        files.put_part(operation, "".join(f"{json.dumps(one)}\n" for one in lines))
    operation.bytes_done = int(operation.bytes_total) if found.done else found.place.offset
    operation.state = state | {PLACE: found.place.stored()} | ({IMPORTED: True} if found.done else {})


def _check_header(named: tuple[str, ...], what: str) -> None:
    faults = columns.header_faults(named, orders=what == ORDERS)
    if faults:
        raise InvalidInputs(faults)


def _give_up(operation: Operation, faults: list[Fault]) -> None:
    """What was done before is told all the same."""
    files.join(operation)
    operation.fail(faults)


def _attributes(shop: str, now: datetime) -> Mapping[str, AttributeRule]:
    """As they are now: people define them, and then import."""
    rules = customers.attribute_rules(customers.attribute_definitions_now(shop, now=now))
    return {key: rule for key, rule in rules.items() if not rule.retired}


def _applied(judged: Judged, *, patient: bool, now: datetime) -> Outcome | None:
    """Let the rows' event have its effect, as a replay: an import messages nobody. None where it is refused."""
    if judged.event is None:
        return None
    try:
        return intake.apply(intake.written(judged.event), now=now, replayed=True, imported=True)
    except Exception as error:
        if isinstance(error, CrmError) and not isinstance(error, Stale):
            judged.refuse(error.faults)
            return None
        if patient:
            raise
        # Its words may be the row's.
        log.error("row failed: %s", without_words(error), extra={"event_id": judged.event.get("id")})  # noqa: TRY400
        judged.refuse([FAILED])
        return None


def _results(judged: Judged, outcome: Outcome | None) -> Iterator[dict[str, Any]]:
    """One a row. The same for a row that is done again, whatever is left out of it of the first time."""
    for place, row in enumerate(judged.rows):
        told: dict[str, Any] = {"row": row.number}
        if judged.event is not None:
            told["eventId"] = judged.event["id"]
        if outcome is not None:
            told |= {"status": outcome.status, "effect": outcome.effect, "customerId": outcome.customer_id}
        else:
            faults = [
                {"path": fault.path, "code": fault.code, "message": fault.message}
                for fault in judged.faults.get(place, [])
            ]
            told |= {"status": REFUSED, "faults": faults}
        yield told


def _count(operation: Operation, judged: Judged, outcome: Outcome | None) -> None:
    count = len(judged.rows)
    operation.row_count += count
    match outcome:
        case None:
            operation.refused_count += count
        case Outcome(status="waiting"):
            operation.waiting_count += count
        case _:
            operation.applied_count += count
