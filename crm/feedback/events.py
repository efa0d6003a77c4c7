# crm/feedback/events.py
"""What feedback publishes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from crm.feedback.models import FeedbackResponse
from crm.kernel import clock
from crm.kernel.errors import InvalidInput
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
        try:
            if type(detail["score"]) is not int or type(detail["rev"]) is not int:
                raise InvalidInput("score and rev are whole numbers")
            return cls(
                id=str(detail["id"]),
                shop=str(detail["shop"]),
                customer_id=str(detail["customerId"]),
                response_id=str(detail["responseId"]),
                rev=detail["rev"],
                survey=str(detail["survey"]),
                score=detail["score"],
                group=str(detail["group"]),
                order_id=detail["orderId"],
                answered_on=str(detail["answeredOn"]),
                occurred_at=clock.parse(detail["occurredAt"], field="occurredAt"),
                cause=str(detail["cause"]),
                replayed=detail["replayed"] is True,
            )
        except (KeyError, TypeError) as error:
            raise InvalidInput(f"not a feedback.recorded: {error!r}") from error
