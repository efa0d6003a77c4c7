# crm/loyalty/order_case.py
"""What is read to settle what an order earns and spends."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from crm.kernel.table import whose
from crm.loyalty import absorbing, expiry, repository, stored
from crm.loyalty.bonuses.eligibility import is_member
from crm.loyalty.claiming import Forgiven
from crm.loyalty.earning.contexts import context_of
from crm.loyalty.earning.goods import goods_of, lines_of
from crm.loyalty.earning.granting import Line, Rooms
from crm.loyalty.earning.limits import Limits
from crm.loyalty.ledger import order_state, pardons
from crm.loyalty.ledger.due import Held
from crm.loyalty.ledger.movements import Account, Occasion
from crm.loyalty.ledger.order_points import Settled
from crm.loyalty.ledger.order_state import OrderState, Revision
from crm.loyalty.models import HoldStatus, LoyaltyAccount, OrderEarning, PointsHold
from crm.loyalty.posting import Ledger, occasion
from crm.loyalty.programme import Programme
from crm.loyalty.programmes import in_force
from crm.loyalty.tiers import reading
from crm.orders.events import OrderRecorded
from crm.orders.models import CANCELLED
from crm.orders.service import Order


class Case(Struct, frozen=True, kw_only=True):
    """An order that is to be settled, and what was read for it; all of it is guarded by its customer's account."""

    order: OrderRecorded
    """As it was told of; where rules ask about goods, as it is stored."""
    goods: Order | None
    revision: Revision
    earning: OrderEarning
    state: OrderState
    programme: Programme
    book: Ledger
    account: Account
    """As it was read; where few writes are left, without some of what was forgiven."""
    holds: Mapping[str, PointsHold]
    """All that it may close."""
    open_holds: Sequence[Held]
    """Those of them that nobody captures."""
    forgiven: Forgiven
    limits: Limits
    survivor: LoyaltyAccount | None
    """Who pays for it, and whose limits these are: of one who was merged."""
    enrolled: bool
    now: datetime

    @property
    def before(self) -> Settled:
        return Settled(self.account, self.state, others=self.forgiven.states)

    @property
    def occasion(self) -> Occasion:
        at = max(self.order.occurred_at, self.order.placed_at)  # nothing is earned before, whatever a shop says
        return occasion("", at=at, now=self.book.now, replayed=self.order.replayed)

    def rooms(self, state: OrderState) -> Rooms:
        """Within budgets, too, of which no more is read than what the order can earn."""
        most = order_state.earns_at_most(state, self.revision, self.programme) if self.enrolled else ()
        return self.limits.with_budgets(most)


def case_of(
    head: LoyaltyAccount,
    earning: OrderEarning,
    order: OrderRecorded,
    *,
    item: PointsHold | None,
    now: datetime,
    few: bool,
) -> Case:
    """`item`: the hold that is captured; the other open ones for the order are read. Whoever writes by it is held
    to the survivor, if there is one.
    """
    state, programme = _pinned(stored.state_of(earning), order, head, now=now)
    survivors = repository.list_survivors(order.shop, head)
    if survivors:
        programme = absorbing.backed(order.shop, survivors[-1], programme, now=now)
    # What is told of an order has no lines, and does not say which coupon it names.
    goods = goods_of(order) if programme.earning.asks_about_goods or order.has_coupon else None
    if programme.earning.asks_about_goods and goods is not None:
        order = OrderRecorded.of(goods)  # maybe newer than what was told, and then that is no news when it comes
        revision = _revision(order, lines=lines_of(goods), channel=goods.channel)
    else:
        revision = _revision(order)
    others = _holds_for(head, order, besides=item)
    holds = others if item is None else {**others, item.hold_id: item}
    besides = [*_pools(state, order, programme), *stored.pools_held(*holds.values())]
    book = Ledger(order.shop, order.customer_id, head, now=now, besides=besides)
    account = replace(book.read, pardons=pardons.largest(book.read.pardons, pardons.FEW)) if few else book.read
    return Case(
        order=order, goods=goods, revision=revision, earning=earning, state=state, programme=programme, book=book,
        account=account, holds=holds, open_holds=[stored.held_of(each) for each in others.values()],
        forgiven=Forgiven(account, besides=order.order_id),
        limits=_limits(order, state, programme, survivors, few=few), survivor=survivors[-1] if survivors else None,
        enrolled=is_member(programme, head.enrolled_at, at=order.placed_at), now=now,
    )  # fmt: skip


def _pinned(
    state: OrderState, order: OrderRecorded, head: LoyaltyAccount, *, now: datetime
) -> tuple[OrderState, Programme]:
    """By which programme an order is judged, and as whose: those of its first posting, for good."""
    version = in_force.then(order.shop, at=order.placed_at, now=now, number=state.programme_version)
    context = state.context or context_of(
        order.shop, order.customer_id, version.programme.earning, placed_at=order.placed_at, first=order.first,
        tier=reading.had_before(order.shop, order.customer_id, head, order.placed_at, now=now),
    )  # fmt: skip
    return replace(state, programme_version=version.number, context=context), version.programme


def _limits(
    order: OrderRecorded, state: OrderState, programme: Programme, survivors: Sequence[LoyaltyAccount], *, few: bool
) -> Limits:
    placed_at = state.context.placed_at if state.context else order.placed_at
    return Limits(
        order.shop, order.customer_id, order.order_id, programme, placed_at=placed_at, given=state.limited,
        drawn=state.drawn, few=few, survivors=[whose(each.pk)[1] for each in survivors],
    )  # fmt: skip


def _pools(state: OrderState, order: OrderRecorded, programme: Programme) -> list[str]:
    """Those that an old order concerns, and that may be past."""
    spent = [portion.pool for spending in state.spendings for portion in spending.portions]
    return [*state.pools, *spent, state.pool or expiry.pool_for(order.placed_at, programme.expiry, programme.zone)]


def _holds_for(head: LoyaltyAccount, order: OrderRecorded, *, besides: PointsHold | None) -> dict[str, PointsHold]:
    """The customer's open ones for this order, but for the one that is captured anyway."""
    asked = besides.hold_id if besides else None
    named = [one.hold_id for one in head.holds if one.order_id == order.order_id and one.hold_id != asked]
    found = (repository.get_hold(order.shop, order.customer_id, hold_id) for hold_id in named)
    return {item.hold_id: item for item in found if item is not None and item.status == HoldStatus.OPEN}


def _revision(order: OrderRecorded, *, lines: tuple[Line, ...] | None = None, channel: str | None = None) -> Revision:
    return Revision(
        order_id=order.order_id, rev=order.rev, currency=order.currency, gross=order.gross, refunded=order.refunded,
        net=order.net, cancelled=order.status == CANCELLED, points_spent=order.points_spent, placed_at=order.placed_at,
        lines=lines, channel=channel, total=order.total, returned=order.returned,
    )  # fmt: skip
