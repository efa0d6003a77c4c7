# crm/loyalty/maturing.py
"""What time does to points, in due order and as of when it fell due."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from crm.customers import service as customers
from crm.customers.service import Customer
from crm.kernel.change import Change, PartlyDone
from crm.kernel.errors import Stale
from crm.kernel.timers import TimerDue
from crm.loyalty import claiming, expiry, repository, stored
from crm.loyalty.bonuses import celebrating
from crm.loyalty.ledger import due, idling, movements, order_points, pools
from crm.loyalty.ledger.chain import Entry
from crm.loyalty.ledger.due import BirthdayCome, Due, Expiring, Held, Noticed, PendingCredit
from crm.loyalty.ledger.idling import Activity
from crm.loyalty.ledger.movements import Account, Occasion
from crm.loyalty.ledger.pardons import Debit
from crm.loyalty.models import ExpiryNotice, HoldStatus, LoyaltyAccount, OrderEarning
from crm.loyalty.posting import Ledger, decided, forget, is_due, occasion, present
from crm.loyalty.programmes import in_force
from crm.loyalty.redemptions import ending

MOST_MATURED: Final = 30
"""Orders whose points mature in one Change: two writes each and a month of pools at most, beside the account's own."""


class Step(Struct, frozen=True):
    """One thing that was due has had its effect: with entries where points moved."""

    account: Account
    entries: tuple[Entry, ...] = ()
    lives_from: datetime | None = None


def settle(shop: str, customer_id: str, *, now: datetime) -> list[Entry]:
    """Let everything that is due have its effect, and set the timer to what comes next: a Change for each, but orders
    that mature one after the other do so together.

    Raises NotFound for an unknown shop.
    """
    posted: list[Entry] = []
    while (step := decided(lambda: _settle_next(shop, customer_id, now=now))) is not None:
        posted += step.entries
    return posted


def wake(timer: TimerDue, *, now: datetime) -> list[Entry]:
    """Handle a timer. One that comes early is set anew, one that comes again finds nothing to do."""
    posted = settle(timer.shop, timer.customer_id, now=now)
    forget(timer, now=now)
    return posted


def opened(shop: str, customer_id: str, *, now: datetime) -> LoyaltyAccount:
    """The account, new where there is none, once everything that is due has had its effect."""
    head = repository.get_account(shop, customer_id) or LoyaltyAccount.of(shop, customer_id)
    if is_due(head, now):
        settle(shop, customer_id, now=now)
        head = repository.get_account(shop, customer_id) or head
    return head


def _settle_next(shop: str, customer_id: str, *, now: datetime) -> Step | None:
    head = repository.get_account(shop, customer_id)
    if head is None or not is_due(head, now):
        return None
    ended = [
        repository.get_hold(shop, customer_id, one.hold_id) for one in head.holds if one.ends_at <= present(head, now)
    ]
    # Those that may mature together, and what the timer waits for then.
    pending = repository.list_pending(shop, customer_id, limit=MOST_MATURED + 1)
    into = [item.pool for item in pending if item.pool]  # which may be past already
    besides = [expiry.pool_of(head.due_at), *stored.pools_held(*ended), *into]
    book = Ledger(shop, customer_id, head, now=now, besides=besides)
    coming = due.all_due(book.read.pools, map(stored.pending_of, pending), book.holds, book.calendar())
    change, read = Change(now), int(head.rev)
    if not coming or coming[0][0] > book.now:
        book.write(change, book.read, [], pending=map(stored.pending_of, pending), exactly=True)
        change.commit()
        return None
    at, one = coming[0]
    step = _step(change, book, one, pending, at=at)
    left = [stored.pending_of(item) for item in pending if item.pending]
    book.write(change, step.account, step.entries, pending=left, exactly=True, lives_from=step.lives_from)
    try:
        committed = change.commit()
    except PartlyDone:
        committed = False
    if not committed:
        _judge(shop, customer_id, one, read=read)
        raise Stale
    return step


def _judge(shop: str, customer_id: str, one: Due, *, read: int) -> None:
    """Somebody else let it have its effect since the account was read. Raises ValueError where nobody did: then its
    cause is another's, and no retry would ever get past it.
    """
    head = repository.get_account(shop, customer_id)
    if head is not None and head.rev == read:
        raise ValueError(f"{one} is due, and has had its effect before")


