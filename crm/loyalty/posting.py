# crm/loyalty/posting.py
"""How a movement is written: entries, balances, pools and the timer in one Change.

The account's `rev` is the one guard. Everything else of it is read after it and only ever written with it, so that
whoever decided by any of it finds the account moved. The months of its pools need no condition of their own.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar

from crm.customers.service import Customer
from crm.kernel import correlation, timers
from crm.kernel.actor import Actor, Role
from crm.kernel.change import Change, retrying
from crm.kernel.errors import Stale
from crm.kernel.timers import Timer, TimerDue
from crm.loyalty import repository, stored
from crm.loyalty.bonuses.joining import SIGNUP
from crm.loyalty.ledger import due, idling, movements
from crm.loyalty.ledger.chain import Entry
from crm.loyalty.ledger.due import Calendar, Held, PendingCredit
from crm.loyalty.ledger.idling import Activity
from crm.loyalty.ledger.movements import ISSUED, Account, Occasion
from crm.loyalty.ledger.pools import Pools, remaining
from crm.loyalty.models import (
    Enrolled,
    HoldStatus,
    LoyaltyAccount,
    OpenHold,
    PointsHold,
    PointsMonth,
    month_at,
    month_of,
)
from crm.loyalty.programmes import in_force

T = TypeVar("T")

OWNER, SUBJECT = "loyalty", "ledger"

Admit = Callable[[Change], None]
"""Refuses, or holds a change to what it was let in by."""

IMPOSSIBLE: Final = 5
"""How often an account may look impossible at one revision before it is: whoever reads while a transaction is written
sees some of its items, and others not yet.
"""
_read: ContextVar[list[tuple[str, int]]] = ContextVar("read")
"""The accounts that are read for what is being decided, and their revisions."""


def anybody(_: Change) -> None:
    """Of what happened in any case, such as an order, and where the caller has looked."""


class Ledger:
    """One account as it was read, with the pools that are open at `now` and those named `besides`; and what is to be
    written of it. There is none but in what is `decided`, which says what comes of points that moved while it was read.
    """

    def __init__(
        self, shop: str, customer_id: str, head: LoyaltyAccount, *, now: datetime, besides: Iterable[str] = ()
    ) -> None:
        self.shop, self.customer_id, self.head, self.now = shop, customer_id, head, present(head, now)
        _read.get().append((head.pk, int(head.rev)))
        self._since = min([month_at(self.now), *map(month_of, besides)])
        months = repository.list_months(shop, customer_id, since=self._since)
        self.read = stored.account_of(shop, customer_id, head, months)
        available, there = self.read.balances.available, remaining(self.read.pools)
        if available != there:
            raise ValueError(f"{available} points can be spent, and in the pools are {there}")

    @property
    def holds(self) -> list[Held]:
        """The open ones, without where their points are from."""
        return [Held(one.hold_id, (), one.ends_at, one.order_id) for one in self.head.holds]

    def write(
        self,
        change: Change,
        account: Account,
        entries: Sequence[Entry],
        *,
        pending: Iterable[PendingCredit] = (),
        exactly: bool = False,
        lives_from: datetime | None = None,
    ) -> None:
        """Add what `entries` made of the account. `pending` is new, or with `exactly` the first of all there is: only
        then may the timer move to a later time, since a late hint costs one early wake, and an early one the promise.
        `lives_from`: as `idling.after` has it.
        """
        head, armed = self.head, self.head.due_at
        change.not_before(self.now)
        self._months(change, account.pools)
        for entry in entries:
            self._count_as_active(entry, lives_from)
        moments = self._moments(account, pending) + ([armed] if armed and not exactly else [])
        head.due_at = min(moments, default=None)
        timers.follow(change, self._timer(armed), self._timer(head.due_at))
        balances = account.balances
        head.available, head.pending = balances.net, balances.pending
        head.held, head.owed = balances.held, balances.owed
        head.pardons = stored.pardon_parts(account.pardons)
        head.number, head.fingerprint = account.number, account.fingerprint or None
        for entry in entries:
            head.lifetime_earned -= sum(one.points for one in entry.postings if one.account == ISSUED)
            head.cause, head.replayed, head.posted_at = entry.cause, entry.replayed, entry.recorded_at
            if entry.points:
                head.newest_at = max(entry.occurred_at, head.newest_at or entry.occurred_at)
            if entry.cause == SIGNUP or entry.claims:  # beside another's cause, which two at once do not share
                change.write(stored.item_of(entry), when=None, otherwise=Stale())
            else:
                change.once(stored.item_of(entry))
        change.revise(head)

    def open_hold(self, change: Change, item: PointsHold) -> None:
        held = OpenHold(hold_id=item.hold_id, points=item.points, ends_at=item.ends_at, order_id=item.order_id)
        self.head.holds = [*self.head.holds, held]
        change.write(item, when=None, otherwise=Stale())

    def close_hold(self, change: Change, item: PointsHold, status: HoldStatus, *, captured: int = 0) -> None:
        self.head.holds = [one for one in self.head.holds if one.hold_id != item.hold_id]
        item.status, item.captured = status, captured
        change.write(item, when=None, otherwise=Stale())

    def enrol(
        self,
        change: Change,
        at: datetime,
        *,
        cause: str,
        actor: str | None = None,
        replayed: bool,
        customer: Customer | None = None,
    ) -> None:
        """They take part since then, or did before: also where what is told later was earlier. `customer`: the profile
        that something is given by; nobody is given it who is blocked meanwhile.
        """
        if customer is not None:
            change.unchanged(customer)
        first, self.head.enrolled_at = self.head.enrolled_at, min(at, self.head.enrolled_at or at)
        if first is None:
            item = Enrolled.of(self.shop, self.customer_id)
            item.enrolled_at, item.actor, item.cause, item.replayed = at, actor, cause, replayed
            change.write(item, when=None, otherwise=Stale())

    def grace(self, when: Occasion) -> str | None:
        """Where what comes back goes that would have expired: nowhere, where customers or time let it go."""
        if when.actor is None or Actor.parse(when.actor).role is Role.CUSTOMER:
            return None
        return movements.grace_pool(in_force.programme(self.shop, now=self.now), self.now)

    def calendar(self) -> Calendar:
        programme = in_force.programme(self.shop, now=self.now)
        return stored.calendar_of(self.head.idle_at, stored.birthday_of(self.head), programme)

    def _moments(self, account: Account, pending: Iterable[PendingCredit]) -> list[datetime]:
        """When what comes first is due, and when to look whether more is."""
        calendar = self.calendar()
        coming = due.all_due(account.pools, pending, self.holds, calendar)
        looked_at = due.looked_at(account.pools, calendar, now=self.now)
        return [at for at, _ in coming[:1]] + ([looked_at] if looked_at else [])

    def _count_as_active(self, entry: Entry, lives_from: datetime | None) -> None:
        known = Activity(self.head.active_at, self.head.idle_at)
        if idling.concerns(known, entry):
            at = min(lives_from, self.now) if lives_from else entry.occurred_at
            programme = in_force.then(self.shop, at=at, now=self.now).programme
            known = idling.after(known, entry, programme, lives_from=lives_from)
            self.head.active_at, self.head.idle_at = known.active_at, known.idle_at

    def months_changed(self, pools: Pools) -> set[str]:
        return {month_of(name) for name, pool in pools.items() if self.read.pools.get(name) != pool}

    def _months(self, change: Change, pools: Pools) -> None:
        for name in sorted(self.months_changed(pools)):
            if name < self._since:
                raise ValueError(f"the pools of {name} were not read")
            month = PointsMonth.of(self.shop, self.customer_id, name)
            month.pools = stored.pool_parts({each: pool for each, pool in pools.items() if month_of(each) == name})
            change.write(month, when=None, otherwise=Stale())

    def _timer(self, due_at: datetime | None) -> Timer | None:
        return Timer.of(self.shop, self.customer_id, OWNER, SUBJECT, due_at) if due_at else None


def forget(due_: TimerDue, *, now: datetime) -> None:
    """Take away a timer where nobody is there whom time could change."""

    def attempt() -> None:
        head = repository.get_account(due_.shop, due_.customer_id)
        timer = timers.get(due_.shop, due_.customer_id, due_.owner, due_.subject) if head is None else None
        if timer is None:
            return
        change = Change(now)
        change.unchanged(LoyaltyAccount.of(due_.shop, due_.customer_id))
        timers.follow(change, timer, None)
        change.commit()

    retrying(attempt)


def is_due(head: LoyaltyAccount, now: datetime) -> bool:
    """Whether time may have changed something that is not yet posted."""
    return head.due_at is not None and head.due_at <= present(head, now)


def present(head: LoyaltyAccount, now: datetime) -> datetime:
    """No earlier than what the account has done, whatever a clock says that is behind another's."""
    return now if head.posted_at is None else max(now, head.posted_at)


