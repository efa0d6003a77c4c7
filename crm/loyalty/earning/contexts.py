# crm/loyalty/earning/contexts.py
"""Who ordered, and when, as rules ask about it."""

from datetime import datetime

from crm.loyalty.earning import repository
from crm.loyalty.earning.definitions import Earning
from crm.loyalty.earning.granting import Context


def context_of(
    shop: str, customer_id: str, earning: Earning, *, placed_at: datetime, first: bool, tier: str | None
) -> Context:
    """Segments are those that the customer was in an instant before, as is known now: what the order itself brings
    about does not count for it.
    """
    segments = sorted(earning.segments)
    entered = _open(shop, customer_id) if segments else {}
    within = [
        each
        for each in segments
        if (each in entered and entered[each] < placed_at) or repository.was_member(shop, customer_id, each, placed_at)
    ]
    return Context(placed_at, first, tier, tuple(within))


def _open(shop: str, customer_id: str) -> dict[str, datetime]:
    head = repository.get_segments(shop, customer_id)
    return {state.segment_id: state.entered_at for state in head.open} if head else {}
