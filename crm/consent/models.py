# crm/consent/models.py
"""What is stored about consent, and about addresses that nothing is sent to.

Key design (docs/access-patterns.md, AP-30, AP-65 to AP-69, AP-145, AP-146):
    ConsentEntry    pk=SHOP#<shop>#CUSTOMER#<customer>  sk=CONSENT#<channel>#<purpose>#<topic>#<cause>#<occurred_at>
                    timeline_key=CONSENT#<occurred_at>#<channel>#<purpose>#<topic>#<cause>   appended, never changed
    ConsentHead     pk=SHOP#<shop>#CUSTOMER#<customer>  sk=HEAD#CONSENT                      what holds now
    Suppression     pk=SHOP#<shop>#ADDRESS#<digest>     sk=SUPPRESSION                       what holds now
                    list_pk=SHOP#<shop>#SUPPRESSIONS#<shard>  list_sk=<suppressed_at>#<reference>   while one does
    SuppressionEntry  pk=SHOP#<shop>#ADDRESS#<digest>   sk=ENTRY#<cause>
                    timeline_key=ENTRY#<occurred_at>#<cause>                                 appended, never changed
    UsedKey         pk of a customer or an address      sk=KEY#<hash of an idempotency key>
<topic> is empty for what is said of a channel and purpose as a whole. <digest> is a hash of shop, channel and address
(crm/consent/addresses.py): no key tells an address, and a suppression belongs to no customer. <reference> is made up:
cursors show their list_sk, and a digest could be guessed.
"""

from datetime import datetime
from typing import ClassVar, Self

from pynamodb.attributes import BooleanAttribute, ListAttribute, UnicodeAttribute, UTCDateTimeAttribute

from crm.consent.permission import UNKNOWN
from crm.consent.reasons import SUPPRESSED
from crm.kernel import clock
from crm.kernel.ids import shard_of
from crm.kernel.table import Item, Part, Published, Synced, customer_key

SHARDS = 4  # of the list of a shop's suppressions


class ConsentEntry(Item, discriminator="ConsentEntry"):
    """What a customer said once about one channel, purpose and topic, where they said it, and who told us.

    `stated_at`: the time that the customer's device gave, where it does not count from then. `without_effect`: it was
    one topic too many for the head.
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
    stated_at = UTCDateTimeAttribute(null=True)
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
    """The latest no, yes or request of one channel, purpose and topic, as far as it counts (permission.Word)."""

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


class ConsentHead(Synced, discriminator="ConsentHead"):
    SK: ClassVar[str] = "HEAD#CONSENT"

    states: ListAttribute[ConsentState] = ListAttribute(of=ConsentState, default=list)
    """All that counts; `service.held` says what of it holds."""

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
    reference = UnicodeAttribute(null=True)
    states: ListAttribute[SuppressionState] = ListAttribute(of=SuppressionState, default=list)

    @classmethod
    def of(cls, shop: str, channel: str, digest: str, *, hint: str) -> Self:
        return cls(address_key(shop, digest), cls.SK, shop=shop, channel=channel, digest=digest, hint=hint)

    @property
    def reasons(self) -> list[SuppressionState]:
        """Those that hold."""
        return [state for state in self.states if state.state == SUPPRESSED]

    @property
    def suppressed_at(self) -> datetime | None:
        """When the newest of them came about."""
        return max((state.occurred_at for state in self.reasons), default=None)

    def enlist(self, reference: str) -> None:
        """Into the shop's list, or out of it where nothing holds any more. `reference` is its own unless it has one."""
        self.reference = self.reference or reference
        at = self.suppressed_at
        self.list_pk = f"SHOP#{self.shop}#SUPPRESSIONS#{shard_of(self.reference, SHARDS)}" if at else None
        self.list_sk = f"{clock.text(at)}#{self.reference}" if at else None


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
