# crm/kpis/sources.py
"""Which facts a stored record tells."""

from collections.abc import Iterator
from datetime import date, datetime

from crm.feedback.service import NPS, FeedbackResponse
from crm.kernel import clock
from crm.kpis.facts import ANSWER, ORDER, REFUND, AnswerFact, Fact, FactKey, OrderFact, RefundFact
from crm.orders.models import CANCELLED, Refund
from crm.orders.service import Order
from crm.orders.totals import Line, Returned, totals
from crm.shops import service as shops


def of_order(order: Order, *, now: datetime) -> Iterator[Fact]:
    """The order, and each of its refunds. `now` tells how fresh the shop's zone must be."""
    key = FactKey(order.shop, ORDER, order.order_id)
    cancelled = order.status == CANCELLED
    rev = int(order.rev)
    yield OrderFact(
        key=key,
        customer_id=order.customer_id,
        rev=rev,
        at=order.placed_at,
        day=date.fromisoformat(order.placed_on),
        currency=order.currency,
        cancelled=cancelled,
        gross=int(order.gross),
        net=int(order.net),
    )
    for refund, amount in _amounts(order):
        yield RefundFact(
            key=FactKey(order.shop, REFUND, f"{order.order_id}#{refund.refund_id}"),
            customer_id=order.customer_id,
            rev=rev,
            at=refund.refunded_at,
            day=clock.local_day(refund.refunded_at, shops.current(order.shop, now=now).zone),
            currency=order.currency,
            cancelled=cancelled,
            amount=amount,
        )


def of_response(response: FeedbackResponse) -> Iterator[Fact]:
    yield AnswerFact(
        key=FactKey(response.shop, ANSWER, response.response_id),
        customer_id=response.customer_id,
        rev=int(response.rev),
        at=response.occurred_at,
        day=date.fromisoformat(response.answered_on),
        group=response.group if response.survey == NPS else None,
    )


def _amounts(order: Order) -> Iterator[tuple[Refund, int]]:
    """Each refund with what it took from the order's net beyond those before it: together, all that was refunded."""
    lines = [
        Line(line.line_id, int(line.quantity), int(line.unit_price), int(line.discount), bool(line.gift_card))
        for line in order.lines
    ]
    returned: list[Returned] = []
    before = 0
    for refund in sorted(order.refunds, key=lambda each: (each.refunded_at, each.refund_id)):
        if refund.currency == order.currency:  # orders count no other either
            returned += [
                Returned(part.line_id, int(part.quantity), None if part.amount is None else int(part.amount))
                for part in refund.lines
            ]
        refunded = totals(lines, returned, cancelled=False).refunded
        yield refund, refunded - before
        before = refunded
