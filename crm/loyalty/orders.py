# crm/loyalty/orders.py
"""What orders earn and spend."""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from crm.customers import service as customers
from crm.customers.service import Customer
from crm.kernel.change import MOST_WRITES, Change, PartlyDone, retrying
from crm.kernel.errors import Stale
from crm.loyalty import absorbing, expiry, maturing, order_points, repository, stored
from crm.loyalty.bonuses import joining
from crm.loyalty.bonuses.eligibility import is_member
from crm.loyalty.chain import Entry
from crm.loyalty.claiming import Forgiven
from crm.loyalty.earning import caps
from crm.loyalty.earning.contexts import context_of
from crm.loyalty.earning.goods import find, goods_of, lines_of
from crm.loyalty.earning.granting import Given, Line
from crm.loyalty.earning.limits import Limits
from crm.loyalty.ledger import Movement, Occasion
from crm.loyalty.models import HoldStatus, LoyaltyAccount, OrderEarning, PointsHold
from crm.loyalty.order_points import Asked, OrderState, Revision, Settled
from crm.loyalty.posting import Ledger, is_due, occasion
from crm.loyalty.programme import Programme, Withheld
from crm.loyalty.programmes import in_force
from crm.loyalty.redemptions import coupons
from crm.loyalty.tiers import counting, reading, settling
from crm.loyalty.tiers.book import Occasion as TierOccasion
from crm.orders.events import OrderRecorded
from crm.orders.models import CANCELLED


class Posted(Struct, frozen=True):
    """What came of a revision of an order: by how much the balance moved (not at all where it was no news)."""

    points: int
    withheld: Withheld | None


def post_for_order(order: OrderRecorded, *, now: datetime) -> Posted:
    """Post the difference between what an order earns and spends as it stands and what it has posted.

    An older revision than the newest seen posts nothing, and neither does a repeat, so that every permutation of its
    revisions ends in the same balance. All of them are judged by the programme that counted when the order was placed,
    as it was at the order's first posting: a shop that changes it takes no points back by that. Test customers earn
    too: the points are theirs, KPIs leave them out. A balance may fall below zero. Raises NotFound for an unknown shop.
    """
    posted, is_absorbed = retrying(lambda: _post(order, now=now))
    if is_absorbed:
        absorbing.follow(order.shop, order.customer_id, now=now)
    return posted


def pay(change: Change, book: Ledger, item: PointsHold, points: int, when: Occasion) -> Entry:
    """Add to `change`: somebody captures a hold for an order, which is worked out anew where it has been told of: it
    earns nothing on what it was paid with, and one that was refunded or cancelled gives back. One that is yet to come
    finds what was captured for it.
    """
    held, now = stored.held_of(item), book.now
    asked = Asked(held, points, book.grace(when), when)
    head, earning = repository.get_for_order(book.shop, book.customer_id, held.order_id or "")
    if head.rev != book.head.rev:
        raise Stale
    goods = find(book.shop, book.customer_id, earning.order_id) if earning.order_rev else None
    if goods is not None:
        told = OrderRecorded.of(goods)
        return _settle(change, head, earning, told, asked=asked, item=item, now=now, few=True).entries[0]
    forgiven = Forgiven(book.read, besides=earning.order_id)
    before = Settled(book.read, stored.state_of(earning), others=forgiven.states)
    settled = order_points.captured(before, asked)
    stored.put_state(earning, settled.state)
    earning.cause = when.cause
    change.revise(earning)
    forgiven.write(change, settled.others, cause=when.cause)
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
        return _post(order, now=now, few=True)  # paid with points of years, or giving such back, and at budgets' ends
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
    asked: Asked | None = None,
    item: PointsHold | None = None,
    now: datetime,
    few: bool,
) -> Settled:
    """Add to `change` what an order comes to: it was told of, or a hold for it is captured (`asked`, `item`)."""
    state, programme = _pinned(stored.state_of(earning), order, head, now=now)
    programme = absorbing.backed(order.shop, head, programme, now=now)
    # What is told of an order has no lines, and does not say which coupon it names.
    goods = goods_of(order) if programme.earning.asks_about_goods or order.has_coupon else None
    if programme.earning.asks_about_goods and goods is not None:
        order = OrderRecorded.of(goods)  # maybe newer than what was told, and then that is no news when it comes
        revision = _revision(order, lines=lines_of(goods), channel=goods.channel)
    else:
        revision = _revision(order)
    items = {item.hold_id: item} if item else _holds_for(head, order)
    besides = [*_pools(state, order, programme), *stored.pools_held(*items.values())]
    book = Ledger(order.shop, order.customer_id, head, now=now, besides=besides)
    forgiven = Forgiven(book.read, besides=order.order_id)
    limits = _limits(order, state, programme, few=few)
    at = max(order.occurred_at, order.placed_at)  # nothing is earned before, whatever a shop says
    enrolled = is_member(programme, head.enrolled_at, at=order.placed_at)
    before = Settled(book.read, state, others=forgiven.states)
    if asked:
        paid = replace(state, captured=state.captured + asked.points)
        wanted = order_points.earns(paid, revision, programme, limits.rooms).given if enrolled else ()
        settled = order_points.settle_again(
            before, asked, revision, programme, enrolled=enrolled, rooms=limits.with_budgets(wanted)
        )
        effect, replayed = asked.occasion.cause, asked.occasion.replayed
    else:
        wanted = order_points.earns(state, revision, programme, limits.rooms).given if enrolled else ()
        settled = order_points.settle(
            before, revision, programme, holds=[stored.held_of(each) for each in items.values()], enrolled=enrolled,
            occasion=occasion("", at=at, now=book.now, replayed=order.replayed),
            rooms=limits.with_budgets(wanted),
        )  # fmt: skip
        effect, replayed = f"order:{order.order_id}:earn:{order.rev}", order.replayed
    limited = caps.taken_up(_limited(state), settled.state.given, settled.state.forgiven)
    drawn = limits.drawn(limited)
    settled = replace(settled, state=replace(settled.state, limited=limited, drawn=drawn))
    # Also where there is nothing to post: an older revision that comes later must find that it is one.
    stored.put_state(earning, settled.state)
    earning.cause, earning.replayed = effect, replayed
    change.revise(earning)
    forgiven.write(change, settled.others, cause=effect)
    settled = _welcomed(change, book, settled, programme, order, at=at)
    counts = _count(change, head, earning, revision, order, settled.state, zone=programme.zone, now=now)
    if goods is not None and goods.status != CANCELLED:
        coupons.heed(change, order.shop, goods, replayed=order.replayed)
    if limits.write(change, limited, drawn) or settled.entries or settled.account != book.read:
        for hold_id, captured in settled.closed.items():
            status = HoldStatus.RELEASED if captured is None else HoldStatus.CAPTURED
            book.close_hold(change, items[hold_id], status, captured=captured or 0)
        pending = [stored.pending_of(earning)] if settled.state.pending else []
        book.write(change, settled.account, settled.entries, pending=pending)
    elif counts:
        change.revise(head)
    return settled


