# crm/consent/models.py
"""What is stored about consent.

Key design (docs/access-patterns.md, AP-30, AP-65 to AP-67):
    ConsentEntry    pk=SHOP#<shop>#CUSTOMER#<customer>  sk=CONSENT#<channel>#<purpose>#<topic>#<cause>#<occurred_at>
                    timeline_key=CONSENT#<occurred_at>#<channel>#<purpose>#<topic>#<cause>   appended, never changed
    ConsentRequest  pk=SHOP#<shop>#CUSTOMER#<customer>  sk=CONSENTREQUEST#<hash of its key>
    ConsentHead     pk=SHOP#<shop>#CUSTOMER#<customer>  sk=HEAD#CONSENT                      what holds now
<topic> is empty for what is said of a channel and purpose as a whole.
"""

from datetime import datetime
from typing import ClassVar, Self

from pynamodb.attributes import BooleanAttribute, ListAttribute, UnicodeAttribute, UTCDateTimeAttribute

from crm.consent.permission import UNKNOWN
from crm.kernel import clock
from crm.kernel.table import Item, Part, Published, customer_key


class ConsentEntry(Item, discriminator="ConsentEntry"):
    """What a customer said once about one channel, purpose and topic, where they said it, and who told us."""

    channel = UnicodeAttribute()
    purpose = UnicodeAttribute()
    topic = UnicodeAttribute(null=True)
    state = UnicodeAttribute()
    source = UnicodeAttribute()
    text_version = UnicodeAttribute(null=True)
    opt_in_level = UnicodeAttribute(default=UNKNOWN)
    legal_basis = UnicodeAttribute(null=True)
    actor = UnicodeAttribute(null=True)
    occurred_at = UTCDateTimeAttribute()
    recorded_at = UTCDateTimeAttribute()
    cause = UnicodeAttribute()
    replayed = BooleanAttribute(default=False)

    @classmethod
    def of(
        cls,
        shop: str,
        customer_id: str,
        channel: str,
        purpose: str,
        cause: str,
        *,
        topic: str | None = None,
        occurred_at: datetime,
    ) -> Self:
        at = clock.text(occurred_at)
        about = f"{channel}#{purpose}#{topic or ''}#{cause}"
        return cls(
            customer_key(shop, customer_id),
            f"CONSENT#{about}#{at}",
            channel=channel,
            purpose=purpose,
            topic=topic,
            cause=cause,
            occurred_at=occurred_at,
            timeline_key=f"CONSENT#{at}#{about}",
        )


class ConsentRequest(Item, discriminator="ConsentRequest"):
    """That an idempotency key was used, and for what."""

    arguments_hash = UnicodeAttribute()

    @classmethod
    def of(cls, shop: str, customer_id: str, key_hash: str) -> Self:
        return cls(customer_key(shop, customer_id), f"CONSENTREQUEST#{key_hash}")


class ConsentState(Part):
    """What holds for one channel, purpose and topic, and since which event. `denied_at`: see permission.py."""

    channel = UnicodeAttribute()
    purpose = UnicodeAttribute()
    topic = UnicodeAttribute(null=True)
    state = UnicodeAttribute()
    source = UnicodeAttribute()
    text_version = UnicodeAttribute(null=True)
    opt_in_level = UnicodeAttribute(default=UNKNOWN)
    legal_basis = UnicodeAttribute(null=True)
    occurred_at = UTCDateTimeAttribute()
    cause = UnicodeAttribute(default="")
    denied_at = UTCDateTimeAttribute(null=True)


class ConsentHead(Published, discriminator="ConsentHead"):
    SK: ClassVar[str] = "HEAD#CONSENT"

    states: ListAttribute[ConsentState] = ListAttribute(of=ConsentState, default=list)

    @classmethod
    def of(cls, shop: str, customer_id: str) -> Self:
        return cls(customer_key(shop, customer_id), cls.SK)
