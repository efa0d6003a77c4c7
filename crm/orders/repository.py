# crm/orders/repository.py
"""Every read of orders; writes go through a Change."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from pynamodb.exceptions import DoesNotExist

from crm.kernel import batch_reads, clock, timeline
from crm.kernel.settings import settings
from crm.kernel.table import customer_key
from crm.orders.models import CANCELLED, Order, OrderRef

PLACE = "ORDER#"
"""Before when it was placed, on a customer's timeline."""
FEW = 10  # items a request, where one is wanted and some may be left out


def get_ref(shop: str, order_id: str) -> OrderRef | None:
    """AP-07."""
    key = OrderRef.of(shop, order_id)
    try:
        return OrderRef.get(key.pk, key.sk, consistent_read=True)
    except DoesNotExist:
        return None


def get_refs(shop: str, order_ids: Iterable[str]) -> dict[str, OrderRef]:
    """Whose orders these are, by order id, in batch reads of the exact keys of AP-07 (AP-135)."""
    keys = [OrderRef.of(shop, order_id) for order_id in order_ids]
    found = map(OrderRef.from_raw_data, batch_reads.read(settings().crm_table, [(key.pk, key.sk) for key in keys]))
    return {ref.order_id: ref for ref in found}


def get_order(shop: str, customer_id: str, order_id: str) -> Order | None:
    """AP-08."""
    key = Order.of(shop, customer_id, order_id)
    try:
        return Order.get(key.pk, key.sk, consistent_read=True)
    except DoesNotExist:
        return None


def get_many(shop: str, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Order]:
    """Orders by customer and order id, in batch reads of their exact keys (AP-81)."""
    items = [Order.of(shop, *key) for key in keys]
    raw_items = batch_reads.read(settings().crm_table, [(item.pk, item.sk) for item in items])
    return {(order.customer_id, order.order_id): order for order in map(Order.from_raw_data, raw_items)}


def list_orders(shop: str, customer_id: str, *, before: str | None, limit: int) -> list[Order]:
    """A customer's orders, newest first, from behind the timeline key `before` (AP-09)."""
    return timeline.newest(Order, customer_key(shop, customer_id), PLACE, before=before, limit=limit)


def list_standing(shop: str, customer_id: str, *, since: datetime | None) -> list[Order]:
    """A customer's orders that are not cancelled, placed at `since` or later, or all of them; oldest first (AP-165)."""
    first = f"{PLACE}{clock.text(since)}" if since else PLACE
    found = Order.query(
        customer_key(shop, customer_id),
        Order.timeline_key.between(first, f"{PLACE}{timeline.LAST}"),
        Order.status != CANCELLED,
        consistent_read=True,
        index_name="timeline",
    )
    return list(found)


def newest_standing(shop: str, customer_id: str) -> Order | None:
    """The order placed last of those that are not cancelled, at one instant the one of the greater id (AP-166)."""
    found = Order.query(
        customer_key(shop, customer_id),
        Order.timeline_key.startswith(PLACE),
        Order.status != CANCELLED,
        consistent_read=True,
        index_name="timeline",
        scan_index_forward=False,
        limit=1,
        page_size=FEW,
    )
    return next(iter(found), None)


def times_of_standing(shop: str, customer_id: str, *, but: str) -> Iterator[datetime]:
    """When each order of a customer that is not cancelled was placed, one order left out (AP-10)."""
    orders = Order.query(
        customer_key(shop, customer_id),
        range_key_condition=Order.sk.startswith("ORDER#"),
        consistent_read=True,
        attributes_to_get=["pk", "sk", "kind", "order_id", "status", "placed_at"],
    )
    for order in orders:
        if order.status != CANCELLED and order.order_id != but:
            yield order.placed_at
