# crm/loyalty/holding.py
"""Points set aside: held, then captured or released, or let go by time."""

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct

from crm.kernel.actor import Actor, Role
from crm.kernel.change import MOST_WRITES, Change
from crm.kernel.errors import CrmError, Fault, InvalidInputs, NotFound, Stale
from crm.kernel.operations import key_faults
from crm.kernel.texts import faults
from crm.loyalty import absorbing, claiming, maturing, orders, repository, stored
from crm.loyalty.causes import is_of_redemption
from crm.loyalty.ledger import chain, movements, pools
from crm.loyalty.ledger.chain import Entry
from crm.loyalty.ledger.movements import Moved, Occasion
from crm.loyalty.ledger.pardons import Debit
from crm.loyalty.ledger.refusals import HoldClosed, HoldNotYours, TooManyHolds
from crm.loyalty.models import HoldStatus, LedgerEntry, PointsHold
from crm.loyalty.moving import Given, identity, points_faults, told_before
from crm.loyalty.posting import Admit, Ledger, anybody, decided, occasion

MOST_HOLDS = 20
"""Open ones of an account, and redemptions of it that are under way: they stand in its head."""
MOST_FOR_ORDER = 3
"""Open ones for one order, which closes them all in one Change: a checkout that tries again has two more."""
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=30)
LONGEST_ORDER_ID = 200


class Hold(Struct, frozen=True):
    """A hold as it now is, and the entry of the call."""

    hold: PointsHold
    given: Given


def hold(
    shop: str,
    customer_id: str,
    points: int,
    *,
    lasts: timedelta,
    order_id: str | None = None,
    actor: Actor,
    idempotency_key: str,
    now: datetime,
    admit: Admit = anybody,
) -> Hold:
    """Set points aside, for an order or for anything. The order that they are for captures what it was paid with. Keys
    of customers are others than those of the shop: nobody's checkout is told that it holds what a customer does.

    Raises InvalidInputs, InsufficientPoints, TooManyHolds, KeyReused, and what `admit` does.
    """
    if wrong := hold_faults(points, lasts=lasts, order_id=order_id, idempotency_key=idempotency_key):
        raise InvalidInputs(wrong)
    hold_id = hold_id_of(customer_id, idempotency_key, actor)
    cause = f"hold:{hold_id}:hold"
    request = chain.request_digest({"points": points, "lasts": lasts.total_seconds(), "order_id": order_id})

    def attempt() -> Hold | None:
        change = Change(now)
        admit(change)
        book = Ledger(shop, customer_id, maturing.opened(shop, customer_id, now=now), now=now)
        when = occasion(cause, at=now, now=now, order_id=order_id, actor=str(actor), request=request)
        item = PointsHold.of(shop, customer_id, hold_id)
        item.points, item.ends_at, item.order_id, item.actor = points, book.now + lasts, order_id, str(actor)
        moved = set_aside(change, book, item, when)
        return Hold(item, Given(stored.item_of(moved.entry), replayed=False)) if change.commit() else None

    return _once(shop, customer_id, hold_id, cause, attempt, lambda before, _: told_before(before, request))


def hold_id_of(customer_id: str, key: str, actor: Actor) -> str:
    return identity("hld", customer_id, f"own\0{key}" if actor.role is Role.CUSTOMER else key)


def hold_faults(points: int, *, lasts: timedelta, order_id: str | None, idempotency_key: str) -> list[Fault]:
    wrong = [*points_faults(points), *key_faults(idempotency_key)]
    if not SHORTEST <= lasts <= LONGEST:
        wrong.append(Fault("minutes", "INVALID", "must be a minute to 30 days"))
    if order_id is not None:
        wrong += faults("orderId", order_id, longest=LONGEST_ORDER_ID)
    return wrong


def capture(
    shop: str,
    customer_id: str,
    hold_id: str,
    *,
    points: int | None = None,
    actor: Actor,
    now: datetime,
    admit: Admit = anybody,
) -> Hold:
    """Spend what is held, or `points` of it; the rest comes back. Raises InvalidInputs, NotFound, HoldNotYours,
    HoldExceeded, what `admit` does, and HoldClosed where it was captured with another number of points, released, or
    has run out.
    """
    if points is not None and (wrong := points_faults(points)):
        raise InvalidInputs(wrong)
    cause = f"hold:{hold_id}:capture"
    request = chain.request_digest({"points": points})

    def attempt(*, few: bool = False) -> Hold | None:
        change = Change(now)
        admit(change)
        book, item = _opened(shop, customer_id, hold_id, actor=actor, now=now)
        if item.status != HoldStatus.OPEN:
            raise HoldClosed("The hold has run out.", field="hold_id")
        held = stored.held_of(item)
        spent = held.points if points is None else points
        when = occasion(cause, at=now, now=now, order_id=held.order_id, actor=str(actor), request=request)
        if held.order_id:
            entry = orders.pay(change, book, item, spent, when, few=few)
        else:
            entry = spend(change, book, item, spent, when)
        if len(change) > MOST_WRITES and not few:
            return attempt(few=True)
        return Hold(item, Given(stored.item_of(entry), replayed=False)) if change.commit() else None

    def again(before: LedgerEntry | None, item: PointsHold) -> Given:
        """An order that captured its hold before anybody asked has said how much; whoever asks then is told."""
        _refuse_others(item, actor)
        asked = int(item.points) if points is None else points
        if before is not None and before.request is not None and asked != item.captured:
            raise HoldClosed("The hold was captured with another number of points.", field="hold_id")
        return told_before(before, before.request if before else None)

    held = _once(shop, customer_id, hold_id, cause, attempt, again)
    _follow(shop, customer_id, actor=actor, now=now)
    return held


