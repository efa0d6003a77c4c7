# tests/kpi_cells.py
"""Delivers to roll_up, reads the cells, and counts afresh what they must hold."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from crm.kpis.models import Cell, KpiItem
from crm.orders.models import Order
from functions.kpis.roll_up import handler

NOTHING: dict[tuple[str, str], int] = {}
ONE_ORDER = {
    ("orders all", "2026-03-01"): 1,
    ("orders EUR", "2026-03-01"): 1,
    ("gross_revenue EUR", "2026-03-01"): 2000,
    ("net_revenue EUR", "2026-03-01"): 2000,
}


def deliver(*records: dict[str, Any]) -> list[str]:
    """Hand over one batch, as JSON; return from which sequence number it is to be replayed."""
    replayed = handler(json.loads(json.dumps({"Records": records})), None)  # type: ignore[arg-type]
    return [failure["itemIdentifier"] for failure in replayed["batchItemFailures"]]


def cells(shop: str = "demo") -> dict[tuple[str, str], int]:
    prefix = f"SHOP#{shop}#CELLS#"
    found = (item for item in KpiItem.scan() if isinstance(item, Cell) and item.pk.startswith(prefix))
    return {(cell.pk.removeprefix(prefix).replace("#", " "), cell.sk): int(cell.value) for cell in found if cell.value}


def days(orders: Iterable[Order]) -> Counter[tuple[str, str]]:
    """What the cells must hold, counted afresh from orders; shares nothing with what keeps them."""
    sums: Counter[tuple[str, str]] = Counter()
    for each in orders:
        if each.status != "cancelled":
            sums["orders all", each.placed_on] += 1
            sums[f"orders {each.currency}", each.placed_on] += 1
            sums[f"gross_revenue {each.currency}", each.placed_on] += int(each.gross)
            sums[f"net_revenue {each.currency}", each.placed_on] += int(each.net)
    return sums


def fill(metric: str, dimension: str, first: date, count: int) -> None:
    """One in each cell of as many days."""
    with Cell.batch_write() as batch:
        for number in range(count):
            cell = Cell.of("demo", metric, dimension, first + timedelta(days=number))
            cell.value = 1
            batch.save(cell)
