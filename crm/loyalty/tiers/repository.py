# crm/loyalty/tiers/repository.py
"""Every read of tiers; writes go through a Change."""

from pynamodb.exceptions import DoesNotExist

from crm.kernel import timeline
from crm.kernel.table import customer_key
from crm.loyalty.tiers.models import QualifyingMonth, TierChange


def list_qualifying(shop: str, customer_id: str, *, since: str = "", until: str | None = None) -> list[QualifyingMonth]:
    """What counts for a customer's tier in the months named, both included, in their order (AP-200)."""
    months = QualifyingMonth.sk.between(f"QUALIFYING#{since}", f"QUALIFYING#{until or timeline.LAST}")
    pk = customer_key(shop, customer_id)
    return list(QualifyingMonth.query(pk, range_key_condition=months, consistent_read=True))


def get_change(shop: str, customer_id: str, number: int) -> TierChange | None:
    """One change of a customer's tier (AP-285)."""
    key = TierChange.of(shop, customer_id, number)
    try:
        return TierChange.get(key.pk, key.sk, consistent_read=True)
    except DoesNotExist:
        return None


def list_changes(shop: str, customer_id: str, *, before: str | None, limit: int) -> list[TierChange]:
    """A customer's tiers, the newest first, from behind the timeline key `before` (AP-201)."""
    return timeline.newest(TierChange, customer_key(shop, customer_id), "TIER#", before=before, limit=limit)
