# crm/loyalty/order_points.py
"""What an order earns and spends as it stands, and how the ledger gets there. Pure.

Both are functions of the newest revision alone, and the ledger posts the difference to what it has posted: so refunds
and edits may come in parts, late, twice and in any order, and parts sum to the whole.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from crm.loyalty import expiry, ledger, pools
from crm.loyalty.chain import Entry, Reversed
from crm.loyalty.due import Held
from crm.loyalty.earning import granting
from crm.loyalty.earning.budgets import Drawn
from crm.loyalty.earning.granting import FREE, Basket, Context, Earned, Given, Line, Rooms
from crm.loyalty.ledger import Account, Moved, Occasion
from crm.loyalty.pools import Portion
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
        return Basket(self.currency, (Line(self.net),) if self.lines is None else self.lines, self.channel)


class Spending(Struct, frozen=True):
    """What an entry spent on an order and has not been given back, by pools."""

    cause: str
    portions: tuple[Portion, ...]


class OrderState(Struct, frozen=True, kw_only=True):
    """What the ledger has done about an order, as of its revision `rev`.

    `earned` is what it has come to; `forgiven` of that was to be taken back and could not, so that `credits` (what is
    not reversed, by entry) sum to both. `spent` is what it has cost; `short` of that was not there to be taken.
    `captured`: what holds for this order spent. `available_at`, `pool`: when its first points mature, and where to.
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
    limited: tuple[Given, ...] | None = None
    drawn: tuple[Drawn, ...] = ()
    available_at: datetime | None = None
    pool: str | None = None
    pending: int = 0
    pools: tuple[str, ...] = ()
    credits: tuple[Reversed, ...] = ()
    spent: int = 0
    short: int = 0
    captured: int = 0
    spendings: tuple[Spending, ...] = ()


class Settled(Struct, frozen=True):
    """The account and the order's state, and the entries that led there. `captured`: the hold is spent."""

    account: Account
    state: OrderState
    entries: tuple[Entry, ...] = ()
    captured: bool = False


def subject_of(order_id: str) -> str:
    return f"order:{order_id}"


def correction(points: int, *, order_rev: int, posted: int, posted_rev: int) -> int | None:
    """What is to be posted so that an order has posted `points`; None where `order_rev` is no news."""
    return points - posted if order_rev > posted_rev else None


def kept(points: int, order: Revision) -> int:
    """What of the points that an order was paid with stays spent. They paid for all of it alike, gift cards, taxes and
    shipping with it: what is given back of that gives back its share, rounded down over all refunds together.
    """
    if order.cancelled:
        return 0
    total, returned = (order.total, order.returned) if order.total else (order.gross, order.refunded)
    return points - points * returned // total if total else points


def paid_with(state: OrderState, order: Revision) -> int:
    """What of the points that paid for an order stays spent."""
    return kept(max(order.points_spent, state.captured), order)


def earns(state: OrderState, order: Revision, programme: Programme, rooms: Rooms = FREE) -> Earned:
    """What an order earns as it stands, by the programme and in the context of its first posting."""
    programme = replace(programme, currency=state.programme_currency or programme.currency)
    context = state.context or Context(order.placed_at)
    return granting.earned(programme, order.basket, context, points_spent=paid_with(state, order), rooms=rooms)


def settle(
    account: Account,
    state: OrderState,
    order: Revision,
    programme: Programme,
    *,
    held: Held | None,
    enrolled: bool = True,
    occasion: Occasion,
    rooms: Rooms = FREE,
) -> Settled:
    """Bring the ledger to a revision of an order. `held`: an open hold of the customer for this order. `enrolled`:
    whether they took part when it was placed.
    """
    programme = replace(programme, currency=state.programme_currency or programme.currency)
    spends = paid_with(state, order)
    earned = earns(state, order, programme, rooms) if enrolled else Earned(0, Withheld.NOT_ENROLLED)
    earning = correction(earned.points, order_rev=order.rev, posted=state.earned, posted_rev=state.rev)
    spending = correction(spends, order_rev=order.rev, posted=state.spent, posted_rev=state.rev)
    if earning is None or spending is None:
        return Settled(account, state)
    settled = Settled(account, replace(state, programme_currency=programme.currency))
    occasion = replace(occasion, order_id=order.order_id)
    # First what it was paid with: an order is not paid with what it earns itself.
    if spending > 0:
        settled = _spend(settled, spending, held, programme, replace(occasion, cause=_cause(order, "spend")))
    elif spending < 0:
        settled = _give_back(settled, -spending, programme, replace(occasion, cause=_cause(order, "spend")))
    if earning > 0:
        settled = _credit(settled, earning, order, programme, replace(occasion, cause=_cause(order, "earn")))
    elif earning < 0:
        settled = _take_back(settled, -earning, programme, replace(occasion, cause=_cause(order, "earn")))
    state = replace(
        settled.state, rev=order.rev, earned=earned.points, withheld=earned.withheld, spent=spends, given=earned.given
    )
    return replace(settled, state=state)


def mature(account: Account, state: OrderState, *, occasion: Occasion) -> Settled:
    """The return window of an order is over: its points can be spent."""
    if state.pool is None:
        raise ValueError(f"{state.order_id} has nothing that matures")
    moved = ledger.mature(
        account, state.pending, subject=subject_of(state.order_id), pool=state.pool,
        occasion=replace(occasion, order_id=state.order_id),
    )  # fmt: skip
    matured = replace(state, pending=0, pools=_with(state.pools, state.pool))
    return Settled(moved.account, matured, (moved.entry,))


