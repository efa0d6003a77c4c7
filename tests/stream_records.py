# tests/stream_records.py
"""What is stored for a test, and the records the crm table's stream would hold of it (moto's streams are slow)."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

from crm.customers.models import Customer
from crm.feedback import nps
from crm.feedback.models import FeedbackResponse
from crm.kernel import clock
from crm.kernel.table import Item, customer_key
from crm.loyalty.models import LedgerEntry, Posting
from crm.orders.models import Order, OrderLine, Refund, RefundLine

_sequence = count(100000000000000000001)
NOON = datetime(2026, 3, 1, 11, tzinfo=UTC)  # in Vienna


def record(new: Item | None, old: Item | None = None, **more: Any) -> dict[str, Any]:
    """A record as Lambda hands it over."""
    images = {"NewImage": new and new.to_dynamodb_dict(), "OldImage": old and old.to_dynamodb_dict()}
    item = new or old
    assert item is not None
    return {
        "eventID": "c4ca4238a0b923820dcc509a6f75849b",
        "eventName": "REMOVE" if new is None else "MODIFY" if old else "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": {
            "Keys": {"pk": {"S": item.pk}, "sk": {"S": item.sk}},
            "SequenceNumber": str(next(_sequence)),
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        }
        | {name: image for name, image in images.items() if image},
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:123456789012:table/crm/stream/2026-01-01T00:00:00.000",
    } | more


def store(item: Item) -> dict[str, Any]:
    """Write the item; return the stream's record of it."""
    try:
        old = type(item).get(item.pk, item.sk, consistent_read=True)
    except type(item).DoesNotExist:
        old = None
    item.save()
    return record(item, old)


def sequence_number(told: dict[str, Any]) -> str:
    return str(told["dynamodb"]["SequenceNumber"])


def order(
    order_id: str = "o1",
    rev: int = 1,
    *,
    net: int = 2000,
    day: str = "2026-03-01",
    customer: str = "ann",
    shop: str = "demo",
    currency: str = "EUR",
    status: str = "placed",
    refunds: tuple[tuple[str, datetime, int], ...] = (),
) -> Order:
    """An order of one line worth `net` and what was refunded of it: (id, when, minor units)."""
    item = Order.of(shop, customer, order_id)
    refunded = sum(amount for _, _, amount in refunds)
    item.rev, item.version, item.cause, item.status = rev, rev, f"order:{order_id}:{rev}", status
    item.currency, item.placed_on = currency, day
    item.placed_at = item.occurred_at = datetime.fromisoformat(f"{day}T11:00:00+00:00")
    item.gross, item.refunded = net + refunded, refunded
    item.net = 0 if status == "cancelled" else net
    item.lines = [OrderLine(line_id="1", sku="A", quantity=1, unit_price=net + refunded)]
    item.refunds = [
        Refund(
            refund_id=refund_id,
            refunded_at=at,
            refunded_on=clock.local_day(at, "Europe/Vienna").isoformat(),
            currency=currency,
            event_id=f"e-{refund_id}",
            lines=[RefundLine(line_id="1", quantity=1, amount=amount)],
        )
        for refund_id, at, amount in refunds
    ]
    return item


def entry(
    cause: str = "order:o1:earn:1", *, at: datetime = NOON, customer: str = "ann", shop: str = "demo", **postings: int
) -> LedgerEntry:
    """A movement between a customer's points that can be spent, and accounts of the programme."""
    item = LedgerEntry.of(shop, customer, cause)
    item.number, item.movement, item.occurred_at, item.recorded_at = 1, "earn", at, at
    item.points = -sum(postings.values())
    item.balance_after = item.points
    sides = {f"programme:{name}": points for name, points in postings.items()} | {"customer:available": item.points}
    item.postings = [Posting(account=name, points=points) for name, points in sides.items()]
    return item


def profile(rev: int = 1, *, test: bool = False, customer: str = "ann", shop: str = "demo") -> Customer:
    item = Customer.of(shop, customer, now=NOON)
    item.rev, item.test, item.cause, item.email = rev, test, f"customer:{customer}:{rev}", "ann@example.com"
    return item


def answer(
    response_id: str = "a1", score: int = 10, *, customer: str = "ann", shop: str = "demo", day: str = "2026-03-01"
) -> FeedbackResponse:
    at = datetime.fromisoformat(f"{day}T11:00:00+00:00")
    item = FeedbackResponse.of(shop, customer, response_id, occurred_at=at)
    assert item.pk == customer_key(shop, customer)
    item.survey, item.score, item.group, item.comment = "nps", score, nps.group(score), "so so"
    item.answered_on, item.recorded_at, item.rev, item.cause = day, at, 1, f"feedback:{response_id}:submit"
    return item
