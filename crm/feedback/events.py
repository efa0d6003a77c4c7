# crm/feedback/events.py
"""What feedback publishes."""

from datetime import datetime
from typing import ClassVar, Self

from crm.feedback.models import FeedbackResponse
from crm.kernel.domain_events import DomainEvent
from crm.kernel.publishing import change_id


class FeedbackRecorded(DomainEvent, frozen=True):
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
