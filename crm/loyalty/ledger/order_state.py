# crm/loyalty/ledger/order_state.py
"""An order as it stands, what the ledger has done about it, and what it comes to by both. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from crm.loyalty.earning import granting
from crm.loyalty.earning.budgets import Drawn
from crm.loyalty.earning.granting import FREE, Basket, Context, Earned, Given, Line, Rooms
from crm.loyalty.ledger import chain
from crm.loyalty.ledger.chain import Reversed
from crm.loyalty.ledger.claims import Claimed
from crm.loyalty.ledger.pools import Portion
from crm.loyalty.programme import Programme, Withheld


class Revision(Struct, frozen=True, kw_only=True):
    """An order as it stands. Amounts are minor units of `currency`; see `crm.orders.events.OrderRecorded`."""

    order_id: str
    rev: int
    currency: str
    gross: int
    refunded: int
    net: int
    cancelled: bool
    points_spent: int
    placed_at: datetime
    lines: tuple[Line, ...] | None = None
    """None where no rule asks about goods."""
    channel: str | None = None
    total: int = 0
    returned: int = 0

    @property
    def basket(self) -> Basket:
        lines = (Line(self.net),) if self.lines is None else self.lines
        return Basket(self.currency, lines, self.channel, self.total or self.gross)


class Spending(Struct, frozen=True):
    """What an entry spent on an order and has not been given back, by pools; the entry `number` had taken it."""

    cause: str
    portions: tuple[Portion, ...]
    number: int


class OrderState(Struct, frozen=True, kw_only=True):
    """What the ledger has done about an order, as of its revision `rev`.

    `earned` is what it has come to; `forgiven` of that was to be taken back and could not, so that `credits` (what is
    not reversed, by entry) sum to both. `spent` is what it has cost; `short` of that was not there to be taken.
    `captured`: what was captured for it by who asked to; that is what it was paid with until the shop has `said` so of
    the order. `available_at`, `pool`: when its first points mature, and where to.
    `pools`: all that its points went to. `context` and the programme are those of its first posting; `given` is by
    which rules it earned; `limited` what of caps it takes up, what was forgiven with it, and `drawn` what of budgets.
    """

    order_id: str
    rev: int = 0
    earned: int = 0
    forgiven: int = 0
    withheld: Withheld | None = None
    programme_version: int | None = None
    programme_currency: str | None = None
    context: Context | None = None
    given: tuple[Given, ...] = ()
    limited: tuple[Given, ...] = ()
    drawn: tuple[Drawn, ...] = ()
    available_at: datetime | None = None
    pool: str | None = None
    pending: int = 0
    pools: tuple[str, ...] = ()
    credits: tuple[Reversed, ...] = ()
    spent: int = 0
    short: int = 0
    captured: int = 0
    said: bool = False
    spendings: tuple[Spending, ...] = ()


def has_said(state: OrderState, order: Revision) -> bool:
    return state.said or order.points_spent > 0


def kept(points: int, order: Revision) -> int:
    """What of the points that an order was paid with stays spent. They paid for all of it alike, gift cards, taxes and
    shipping with it: what is given back of that gives back its share, rounded down over all refunds together.
    """
    if order.cancelled:
        return 0
    total, returned = (order.total, order.returned) if order.total else (order.gross, order.refunded)
    return points - points * returned // total if total else points


def paid_with(state: OrderState, order: Revision) -> int:
    """The points that an order was paid with: as many as the shop says, once it has said any, and until then those that
    were captured for it. What of them stays spent is what is `kept`.
    """
    return order.points_spent if has_said(state, order) else state.captured


def earns(state: OrderState, order: Revision, programme: Programme, rooms: Rooms = FREE) -> Earned:
    """What an order earns as it stands, by the programme and in the context of its first posting."""
    programme, context = _pinned(state, order, programme)
    return granting.earned(programme, order.basket, context, points_spent=paid_with(state, order), rooms=rooms)


def earns_at_most(state: OrderState, order: Revision, programme: Programme) -> tuple[Given, ...]:
    """By each rule, whatever others give, and whatever there is room for."""
    programme, context = _pinned(state, order, programme)
    return granting.most(programme, order.basket, context, points_spent=paid_with(state, order))


def claimed_of(states: Mapping[str, OrderState], claimed: Claimed) -> dict[str, OrderState]:
    """The states of orders, once of what was forgiven of them some was claimed."""
    after = dict(states)
    for entry in claimed.entries:
        if entry.order_id:
            state, points = after[entry.order_id], sum(each.points for each in entry.reverses)
            credits_ = chain.less(state.credits, entry.reverses)
            after[entry.order_id] = replace(state, forgiven=state.forgiven - points, credits=credits_)
    return after


def credited(states: Mapping[str, OrderState]) -> dict[str, Sequence[Reversed]]:
    """What orders were given and has not been reversed, the newest first."""
    return {order_id: state.credits[::-1] for order_id, state in states.items()}


def _pinned(state: OrderState, order: Revision, programme: Programme) -> tuple[Programme, Context]:
    currency = state.programme_currency or programme.currency
    return replace(programme, currency=currency), state.context or Context(order.placed_at)
