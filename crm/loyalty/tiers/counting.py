# crm/loyalty/tiers/counting.py
"""What orders count for tiers."""

from datetime import datetime

from crm.kernel import clock
from crm.kernel.change import Change
from crm.loyalty.ledger.order_state import OrderState, Revision
from crm.loyalty.models import LoyaltyAccount, OrderEarning
from crm.loyalty.tiers import record
from crm.loyalty.tiers.amounts import NOTHING, Amounts
from crm.loyalty.tiers.book import Occasion, TierBook
from crm.loyalty.tiers.record import Counted


def counted(order: Revision, state: OrderState, *, zone: str) -> Counted | None:
    """What an order counts as it stands, on the day on which it was placed; None: nothing. One that earns nothing for a
    reason counts nothing either. What was paid with points was spent as well.
    """
    if order.cancelled or state.withheld:
        return None
    amounts = Amounts(points=state.earned, spend=order.net, orders=int(order.net > 0))
    return None if amounts == NOTHING else Counted(clock.local_day(order.placed_at, zone), amounts)


def count(
    change: Change,
    shop: str,
    customer_id: str,
    head: LoyaltyAccount,
    earning: OrderEarning,
    after: Counted | None,
    *,
    zone: str,
    occasion: Occasion,
    now: datetime,
) -> bool:
    """Add to `change` what an order counts as it stands, instead of what it has counted; whether that is another. Who
    calls revises both items, and has settled the tier before.
    """
    before = record.counted_of(earning)
    if before == after:
        return False
    folded = record.kept_of(head).folded
    days = [each.day for each in (before, after) if each]
    book = TierBook(
        shop, customer_id, head, now=now, zone=zone, whole=folded is None or min(days) <= folded.day, besides=days
    )
    record.put_counted(earning, after)
    book.count(change, before, after, occasion)
    return True
