# crm/orders/events.py
"""What orders publish."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from crm.kernel import clock
from crm.kernel.details import Detail
from crm.kernel.publishing import change_id
from crm.orders.models import Order


@dataclass(frozen=True)
class OrderRecorded:
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

    @classmethod
    def of(cls, order: Order) -> Self:
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
        )

    def detail(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "shop": self.shop,
            "customerId": self.customer_id,
            "orderId": self.order_id,
            "rev": self.rev,
            "version": self.version,
            "status": self.status,
            "currency": self.currency,
            "gross": self.gross,
            "refunded": self.refunded,
            "net": self.net,
            "pointsSpent": self.points_spent,
            "first": self.first,
            "placedAt": clock.text(self.placed_at),
            "placedOn": self.placed_on,
            "occurredAt": clock.text(self.occurred_at),
            "cause": self.cause,
            "replayed": self.replayed,
        }

    @classmethod
    def parse(cls, detail: dict[str, Any]) -> Self:
        """Raises InvalidInput."""
        told = Detail(detail)
        return cls(
            id=told.text("id"),
            shop=told.text("shop"),
            customer_id=told.text("customerId"),
            order_id=told.text("orderId"),
            rev=told.whole("rev"),
            version=told.whole("version"),
            status=told.text("status"),
            currency=told.text("currency"),
            gross=told.whole("gross"),
            refunded=told.whole("refunded"),
            net=told.whole("net"),
            points_spent=told.whole("pointsSpent"),
            first=told.flag("first"),
            placed_at=told.instant("placedAt"),
            placed_on=told.text("placedOn"),
            occurred_at=told.instant("occurredAt"),
            cause=told.text("cause"),
            replayed=told.flag("replayed"),
        )
