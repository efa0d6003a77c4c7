# crm/orders/service.py
"""What can be done with orders: the only door into this area."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct, field
from msgspec.structs import asdict

from crm.customers.service import Customer, Snapshot, take_snapshot
from crm.kernel import clock
from crm.kernel.change import Change
from crm.kernel.errors import InvalidInput, NotFound, Stale
from crm.orders import repository, statistics
from crm.orders.models import (
    CANCELLED,
    CurrencyTotals,
    Order,
    OrderLine,
    OrderRef,
    OrderRefund,
    Refund,
    RefundLine,
    Statistics,
)
from crm.orders.statistics import Counted, Sums
from crm.orders.worth import kept, line_nets, refund_amounts, worth
from crm.shops import service as shops

__all__ = [
    "CANCELLED", "LineVersion", "Order", "OrderLine", "OrderRefund", "OrderVersion", "Recorded", "Refund",
    "RefundGiven", "RefundLine", "ReturnedLine", "Statistics", "average", "get", "get_many", "get_refs", "kept",
    "line_nets", "list_orders", "newest_standing", "record", "reference", "refund", "refund_amounts", "standing",
]  # fmt: skip

MOST_REFUNDS = 90  # of one order
MOST_WAITING = 40  # for one order: each is told of, and placed on the timeline, in the order's own transaction
MOST_REFUND_LINES = 500  # of one order: an item holds 400 KB
STANDING = frozenset({"placed_at", "currency", "lines", "shipping", "channel", "coupon", "cart_id"})

get_many = repository.get_many
get_refs = repository.get_refs
list_orders = repository.list_orders
standing = repository.list_standing
newest_standing = repository.newest_standing


class LineVersion(Struct, frozen=True):
    """A line as a shop sends it. Amounts are minor units; `discount` and `tax` are of the whole line."""

    line_id: str
    sku: str
    quantity: int
    unit_price: int
    discount: int = 0
    tax: int = 0
    title: str | None = None
    category: str | None = None
    tags: frozenset[str] = frozenset()
    gift_card: bool = False


class OrderVersion(Struct, frozen=True):
    """A whole order as of its `version`. Amounts are minor units of `currency`."""

    order_id: str
    version: int
    status: str
    currency: str
    placed_at: datetime
    occurred_at: datetime
    lines: Sequence[LineVersion]
    shipping: int = 0
    channel: str | None = None
    coupon: str | None = None
    cart_id: str | None = None
    points_spent: int = 0


class ReturnedLine(Struct, frozen=True):
    line_id: str
    quantity: int
    amount: int | None = None


class RefundGiven(Struct, frozen=True):
    """Units of an order's lines given back; `event_id` is that of the event that told it."""

    refund_id: str
    order_id: str
    currency: str
    refunded_at: datetime
    event_id: str
    lines: Sequence[ReturnedLine]
    reason: str | None = None


class Recorded(Struct, frozen=True):
    """What became of an event about an order. `unblocked`: events that waited for this order and now have it. `taken`:
    the version became the order's; `cart_before`: the cart that the order named until then.
    """

    effect: str
    customer_id: str | None
    waits: bool = False
    unblocked: Sequence[str] = field(default=())
    taken: bool = False
    cart_before: str | None = None


def reference(shop: str, order_id: str) -> OrderRef:
    """Whose order it is; one without a customer while no order of that id has come."""
    return repository.get_ref(shop, order_id) or OrderRef.of(shop, order_id)


def get(shop: str, order_id: str) -> Order:
    """Raises NotFound, also for the order of another shop."""
    ref = repository.get_ref(shop, order_id)
    order = repository.get_order(shop, ref.customer_id, order_id) if ref and ref.customer_id else None
    if order is None:
        raise NotFound("There is no such order.", field="id")
    return order


