# crm/loyalty/standing.py
"""Balances as they are at an instant, also where time has changed them and no timer has yet been handled."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from crm.loyalty import due, expiry, ledger, order_points, repository, stored
from crm.loyalty.chain import Balances
from crm.loyalty.due import Expiring, Held, PendingCredit
from crm.loyalty.ledger import Account
from crm.loyalty.models import LoyaltyAccount, month_at, month_of
from crm.loyalty.order_points import OrderState
from crm.loyalty.posting import is_due, occasion
from crm.loyalty.programmes import in_force


class Played(Struct, frozen=True):
    """Balances, and when the last that had fallen due moved what can be spent."""

    balances: Balances
    moved_at: datetime | None = None


def balances(shop: str, customer_id: str, *, now: datetime) -> Balances:
    """As `played`, of an account as it is stored now."""
    head = repository.get_account(shop, customer_id)
    return played(shop, customer_id, head, now=now).balances if head else Balances()


def played(shop: str, customer_id: str, head: LoyaltyAccount, *, now: datetime) -> Played:
    """What has fallen due is played as it will be posted, and nothing is written. Raises NotFound for an unknown shop.

    For an account of which something `is_due`; of the others the head says the same. What is read beside the head is
    newer where something was posted meanwhile: whoever writes by it does so under the condition of the head.
    """
    if not is_due(head, now) or head.due_at is None:
        return Played(stored.balances_of(head))
    moved_at = None
    since = min(month_at(now), month_of(expiry.pool_of(head.due_at)))
    account = stored.account_of(shop, customer_id, head, repository.list_months(shop, customer_id, since=since))
    orders = {item.order_id: stored.state_of(item) for item in repository.list_pending(shop, customer_id)}
    found = (repository.get_hold(shop, customer_id, one.hold_id) for one in head.holds if one.ends_at <= now)
    holds = {item.hold_id: stored.held_of(item) for item in found if item is not None}
    while coming := _coming(account, orders.values(), holds.values(), now=now):
        at, one = coming
        before = account.balances.net
        when = occasion("", at=at, now=at)
        match one:
            case PendingCredit():
                account = order_points.mature(account, orders.pop(one.order_id), occasion=when).account
            case Held():
                grace = ledger.grace_pool(in_force.programme(shop, at=at, now=now), at)
                moved = ledger.release(account, holds.pop(one.hold_id).portions, subject="", grace=grace, occasion=when)
                account = moved.account
            case Expiring():
                account = ledger.expire(account, one.pool, occasion=when).account
        moved_at = at if account.balances.net != before else moved_at
    return Played(account.balances, moved_at)


def _coming(
    account: Account, orders: Iterable[OrderState], holds: Iterable[Held], *, now: datetime
) -> tuple[datetime, due.Due] | None:
    pending = [
        PendingCredit(state.order_id, state.pending, state.available_at, state.pool)
        for state in orders
        if state.available_at and state.pool
    ]
    return next(((at, one) for at, one in due.all_due(account.pools, pending, holds) if at <= now), None)