def decided(attempt: Callable[[], T]) -> T:
    """`retrying`, for all that decide by a Ledger. What turns out impossible (ValueError) is read and decided again:
    what was read did not belong together, since somebody moved an account meanwhile. Where it is as impossible each
    time, and nothing has moved, it is a bug, and raised.
    """
    return retrying(partial(_decided, attempt, Counter()))


def _decided(attempt: Callable[[], T], impossible: Counter[tuple[tuple[str, int], ...]]) -> T:
    """`impossible`: how often it was, by what was read."""
    read: list[tuple[str, int]] = []
    token = _read.set(read)
    try:
        return attempt()
    except ValueError as error:
        impossible[tuple(read)] += 1
        if read and impossible[tuple(read)] < IMPOSSIBLE:
            raise Stale from error
        raise
    finally:
        _read.reset(token)


@contextmanager
def unmoved(shop: str, customer_id: str, head: LoyaltyAccount) -> Iterator[None]:
    """For whoever reads more of an account than its head, and writes nothing, in what is `decided`. Raises Stale where
    it moved meanwhile, also in place of what is impossible by then: what was read does not belong together.
    """
    read = int(head.rev)
    _read.get().append((head.pk, read))
    try:
        yield
    finally:
        if _has_moved(shop, customer_id, read):
            raise Stale


def _has_moved(shop: str, customer_id: str, read: int) -> bool:
    """Whether the account is another than was read."""
    found = repository.get_account(shop, customer_id)
    return (int(found.rev) if found else 0) != read


def occasion(cause: str, *, at: datetime, now: datetime, **others: Any) -> Occasion:
    """For the request or delivery that is being worked for."""
    return Occasion(cause=cause, occurred_at=at, now=now, correlation_id=correlation.current(), **others)
