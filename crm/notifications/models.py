# crm/notifications/models.py
"""What is stored about messages.

Key design (docs/access-patterns.md, AP-33, AP-34, AP-136):
    Message  pk=SHOP#<shop>#CUSTOMER#<customer>  sk=MESSAGE#<message>   timeline_key=MESSAGE#<planned_at>#<message>
A message's id is its reason for being (`customer:<customer>:thank_you`): two events that both call for it meet in one
item, and so do two deliveries.
"""

from datetime import datetime
from typing import Self

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute

from crm.kernel.table import Synced, customer_key

PLANNED, REFUSED, SENDING, SENT, UNKNOWN, FAILED = "planned", "refused", "sending", "sent", "unknown", "failed"
BOUNCED, COMPLAINED = "bounced", "complained"
"""planned -> refused | sending; sending -> sent | failed | unknown | planned (not accepted: tried again).
unknown: nobody knows whether the provider took it; it is never sent again by itself.
sending | sent | unknown -> bounced | complained; bounced -> complained: what the provider reports of it later."""


class Message(Synced, discriminator="Message"):
    """One attempt to say one thing to one customer through one channel, and what became of it."""

    shop = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    message_id = UnicodeAttribute()
    template = UnicodeAttribute()
    channel = UnicodeAttribute()
    purpose = UnicodeAttribute()
    order_id = UnicodeAttribute(null=True)
    status = UnicodeAttribute()
    reason = UnicodeAttribute(null=True)
    """Why it was refused, failed, or is unknown: a stable code."""
    planned_at = UTCDateTimeAttribute()
    settled_at = UTCDateTimeAttribute(null=True)
    attempt_count = NumberAttribute(default=0)
    reservation = UnicodeAttribute(null=True)
    """Names the delivery that holds the message while it is being sent."""
    provider_id = UnicodeAttribute(null=True)
    reported_at = UTCDateTimeAttribute(null=True)
    """When it bounced, or its recipient complained."""

    @classmethod
    def of(cls, shop: str, customer_id: str, message_id: str, *, planned_at: datetime) -> Self:
        return cls(
            customer_key(shop, customer_id),
            f"MESSAGE#{message_id}",
            shop=shop,
            customer_id=customer_id,
            message_id=message_id,
            planned_at=planned_at,
        ).happens("MESSAGE", planned_at, message_id)
