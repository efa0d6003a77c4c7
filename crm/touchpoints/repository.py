# crm/touchpoints/repository.py
"""Every read of touchpoints; writes go through a Change."""

from crm.kernel import timeline
from crm.kernel.table import customer_key
from crm.touchpoints.models import Touchpoint


def list_newest(
    shop: str, customer_id: str, *, of_type: str | None, before: str | None, limit: int
) -> list[Touchpoint]:
    """AP-32."""
    only = Touchpoint.type == of_type if of_type else None
    return timeline.newest(
        Touchpoint, customer_key(shop, customer_id), "TOUCHPOINT#", before=before, limit=limit, only=only
    )
