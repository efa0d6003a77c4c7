# crm/feedback/models.py
"""What is stored about feedback.

Key design (docs/access-patterns.md, AP-31, AP-35, AP-36, AP-137):
    FeedbackResponse  pk=SHOP#<shop>#CUSTOMER#<customer>  sk=FEEDBACK#<response>   timeline_key=FEEDBACK#<at>#<response>
    FeedbackHead      pk=SHOP#<shop>#CUSTOMER#<customer>  sk=HEAD#FEEDBACK         the latest answer, and how many
A response given with an idempotency key has its id from the customer and that key: the key's first use by a customer is
the only one with an effect.
"""

from datetime import datetime
from typing import ClassVar, Self

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute

from crm.kernel.table import Synced, customer_key


class FeedbackResponse(Synced, discriminator="FeedbackResponse"):
    """One answer to a survey."""

    shop = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    response_id = UnicodeAttribute()
    survey = UnicodeAttribute()
    score = NumberAttribute()
    group = UnicodeAttribute()
    """promoter, passive or detractor."""
    comment = UnicodeAttribute(null=True)
    order_id = UnicodeAttribute(null=True)
    occurred_at = UTCDateTimeAttribute()
    recorded_at = UTCDateTimeAttribute()
    answered_on = UnicodeAttribute()
    """The day in the shop's zone as it was when the answer was recorded; a later change of zone keeps it."""
    arguments_hash = UnicodeAttribute(null=True)
    """Of what came with the idempotency key."""

    @classmethod
    def of(cls, shop: str, customer_id: str, response_id: str, *, occurred_at: datetime) -> Self:
        return cls(
            customer_key(shop, customer_id),
            f"FEEDBACK#{response_id}",
            shop=shop,
            customer_id=customer_id,
            response_id=response_id,
            occurred_at=occurred_at,
        ).happens("FEEDBACK", occurred_at, response_id)


class FeedbackHead(Synced, discriminator="FeedbackHead"):
    """The latest answer by event time, and the number of all."""

    SK: ClassVar[str] = "HEAD#FEEDBACK"

    response_count = NumberAttribute(default=0)
    latest_score = NumberAttribute(null=True)
    latest_at = UTCDateTimeAttribute(null=True)
    latest_response_id = UnicodeAttribute(null=True)

    @classmethod
    def of(cls, shop: str, customer_id: str) -> Self:
        return cls(customer_key(shop, customer_id), cls.SK)
