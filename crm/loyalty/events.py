# crm/loyalty/events.py
"""What loyalty publishes."""

from datetime import datetime
from typing import ClassVar, Self

from crm.kernel.domain_events import DomainEvent
from crm.kernel.publishing import change_id
from crm.loyalty.models import LedgerEntry


class PointsPosted(DomainEvent, frozen=True):
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
