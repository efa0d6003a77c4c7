# crm/notifications/events.py
"""What notifications publish."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from crm.kernel import clock
from crm.kernel.errors import InvalidInput
from crm.kernel.publishing import change_id
from crm.notifications.models import PLANNED, Message


@dataclass(frozen=True)
class MessagePlanned:
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

    def detail(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "shop": self.shop,
            "customerId": self.customer_id,
            "messageId": self.message_id,
            "rev": self.rev,
            "template": self.template,
            "occurredAt": clock.text(self.occurred_at),
            "cause": self.cause,
            "replayed": self.replayed,
        }

    @classmethod
    def parse(cls, detail: dict[str, Any]) -> Self:
        """Raises InvalidInput."""
        try:
            if type(detail["rev"]) is not int:
                raise InvalidInput("rev is a whole number", field="rev")
            return cls(
                id=str(detail["id"]),
                shop=str(detail["shop"]),
                customer_id=str(detail["customerId"]),
                message_id=str(detail["messageId"]),
                rev=detail["rev"],
                template=str(detail["template"]),
                occurred_at=clock.parse(detail["occurredAt"], field="occurredAt"),
                cause=str(detail["cause"]),
                replayed=detail["replayed"] is True,
            )
        except (KeyError, TypeError) as error:
            raise InvalidInput(f"not a message.planned: {error!r}") from error
