# crm/customers/models.py
"""What is stored about a customer.

Key design (docs/access-patterns.md, AP-02 to AP-05, AP-60 to AP-63, AP-80, AP-147):
    Customer      pk=SHOP#<shop>#CUSTOMER#<customer>         sk=HEAD#PROFILE   one of the heads of the snapshot
                  list_pk=SHOP#<shop>#CUSTOMERS#<shard>      list_sk=<created_at>#<customer>   unless deleted
    Identity      pk=SHOP#<shop>#IDENTITY#<kind>#<value>     sk=IDENTITY       its key is what makes a value unique
    SegmentsHead  pk=SHOP#<shop>#CUSTOMER#<customer>         sk=HEAD#SEGMENTS  written by segmentation, read below
    HistoryEntry  pk=SHOP#<shop>#CUSTOMER#<customer>         sk=HISTORY#<cause>   written once, never changed
                  timeline_key=HISTORY#<recorded_at>#<revs of what changed>
    CustomerAttributes   pk=SHOP#<shop>#CUSTOMER#<customer>  sk=ATTRIBUTES        the shop's own attributes
    AttributeDefinition  pk=SHOP#<shop>#ATTRIBUTES           sk=ATTRIBUTE#<key>   never deleted
    AttributeCatalogue   pk=SHOP#<shop>#ATTRIBUTES           sk=CATALOGUE         how many there are
"""

from datetime import datetime
from typing import Any, ClassVar, Self

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
)

from crm.customers.standing import ACTIVE
from crm.kernel import clock
from crm.kernel.compact_json import CompactJSONAttribute
from crm.kernel.ids import shard_of
from crm.kernel.table import Item, Part, Published, Synced, customer_key

SHARDS = 4


class Address(Part):
    """`latitude` and `longitude` in degrees (WGS 84), where the source gave them."""

    line1 = UnicodeAttribute(null=True)
    line2 = UnicodeAttribute(null=True)
    postal_code = UnicodeAttribute(null=True)
    city = UnicodeAttribute(null=True)
    region = UnicodeAttribute(null=True)
    country = UnicodeAttribute(null=True)
    latitude = NumberAttribute(null=True)
    longitude = NumberAttribute(null=True)


class IdentityClaim(Part):
    """An identifier as the customer's record shows it. `conflicting`: it belongs to another customer, who keeps it."""

    kind = UnicodeAttribute()
    value = UnicodeAttribute()
    verified = BooleanAttribute(default=False)
    conflicting = BooleanAttribute(default=False)


class Customer(Synced, discriminator="Customer"):
    """The profile. `version` is public and moves when a value does; `rev` counts every write, also one that only moves
    `field_times`: per field, the event time of what is stored; `field_origins` whose word it is (provenance.Origin).
    """

    SK: ClassVar[str] = "HEAD#PROFILE"

    shop = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    created_at = UTCDateTimeAttribute()
    updated_at = UTCDateTimeAttribute()
    changed_at = UTCDateTimeAttribute()
    """When what was told last came about, by its source; `updated_at` is when it was told."""
    newest_at = UTCDateTimeAttribute(null=True)
    """The latest that `changed_at` ever was."""
    version = NumberAttribute(default=0)
    status = UnicodeAttribute(default=ACTIVE)
    deleted_from = UnicodeAttribute(null=True)
    """The status that a deleted customer had, and is restored to."""
    test = BooleanAttribute(default=False)
    first_name = UnicodeAttribute(null=True)
    last_name = UnicodeAttribute(null=True)
    email = UnicodeAttribute(null=True)
    phone = UnicodeAttribute(null=True)
    pending_email = UnicodeAttribute(null=True)
    pending_phone = UnicodeAttribute(null=True)
    """What the customer says and nobody has vouched for: no identity, never sent to."""
    locale = UnicodeAttribute(null=True)
    zone = UnicodeAttribute(null=True)
    birth_date = UnicodeAttribute(null=True)
    gender = UnicodeAttribute(null=True)
    tags = UnicodeSetAttribute(null=True)
    addresses: ListAttribute[Address] = ListAttribute(of=Address, default=list)
    identities: ListAttribute[IdentityClaim] = ListAttribute(of=IdentityClaim, default=list)
    field_times = JSONAttribute(default=dict)
    field_origins = CompactJSONAttribute(default=dict)
    merged_into = UnicodeAttribute(null=True)
    """Room for merges: the customer this record was absorbed into."""

    @classmethod
    def of(cls, shop: str, customer_id: str, *, now: datetime) -> Self:
        pk = customer_key(shop, customer_id)
        customer = cls(pk, cls.SK, shop=shop, customer_id=customer_id)
        customer.created_at = customer.updated_at = customer.changed_at = now
        customer.enlist()
        return customer

    def change(self, occurred_at: datetime, *, now: datetime) -> None:
        """Something else is told of them, and came about then: not after it is told."""
        self.changed_at, self.updated_at = min(occurred_at, now), now
        self.newest_at = max(self.changed_at, self.newest_at or self.changed_at)

    def enlist(self) -> None:
        """Into the shop's list, at the place that the customer has by their age."""
        self.list_pk = f"SHOP#{self.shop}#CUSTOMERS#{shard_of(self.customer_id, SHARDS)}"
        self.list_sk = f"{clock.text(self.created_at)}#{self.customer_id}"

    def unlist(self) -> None:
        self.list_pk = self.list_sk = None


