# crm/segmentation/models.py
"""What segmentation stores, besides the segments head (crm/customers/models.py) that lower areas decide by.

Key design (docs/access-patterns.md, AP-50, AP-51):
    SegmentMembership  pk=SHOP#<shop>#CUSTOMER#<customer>  sk=MEMBERSHIP#<segment>#<entered_at>#<entered cause>
                       list_pk=SHOP#<shop>#SEGMENT#<segment>#<shard>  list_sk=<entered_at>#<customer>   while it is open
"""

from datetime import datetime
from typing import Self

from pynamodb.attributes import UnicodeAttribute, UTCDateTimeAttribute

from crm.kernel import clock
from crm.kernel.ids import shard_of
from crm.kernel.table import Published, customer_key

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
        )


def list_key(shop: str, segment_id: str, shard: int) -> str:
    return f"SHOP#{shop}#SEGMENT#{segment_id}#{shard}"
