# crm/bulk/loading.py
"""An import, slice by slice: each row becomes an event, is applied as any other, and is told of."""

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from crm.bulk import columns, rows, slices
from crm.bulk.columns import Told
from crm.bulk.reading import CSV
from crm.bulk.rows import ORDERS, Judged
from crm.bulk.slices import REFUSED
from crm.customers import service as customers
from crm.customers.service import AttributeRule
from crm.intake import service as intake
from crm.intake.service import Outcome
from crm.kernel.errors import CrmError, Fault, InvalidInputs, Stale, without_words
from crm.kernel.operations import Operation

log = logging.getLogger(__name__)

FAILED = Fault("", "FAILED", "could not be applied for now: import it again")


def step(operation: Operation, what: str, *, patient: bool, now: datetime) -> None:
    """Do the next slice of rows. A row that cannot be taken in holds up no other.

    What may pass is raised while one is `patient`, so that the slice is done again; then the row is given up on.
    """
    asked = operation.arguments
    told = cache(lambda: Told(operation.shop, asked["source"], asked["asOf"], _attributes(operation.shop, now)))
    together = columns.TOGETHER if (what, asked["format"]) == (ORDERS, CSV) else ()
    found = slices.take(operation, lambda named: _ignored(named, told(), what), together=together)
    if found is None:
        return
    results: list[dict[str, Any]] = []
    for group in found.groups:
        judged = rows.judge(group, what, told())
        if judged is not None:
            outcome = _applied(judged, patient=patient, now=now)
            results += _results(judged, outcome)
            _count(operation, judged, outcome)
    slices.tell(operation, found, results)


def _ignored(named: tuple[str, ...], told: Told, what: str) -> list[str]:
    """Raises InvalidInputs where the columns will not do."""
    faults = columns.header_faults(named, orders=what == ORDERS)
    if faults:
        raise InvalidInputs(faults)
    return columns.unknown(named, told, orders=what == ORDERS)


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
