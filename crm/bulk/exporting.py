# crm/bulk/exporting.py
"""An export, page by page."""

import json
from collections.abc import Iterator
from typing import Any, Final

from crm.bulk import files, lines
from crm.bulk.rows import CUSTOMERS, ORDERS
from crm.consent.service import ConsentHead
from crm.customers import service as customers
from crm.customers.service import Customer
from crm.kernel import clock
from crm.kernel.operations import DONE, Operation
from crm.orders import service as orders

PAGE: Final = {CUSTOMERS: 500, ORDERS: 50}
"""How many customers one step exports."""
ORDERS_AT_ONCE: Final = 100


def step(operation: Operation, what: str) -> None:
    """One page of one shard of the customers who were there when the export was asked for, as they are now."""
    state = {"shard": 0, "before": clock.text(operation.created_at)} | operation.state
    if state["shard"] == customers.SHARDS:
        files.join(operation)
        operation.status = DONE
        return
    page = customers.list_shard(operation.shop, state["shard"], before=state["before"], limit=PAGE[what])
    found = list(_lines(operation.shop, [profile.customer_id for profile in page], what))
    operation.row_count += len(found)
    if found:
        text = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in found)
        operation.parts = [*operation.parts, files.put_part(operation, text)]
    if len(page) == PAGE[what]:
        operation.state = state | {"before": page[-1].list_sk}
    else:
        operation.state = {"shard": state["shard"] + 1, "before": clock.text(operation.created_at)}


def _lines(shop: str, customer_ids: list[str], what: str) -> Iterator[dict[str, Any]]:
    """Whoever was deleted or merged meanwhile is left out."""
    heads = customers.snapshots(shop, customer_ids, [Customer, ConsentHead])
    for customer_id in customer_ids:
        profile = heads[customer_id].head(Customer)
        if profile is None or customers.is_hidden(profile) or profile.merged_into:
            continue
        if what == CUSTOMERS:
            yield from lines.customer_lines(profile, heads[customer_id].head(ConsentHead))
        else:
            for order in _orders(shop, customer_id):
                yield from lines.order_lines(profile, order)


def _orders(shop: str, customer_id: str) -> Iterator[orders.Order]:
    before = None
    while page := orders.list_orders(shop, customer_id, before=before, limit=ORDERS_AT_ONCE):
        yield from page
        before = page[-1].timeline_key
