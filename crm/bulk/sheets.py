# crm/bulk/sheets.py
"""What an export writes: events as JSON Lines, or as the rows of CSV from which an import makes the same events. Pure.

docs/import.md has the columns for people. Cells of which an import takes no notice are for those who read the file.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from crm.bulk import columns, spelling
from crm.bulk.lines import Line
from crm.bulk.reading import CSV
from crm.bulk.rows import CUSTOMERS

CUSTOMER_ID: Final = "customer_id"
ONCE: Final = frozenset({"shipping", "points_spent"})
"""Of an order, in its first row only: people add columns up."""
WHO: Final = tuple(columns.WHO)[:4]
OF_CUSTOMERS: Final = (
    columns.SOURCE, CUSTOMER_ID, *WHO, "status", *tuple(columns.CUSTOMER)[4:], *columns.ADDRESS, columns.MORE_ADDRESSES,
    *columns.CONSENTS, columns.EVIDENCE, columns.UPDATED,
)  # fmt: skip
OF_ORDERS: Final = (
    columns.SOURCE, CUSTOMER_ID, *WHO, *columns.ORDER, columns.UPDATED, *columns.LINE, columns.REFUND_ID,
    columns.REFUNDED, "refund_amount", "refund_reason",
)  # fmt: skip

Cells = dict[str, str]


class Sheet:
    """The text of an export. `attributes` are the keys of the shop's own that its customers have columns for."""

    def __init__(self, what: str, attributes: Sequence[str], form: str) -> None:
        self._csv = form == CSV
        own = [f"{columns.ATTRIBUTE}{key}" for key in attributes]
        self._columns = [*OF_CUSTOMERS, *own] if what == CUSTOMERS else list(OF_ORDERS)

    def head(self) -> str:
        return spelling.headed(self._columns) if self._csv else ""

    def body(self, lines: Sequence[Line]) -> tuple[str, int]:
        """Text, and how many rows it has."""
        if not self._csv:
            return "".join(f"{json.dumps(line.event, ensure_ascii=False)}\n" for line in lines), len(lines)
        rows = [row for line in lines for row in _rows(line)]
        return spelling.rows(self._columns, rows), len(rows)


def _rows(line: Line) -> Iterator[Cells]:
    event = line.event
    told = {columns.SOURCE: event["source"], CUSTOMER_ID: line.customer_id}
    match event["type"]:
        case "customer.updated" | "consent.updated":
            yield told | _customer(event)
        case "order.updated":
            yield from (told | row for row in _order(event))
        case _:
            yield from (told | row for row in _refund(event))


def _customer(event: Mapping[str, Any]) -> Cells:
    who = event["customer"]
    row = _cells(who, columns.CUSTOMER) | _cells(who, {"status": "status"}) | {columns.UPDATED: event["occurredAt"]}
    first, *others = who.get("addresses") or [{}]
    row |= _cells(first, columns.ADDRESS)
    if others:
        row[columns.MORE_ADDRESSES] = spelling.written(others)
    consents = event["data"].get("consents") or []
    states = {(one["channel"], one["purpose"]): one["state"] for one in consents if not one.get("topic")}
    row |= {column: states[about] for column, about in columns.CONSENTS.items() if about in states}
    if consents:
        row[columns.EVIDENCE] = spelling.written(consents)
    values = who.get("attributes", {})
    return row | {f"{columns.ATTRIBUTE}{key}": spelling.attribute_cell(value) for key, value in values.items()}


def _order(event: Mapping[str, Any]) -> Iterator[Cells]:
    data = event["data"]
    whole = _cells(event["customer"], columns.WHO) | _cells(data, columns.ORDER)
    whole[columns.UPDATED] = event["occurredAt"]
    again = {column: cell for column, cell in whole.items() if column not in ONCE}
    for place, line in enumerate(data["lines"] or [{}]):
        yield (again if place else whole) | _cells(line, columns.LINE)


def _refund(event: Mapping[str, Any]) -> Iterator[Cells]:
    whole = _cells(event["data"], columns.REFUND) | {columns.REFUNDED: event["occurredAt"]}
    yield from (whole | _cells(line, columns.RETURNED) for line in event["data"]["lines"])


def _cells(said: Mapping[str, Any], names: Mapping[str, str]) -> Cells:
    return {column: _cell(said[name]) for column, name in names.items() if name in said}


def _cell(value: Any) -> str:
    match value:
        case None | False:
            return ""  # an empty cell says nothing, and whoever says nothing of a flag says false
        case True:
            return "true"
        case float():
            return format(Decimal(repr(value)), "f")
        case list():
            return spelling.enlisted(value)
    return str(value)