def _welcomed(
    change: Change, book: Ledger, settled: Settled, programme: Programme, order: OrderRecorded, *, at: datetime
) -> Settled:
    """With the first points that they earn, a customer takes part: since they placed the order."""
    earned = next((entry for entry in settled.entries if entry.movement == Movement.EARN), None)
    if earned is None:
        return settled
    enrolled_at, customer = book.head.enrolled_at, None
    if enrolled_at is None and programme.bonuses.signup:
        customer = customers.take_snapshot(order.shop, order.customer_id).head(Customer)
    book.enrol(change, order.placed_at, cause=earned.cause, replayed=order.replayed, customer=customer)
    when = occasion("", at=at, now=book.now, replayed=order.replayed)
    moved = joining.welcome(settled.account, programme, customer, enrolled_at=enrolled_at, occasion=when)
    if moved is None:
        return settled
    return replace(settled, account=moved.account, entries=(*settled.entries, moved.entry))


def _pinned(
    state: OrderState, order: OrderRecorded, head: LoyaltyAccount, *, now: datetime
) -> tuple[OrderState, Programme]:
    """By which programme an order is judged, and as whose: those of its first posting, for good."""
    version = in_force.version(order.shop, at=order.placed_at, now=now, number=state.programme_version)
    context = state.context or context_of(
        order.shop, order.customer_id, version.programme.earning, placed_at=order.placed_at, first=order.first,
        tier=reading.had_before(order.shop, order.customer_id, head, order.placed_at),
    )  # fmt: skip
    return replace(state, programme_version=version.number, context=context), version.programme


def _limits(order: OrderRecorded, state: OrderState, programme: Programme, *, few: bool) -> Limits:
    placed_at = state.context.placed_at if state.context else order.placed_at
    return Limits(
        order.shop, order.customer_id, order.order_id, programme, placed_at=placed_at, given=_limited(state),
        drawn=state.drawn, few=few,
    )  # fmt: skip


def _limited(state: OrderState) -> tuple[Given, ...]:
    """What it takes up of limits; of states from before that was kept, what it was given."""
    return state.given if state.limited is None else state.limited


def _count(
    change: Change,
    head: LoyaltyAccount,
    earning: OrderEarning,
    revision: Revision,
    order: OrderRecorded,
    state: OrderState,
    *,
    zone: str,
    now: datetime,
) -> bool:
    """What counts for tiers: who takes part since this order has joined with it."""
    after = counting.counted(revision, state, zone=zone)
    occasion = TierOccasion(
        cause=f"order:{order.order_id}:tier:{order.rev}", occurred_at=order.occurred_at, replayed=order.replayed,
        order_id=order.order_id,
    )  # fmt: skip
    return counting.count(
        change, order.shop, order.customer_id, head, earning, after, zone=zone, occasion=occasion, now=now
    )


def _pools(state: OrderState, order: OrderRecorded, programme: Programme) -> list[str]:
    """Those that an old order concerns, and that may be past."""
    spent = [portion.pool for spending in state.spendings for portion in spending.portions]
    return [*state.pools, *spent, state.pool or expiry.pool_for(order.placed_at, programme.expiry, programme.zone)]


def _holds_for(head: LoyaltyAccount, order: OrderRecorded) -> dict[str, PointsHold]:
    """The customer's open ones for this order."""
    named = [one.hold_id for one in head.holds if one.order_id == order.order_id]
    found = (repository.get_hold(order.shop, order.customer_id, hold_id) for hold_id in named)
    return {item.hold_id: item for item in found if item is not None and item.status == HoldStatus.OPEN}


def _revision(order: OrderRecorded, *, lines: tuple[Line, ...] | None = None, channel: str | None = None) -> Revision:
    return Revision(
        order_id=order.order_id, rev=order.rev, currency=order.currency, gross=order.gross, refunded=order.refunded,
        net=order.net, cancelled=order.status == CANCELLED, points_spent=order.points_spent, placed_at=order.placed_at,
        lines=lines, channel=channel, total=order.total, returned=order.returned,
    )  # fmt: skip
