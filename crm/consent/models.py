# crm/consent/models.py
"""What is stored about consent, and about addresses that nothing is sent to.

Key design (docs/access-patterns.md, AP-30, AP-65 to AP-69):
    ConsentEntry    pk=SHOP#<shop>#CUSTOMER#<customer>  sk=CONSENT#<channel>#<purpose>#<topic>#<cause>#<occurred_at>
                    timeline_key=CONSENT#<occurred_at>#<channel>#<purpose>#<topic>#<cause>   appended, never changed
    ConsentHead     pk=SHOP#<shop>#CUSTOMER#<customer>  sk=HEAD#CONSENT                      what holds now
    Suppression     pk=SHOP#<shop>#ADDRESS#<digest>     sk=SUPPRESSION                       what holds now
    SuppressionEntry  pk=SHOP#<shop>#ADDRESS#<digest>   sk=ENTRY#<cause>
                    timeline_key=ENTRY#<occurred_at>#<cause>                                 appended, never changed
    UsedKey         pk of a customer or an address      sk=KEY#<hash of an idempotency key>
<topic> is empty for what is said of a channel and purpose as a whole. <digest> is a hash of shop, channel and address
(crm/consent/addresses.py): no key tells an address, and a suppression belongs to no customer.
"""

from datetime import datetime
from typing import ClassVar, Self

from pynamodb.attributes import BooleanAttribute, ListAttribute, UnicodeAttribute, UTCDateTimeAttribute

from crm.consent.permission import UNKNOWN
from crm.consent.reasons import SUPPRESSED
from crm.kernel import clock
from crm.kernel.table import Item, Part, Published, Synced, customer_key


class ConsentEntry(Item, discriminator="ConsentEntry"):
    """What a customer said once about one channel, purpose and topic, where they said it, and who told us.

    `without_effect`: it was one topic too many for the head.
    """

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
    without_effect = BooleanAttribute(default=False)

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
        ).happens("CONSENT", occurred_at, about)


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


class ConsentHead(Synced, discriminator="ConsentHead"):
    SK: ClassVar[str] = "HEAD#CONSENT"

    states: ListAttribute[ConsentState] = ListAttribute(of=ConsentState, default=list)

    @classmethod
    def of(cls, shop: str, customer_id: str) -> Self:
        return cls(customer_key(shop, customer_id), cls.SK)


class SuppressionState(Part):
    """Whether one reason speaks against an address, and since which event."""

    reason = UnicodeAttribute()
    state = UnicodeAttribute()
    source = UnicodeAttribute()
    actor = UnicodeAttribute()
    note = UnicodeAttribute(null=True)
    occurred_at = UTCDateTimeAttribute()
    cause = UnicodeAttribute()


class Suppression(Published, discriminator="Suppression"):
    """What speaks against sending to an address, whoever's it is. The address itself is not kept."""

    SK: ClassVar[str] = "SUPPRESSION"

    shop = UnicodeAttribute()
    channel = UnicodeAttribute()
    digest = UnicodeAttribute()
    hint = UnicodeAttribute()
    states: ListAttribute[SuppressionState] = ListAttribute(of=SuppressionState, default=list)

    @classmethod
    def of(cls, shop: str, channel: str, digest: str, *, hint: str) -> Self:
        return cls(address_key(shop, digest), cls.SK, shop=shop, channel=channel, digest=digest, hint=hint)

    @property
    def reasons(self) -> list[SuppressionState]:
        """Those that hold."""
        return [state for state in self.states if state.state == SUPPRESSED]


class SuppressionEntry(Item, discriminator="SuppressionEntry"):
    """That an address was suppressed for a reason, or the reason lifted: by whom, when and why."""

    reason = UnicodeAttribute()
    state = UnicodeAttribute()
    source = UnicodeAttribute()
    actor = UnicodeAttribute()
    note = UnicodeAttribute(null=True)
    occurred_at = UTCDateTimeAttribute()
    recorded_at = UTCDateTimeAttribute()
    cause = UnicodeAttribute()
    replayed = BooleanAttribute(default=False)

    @classmethod
    def of(cls, shop: str, digest: str, cause: str, *, occurred_at: datetime) -> Self:
        return cls(
            address_key(shop, digest),
            f"ENTRY#{cause}",
            cause=cause,
            occurred_at=occurred_at,
            timeline_key=f"ENTRY#{clock.text(occurred_at)}#{cause}",
        )


def address_key(shop: str, digest: str) -> str:
    return f"SHOP#{shop}#ADDRESS#{digest}"


class UsedKey(Item, discriminator="UsedKey"):
    """That an idempotency key was used, and for what."""

    arguments_hash = UnicodeAttribute()

    @classmethod
    def of(cls, pk: str, name: str) -> Self:
        return cls(pk, f"KEY#{name}")
