# infra/local/files.py
"""Files of events: JSON Lines of envelopes, or CSV with one order line a row. Pure.

CSV columns, by name, in any order (those marked * must be there):
    order_id*, placed_at* (RFC 3339), currency*, sku*, quantity*, unit_price*
    email, external_id, first_name, last_name     who ordered; one of the first two must be given
    title, category, discount, tax                of the line
    shipping, status (placed), version (1), coupon, channel   of the order, read from its first row
Rows of one order_id are the lines of one order, wherever they stand.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REQUIRED = ("order_id", "placed_at", "currency", "sku", "quantity", "unit_price")

_ORDER = {"shipping": "shipping", "coupon": "coupon", "channel": "channel"}
_LINE = {"title": "title", "category": "category", "discount": "discount", "tax": "tax"}
_CUSTOMER = {"email": "email", "external_id": "externalId", "first_name": "firstName", "last_name": "lastName"}


class Unreadable(Exception):
    """The file as a whole is not what it should be."""


@dataclass(frozen=True)
class Row:
    """An event and the line of the file it begins at; `fault` is set where the line holds none."""

    line: int
    event: Any
    fault: str | None = None


def read(path: Path, *, shop: str, source: str) -> list[Row]:
    """Raises Unreadable."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable(f"{path}: {error}") from error
    if path.suffix.lower() == ".csv":
        return list(orders(text.splitlines(), shop=shop, source=source))
    return list(envelopes(text.splitlines()))


def envelopes(lines: Iterable[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield Row(number, json.loads(line))
            except ValueError as error:
                yield Row(number, None, f"not JSON: {error}")


def orders(lines: Iterable[str], *, shop: str, source: str) -> Iterator[Row]:
    reader = csv.DictReader(lines)
    missing = [column for column in REQUIRED if column not in (reader.fieldnames or ())]
    if missing:
        raise Unreadable(f"the CSV has no column {', '.join(missing)}")
    rows: dict[str, list[tuple[int, dict[str, str]]]] = {}
    for row in reader:
        given = {key: value.strip() for key, value in row.items() if isinstance(value, str) and value.strip()}
        rows.setdefault(given.get("order_id", f"line {reader.line_num}"), []).append((reader.line_num, given))
    for some in rows.values():
        line, first = some[0]
        try:
            yield Row(line, _envelope(first, [row for _, row in some], shop=shop, source=source))
        except (KeyError, ValueError) as error:
            yield Row(line, None, f"not an order: {error!r}")


def _envelope(first: dict[str, str], rows: list[dict[str, str]], *, shop: str, source: str) -> dict[str, Any]:
    order_id, status, version = first["order_id"], first.get("status", "placed"), int(first.get("version", "1"))
    customer: dict[str, Any] = _named(first, _CUSTOMER)
    if "email" in customer:
        # Whoever exports orders has sent mail there.
        customer["emailVerified"] = True
    return {
        "id": f"csv-{order_id}-{version}",
        "type": f"order.{status}",
        "version": 1,
        "shop": shop,
        "source": source,
        "occurredAt": first["placed_at"],
        "customer": customer,
        "data": {
            "orderId": order_id,
            "version": version,
            "status": status,
            "currency": first["currency"],
            "placedAt": first["placed_at"],
            "lines": [_line(number, row) for number, row in enumerate(rows, start=1)],
            **_named(first, _ORDER),
        },
    }


def _line(number: int, row: dict[str, str]) -> dict[str, Any]:
    return {
        "id": str(number),
        "sku": row["sku"],
        "quantity": int(row["quantity"]),
        "unitPrice": row["unit_price"],
        **_named(row, _LINE),
    }


def _named(row: dict[str, str], names: dict[str, str]) -> dict[str, Any]:
    return {name: row[column] for column, name in names.items() if column in row}
