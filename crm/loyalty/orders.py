# crm/loyalty/orders.py
"""What orders earn and spend."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from crm.customers import service as customers
from crm.customers.service import Customer
from crm.kernel.change import MOST_WRITES, Change, PartlyDone
from crm.kernel.errors import Stale
from crm.loyalty import absorbing, maturing, repository, stored
from crm.loyalty.bonuses import joining
from crm.loyalty.claiming import Forgiven
from crm.loyalty.earning import caps, limits
from crm.loyalty.earning.goods import find
from crm.loyalty.earning.limits import TakenUp
from crm.loyalty.ledger import order_points
from crm.loyalty.ledger.chain import Entry
from crm.loyalty.ledger.movements import Movement, Occasion
from crm.loyalty.ledger.order_points import Asked, Settled
from crm.loyalty.ledger.order_state import OrderState
from crm.loyalty.models import HoldStatus, LoyaltyAccount, OrderEarning, PointsHold
from crm.loyalty.order_case import Case, case_of
from crm.loyalty.posting import Ledger, decided, is_due
from crm.loyalty.programme import Withheld
from crm.loyalty.programmes import in_force
from crm.loyalty.redemptions import coupons
from crm.loyalty.tiers import counting, settling
from crm.loyalty.tiers.book import Occasion as TierOccasion
from crm.orders.events import OrderRecorded
from crm.orders.models import CANCELLED


class Capture(Struct, frozen=True):
    """A hold that somebody captures for an order, and what they ask for of it."""

    item: PointsHold
    asked: Asked


class Posted(Struct, frozen=True):
    """What came of a revision of an order: by how much the balance moved (not at all where it was no news)."""

    points: int
    withheld: Withheld | None


def post_for_order(order: OrderRecorded, *, now: datetime) -> Posted:
    """Post the difference between what an order earns and spends as it stands and what it has posted.

    An older revision than the newest seen posts nothing, and neither does a repeat, so that every permutation of its
    revisions ends in the same balance, as long as the points are there that it was paid with. All of them are judged by
    the programme that counted when the order was placed, as it was at the order's first posting: a shop that changes it
    takes no points back by that. Test customers earn too: the points are theirs, KPIs leave them out. A balance may
    fall below zero. Raises NotFound for an unknown shop.
    """
    posted, is_absorbed = decided(lambda: _post(order, now=now))
    if is_absorbed:
        absorbing.follow(order.shop, order.customer_id, now=now)
    return posted


def pay(change: Change, book: Ledger, item: PointsHold, points: int, when: Occasion, *, few: bool = False) -> Entry:
    """Add to `change`: somebody captures a hold for an order, which is worked out anew where it has been told of: it
    earns nothing on what it was paid with, and one that was refunded or cancelled gives back. One that is yet to come
    finds what was captured for it. `few`: as `_settle` has it.
    """
    held, now = stored.held_of(item), book.now
    capture = Capture(item, Asked(held, points, book.grace(when), when))
    head, earning = repository.get_for_order(book.shop, book.customer_id, held.order_id or "")
    if settling.is_due(book.shop, head, now=now):
        settling.settle(book.shop, book.customer_id, now=now)
        raise Stale
    if head.rev != book.head.rev:
        raise Stale
    goods = find(book.shop, book.customer_id, earning.order_id) if earning.order_rev else None
    if goods is not None:
        told = OrderRecorded.of(goods)
        return _settle(change, head, earning, told, capture=capture, now=now, few=few).entries[0]
    forgiven = Forgiven(book.read, besides=earning.order_id)
    before = Settled(book.read, stored.state_of(earning), others=forgiven.states)
    settled = order_points.captured(before, capture.asked)
    stored.put_state(earning, settled.state)
    earning.cause = when.cause
    change.revise(earning)
    lessened = forgiven.write(change, book, settled.account, settled.entries, settled.others, cause=when.cause)
    limits.write(change, book.shop, book.customer_id, lessened)
    book.close_hold(change, item, HoldStatus.CAPTURED, captured=points)
    book.write(change, settled.account, settled.entries)
    return settled.entries[0]


def _post(order: OrderRecorded, *, now: datetime, few: bool = False) -> tuple[Posted, bool]:
    """Whether the account was absorbed into another, beside it."""
    head, earning = repository.get_for_order(order.shop, order.customer_id, order.order_id)
    if is_due(head, now) or settling.is_due(order.shop, head, now=now):
        maturing.settle(order.shop, order.customer_id, now=now)
        settling.settle(order.shop, order.customer_id, now=now)
        head, earning = repository.get_for_order(order.shop, order.customer_id, order.order_id)
    if order.rev <= earning.order_rev:
        return Posted(0, stored.state_of(earning).withheld), head.merged is not None
    change = Change(now)
    settled = _settle(change, head, earning, order, now=now, few=few)
    if len(change) > MOST_WRITES and not few:
        return _post(order, now=now, few=True)  # points of years, and at budgets' ends or with much that was forgiven
    try:
        committed = change.commit()
    except PartlyDone as done:  # a hold was captured since it was read
        raise Stale from done
    if not committed and settled.closed:  # that, and nothing else
        raise Stale
    points = sum(entry.points for entry in settled.entries) if committed else 0
    return Posted(points, settled.state.withheld), head.merged is not None


def _settle(
    change: Change,
    head: LoyaltyAccount,
    earning: OrderEarning,
    order: OrderRecorded,
    *,
    capture: Capture | None = None,
    now: datetime,
    few: bool,
) -> Settled:
    """Add to `change` what an order comes to: it was told of, or a hold for it is captured. With
    `few` writes of budgets, and for orders of which something was forgiven.
    """
    case = case_of(head, earning, order, item=capture.item if capture else None, now=now, few=few)
    order, goods = case.order, case.goods
    settled = _within_limits(case, _once_captured(case, capture.asked) if capture else _come_to(case))
    if capture:
        earning.cause, earning.replayed = capture.asked.occasion.cause, capture.asked.occasion.replayed
    else:
        earning.cause, earning.replayed = f"order:{order.order_id}:earn:{order.rev}", order.replayed
    # Also where there is nothing to post: an older revision that comes later must find that it is one.
    stored.put_state(earning, settled.state)
    change.revise(earning)
    lessened = case.forgiven.write(
        change, case.book, settled.account, settled.entries, settled.others, cause=earning.cause
    )
    settled = _welcomed(change, case, settled)
    counts = _count(change, case, settled.state)
    if goods is not None and goods.status != CANCELLED:
        coupons.heed(change, order.shop, goods, replayed=order.replayed)
    if not _write_points(change, case, settled, lessened) and counts:
        change.revise(head)
    return settled


def _come_to(case: Case) -> Settled:
    return order_points.settle(
        case.before, case.revision, case.programme, holds=case.open_holds, enrolled=case.enrolled,
        occasion=case.occasion, rooms=case.rooms(case.state),
    )  # fmt: skip


def _once_captured(case: Case, asked: Asked) -> Settled:
    paid = replace(case.state, captured=case.state.captured + asked.points)
    return order_points.settle_again(
        case.before, asked, case.revision, case.programme, holds=case.open_holds, enrolled=case.enrolled,
        rooms=case.rooms(paid),
    )  # fmt: skip


def _within_limits(case: Case, settled: Settled) -> Settled:
    """With what it takes up of them."""
    limited = caps.taken_up(case.state.limited, settled.state.given, settled.state.forgiven)
    return replace(settled, state=replace(settled.state, limited=limited, drawn=case.limits.drawn(limited)))


def _write_points(change: Change, case: Case, settled: Settled, lessened: Sequence[TakenUp]) -> bool:
    """Whether there was anything to be written with the account. `lessened`: what others take up less of limits."""
    counted = case.limits.write(change, settled.state.limited, settled.state.drawn, lessened)
    if case.survivor is not None and counted:
        change.revise(case.survivor)
    elif case.survivor is not None:
        change.unchanged(case.survivor)
    if not counted and not settled.entries and settled.account == case.book.read:
        return False
    for hold_id, captured in settled.closed.items():
        status = HoldStatus.RELEASED if captured is None else HoldStatus.CAPTURED
        case.book.close_hold(change, case.holds[hold_id], status, captured=captured or 0)
    pending = [stored.pending_of(case.earning)] if settled.state.pending else []
    case.book.write(change, settled.account, settled.entries, pending=pending)
    return True


def _welcomed(change: Change, case: Case, settled: Settled) -> Settled:
    """With the first points that they earn, a customer takes part: since they placed the order."""
    earned = next((entry for entry in settled.entries if entry.movement == Movement.EARN), None)
    if earned is None:
        return settled
    order, book, programme = case.order, case.book, case.programme
    enrolled_at, customer = book.head.enrolled_at, None
    if enrolled_at is None and programme.bonuses.signup:
        customer = customers.take_snapshot(order.shop, order.customer_id).head(Customer)
    book.enrol(change, order.placed_at, cause=earned.cause, replayed=order.replayed, customer=customer)
    moved = joining.welcome(settled.account, programme, customer, enrolled_at=enrolled_at, occasion=case.occasion)
    if moved is None:
        return settled
    return replace(settled, account=moved.account, entries=(*settled.entries, moved.entry))


def _count(change: Change, case: Case, state: OrderState) -> bool:
    """What counts for tiers: who takes part since this order has joined with it. On which day it counts is as it is
    judged; which day it is now, as the programme says now.
    """
    order, book, zone = case.order, case.book, in_force.programme(case.order.shop, now=case.now).zone
    after = counting.counted(case.revision, state, zone=case.programme.zone)
    occasion = TierOccasion(
        cause=f"order:{order.order_id}:tier:{order.rev}", occurred_at=order.occurred_at, replayed=order.replayed,
        order_id=order.order_id,
    )  # fmt: skip
    return counting.count(
        change, order.shop, order.customer_id, book.head, case.earning, after, zone=zone, occasion=occasion,
        now=case.now,
    )  # fmt: skip
