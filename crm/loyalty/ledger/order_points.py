# crm/loyalty/ledger/order_points.py
"""How the ledger comes to what an order earns and spends as it stands. Pure.

Both are functions of the newest revision alone (crm/loyalty/ledger/order_state.py), and the ledger posts the difference
to what it has posted: so refunds and edits may come in parts, late, twice and in any order, and parts sum to the whole.
"""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from crm.loyalty import expiry
from crm.loyalty.earning.granting import FREE, Earned, Rooms
from crm.loyalty.ledger import chain, claims, movements, pardons, pools
from crm.loyalty.ledger.chain import Entry, Reversed
from crm.loyalty.ledger.due import Held
from crm.loyalty.ledger.movements import Account, Moved, Occasion
from crm.loyalty.ledger.order_state import (
    OrderState,
    Revision,
    Spending,
    claimed_of,
    credited,
    earns,
    has_said,
    kept,
    paid_with,
)
from crm.loyalty.ledger.pardons import Debit
from crm.loyalty.programme import Programme, Withheld


class Settled(Struct, frozen=True):
    """The account and the order's state, and the entries that led there. `closed`: which holds were captured, and how
    many of their points; or let go (None). `others`: states of other orders, of which the account has pardons.
    """

    account: Account
    state: OrderState
    entries: tuple[Entry, ...] = ()
    closed: Mapping[str, int | None] = {}
    others: Mapping[str, OrderState] = {}


class Asked(Struct, frozen=True):
    """Somebody asks to spend so many points of a hold for an order. `grace`: as `ledger.release` has it."""

    held: Held
    points: int
    grace: str | None
    occasion: Occasion


def subject_of(order_id: str) -> str:
    return f"order:{order_id}"


def correction(points: int, *, posted: int) -> int:
    """What is to be posted so that an order has posted `points`."""
    return points - posted


def settle(
    settled: Settled,
    order: Revision,
    programme: Programme,
    *,
    holds: Sequence[Held] = (),
    enrolled: bool = True,
    occasion: Occasion,
    rooms: Rooms = FREE,
) -> Settled:
    """Bring the ledger to a revision of an order; one that is not newer is no news. `holds`: the customer's open ones
    for this order, of which it captures what it was paid with, those that end soonest first; one that is cancelled lets
    them go. `enrolled`: whether they took part when it was placed.
    """
    if order.rev <= settled.state.rev:
        return settled
    settled = _come_to(
        settled, order, programme, enrolled=enrolled, rooms=rooms, holds=holds,
        occasion=replace(occasion, order_id=order.order_id), cause=lambda effect: _cause(order, effect),
    )  # fmt: skip
    return _let_go(settled, holds, programme, occasion) if order.cancelled else settled


def settle_again(
    settled: Settled,
    asked: Asked,
    order: Revision,
    programme: Programme,
    *,
    holds: Sequence[Held] = (),
    enrolled: bool = True,
    rooms: Rooms = FREE,
) -> Settled:
    """As `settle`, of an order that has been told of, once a hold for it was captured: it was paid with more points,
    earns less, and if it was refunded or cancelled gives back. `holds`: the others for this order, since it may stand
    otherwise than was told.
    """
    settled, occasion = captured(settled, asked), replace(asked.occasion, request=None)
    settled = _come_to(
        settled, order, programme, enrolled=enrolled, rooms=rooms, holds=holds, occasion=occasion,
        cause=lambda effect: f"hold:{asked.held.hold_id}:{effect}",
    )  # fmt: skip
    return _let_go(settled, holds, programme, occasion) if order.cancelled else settled


def captured(settled: Settled, asked: Asked) -> Settled:
    """Once a hold for the order was captured, whether it has been told of or not."""
    settled = _capture(settled, asked.points, asked.held, asked.grace, asked.occasion)
    state = settled.state
    state = replace(state, spent=state.spent + asked.points, captured=state.captured + asked.points)
    return replace(settled, state=state)


