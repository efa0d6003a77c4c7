# crm/segmentation/stays.py
"""What segmentation stores of a customer, besides the segments head (crm/customers/models.py) that lower areas decide
by. Their keys stand in crm/segmentation/models.py.
"""

from datetime import datetime
from typing import Self

from pynamodb.attributes import UnicodeAttribute, UTCDateTimeAttribute

from crm.kernel import clock
from crm.kernel.ids import shard_of
from crm.kernel.table import Item, Published, customer_key

SHARDS = 4


class SegmentMembership(Published, discriminator="SegmentMembership"):
    """One stay in a segment: from `entered_at` until just before `left_at`. Written as it opens and as it closes."""

    shop = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    segment_id = UnicodeAttribute()
    entered_at = UTCDateTimeAttribute()
    entered_cause = UnicodeAttribute()
    left_at = UTCDateTimeAttribute(null=True)
    left_cause = UnicodeAttribute(null=True)

    @classmethod
    def of(cls, shop: str, customer_id: str, segment_id: str, entered_at: datetime, entered_cause: str) -> Self:
        """An open one."""
        entered = clock.text(entered_at)
        return cls(
            customer_key(shop, customer_id),
            f"MEMBERSHIP#{segment_id}#{entered}#{entered_cause}",
            shop=shop,
            customer_id=customer_id,
            segment_id=segment_id,
            entered_at=entered_at,
            entered_cause=entered_cause,
            list_pk=list_key(shop, segment_id, shard_of(customer_id, SHARDS)),
            list_sk=f"{entered}#{customer_id}",
        ).happens("ENTERED", entered_at, segment_id)


class SegmentLeaving(Item, discriminator="SegmentLeaving"):
    """The end of a stay has its own place on the timeline."""

    shop = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    segment_id = UnicodeAttribute()
    left_at = UTCDateTimeAttribute()
    left_cause = UnicodeAttribute()

    @classmethod
    def of(cls, shop: str, customer_id: str, segment_id: str, left_at: datetime, left_cause: str) -> Self:
        return cls(
            customer_key(shop, customer_id),
            f"LEFT#{segment_id}#{clock.text(left_at)}#{left_cause}",
            shop=shop,
            customer_id=customer_id,
            segment_id=segment_id,
            left_at=left_at,
            left_cause=left_cause,
        ).happens("LEFT", left_at, segment_id)


def list_key(shop: str, segment_id: str, shard: int) -> str:
    return f"SHOP#{shop}#SEGMENT#{segment_id}#{shard}"
