# crm/shops/repository.py
"""Every read of shop items; writes go through a Change."""

from pynamodb.exceptions import DoesNotExist

from crm.kernel.table import shop_key
from crm.shops.models import Shop


def get_shop(shop: str) -> Shop | None:
    """AP-01."""
    try:
        return Shop.get(shop_key(shop), "PROFILE", consistent_read=True)
    except DoesNotExist:
        return None