def record(
    change: Change,
    ref: OrderRef,
    customer: Customer,
    heads: Snapshot,
    version: OrderVersion,
    *,
    cause: str,
    now: datetime,
    replayed: bool,
) -> Recorded:
    """Add to `change`: an order's newest version, with the refunds that waited for it, and the statistics it moves.

    An older version, or the stored one again, changes nothing. `ref` tells whose order it is; that of a new one becomes
    `customer`'s. The commit raises Stale where any of it moved meanwhile.
    """
    shop = customer.shop
    stored = repository.get_order(shop, customer.customer_id, version.order_id) if ref.customer_id else None
    if stored is not None and stored.version >= version.version:
        return Recorded(f"nothing: version {int(stored.version)} is stored", customer.customer_id)
    before, cart_before = _counted(stored), stored.cart_id if stored is not None else None
    stood = _standing(stored)
    order = stored or _new_order(customer, heads, ref, version)
    unblocked = [waiting.event_id for waiting in ref.waiting_refunds]
    if stored is None or stored.placed_at != version.placed_at:
        zone = shops.current(shop, now=now).zone
        order.placed_on = clock.local_day(version.placed_at, zone).isoformat()
    _take(order, version)
    waited = [waiting.refunded_at for waiting in order.refunds] if stored is None else []
    moved_at = [version.occurred_at, *waited] if stored is None or _standing(order) != stood else []
    _record(change, order, before, heads, moved_at=moved_at, cause=cause, replayed=replayed)
    if stored is None:
        _place(change, order, order.refunds)
        ref.customer_id, ref.waiting_refunds = customer.customer_id, []
        change.revise(ref)
    effect = f"order version {version.version}"
    return Recorded(effect, customer.customer_id, unblocked=unblocked, taken=True, cart_before=cart_before)


def refund(
    change: Change, shop: str, ref: OrderRef, given: RefundGiven, *, cause: str, now: datetime, replayed: bool
) -> Recorded:
    """Add to `change`: a refund, and the statistics it moves; before its order has come, it waits in the order's shell.

    The same refund again, under whatever event, changes nothing; one in another currency than its order's is kept and
    worth nothing. Raises InvalidInput for more refunds than an order can hold.
    """
    item = Refund(
        refund_id=given.refund_id,
        refunded_at=given.refunded_at,
        refunded_on=clock.local_day(given.refunded_at, shops.current(shop, now=now).zone).isoformat(),
        currency=given.currency,
        event_id=given.event_id,
        reason=given.reason,
        lines=[RefundLine(**asdict(line)) for line in given.lines],
    )
    if ref.customer_id is None:
        if _has(ref.waiting_refunds, given.refund_id):
            return Recorded("nothing: this refund waits for its order", None)
        if len(ref.waiting_refunds) >= MOST_WAITING:
            raise InvalidInput(f"at most {MOST_WAITING} refunds can wait for their order", field="data.refundId")
        ref.waiting_refunds = _with(ref.waiting_refunds, item)
        change.revise(ref)
        return Recorded("waiting for its order", None, waits=True)
    order = repository.get_order(shop, ref.customer_id, given.order_id)
    if order is None:
        raise AssertionError(f"{ref.pk} points at an order that is not there")
    if _has(order.refunds, given.refund_id):
        return Recorded("nothing: this refund is stored", ref.customer_id)
    before = _counted(order)
    order.refunds = _with(order.refunds, item)
    _place(change, order, [item])
    heads, moved_at = take_snapshot(shop, ref.customer_id), [given.refunded_at]
    _record(change, order, before, heads, moved_at=moved_at, cause=cause, replayed=replayed)
    worthless = "" if given.currency == order.currency else f", worth nothing: the order is in {order.currency}"
    return Recorded(f"refund {given.refund_id}{worthless}", ref.customer_id)


def average(total: CurrencyTotals) -> int | None:
    """Mean net per order in minor units, halves rounded up; None without orders."""
    return statistics.average(_sums(total))


def _new_order(customer: Customer, heads: Snapshot, ref: OrderRef, version: OrderVersion) -> Order:
    order = Order.of(customer.shop, customer.customer_id, version.order_id)
    order.refunds = list(ref.waiting_refunds)
    known = heads.head(Statistics)
    order.first = known is None or known.recorded_count == 0
    return order


