# crm/touchpoints/events.py
"""What touchpoints publish."""

from datetime import datetime
from typing import ClassVar, Self

from crm.kernel.domain_events import DomainEvent
from crm.kernel.publishing import change_id
from crm.kernel.table import whose
from crm.touchpoints.models import Acquisition, Touchpoint, VisitorLink


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


class TouchpointRecorded(DomainEvent, frozen=True):
    """Something happened between a customer and the shop, or turned out to have been the customer's. Of what type, and
    never what was said of it: that may be personal.
    """

    detail_type: ClassVar[str] = "touchpoint.recorded"

    id: str
    shop: str
    customer_id: str
    touchpoint_id: str
    type: str
    rev: int
    occurred_at: datetime
    cause: str
    replayed: bool

    @classmethod
    def of(cls, touchpoint: Touchpoint) -> Self:
        return cls(
            id=change_id(touchpoint),
            shop=touchpoint.shop,
            customer_id=touchpoint.customer_id,
            touchpoint_id=touchpoint.touchpoint_id,
            type=touchpoint.type,
            rev=int(touchpoint.rev),
            occurred_at=touchpoint.occurred_at,
            cause=touchpoint.cause or "",
            replayed=bool(touchpoint.replayed),
        )


class AcquisitionRecorded(DomainEvent, frozen=True):
    """What brought a customer has changed; or touchpoints are theirs no longer (`touchpointsGone`), since the visitor
    who left them was somebody else, or left too many.
    """

    detail_type: ClassVar[str] = "acquisition.recorded"

    id: str
    shop: str
    customer_id: str
    rev: int
    touchpoints_gone: bool
    occurred_at: datetime
    cause: str
    replayed: bool

    @classmethod
    def of(cls, head: Acquisition, before: Acquisition | None) -> Self | None:
        if head.occurred_at is None:
            return None
        shop, customer_id = whose(head.pk)
        return cls(
            id=change_id(head),
            shop=shop,
            customer_id=customer_id,
            rev=int(head.rev),
            touchpoints_gone=head.gone_count != (before.gone_count if before is not None else 0),
            occurred_at=head.occurred_at,
            cause=head.cause or "",
            replayed=bool(head.replayed),
        )
