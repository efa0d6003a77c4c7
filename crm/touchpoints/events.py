# crm/touchpoints/events.py
"""What touchpoints publish. They themselves are not published: they are the bulk of all that happens."""

from datetime import datetime
from typing import ClassVar, Self

from crm.kernel.domain_events import DomainEvent
from crm.kernel.publishing import change_id
from crm.touchpoints.models import VisitorLink


class VisitorIdentified(DomainEvent, frozen=True):
    """It is known who a visitor was, or that it was somebody else: their touchpoints are to be brought there."""

    detail_type: ClassVar[str] = "visitor.identified"

    id: str
    shop: str
    visitor_id: str
    customer_id: str
    rev: int
    occurred_at: datetime
    cause: str
    replayed: bool

    @classmethod
    def of(cls, link: VisitorLink) -> Self | None:
        if link.customer_id is None or link.identified_at is None:
            return None
        return cls(
            id=change_id(link),
            shop=link.shop,
            visitor_id=link.visitor_id,
            customer_id=link.customer_id,
            rev=int(link.rev),
            occurred_at=link.identified_at,
            cause=link.cause or "",
            replayed=bool(link.replayed),
        )
