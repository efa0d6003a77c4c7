# crm/segmentation/stays.py
"""What segmentation stores of a customer, besides the segments head (crm/customers/models.py) that lower areas decide
by. Their keys stand in crm/segmentation/models.py.
"""

from datetime import datetime
from typing import ClassVar, Self

from msgspec import Struct
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute

from crm.kernel import clock
from crm.kernel.compact_json import CompactJSONAttribute
from crm.kernel.ids import shard_of
from crm.kernel.table import Item, Published, customer_key

SHARDS = 4


class SegmentMembership(Published, discriminator="SegmentMembership"):
    """One stay in a segment: from `entered_at` until just before `left_at`. Written as it opens and as it closes.

    `version` and `left_version` are those of the definition by which it began and ended.
    """

    shop = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    segment_id = UnicodeAttribute()
    entered_at = UTCDateTimeAttribute()
    entered_cause = UnicodeAttribute()
    version = NumberAttribute(default=0)
    left_at = UTCDateTimeAttribute(null=True)
    left_cause = UnicodeAttribute(null=True)
    left_version = NumberAttribute(null=True)

    @classmethod
    def of(
        cls, shop: str, customer_id: str, segment_id: str, entered_at: datetime, entered_cause: str, *, begun_in: int
    ) -> Self:
        """An open one, which the revision `begun_in` of the customer's head begins: so none is ever written twice."""
        entered = clock.text(entered_at)
        return cls(
            customer_key(shop, customer_id),
            f"MEMBERSHIP#{segment_id}#{entered}#{begun_in:010}#{entered_cause}",
            shop=shop,
            customer_id=customer_id,
            segment_id=segment_id,
            entered_at=entered_at,
            entered_cause=entered_cause,
            list_pk=list_key(shop, segment_id, shard_of(customer_id, SHARDS)),
            list_sk=f"{entered}#{customer_id}",
        ).happens("ENTERED", entered_at, f"{segment_id}#{begun_in:010}")

    def end(self, at: datetime, cause: str, version: int) -> None:
        """Into the list of stays that are over."""
        self.left_at, self.left_cause, self.left_version = at, cause, version
        self.list_pk = left_list_key(self.shop, self.segment_id, shard_of(self.customer_id, SHARDS))
        self.list_sk = f"{clock.text(at)}#{self.customer_id}#{clock.text(self.entered_at)}"


class LeftSince(Struct, frozen=True):
    """Some who left a segment. `reached`: the sort key up to which there are no others, where reading stopped before
    the list ended and before all were found that were asked for.
    """

    stays: list[SegmentMembership]
    reached: str | None


class SegmentLeaving(Item, discriminator="SegmentLeaving"):
    """The end of a stay has its own place on the timeline."""

    shop = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    segment_id = UnicodeAttribute()
    left_at = UTCDateTimeAttribute()
    left_cause = UnicodeAttribute()
    version = NumberAttribute(default=0)

    @classmethod
    def of(cls, stay: SegmentMembership, *, ended_in: int) -> Self:
        """Of a stay that has ended, with the revision `ended_in` of the head."""
        if stay.left_at is None or stay.left_cause is None:
            raise ValueError(f"{stay.sk} has not ended")
        return cls(
            stay.pk,
            f"LEFT#{stay.segment_id}#{clock.text(stay.left_at)}#{ended_in:010}#{stay.left_cause}",
            shop=stay.shop,
            customer_id=stay.customer_id,
            segment_id=stay.segment_id,
            left_at=stay.left_at,
            left_cause=stay.left_cause,
            version=stay.left_version or 0,
        ).happens("LEFT", stay.left_at, f"{stay.segment_id}#{ended_in:010}")


class SegmentsByHand(Published, discriminator="SegmentsByHand"):
    """What people have said of a customer: `members` of segments without a query, `exclusions` from those with one.

    By segment, [when, who].
    """

    SK: ClassVar[str] = "HEAD#BYHAND"

    members = CompactJSONAttribute(default=dict)
    exclusions = CompactJSONAttribute(default=dict)

    @classmethod
    def of(cls, shop: str, customer_id: str) -> Self:
        return cls(customer_key(shop, customer_id), cls.SK)


class SegmentSaid(Item, discriminator="SegmentSaid"):
    """That somebody put a customer into a segment, or (`excluded`) took them out of one with a query: what the head
    above says of one segment, so that each segment can list it. Gone once that is taken back.
    """

    shop = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    segment_id = UnicodeAttribute()
    excluded = BooleanAttribute(default=False)
    said_at = UTCDateTimeAttribute()
    said_by = UnicodeAttribute()

    @classmethod
    def of(cls, shop: str, customer_id: str, segment_id: str) -> Self:
        return cls(
            customer_key(shop, customer_id),
            f"BYHAND#{segment_id}",
            shop=shop,
            customer_id=customer_id,
            segment_id=segment_id,
        )

    def say(self, at: str, by: str, *, excluded: bool) -> None:
        """`at` as the head has it."""
        self.said_at, self.said_by, self.excluded = clock.parse(at), by, excluded
        self.list_pk = by_hand_list_key(self.shop, self.segment_id, shard_of(self.customer_id, SHARDS))
        self.list_sk = f"{at}#{self.customer_id}"


def list_key(shop: str, segment_id: str, shard: int) -> str:
    return f"SHOP#{shop}#SEGMENT#{segment_id}#{shard}"


def left_list_key(shop: str, segment_id: str, shard: int) -> str:
    return f"SHOP#{shop}#SEGMENT#{segment_id}#LEFT#{shard}"


def by_hand_list_key(shop: str, segment_id: str, shard: int) -> str:
    return f"SHOP#{shop}#SEGMENT#{segment_id}#BYHAND#{shard}"
