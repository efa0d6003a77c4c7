# crm/notifications/events.py
"""What notifications publish."""

from datetime import datetime
from typing import ClassVar, Self

from crm.kernel.domain_events import DomainEvent
from crm.kernel.publishing import change_id
from crm.notifications.models import PLANNED, Message


class MessagePlanned(DomainEvent, frozen=True):
    """A message is to be delivered. Ids only: whom it goes to and whether it still may is read when it is sent."""

    detail_type: ClassVar[str] = "message.planned"

    id: str
    shop: str
    customer_id: str
    message_id: str
    rev: int
    template: str
    occurred_at: datetime
    cause: str
    replayed: bool

    @classmethod
    def of(cls, message: Message) -> Self | None:
        """None unless the message has just been planned: one that returns to `planned` after a failed attempt is
        brought again by its queue.
        """
        if message.status != PLANNED or message.attempt_count:
            return None
        return cls(
            id=change_id(message),
            shop=message.shop,
            customer_id=message.customer_id,
            message_id=message.message_id,
            rev=int(message.rev),
            template=message.template,
            occurred_at=message.planned_at,
            cause=message.cause or "",
            replayed=bool(message.replayed),
        )
