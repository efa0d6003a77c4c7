# crm/orders/events.py
"""What orders publish."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from crm.kernel import clock
from crm.kernel.errors import InvalidInput
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
        try:
            return cls(
                id=str(detail["id"]),
                shop=str(detail["shop"]),
                customer_id=str(detail["customerId"]),
                order_id=str(detail["orderId"]),
                rev=_whole(detail["rev"]),
                version=_whole(detail["version"]),
                status=str(detail["status"]),
                currency=str(detail["currency"]),
                gross=_whole(detail["gross"]),
                refunded=_whole(detail["refunded"]),
                net=_whole(detail["net"]),
                points_spent=_whole(detail["pointsSpent"]),
                first=detail["first"] is True,
                placed_at=clock.parse(detail["placedAt"], field="placedAt"),
                placed_on=str(detail["placedOn"]),
                occurred_at=clock.parse(detail["occurredAt"], field="occurredAt"),
                cause=str(detail["cause"]),
                replayed=detail["replayed"] is True,
            )
        except (KeyError, TypeError) as error:
            raise InvalidInput(f"not an order.recorded: {error!r}") from error


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is no whole number")
    return value