class Identity(Item, discriminator="Identity"):
    """Who holds an identifier. One item a value, so that two customers cannot."""

    shop = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    verified = BooleanAttribute(default=False)

    @classmethod
    def of(cls, shop: str, kind: str, value: str, customer_id: str, *, verified: bool = False) -> Self:
        pk = f"SHOP#{shop}#IDENTITY#{kind}#{value}"
        return cls(pk, "IDENTITY", shop=shop, customer_id=customer_id, verified=verified)


class SegmentState(Part):
    """One open membership, as lower areas decide by it. `version` of the definition by which it began; `begun_in`: the
    revision of the head with which it was stored.
    """

    segment_id = UnicodeAttribute()
    entered_at = UTCDateTimeAttribute()
    entered_cause = UnicodeAttribute()
    version = NumberAttribute(default=0)
    begun_in = NumberAttribute(default=0)
    flips_at = UTCDateTimeAttribute(null=True)
    """Past this instant the membership is stale until its timer has fired: compute it or call it stale."""


class SegmentsHead(Published, discriminator="SegmentsHead"):
    """Where a customer stands in the shop's segments. `flips`: when time will bring them into one they are not in;
    `asks`: when one is to be asked again that time may change; both by segment.
    """

    SK: ClassVar[str] = "HEAD#SEGMENTS"

    open: ListAttribute[SegmentState] = ListAttribute(of=SegmentState, default=list)
    flips = CompactJSONAttribute(default=dict)
    asks = CompactJSONAttribute(default=dict)
    definitions_version = NumberAttribute(null=True)
    """The version of the shop's catalogue of segments by which all of this was judged; None: not all has been yet."""
    hidden = BooleanAttribute(default=False)
    """Whether the customer was, as of this revision: then they are in no segment, and nothing was asked."""
    as_of = UTCDateTimeAttribute(null=True)
    """The latest instant at which anything here took effect; nothing takes effect before it any more."""
    wakes_at = UTCDateTimeAttribute(null=True)
    """When segmentation's timer is set for: never later than anything here is changed by time. None: there is none."""

    @classmethod
    def of(cls, shop: str, customer_id: str) -> Self:
        return cls(customer_key(shop, customer_id), cls.SK)


class HistoryEntry(Item, discriminator="HistoryEntry"):
    """One change of a customer's record: whose word it was, and each field before and after (history.FieldChange)."""

    customer_id = UnicodeAttribute()
    origin = UnicodeAttribute()
    cause = UnicodeAttribute()
    occurred_at = UTCDateTimeAttribute()
    recorded_at = UTCDateTimeAttribute()
    replayed = BooleanAttribute(default=False)
    fields = CompactJSONAttribute(default=list)

    @classmethod
    def of(cls, shop: str, customer_id: str, cause: str, *, recorded_at: datetime, order: str) -> Self:
        """`order` tells apart what is recorded at one instant."""
        return cls(
            customer_key(shop, customer_id),
            f"HISTORY#{cause}",
            customer_id=customer_id,
            cause=cause,
            recorded_at=recorded_at,
            timeline_key=f"HISTORY#{clock.text(recorded_at)}#{order}",
        )


class CustomerAttributes(Synced, discriminator="CustomerAttributes"):
    """`states`: by key, the value (crm/customers/attributes.py says how), when it came about (`at`) and its origin; of
    one that was cleared, the value is null. No head: it may be large, and few who read the snapshot decide by it.
    """

    states = CompactJSONAttribute(default=dict)

    @classmethod
    def of(cls, shop: str, customer_id: str) -> Self:
        return cls(customer_key(shop, customer_id), "ATTRIBUTES")


class AttributeDefinition(Published, discriminator="AttributeDefinition"):
    """What an attribute of a shop's customers is. `rev` is its public version; its types are for ever.

    `choices` are [{"key", "name"}]; `party` is whose data it is.
    """

    key = UnicodeAttribute()
    name = UnicodeAttribute()
    type = UnicodeAttribute()
    element_type = UnicodeAttribute(null=True)
    description = UnicodeAttribute(null=True)
    choices = CompactJSONAttribute(default=list)
    currency = UnicodeAttribute(null=True)
    party = UnicodeAttribute(default="first")
    customer_access = UnicodeAttribute(default="hidden")
    retired_at = UTCDateTimeAttribute(null=True)
    created_at = UTCDateTimeAttribute()
    updated_at = UTCDateTimeAttribute()

    @classmethod
    def of(cls, shop: str, key: str, *, now: datetime) -> Self:
        return cls(attributes_key(shop), f"ATTRIBUTE#{key}", key=key, created_at=now, updated_at=now)


class AttributeCatalogue(Item, discriminator="AttributeCatalogue"):
    """How many definitions a shop has, so that no two people at once make one too many."""

    definition_count = NumberAttribute(default=0)

    @classmethod
    def of(cls, shop: str) -> Self:
        return cls(attributes_key(shop), "CATALOGUE")


def attributes_key(shop: str) -> str:
    return f"SHOP#{shop}#ATTRIBUTES"


def plain(value: Any) -> Any:
    """Attribute maps as dictionaries: two equal PynamoDB items compare unequal."""
    if isinstance(value, list):
        return [plain(element) for element in value]
    if hasattr(value, "attribute_values"):
        return {name: plain(inner) for name, inner in value.attribute_values.items() if inner is not None}
    return value
