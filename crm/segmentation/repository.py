# crm/segmentation/repository.py
"""Every read of memberships; writes go through a Change."""

from crm.kernel.table import customer_key
from crm.segmentation.models import SegmentMembership, list_key


def list_memberships(shop: str, customer_id: str, segment_id: str) -> list[SegmentMembership]:
    """All stays of a customer in a segment, oldest first (AP-50)."""
    stays = SegmentMembership.sk.startswith(f"MEMBERSHIP#{segment_id}#")
    return list(
        SegmentMembership.query(customer_key(shop, customer_id), range_key_condition=stays, consistent_read=True)
    )


def list_members(shop: str, segment_id: str, shard: int, *, after: str | None, limit: int) -> list[SegmentMembership]:
    """A shard of a segment's members now, the longest standing first, from behind the sort key `after` (AP-51)."""
    page = SegmentMembership.listing.query(
        list_key(shop, segment_id, shard),
        range_key_condition=SegmentMembership.list_sk > after if after else None,
        limit=limit,
    )
    return [item for item in page if isinstance(item, SegmentMembership)]
