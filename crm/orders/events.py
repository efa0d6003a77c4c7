# crm/orders/events.py
"""What orders publish."""

from datetime import datetime
from typing import ClassVar, Self

from crm.kernel.domain_events import DomainEvent
from crm.kernel.publishing import change_id
from crm.orders.models import Order
from crm.orders.worth import billed


class OrderRecorded(DomainEvent, frozen=True):
    """An order, or a refund of it, changed what is stored. Amounts are integer minor units of `currency`.

    `rev` counts the order's changes here (refunds included), `version` is the shop's. Older revisions carry no news.
    """

    detail_type: ClassVar[str] = "order.recorded"

    id: str
    shop: str
    customer_id: str
    order_id: str
    rev: int
    version: int
    status: str
    currency: str
    gross: int
    refunded: int
    net: int
    points_spent: int
    first: bool
    placed_at: datetime
    placed_on: str
    occurred_at: datetime
    cause: str
    replayed: bool
    has_coupon: bool = False
    """Which one is not told: it may name a person."""
    total: int = 0
    """What it costs, gift cards, taxes and shipping with it; 0 in events from before this was told."""
    returned: int = 0
    """What of `total` was given back."""

    @classmethod
    def of(cls, order: Order) -> Self:
        bill = billed(order)
        return cls(
            id=change_id(order),
            shop=order.shop,
            customer_id=order.customer_id,
            order_id=order.order_id,
            rev=int(order.rev),
            version=int(order.version),
            status=order.status,
            currency=order.currency,
            gross=int(order.gross),
            refunded=int(order.refunded),
            net=int(order.net),
            points_spent=int(order.points_spent),
            first=bool(order.first),
            placed_at=order.placed_at,
            placed_on=order.placed_on,
            occurred_at=order.occurred_at,
            cause=order.cause or "",
            replayed=bool(order.replayed),
            has_coupon=order.coupon is not None,
            total=bill.total,
            returned=bill.returned,
        )
