# crm/loyalty/earning/contexts.py
"""Who ordered, and when, as rules ask about it."""

from datetime import datetime

from crm.customers.service import segments_before
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
    present = segments_before(repository.get_segments(shop, customer_id), placed_at) if segments else frozenset()
    within = [each for each in segments if each in present or repository.was_member(shop, customer_id, each, placed_at)]
    return Context(placed_at, first, tier, tuple(within))