def mature(account: Account, state: OrderState, *, occasion: Occasion) -> Settled:
    """The return window of an order is over: its points can be spent."""
    if state.pool is None:
        raise ValueError(f"{state.order_id} has nothing that matures")
    moved = movements.mature(
        account, state.pending, subject=subject_of(state.order_id), pool=state.pool,
        occasion=replace(occasion, order_id=state.order_id),
    )  # fmt: skip
    matured = replace(state, pending=0, pools=_with(state.pools, state.pool))
    return Settled(moved.account, matured, (moved.entry,))


def _come_to(
    settled: Settled,
    order: Revision,
    programme: Programme,
    *,
    holds: Sequence[Held],
    enrolled: bool,
    occasion: Occasion,
    rooms: Rooms,
    cause: Callable[[str], str],
) -> Settled:
    state = settled.state
    programme = replace(programme, currency=state.programme_currency or programme.currency)
    spends = kept(paid_with(state, order), order)
    earned = earns(state, order, programme, rooms) if enrolled else Earned(0, Withheld.NOT_ENROLLED)
    spending, earning = correction(spends, posted=state.spent), correction(earned.points, posted=state.earned)
    settled = replace(settled, state=replace(state, programme_currency=programme.currency))
    # First what it was paid with: an order is not paid with what it earns itself.
    if spending > 0:
        settled = _spend(settled, spending, holds, programme, replace(occasion, cause=cause("spend")))
    elif spending < 0:
        settled = _give_back(settled, -spending, programme, replace(occasion, cause=cause("spend")))
    if earning > 0:
        settled = _credit(settled, earning, order, programme, replace(occasion, cause=cause("earn")))
    elif earning < 0:
        settled = _take_back(settled, -earning, programme, replace(occasion, cause=cause("earn")))
    state = replace(
        settled.state, rev=max(order.rev, state.rev), earned=earned.points, withheld=earned.withheld, spent=spends,
        given=earned.given, said=has_said(state, order),
    )  # fmt: skip
    return replace(settled, state=state)


def _cause(order: Revision, effect: str) -> str:
    return f"order:{order.order_id}:{effect}:{order.rev}"


def _credit(settled: Settled, points: int, order: Revision, programme: Programme, occasion: Occasion) -> Settled:
    state = settled.state
    pardoned = min(points, state.forgiven)
    state = replace(state, forgiven=state.forgiven - pardoned)
    points -= pardoned
    left = pardons.withdrawn(settled.account.pardons, state.order_id, pardoned)
    settled = replace(settled, account=replace(settled.account, pardons=left))
    if not points:
        return replace(settled, state=state)
    is_first = state.pool is None
    available_at = state.available_at or expiry.available_at(
        order.placed_at, programme.return_window_days, programme.zone
    )
    pool = state.pool or expiry.pool_for(order.placed_at, programme.expiry, programme.zone)
    state = replace(state, available_at=available_at, pool=pool)
    if not state.pools and movements.present(settled.account, occasion) < available_at:  # what has matured stays so
        moved = movements.earn_pending(
            settled.account, points, subject=subject_of(order.order_id), available_at=available_at, pool=pool,
            occasion=occasion,
        )  # fmt: skip
        state = replace(state, pending=state.pending + points)
    else:
        if not is_first and expiry.is_past(pool, occasion.occurred_at):
            # What is added to an order lives for a while.
            pool = expiry.pool_of(expiry.grace_until(occasion.occurred_at, programme.grace_days, programme.zone))
        moved = movements.earn(settled.account, points, pool=pool, occasion=occasion)
        state = replace(state, pools=_with(state.pools, pool))
    return _and(settled, moved, replace(state, credits=(*state.credits, Reversed(occasion.cause, points))))


def _take_back(settled: Settled, points: int, programme: Programme, occasion: Occasion) -> Settled:
    state = settled.state
    moved = movements.take_back(
        settled.account, points, pending=state.pending, subject=subject_of(state.order_id), origin=state.pools,
        programme=programme, reverses=state.credits[::-1], occasion=occasion,
    )  # fmt: skip
    state = replace(
        state,
        pending=state.pending - min(points, state.pending),
        forgiven=state.forgiven + moved.entry.forgiven,
        credits=chain.less(state.credits, moved.entry.reverses),
    )
    return _and(settled, moved, state)


