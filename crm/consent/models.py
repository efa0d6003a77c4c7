# crm/consent/models.py
"""What is stored about consent.

Key design (docs/access-patterns.md, AP-30):
    ConsentEntry  pk=SHOP#<shop>#CUSTOMER#<customer>  sk=CONSENT#<channel>#<purpose>#<cause>   appended, never changed
                  timeline_key=CONSENT#<occurred_at>#<channel>#<purpose>#<cause>
    ConsentHead   pk=SHOP#<shop>#CUSTOMER#<customer>  sk=HEAD#CONSENT                          what holds now
"""

from datetime import datetime
from typing import ClassVar, Self

from pynamodb.attributes import BooleanAttribute, ListAttribute, UnicodeAttribute, UTCDateTimeAttribute

from crm.kernel import clock
from crm.kernel.table import Item, Part, Published, customer_key


class ConsentEntry(Item, discriminator="ConsentEntry"):
    """What a customer said once about one channel and purpose, and where they said it."""

    channel = UnicodeAttribute()
    purpose = UnicodeAttribute()
    state = UnicodeAttribute()
    source = UnicodeAttribute()
    occurred_at = UTCDateTimeAttribute()
    recorded_at = UTCDateTimeAttribute()
    cause = UnicodeAttribute()
    replayed = BooleanAttribute(default=False)

    @classmethod
    def of(cls, shop: str, customer_id: str, channel: str, purpose: str, cause: str, *, occurred_at: datetime) -> Self:
        return cls(
            customer_key(shop, customer_id),
            f"CONSENT#{channel}#{purpose}#{cause}",
            channel=channel,
            purpose=purpose,
            cause=cause,
            occurred_at=occurred_at,
            timeline_key=f"CONSENT#{clock.text(occurred_at)}#{channel}#{purpose}#{cause}",
        )


class ConsentState(Part):
    """What holds for one channel and purpose, and since which event."""

    channel = UnicodeAttribute()
    purpose = UnicodeAttribute()
    state = UnicodeAttribute()
    source = UnicodeAttribute()
    occurred_at = UTCDateTimeAttribute()


class ConsentHead(Published, discriminator="ConsentHead"):
    SK: ClassVar[str] = "HEAD#CONSENT"

    states: ListAttribute[ConsentState] = ListAttribute(of=ConsentState, default=list)

    @classmethod
    def of(cls, shop: str, customer_id: str) -> Self:
        return cls(customer_key(shop, customer_id), cls.SK)
