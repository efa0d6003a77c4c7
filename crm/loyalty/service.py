# crm/loyalty/service.py
"""What can be done with points. Called by resolvers and functions alike."""

from datetime import datetime

from msgspec import Struct

from crm.kernel.change import Change, retrying
from crm.kernel.money import Money
from crm.loyalty import ledger, repository
from crm.loyalty.ledger import Movement, Withheld
from crm.loyalty.models import LedgerEntry, LoyaltyAccount, OrderEarning, Posting
from crm.orders.events import OrderRecorded
from crm.shops import service as shops

__all__ = [
    "LedgerEntry", "LoyaltyAccount", "Movement", "OrderEarning", "Posted", "Withheld", "account", "earnings", "entries",
    "post_for_order",
]  # fmt: skip

account = repository.get_account
earnings = repository.get_earnings
entries = repository.list_entries


class Posted(Struct, frozen=True):
    """What came of a revision of an order: points moved (none where it was no news or made no difference)."""

    points: int
    withheld: Withheld | None


def post_for_order(order: OrderRecorded, *, now: datetime) -> Posted:
    """Post the difference between what an order earns as it stands and what it has posted.

    An older revision than the newest seen posts nothing, and neither does a repeat, so that every permutation of its
    revisions ends in the same balance. The programme's currency is that of the order's first posting: a shop that
    changes its own takes no points back by it. Test customers earn too: the points are theirs, KPIs leave them out.
    A balance may fall below zero. Raises NotFound for an unknown shop.
    """
    currency = shops.current(order.shop, now=now).currency
    return retrying(lambda: _post(order, currency, now=now))


def _post(order: OrderRecorded, currency: str, *, now: datetime) -> Posted:
    balance, earning = repository.get_for_order(order.shop, order.customer_id, order.order_id)
    earning.programme_currency = earning.programme_currency or currency
    earned = ledger.earned(Money(order.net, order.currency), currency=earning.programme_currency)
    points = ledger.correction(
        earned.points, order_rev=order.rev, posted=int(earning.posted), posted_rev=int(earning.order_rev)
    )
    if points is None:
        return Posted(0, earned.withheld)
    cause = f"order:{order.order_id}:earn:{order.rev}"
    change = Change(now)
    # Also where there is nothing to post: an older revision that comes later must find that it is one.
    earning.order_rev, earning.posted, earning.withheld = order.rev, earned.points, earned.withheld
    earning.cause, earning.replayed = cause, order.replayed
    change.revise(earning)
    if points:
        balance.available += points
        balance.lifetime_earned += points
        balance.cause, balance.replayed = cause, order.replayed
        change.revise(balance)
        change.once(_entry(order, cause, points, balance))
    return Posted(points if change.commit() else 0, earned.withheld)


def _entry(order: OrderRecorded, cause: str, points: int, balance: LoyaltyAccount) -> LedgerEntry:
    entry = LedgerEntry.of(order.shop, order.customer_id, cause)
    entry.number, entry.balance_after = balance.rev, balance.available
    entry.movement, entry.points = ledger.movement(points), points
    entry.postings = [Posting(account=name, points=moved) for name, moved in ledger.postings(points).items()]
    entry.order_id, entry.occurred_at, entry.replayed = order.order_id, order.occurred_at, order.replayed
    entry.happens("LEDGER", order.occurred_at, cause)
    return entry
