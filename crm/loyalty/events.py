# crm/loyalty/events.py
"""What loyalty publishes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from crm.kernel import clock
from crm.kernel.details import Detail
from crm.kernel.publishing import change_id
from crm.loyalty.models import LedgerEntry


@dataclass(frozen=True)
class PointsPosted:
    """Points moved. `points` is what the balance moved by, below zero where they were taken back."""

    detail_type: ClassVar[str] = "points.posted"

    id: str
    shop: str
    customer_id: str
    rev: int
    movement: str
    points: int
    balance_after: int
    order_id: str | None
    occurred_at: datetime
    cause: str
    replayed: bool

    @classmethod
    def of(cls, entry: LedgerEntry) -> Self:
        return cls(
            id=change_id(entry),
            shop=entry.shop,
            customer_id=entry.customer_id,
            rev=int(entry.rev),
            movement=entry.movement,
            points=int(entry.points),
            balance_after=int(entry.balance_after),
            order_id=entry.order_id,
            occurred_at=entry.occurred_at,
            cause=entry.cause or "",
            replayed=bool(entry.replayed),
        )

    def detail(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "shop": self.shop,
            "customerId": self.customer_id,
            "rev": self.rev,
            "movement": self.movement,
            "points": self.points,
            "balanceAfter": self.balance_after,
            "orderId": self.order_id,
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
            rev=told.whole("rev"),
            movement=told.text("movement"),
            points=told.whole("points"),
            balance_after=told.whole("balanceAfter"),
            order_id=told.text_or_none("orderId"),
            occurred_at=told.instant("occurredAt"),
            cause=told.text("cause"),
            replayed=told.flag("replayed"),
        )
