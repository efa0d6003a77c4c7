# crm/orders/worth.py
"""What a stored order is worth, and what each of its refunds took from that."""

from collections import Counter
from collections.abc import Iterable, Iterator

from crm.orders.models import CANCELLED, Order, OrderLine, Refund
from crm.orders.totals import Bill, Line, Returned, Totals, bill, nets, totals


def worth(order: Order) -> Totals:
    return totals(_lines(order), _returned(order, order.refunds), cancelled=order.status == CANCELLED)


def billed(order: Order) -> Bill:
    return bill(_lines(order), _returned(order, order.refunds), shipping=int(order.shipping))


def line_nets(order: Order) -> list[int]:
    """What each line counts towards the order's net, in the order of its lines; nothing once it is cancelled."""
    if order.status == CANCELLED:
        return [0] * len(order.lines)
    return nets(_lines(order), _returned(order, order.refunds))


def kept(order: Order) -> Iterator[tuple[OrderLine, int]]:
    """Each line with how many of its units were bought and not given back."""
    returned = Counter[str]()
    for part in _returned(order, order.refunds):
        returned[part.line_id] += part.quantity
    for line in order.lines:
        yield line, max(0, int(line.quantity) - returned[line.line_id])


def refund_amounts(order: Order) -> Iterator[tuple[Refund, int]]:
    """Each refund, oldest first, with what it took from the order's value beyond those before it, in minor units.

    Together they are all that was refunded.
    """
    lines = _lines(order)
    oldest_first = sorted(order.refunds, key=lambda refund: (refund.refunded_at, refund.refund_id))
    before = 0
    for count, refund in enumerate(oldest_first, start=1):
        refunded = totals(lines, _returned(order, oldest_first[:count]), cancelled=False).refunded
        yield refund, refunded - before
        before = refunded


def _lines(order: Order) -> list[Line]:
    return [
        Line(
            line.line_id,
            int(line.quantity),
            int(line.unit_price),
            int(line.discount),
            bool(line.gift_card),
            int(line.tax),
        )
        for line in order.lines
    ]


def _returned(order: Order, refunds: Iterable[Refund]) -> list[Returned]:
    """A refund that came before its order and is in another currency is kept, and worth nothing."""
    return [
        Returned(part.line_id, int(part.quantity), None if part.amount is None else int(part.amount))
        for refund in refunds
        if refund.currency == order.currency
        for part in refund.lines
    ]
