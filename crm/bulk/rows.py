# crm/bulk/rows.py
"""From a group of rows to the event it makes, or to everything that is wrong with it, row by row. Pure."""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct, field

from crm.bulk import columns
from crm.bulk.columns import Draft, Told
from crm.bulk.reading import Group, Row
from crm.kernel.errors import Fault, KeyReused

CUSTOMERS, ORDERS = "customers", "orders"
TYPES: Final = {
    CUSTOMERS: ("customer.updated", "consent.updated"),
    ORDERS: (
        "order.updated", "order.placed", "order.paid", "order.fulfilled", "order.delivered", "order.cancelled",
        "refund.created",
    ),
}  # fmt: skip
"""What a line of JSON may be; the first is meant where it does not say."""

NEIGHBOUR = Fault("", "INVALID", "is a row of an order that another row of it is refused for")
ANOTHER = "came with other content before: give what has changed a new version, and keep an order's rows together"


class Judged(Struct):
    """An event, or None where its rows make none; `faults` of each of its rows, by their place."""

    rows: Sequence[Row]
    event: dict[str, Any] | None = None
    draft: Draft | None = None
    faults: dict[int, list[Fault]] = field(default_factory=dict)

    def refuse(self, faults: Sequence[Fault]) -> None:
        """Take on what is wrong with the event. What is no one row's is the first one's."""
        for fault in faults:
            told = Fault("id", fault.code, ANOTHER) if fault.code == KeyReused.code and self.draft else fault
            place, shown = self.draft.placed(told) if self.draft else (0, told)
            self.faults.setdefault(place or 0, []).append(shown)
        self._spread()

    def blame(self, place: int, fault: Fault) -> None:
        self.faults.setdefault(place, []).append(fault)

    def _spread(self) -> None:
        """Rows of a refused order are refused together."""
        for place in range(len(self.rows)):
            self.faults.setdefault(place, [NEIGHBOUR])


def judge(group: Group, what: str, told: Told) -> Judged | None:
    """None for rows that say nothing. What a schema says of an event is found out where it is applied."""
    rows = group.told
    if not rows:
        return None
    judged = Judged(rows)
    for place, row in enumerate(rows):
        if row.fault is not None:
            judged.blame(place, row.fault)
        elif group.fault is not None:
            judged.blame(place, group.fault)
    if not judged.faults:
        if rows[0].value is not None:
            _of_json(judged, rows[0].value, what, told)
        elif what == ORDERS:
            _of_order(judged, told)
        else:
            _of_customer(judged, told)
    if judged.faults:
        judged.event = None
        judged.refuse([])
    return judged


def _of_customer(judged: Judged, told: Told) -> None:
    cells = judged.rows[0].cells
    if not any(column in cells for column in columns.IDENTIFYING):
        judged.blame(0, _unidentified())
    for fault in columns.customer_faults(cells, told):
        judged.blame(0, fault)
    judged.draft = columns.customer(cells, told)
    judged.event = judged.draft.event


def _of_order(judged: Judged, told: Told) -> None:
    cells = [row.cells for row in judged.rows]
    refund = columns.REFUND_ID in cells[0]
    if not refund and not any(column in cells[0] for column in columns.IDENTIFYING):
        judged.blame(0, _unidentified())
    if "order_id" not in cells[0]:
        judged.blame(0, Fault("order_id", "REQUIRED", "is required"))
    for place, fault in columns.contradictions(cells):
        judged.blame(place, fault)
    judged.draft = columns.refund(cells, told) if refund else columns.order(cells, told)
    judged.event = judged.draft.event


def _of_json(judged: Judged, given: dict[str, Any], what: str, told: Told) -> None:
    """A line is an event; what it leaves out of the envelope is as the import says. Its own id is kept."""
    if given.get("shop", told.shop) != told.shop:
        judged.blame(0, Fault("shop", "FORBIDDEN", "is not the shop that this is imported into: leave it out"))
    kind = given.get("type", TYPES[what][0])
    if kind not in TYPES[what]:
        judged.blame(0, Fault("type", "FORBIDDEN", f"must be one of {', '.join(TYPES[what])}"))
    envelope = {
        "type": kind, "version": 1, "shop": told.shop, "source": told.source, "occurredAt": told.as_of, "data": {},
    } | given  # fmt: skip
    try:
        judged.event = {"id": columns.event_id(envelope)} | envelope
    except RecursionError:
        judged.blame(0, Fault("", "NOT_JSON", "is nested too deeply"))


def _unidentified() -> Fault:
    return Fault("external_id", "REQUIRED", f"or another of {', '.join(columns.IDENTIFYING)} must be given")
