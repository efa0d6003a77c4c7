# crm/consent/repository.py
"""Every read of consent items; writes go through a Change."""

from pynamodb.exceptions import DoesNotExist

from crm.consent.models import ConsentHead
from crm.kernel.table import customer_key


def get_head(shop: str, customer_id: str) -> ConsentHead | None:
    """AP-30."""
    try:
        return ConsentHead.get(customer_key(shop, customer_id), ConsentHead.SK, consistent_read=True)
    except DoesNotExist:
        return None
