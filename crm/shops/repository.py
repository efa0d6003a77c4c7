# crm/shops/repository.py
"""Every read of shop items; writes go through a Change."""

from collections.abc import Iterator

from pynamodb.exceptions import DoesNotExist

from crm.kernel.table import shop_key
from crm.shops.models import ALL, Shop


def get_shop(shop: str) -> Shop | None:
    """AP-01."""
    try:
        return Shop.get(shop_key(shop), "PROFILE", consistent_read=True)
    except DoesNotExist:
        return None


def list_shops() -> Iterator[Shop]:
    """All shops, by id, read by the page as they are asked for (AP-172)."""
    return (item for item in Shop.listing.query(ALL) if isinstance(item, Shop))
