# crm/loyalty/standing.py
"""Balances as they are at an instant, also where time has changed them and no timer has yet been handled."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from crm.customers import service as customers
from crm.customers.service import Customer
from crm.loyalty import expiry, repository, stored
from crm.loyalty.bonuses import celebrating
from crm.loyalty.claiming import Forgiven
from crm.loyalty.ledger import claims, due, idling, movements, order_points, order_state
from crm.loyalty.ledger.chain import Balances, Entry
from crm.loyalty.ledger.due import BirthdayCome, Calendar, Expiring, Held, Noticed, PendingCredit
from crm.loyalty.ledger.idling import Activity
from crm.loyalty.ledger.movements import Occasion
from crm.loyalty.ledger.pardons import Debit
from crm.loyalty.ledger.pools import Pools
from crm.loyalty.models import LoyaltyAccount, month_at, month_of
from crm.loyalty.posting import decided, is_due, occasion, present, unmoved
from crm.loyalty.programme import Programme
from crm.loyalty.programmes import in_force


class Played(Struct, frozen=True):
    """Balances, and when the last that had fallen due moved what can be spent; the pools, where anything had (None:
    as they are stored), and when those of INACTIVITY end.
    """

    balances: Balances
    moved_at: datetime | None = None
    pools: Pools | None = None
    idle_at: datetime | None = None


class Ending(Struct, frozen=True):
    """Points that can be spent, and when they expire."""

    points: int
    ends_at: datetime


def balances(shop: str, customer_id: str, *, now: datetime) -> Balances:
    """As `played`, of an account as it is stored now."""
    head = repository.get_account(shop, customer_id)
    return played(shop, customer_id, head, now=now).balances if head else Balances()


def played(shop: str, customer_id: str, head: LoyaltyAccount, *, now: datetime) -> Played:
    """What has fallen due is played as it will be posted, and nothing is written. Raises NotFound for an unknown shop,
    and Stale where somebody moves the account all the time.

    For an account of which something `is_due`; of the others the head says the same. What is read beside a head is
    newer where something was posted meanwhile: then all is read anew, and whoever writes by it does so under the
    condition of the head that they gave.
    """
    heads = [head]

    def attempt() -> Played:
        read = heads.pop() if heads else repository.get_account(shop, customer_id) or head
        if not is_due(read, now) or read.due_at is None:
            return Played(stored.balances_of(read), idle_at=read.idle_at)
        with unmoved(shop, customer_id, read):
            return _Play(shop, customer_id, read, now=now).on()

    return decided(attempt)


def ending(shop: str, customer_id: str, *, due: bool, idle_at: datetime | None, now: datetime) -> list[Ending]:
    """What expires when, the soonest first; what never does is left out. `due` and `idle_at` are the account's head's:
    whether anything is due, and when points of INACTIVITY expire.
    """
    pools: Pools | None = None
    if due and (head := repository.get_account(shop, customer_id)):
        then = played(shop, customer_id, head, now=now)
        pools, idle_at = then.pools, then.idle_at
    if pools is None:
        pools = stored.pools_of(repository.list_months(shop, customer_id, since=month_at(now)))
    points: dict[datetime, int] = {}
    for name, pool in pools.items():
        at = idle_at if expiry.is_idle(name) else expiry.ends_at(name)
        if at and at > now and pool.remaining:
            points[at] = points.get(at, 0) + pool.remaining
    return [Ending(points[at], at) for at in sorted(points)]


class _Play:
    """An account, as time goes on."""

    def __init__(self, shop: str, customer_id: str, head: LoyaltyAccount, *, now: datetime) -> None:
        self.shop, self.customer_id, self.now = shop, customer_id, present(head, now)
        ended = [repository.get_hold(shop, customer_id, one.hold_id) for one in head.holds if one.ends_at <= self.now]
        besides = [expiry.pool_of(head.due_at), *stored.pools_held(*ended)]
        since = min([month_at(self.now), *map(month_of, besides)])
        self.account = stored.account_of(
            shop, customer_id, head, repository.list_months(shop, customer_id, since=since)
        )
        maturing = repository.list_pending(shop, customer_id, until=self.now)
        self.orders = {item.order_id: stored.state_of(item) for item in maturing}
        self.holds = {item.hold_id: stored.held_of(item) for item in ended if item is not None}
        self.birthday, self.enrolled_at = stored.birthday_of(head), head.enrolled_at
        self.activity = Activity(head.active_at, head.idle_at)
        self.lives_from: datetime | None = None
        self.forgiven: dict[str, order_state.OrderState] | None = None

    def on(self) -> Played:
        moved_at = None
        while coming := self._coming():
            at, one = coming
            for entry in self._play(one, at):
                if idling.concerns(self.activity, entry):
                    known, lives_from = self.activity, self.lives_from
                    self.activity = idling.after(known, entry, self._programme(at), lives_from=lives_from)
                if entry.points:
                    moved_at = max(entry.occurred_at, moved_at or entry.occurred_at)
        return Played(self.account.balances, moved_at, self.account.pools, self.activity.idle_at)

    def _play(self, one: due.Due, at: datetime) -> Sequence[Entry]:
        when, self.lives_from = occasion("", at=at, now=at, recorded_at=self.now), None
        match one:
            case PendingCredit():
                settled = order_points.mature(self.account, self.orders.pop(one.order_id), occasion=when)
                self.account = settled.account
                return settled.entries
            case BirthdayCome():
                return self._celebrate(when)
            case Noticed():
                ending = due.ending_at(self.account.pools, one.ends_at, self._calendar())
                self.account = due.told_of(self.account, ending, one.ends_at)
                return ()
            case Held():
                return self._let_go(self.holds.pop(one.hold_id), when)
            case Expiring():
                moved = movements.expire(self.account, one.pool, occasion=when)
        self.account = moved.account
        return (moved.entry,)

    def _let_go(self, held: Held, when: Occasion) -> Sequence[Entry]:
        moved = movements.release(self.account, held.portions, subject="", grace=None, occasion=when)
        if self.forgiven is None:
            self.forgiven = Forgiven(self.account).states
        credited = order_state.credited(self.forgiven)
        claimed = claims.claim(moved, [Debit(held.number, held.points)], credited, occasion=when)
        self.account, self.forgiven = claimed.account, order_state.claimed_of(self.forgiven, claimed)
        return (moved.entry, *claimed.entries)

    def _celebrate(self, when: Occasion) -> Sequence[Entry]:
        customer = customers.take_snapshot(self.shop, self.customer_id).head(Customer)
        celebrated = celebrating.celebrate(
            self.account, self.birthday, self._programme(when.occurred_at), customer, enrolled_at=self.enrolled_at,
            occasion=when,
        )  # fmt: skip
        self.account, self.birthday = celebrated.account, celebrated.birthday
        if celebrated.entries:
            self.activity, self.lives_from = idling.ended(self.activity, when.occurred_at), celebrated.lives_from
            self.enrolled_at = self.enrolled_at or celebrated.entries[0].occurred_at
        return celebrated.entries

    def _coming(self) -> tuple[datetime, due.Due] | None:
        pending = [
            PendingCredit(state.order_id, state.pending, state.available_at, state.pool)
            for state in self.orders.values()
            if state.available_at and state.pool
        ]
        coming = due.all_due(self.account.pools, pending, self.holds.values(), self._calendar())
        return next(((at, one) for at, one in coming if at <= self.now), None)

    def _calendar(self) -> Calendar:
        return stored.calendar_of(self.activity.idle_at, self.birthday, self._programme(self.now))

    def _programme(self, at: datetime) -> Programme:
        return in_force.programme(self.shop, at=at, now=self.now)
