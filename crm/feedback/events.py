# crm/feedback/events.py
"""What feedback publishes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from crm.feedback.models import FeedbackResponse
from crm.kernel import clock
from crm.kernel.details import Detail
from crm.kernel.publishing import change_id


@dataclass(frozen=True)
class FeedbackRecorded:
    """A customer has answered a survey. The comment stays behind: it is personal."""

    detail_type: ClassVar[str] = "feedback.recorded"

    id: str
    shop: str
    customer_id: str
    response_id: str
    rev: int
    survey: str
    score: int
    group: str
    order_id: str | None
    answered_on: str
    occurred_at: datetime
    cause: str
    replayed: bool

    @classmethod
    def of(cls, response: FeedbackResponse) -> Self:
        return cls(
            id=change_id(response),
            shop=response.shop,
            customer_id=response.customer_id,
            response_id=response.response_id,
            rev=int(response.rev),
            survey=response.survey,
            score=int(response.score),
            group=response.group,
            order_id=response.order_id,
            answered_on=response.answered_on,
            occurred_at=response.occurred_at,
            cause=response.cause or "",
            replayed=bool(response.replayed),
        )

    def detail(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "shop": self.shop,
            "customerId": self.customer_id,
            "responseId": self.response_id,
            "rev": self.rev,
            "survey": self.survey,
            "score": self.score,
            "group": self.group,
            "orderId": self.order_id,
            "answeredOn": self.answered_on,
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
            response_id=told.text("responseId"),
            rev=told.whole("rev"),
            survey=told.text("survey"),
            score=told.whole("score"),
            group=told.text("group"),
            order_id=told.text_or_none("orderId"),
            answered_on=told.text("answeredOn"),
            occurred_at=told.instant("occurredAt"),
            cause=told.text("cause"),
            replayed=told.flag("replayed"),
        )
