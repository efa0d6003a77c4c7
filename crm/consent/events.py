# crm/consent/events.py
"""What consent publishes."""

from datetime import datetime
from typing import ClassVar, Self

from crm.consent.models import ConsentHead
from crm.kernel.domain_events import DomainEvent
from crm.kernel.publishing import change_id
from crm.kernel.table import whose


class ConsentRecorded(DomainEvent, frozen=True):
    """What a customer has agreed to, or not, has changed. `occurredAt` is when the latest of it was said."""

    detail_type: ClassVar[str] = "consent.recorded"

    id: str
    shop: str
    customer_id: str
    rev: int
    occurred_at: datetime
    cause: str
    replayed: bool

    @classmethod
    def of(cls, head: ConsentHead) -> Self | None:
        if not head.states:
            return None
        shop, customer_id = whose(head.pk)
        return cls(
            id=change_id(head),
            shop=shop,
            customer_id=customer_id,
            rev=int(head.rev),
            occurred_at=max(state.occurred_at for state in head.states),
            cause=head.cause or "",
            replayed=bool(head.replayed),
        )