def captured(state: OrderState, held: Held, points: int, cause: str) -> OrderState:
    """The order's state once a hold for it has spent points."""
    spent, _ = pools.split(held.portions, points)
    return replace(
        state,
        spent=state.spent + points,
        captured=state.captured + points,
        spendings=(*state.spendings, Spending(cause, spent)),
    )


def _cause(order: Revision, effect: str) -> str:
    return f"order:{order.order_id}:{effect}:{order.rev}"


def _credit(settled: Settled, points: int, order: Revision, programme: Programme, occasion: Occasion) -> Settled:
    state = settled.state
    pardoned = min(points, state.forgiven)
    state = replace(state, forgiven=state.forgiven - pardoned)
    points -= pardoned
    if not points:
        return replace(settled, state=state)
    is_first = state.pool is None
    available_at = state.available_at or expiry.available_at(
        order.placed_at, programme.return_window_days, programme.zone
    )
    pool = state.pool or expiry.pool_for(order.placed_at, programme.expiry, programme.zone)
    state = replace(state, available_at=available_at, pool=pool)
    if not state.pools and ledger.present(settled.account, occasion) < available_at:  # what has matured stays so
        moved = ledger.earn_pending(
            settled.account, points, subject=subject_of(order.order_id), available_at=available_at, pool=pool,
            occasion=occasion,
        )  # fmt: skip
        state = replace(state, pending=state.pending + points)
    else:
        if not is_first and expiry.is_past(pool, occasion.occurred_at):
            pool = ledger.grace_pool(programme, occasion.occurred_at)  # what is added to an order lives for a while
        moved = ledger.earn(settled.account, points, pool=pool, occasion=occasion)
        state = replace(state, pools=_with(state.pools, pool))
    return _and(settled, moved, replace(state, credits=(*state.credits, Reversed(occasion.cause, points))))


def _take_back(settled: Settled, points: int, programme: Programme, occasion: Occasion) -> Settled:
    state = settled.state
    moved = ledger.take_back(
        settled.account, points, pending=state.pending, subject=subject_of(state.order_id), origin=state.pools,
        programme=programme, reverses=state.credits[::-1], occasion=occasion,
    )  # fmt: skip
    state = replace(
        state,
        pending=state.pending - min(points, state.pending),
        forgiven=state.forgiven + moved.entry.forgiven,
        credits=_less(state.credits, moved.entry.reverses),
    )
    return _and(settled, moved, state)


def _spend(settled: Settled, points: int, held: Held | None, programme: Programme, occasion: Occasion) -> Settled:
    """Within the balance: a shop that takes more points than there are has not asked for a hold, and bears it."""
    if held:
        settled, points = _capture(settled, points, held, programme, occasion)
    state = settled.state
    there = min(points, settled.account.balances.available)
    settled = replace(settled, state=replace(state, short=state.short + points - there))
    if not there:
        return settled
    moved = ledger.redeem(settled.account, there, occasion=occasion)
    spending = Spending(occasion.cause, pools.portions(moved.entry.lines))
    return _and(settled, moved, replace(settled.state, spendings=(*settled.state.spendings, spending)))


def _capture(
    settled: Settled, points: int, held: Held, programme: Programme, occasion: Occasion
) -> tuple[Settled, int]:
    """An order that comes before its hold is captured captures it."""
    part = min(points, held.points)
    occasion = replace(occasion, cause=f"hold:{held.hold_id}:capture")
    moved = ledger.capture(
        settled.account, held.portions, part, subject=f"hold:{held.hold_id}",
        grace=ledger.grace_pool(programme, occasion.now), occasion=occasion,
    )  # fmt: skip
    state = captured(settled.state, held, part, occasion.cause)
    return replace(_and(settled, moved, state), captured=True), points - part


def _give_back(settled: Settled, points: int, programme: Programme, occasion: Occasion) -> Settled:
    """The newest spending first, of each what expires last."""
    state = settled.state
    never_taken = min(points, state.short)
    points -= never_taken
    state = replace(state, short=state.short - never_taken)
    if not points:
        return replace(settled, state=state)
    back: list[Portion] = []
    reverses: list[Reversed] = []
    left: list[Spending] = []
    for spending in state.spendings[::-1]:
        whole = sum(portion.points for portion in spending.portions)
        part = min(points, whole)
        points -= part
        stays, returned = pools.split(spending.portions, whole - part)
        back += returned
        reverses.append(Reversed(spending.cause, part))
        if stays:
            left.append(Spending(spending.cause, stays))
    moved = ledger.give_back(
        settled.account, back, reverses=reverses, grace=ledger.grace_pool(programme, occasion.now), occasion=occasion
    )
    return _and(settled, moved, replace(state, spendings=tuple(left[::-1])))


def _and(settled: Settled, moved: Moved, state: OrderState) -> Settled:
    return replace(settled, account=moved.account, state=state, entries=(*settled.entries, moved.entry))


def _with(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return names if name in names else (*names, name)


def _less(credits_: Sequence[Reversed], reversed_: Sequence[Reversed]) -> tuple[Reversed, ...]:
    gone = {each.cause: each.points for each in reversed_}
    left = (replace(each, points=each.points - gone.get(each.cause, 0)) for each in credits_)
    return tuple(each for each in left if each.points)