def _spend(settled: Settled, points: int, holds: Sequence[Held], programme: Programme, occasion: Occasion) -> Settled:
    """Within the balance: a shop that takes more points than there are has not asked for a hold, and bears it."""
    grace = _grace(settled, programme, occasion)
    for held in sorted(holds, key=lambda one: (one.ends_at, one.hold_id)):
        if points:
            part = min(points, held.points)
            when = replace(occasion, cause=f"hold:{held.hold_id}:capture")
            settled = _capture(settled, part, held, grace, when)
            points -= part
    state = settled.state
    there = min(points, settled.account.balances.available)
    settled = replace(settled, state=replace(state, short=state.short + points - there))
    if not there:
        return settled
    moved = movements.redeem(settled.account, there, occasion=occasion)
    spending = Spending(occasion.cause, pools.portions(moved.entry.lines), moved.entry.number)
    return _and(settled, moved, replace(settled.state, spendings=(*settled.state.spendings, spending)))


def _capture(settled: Settled, points: int, held: Held, grace: str | None, occasion: Occasion) -> Settled:
    moved = movements.capture(
        settled.account, held.portions, points, subject=f"hold:{held.hold_id}", grace=grace, occasion=occasion
    )
    spent, _ = pools.split(held.portions, points)
    spending = Spending(occasion.cause, spent, held.number)
    settled = _and(settled, moved, replace(settled.state, spendings=(*settled.state.spendings, spending)))
    settled = replace(settled, closed={**settled.closed, held.hold_id: points})
    return _claim(settled, moved, [Debit(held.number, held.points - points)], occasion)


def _let_go(settled: Settled, holds: Sequence[Held], programme: Programme, occasion: Occasion) -> Settled:
    """Those that a cancelled order has not captured."""
    for held in holds:
        if held.hold_id not in settled.closed:
            when = replace(occasion, cause=f"hold:{held.hold_id}:release", order_id=held.order_id)
            moved = movements.release(
                settled.account, held.portions, subject=f"hold:{held.hold_id}",
                grace=_grace(settled, programme, occasion), occasion=when,
            )  # fmt: skip
            settled = replace(
                _and(settled, moved, settled.state), closed={**settled.closed, held.hold_id: None}
            )  # fmt: skip
            settled = _claim(settled, moved, [Debit(held.number, held.points)], when)
    return settled


def _give_back(settled: Settled, points: int, programme: Programme, occasion: Occasion) -> Settled:
    """The newest spending first, of each what expires last."""
    state = settled.state
    never_taken = min(points, state.short)
    points -= never_taken
    state = replace(state, short=state.short - never_taken)
    if not points:
        return replace(settled, state=state)
    back: list[pools.Portion] = []
    reverses: list[Reversed] = []
    left: list[Spending] = []
    debits: list[Debit] = []
    for spending in state.spendings[::-1]:
        whole = sum(portion.points for portion in spending.portions)
        part = min(points, whole)
        points -= part
        stays, returned = pools.split(spending.portions, whole - part)
        back += returned
        reverses.append(Reversed(spending.cause, part))
        debits.append(Debit(spending.number, part))
        if stays:
            left.append(replace(spending, portions=stays))
    moved = movements.give_back(
        settled.account, back, reverses=reverses, grace=_grace(settled, programme, occasion), occasion=occasion
    )
    settled = _and(settled, moved, replace(state, spendings=tuple(left[::-1])))
    return _claim(settled, moved, debits, occasion)


def _claim(settled: Settled, moved: Moved, debits: Sequence[Debit], occasion: Occasion) -> Settled:
    """What came back pays first what was forgiven because it was spent."""
    states = {**settled.others, settled.state.order_id: settled.state}
    claimed = claims.claim(moved, debits, credited(states), occasion=occasion)
    states = claimed_of(states, claimed)
    state = states.pop(settled.state.order_id)
    entries = (*settled.entries, *claimed.entries)
    return replace(settled, account=claimed.account, state=state, entries=entries, others=states)


def _grace(settled: Settled, programme: Programme, occasion: Occasion) -> str:
    return movements.grace_pool(programme, movements.present(settled.account, occasion))


def _and(settled: Settled, moved: Moved, state: OrderState) -> Settled:
    return replace(settled, account=moved.account, state=state, entries=(*settled.entries, moved.entry))


def _with(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return names if name in names else (*names, name)