def _take(order: Order, version: OrderVersion) -> None:
    order.version, order.status, order.currency = version.version, version.status, version.currency
    order.placed_at, order.occurred_at = version.placed_at, version.occurred_at
    order.happens("ORDER", version.placed_at, version.order_id)
    order.shipping, order.points_spent = version.shipping, version.points_spent
    order.channel, order.coupon, order.cart_id = version.channel, version.coupon, version.cart_id
    order.lines = [
        OrderLine(
            line_id=line.line_id,
            sku=line.sku,
            title=line.title,
            category=line.category,
            tags=set(line.tags) or None,
            quantity=line.quantity,
            unit_price=line.unit_price,
            discount=line.discount,
            tax=line.tax,
            gift_card=line.gift_card,
        )
        for line in version.lines
    ]


def _place(change: Change, order: Order, refunds: Sequence[Refund]) -> None:
    for given in refunds:
        change.write(OrderRefund.of(order, given), when=None, otherwise=Stale())


def _record(
    change: Change,
    order: Order,
    before: Counted | None,
    heads: Snapshot,
    *,
    moved_at: Iterable[datetime],
    cause: str,
    replayed: bool,
) -> None:
    value = worth(order)
    order.gross, order.refunded, order.net = value.gross, value.refunded, value.net
    order.occurred_at = max([order.occurred_at, *(refund_.refunded_at for refund_ in order.refunds)])
    is_new = not order.rev
    order.cause, order.replayed = cause, replayed
    change.revise(order)
    known = heads.head(Statistics) or Statistics.of(order.shop, order.customer_id)
    after = _counted(order)
    sums = statistics.moved({total.currency: _sums(total) for total in known.totals}, before, after)
    known.totals = [CurrencyTotals(currency=currency, **asdict(total)) for currency, total in sorted(sums.items())]
    known.order_count = sum(total.orders for total in sums.values())
    known.recorded_count += is_new
    known.first_order_at, known.last_order_at = _first_and_last(known, order, before, after)
    known.newest_at = max([*moved_at, *([known.newest_at] if known.newest_at else [])], default=None)
    known.cause, known.replayed = cause, replayed
    change.revise(known)


def _first_and_last(
    known: Statistics, order: Order, before: Counted | None, after: Counted | None
) -> tuple[datetime, datetime] | tuple[None, None]:
    edges = [at for at in (known.first_order_at, known.last_order_at) if at is not None]
    placed = [after.placed_at] if after else []
    if before is not None and before.placed_at in edges and (after is None or after.placed_at != before.placed_at):
        # The order that was first or last is so no more. The statistics' condition keeps what is read here true.
        others = repository.times_of_standing(order.shop, order.customer_id, but=order.order_id)
        return statistics.span([*others, *placed]) or (None, None)
    return statistics.span([*edges, *placed]) or (None, None)


def _counted(order: Order | None) -> Counted | None:
    if order is None or order.status == CANCELLED:
        return None
    return Counted(order.currency, int(order.gross), int(order.refunded), int(order.net), order.placed_at)


def _standing(order: Order | None) -> dict[str, Any] | None:
    """What an order is worth and of what it is made: that it is paid or on its way changes nothing of it."""
    if order is None or order.status == CANCELLED:
        return None
    return {name: value for name, value in order.serialize().items() if name in STANDING}


def _sums(total: CurrencyTotals) -> Sums:
    return Sums(int(total.orders), int(total.gross), int(total.refunded), int(total.net))


def _has(refunds: Sequence[Refund], refund_id: str) -> bool:
    return any(refund_.refund_id == refund_id for refund_ in refunds)


def _with(refunds: Sequence[Refund], refund_: Refund) -> list[Refund]:
    if len(refunds) >= MOST_REFUNDS:
        raise InvalidInput(f"an order holds at most {MOST_REFUNDS} refunds", field="data.refundId")
    if sum(len(one.lines) for one in (*refunds, refund_)) > MOST_REFUND_LINES:
        raise InvalidInput(f"the refunds of an order hold at most {MOST_REFUND_LINES} lines", field="data.lines")
    # Sorted, so that any order of arrival stores the same.
    added: list[Any] = [*refunds, refund_]
    return sorted(added, key=lambda one: one.refund_id)
