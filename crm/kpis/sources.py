# crm/kpis/sources.py
"""Which facts a stored record tells."""

from collections.abc import Iterator
from datetime import date

from crm.feedback.service import NPS, FeedbackResponse
from crm.kernel import clock
from crm.kpis.facts import (
    ANSWER,
    ENTRY,
    EXIT,
    ORDER,
    POINTS,
    REFUND,
    AnswerFact,
    EntryFact,
    ExitFact,
    Fact,
    FactKey,
    OrderFact,
    PointsFact,
    RefundFact,
)
from crm.loyalty.models import LedgerEntry
from crm.orders.service import CANCELLED, Order, refund_amounts
from crm.segmentation.stays import SegmentMembership


def of_order(order: Order) -> Iterator[Fact]:
    """The order, and each of its refunds."""
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
    for refund, amount in refund_amounts(order):
        yield RefundFact(
            key=FactKey(order.shop, REFUND, f"{order.order_id}#{refund.refund_id}"),
            customer_id=order.customer_id,
            rev=rev,
            at=refund.refunded_at,
            day=date.fromisoformat(refund.refunded_on),
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


def of_entry(entry: LedgerEntry, *, zone: str) -> Iterator[Fact]:
    """What it moved between the programme and its customers, on the day, in the zone, on which it took effect, however
    late it was posted. What moves within a customer's account is none.
    """
    moved = {str(one.account): int(one.points) for one in entry.postings}
    if all(account.startswith("customer:") for account in moved):
        return
    yield PointsFact(
        key=FactKey(entry.shop, POINTS, f"{entry.customer_id}#{entry.cause}"),
        customer_id=entry.customer_id,
        rev=1,
        at=entry.occurred_at,
        day=clock.local_day(entry.occurred_at, zone),
        issued=-moved.get("programme:issued", 0),
        redeemed=moved.get("programme:redeemed", 0),
        expired=moved.get("programme:expired", 0),
        adjusted=-moved.get("programme:adjusted", 0),
        outstanding=sum(points for account, points in moved.items() if account.startswith("customer:")),
    )


def of_stay(stay: SegmentMembership, *, zone: str) -> Iterator[Fact]:
    """That it began, which nothing changes any more, and that it ended. Days are those of the zone."""
    stay_id = f"{stay.customer_id}#{stay.sk.partition('#')[2]}"
    yield EntryFact(
        key=FactKey(stay.shop, ENTRY, stay_id),
        customer_id=stay.customer_id,
        rev=1,
        at=stay.entered_at,
        day=clock.local_day(stay.entered_at, zone),
        segment_id=stay.segment_id,
    )
    if stay.left_at is not None:
        yield ExitFact(
            key=FactKey(stay.shop, EXIT, stay_id),
            customer_id=stay.customer_id,
            rev=int(stay.rev),
            at=stay.left_at,
            day=clock.local_day(stay.left_at, zone),
            segment_id=stay.segment_id,
        )
