# crm/loyalty/tiers/settling.py
"""What time does to tiers, as of when it did."""

from datetime import datetime

from crm.kernel.change import Change, retrying
from crm.kernel.timers import TimerDue
from crm.loyalty import repository
from crm.loyalty.models import LoyaltyAccount
from crm.loyalty.posting import forget
from crm.loyalty.programmes import in_force
from crm.loyalty.tiers import record
from crm.loyalty.tiers.book import TierBook
from crm.loyalty.tiers.models import TierChange
from crm.loyalty.tiers.regimes import digest, regimes


def is_due(shop: str, head: LoyaltyAccount, *, now: datetime) -> bool:
    """Whether time, or the programme, may have changed a tier and nothing of it is written down yet. Raises NotFound
    for an unknown shop.
    """
    if head.merged is not None:
        return False  # what they count is the survivor's (crm/loyalty/absorbing.py)
    regime = regimes(shop, now=now)[-1]
    if head.tier is None:
        return bool(regime.tiers.all and head.rev)
    return record.kept_of(head).rules != digest(regime) or (head.tier_due_at is not None and head.tier_due_at <= now)


def settle(shop: str, customer_id: str, *, now: datetime) -> list[TierChange]:
    """Write down what time has changed, each as of when it did, tell of an end that is near, and set the timer to what
    comes next. Raises NotFound for an unknown shop.
    """
    return retrying(lambda: _settle(shop, customer_id, now=now))


def wake(timer: TimerDue, *, now: datetime) -> list[TierChange]:
    """Handle a timer. One that comes early is left as it is, one that comes again finds nothing to do."""
    written = settle(timer.shop, timer.customer_id, now=now)
    forget(timer, now=now)
    return written


def _settle(shop: str, customer_id: str, *, now: datetime) -> list[TierChange]:
    head = repository.get_account(shop, customer_id)
    if head is None or not is_due(shop, head, now=now):
        return []
    book = TierBook(shop, customer_id, head, now=now, zone=in_force.programme(shop, now=now).zone)
    change = Change(now)
    written = book.settle(change)
    change.revise(head)
    change.commit()
    return written