def _step(change: Change, book: Ledger, one: Due, pending: list[OrderEarning], *, at: datetime) -> Step:
    # What an import brings up to the present happened long ago; nobody is told of it.
    replayed = bool(book.head.replayed) and book.head.posted_at is not None and at <= book.head.posted_at
    when = occasion("", at=at, now=at, recorded_at=book.now, replayed=replayed)
    match one:
        case PendingCredit():
            return _mature(change, book, pending)
        case Held():
            return _let_go(change, book, one.hold_id, when)
        case Expiring():
            cause = due.cause_of_expiry(one.pool, book.read.number + 1)
            moved = movements.expire(book.read, one.pool, occasion=replace(when, cause=cause))
        case BirthdayCome():
            return _celebrate(change, book, when)
        case Noticed():
            return _tell(change, book, one.ends_at, when)
    return Step(moved.account, (moved.entry,))


def _celebrate(change: Change, book: Ledger, when: Occasion) -> Step:
    programme = in_force.programme(book.shop, at=when.occurred_at, now=book.now)
    customer = customers.take_snapshot(book.shop, book.customer_id).head(Customer)
    celebrated = celebrating.celebrate(
        book.read, stored.birthday_of(book.head), programme, customer, enrolled_at=book.head.enrolled_at, occasion=when
    )
    stored.put_birthday(book.head, celebrated.birthday)
    if celebrated.entries and customer is not None:
        known = idling.ended(Activity(book.head.active_at, book.head.idle_at), when.occurred_at)
        book.head.idle_at = known.idle_at
        given = celebrated.entries[0]
        book.enrol(change, given.occurred_at, cause=given.cause, replayed=when.replayed, customer=customer)
    return Step(celebrated.account, celebrated.entries, celebrated.lives_from)


def _tell(change: Change, book: Ledger, ends_at: datetime, when: Occasion) -> Step:
    """Once; and not where it comes too late to do anything about it."""
    ending = due.ending_at(book.read.pools, ends_at, book.calendar())
    if book.now < ends_at:
        notice = ExpiryNotice.of(book.shop, book.customer_id, due.cause_of_notice(ends_at))
        notice.points, notice.ends_at = pools.remaining(ending), ends_at
        notice.noticed_at, notice.replayed = when.occurred_at, when.replayed
        change.write(notice, when=None, otherwise=Stale())
    return Step(due.told_of(book.read, ending, ends_at))


def _mature(change: Change, book: Ledger, pending: Sequence[OrderEarning]) -> Step:
    """The first that is due, and those behind it before which nothing else is. `pending` are in due order."""
    account, entries, calendar = book.read, list[Entry](), book.calendar()
    for number, item in enumerate(pending[:MOST_MATURED]):
        left = map(stored.pending_of, pending[number:])
        at, one = due.all_due(account.pools, left, book.holds, calendar)[0]
        if at > book.now or not isinstance(one, PendingCredit):
            break
        cause = f"order:{item.order_id}:mature"
        when = occasion(cause, at=at, now=at, recorded_at=book.now, replayed=bool(item.replayed))
        settled = order_points.mature(account, stored.state_of(item), occasion=when)
        account, entries = settled.account, [*entries, *settled.entries]
        stored.put_state(item, settled.state)
        item.cause = cause
        change.revise(item)
        if idling.concerns(Activity(book.head.active_at, book.head.idle_at), entries[-1]):
            break  # from then on other points expire at another time
    return Step(account, tuple(entries))


def _let_go(change: Change, book: Ledger, hold_id: str, when: Occasion) -> Step:
    item = repository.get_hold(book.shop, book.customer_id, hold_id)
    if item is None:
        raise ValueError(f"{hold_id} is open, and not there")
    when, held = replace(when, cause=f"hold:{hold_id}:release"), stored.held_of(item)
    moved = movements.release(book.read, held.portions, subject=f"hold:{hold_id}", grace=None, occasion=when)
    if item.of_redemption:
        ending.let_go(change, book.shop, book.customer_id, hold_id, cause=when.cause, at=when.occurred_at)
    book.close_hold(change, item, HoldStatus.EXPIRED)
    claimed = claiming.claim(change, book, moved, [Debit(held.number, held.points)], when)
    return Step(claimed.account, claimed.entries)