def release(shop: str, customer_id: str, hold_id: str, *, actor: Actor, now: datetime, admit: Admit = anybody) -> Hold:
    """Give back what is held, when it would have expired; once, however often it is asked for.

    Raises NotFound, HoldNotYours, what `admit` does, and HoldClosed where it was captured.
    """
    cause = f"hold:{hold_id}:release"

    def attempt() -> Hold | None:
        change = Change(now)
        admit(change)
        book, item = _opened(shop, customer_id, hold_id, actor=actor, now=now)
        if item.status == HoldStatus.EXPIRED:  # time was faster, and did the same
            return None
        when = occasion(cause, at=now, now=now, order_id=item.order_id, actor=str(actor))
        entry = give_back(change, book, item, when)
        return Hold(item, Given(stored.item_of(entry), replayed=False)) if change.commit() else None

    def again(before: LedgerEntry | None, item: PointsHold) -> Given:
        _refuse_others(item, actor)
        return told_before(before, None)

    held = _once(shop, customer_id, hold_id, cause, attempt, again)
    _follow(shop, customer_id, actor=actor, now=now)
    return held


def set_aside(change: Change, book: Ledger, item: PointsHold, when: Occasion) -> Moved:
    """Add to `change`: a new hold. Raises InsufficientPoints, TooManyHolds; and Stale of a redemption, where as many
    are under way: they end by themselves.
    """
    rivals = [one for one in book.head.holds if is_of_redemption(one.hold_id) == bool(item.of_redemption)]
    if len(rivals) >= MOST_HOLDS:
        raise Stale if item.of_redemption else TooManyHolds(one.ends_at for one in rivals)
    alike = [one.ends_at for one in rivals if item.order_id and one.order_id == item.order_id]
    if len(alike) >= MOST_FOR_ORDER:
        raise TooManyHolds(alike, of="for this order", field="order_id")
    subject = f"hold:{item.hold_id}"
    moved = movements.hold(book.read, int(item.points), subject=subject, ends_at=item.ends_at, occasion=when)
    item.status, item.number = HoldStatus.OPEN, moved.entry.number
    item.portions = stored.portion_parts(pools.portions(moved.entry.lines))
    book.open_hold(change, item)
    book.write(change, moved.account, [moved.entry])
    return moved


def spend(change: Change, book: Ledger, item: PointsHold, points: int, when: Occasion) -> Entry:
    """Add to `change`: so many points of an open hold are spent, and the rest of it comes back. Raises HoldExceeded."""
    held, subject = stored.held_of(item), f"hold:{item.hold_id}"
    moved = movements.capture(book.read, held.portions, points, subject=subject, grace=book.grace(when), occasion=when)
    book.close_hold(change, item, HoldStatus.CAPTURED, captured=points)
    claimed = claiming.claim(change, book, moved, [Debit(held.number, held.points - points)], when)
    book.write(change, claimed.account, claimed.entries)
    return moved.entry


def give_back(change: Change, book: Ledger, item: PointsHold, when: Occasion) -> Entry:
    """Add to `change`: an open hold comes back whole."""
    held, subject = stored.held_of(item), f"hold:{item.hold_id}"
    moved = movements.release(book.read, held.portions, subject=subject, grace=book.grace(when), occasion=when)
    book.close_hold(change, item, HoldStatus.RELEASED)
    claimed = claiming.claim(change, book, moved, [Debit(held.number, held.points)], when)
    book.write(change, claimed.account, claimed.entries)
    return moved.entry


def _opened(shop: str, customer_id: str, hold_id: str, *, actor: Actor, now: datetime) -> tuple[Ledger, PointsHold]:
    """The hold, read after its account: open, or let go by time. Raises NotFound, HoldNotYours, HoldClosed."""
    head = maturing.opened(shop, customer_id, now=now)
    item = repository.get_hold(shop, customer_id, hold_id)
    if item is None or item.of_redemption:
        raise NotFound("There is no such hold.", field="hold_id")
    _refuse_others(item, actor)
    if item.status not in {HoldStatus.OPEN, HoldStatus.EXPIRED}:
        raise HoldClosed("The hold is closed.", field="hold_id")
    return Ledger(shop, customer_id, head, now=now, besides=stored.pools_held(item)), item


def _once(
    shop: str,
    customer_id: str,
    hold_id: str,
    cause: str,
    attempt: Callable[[], Hold | None],
    again: Callable[[LedgerEntry | None, PointsHold], Given],
) -> Hold:
    """`again` answers where an earlier call had its effect."""
    before = repository.get_entry(shop, customer_id, cause)
    if before is None:
        done, closed = None, None
        try:
            done = decided(attempt)
        except CrmError as refused:  # or somebody was faster, and did the same
            closed = refused
        if done is not None:
            return done
        before = repository.get_entry(shop, customer_id, cause)
        if before is None and closed is not None:
            raise closed
    item = repository.get_hold(shop, customer_id, hold_id)
    if item is None:
        raise NotFound("There is no such hold.", field="hold_id")
    return Hold(item, again(before, item))


def _follow(shop: str, customer_id: str, *, actor: Actor, now: datetime) -> None:
    """What came back of one who was merged meanwhile is the survivor's; also where an earlier call has died before.
    They themselves ask for nothing any more.
    """
    if actor.role is not Role.CUSTOMER:
        absorbing.follow(shop, customer_id, now=now)


def _refuse_others(item: PointsHold, actor: Actor) -> None:
    """What binds a customer is not theirs to lift, nor to spend."""
    if actor.role is Role.CUSTOMER and item.actor != str(actor):
        raise HoldNotYours("The shop set these points aside.", field="hold_id")
