# crm/loyalty/earning/goods.py
"""What an order is made of, as rules ask about it."""

from crm.kernel.errors import NotFound
from crm.loyalty.earning.granting import Line
from crm.orders import service as orders
from crm.orders.events import OrderRecorded
from crm.orders.service import Order


def goods_of(order: OrderRecorded) -> Order:
    """The order as it now is: what is told of it has no lines. Raises NotFound."""
    found = find(order.shop, order.customer_id, order.order_id)
    if found is None:
        raise NotFound("There is no such order.", field="order_id")
    return found


def find(shop: str, customer_id: str, order_id: str) -> Order | None:
    key = (customer_id, order_id)
    return orders.get_many(shop, [key]).get(key)


def lines_of(goods: Order) -> tuple[Line, ...]:
    """What is kept of it; a gift card is no line here."""
    return tuple(
        Line(net, units, line.category, line.sku, frozenset(line.tags or ()))
        for net, (line, units) in zip(orders.line_nets(goods), orders.kept(goods), strict=True)
        if not line.gift_card
    )
