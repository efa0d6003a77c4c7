# tests/shop_events.py
"""Events as a shop would send them, and their delivery to the function that takes them in."""

import json
from itertools import count
from typing import Any

from crm.customers import snapshot
from crm.customers.models import Customer, Identity
from crm.orders.models import Statistics
from functions.intake.ingest import handler

_numbers = count(1)


def event(kind: str, data: dict[str, Any], /, **envelope: Any) -> dict[str, Any]:
    return (
        {
            "id": f"e{next(_numbers)}",
            "type": kind,
            "version": 1,
            "shop": "demo",
            "source": "shopify",
            "occurredAt": "2026-03-01T10:00:00Z",
            "customer": {"externalId": "ann"},
        }
        | {"data": data}
        | envelope
    )


def order(order_id: str = "o1", version: int = 1, /, *, status: str = "placed", **more: Any) -> dict[str, Any]:
    """The data of an order of two units at 10.00 unless `more` says otherwise."""
    return {
        "orderId": order_id,
        "version": version,
        "status": status,
        "currency": "EUR",
        "placedAt": "2026-03-01T10:00:00Z",
        "lines": [{"id": "1", "sku": "A", "quantity": 2, "unitPrice": "10.00"}],
    } | more


def placed(order_id: str = "o1", version: int = 1, /, **more: Any) -> dict[str, Any]:
    envelope = {name: more.pop(name) for name in ("id", "customer", "occurredAt", "shop", "source") if name in more}
    return event("order.updated", order(order_id, version, **more), **envelope)


def refunded(order_id: str, refund_id: str, quantity: int = 1, /, **more: Any) -> dict[str, Any]:
    line = {"lineId": "1", "quantity": quantity} | ({"amount": more.pop("amount")} if "amount" in more else {})
    data = {"refundId": refund_id, "orderId": order_id, "currency": more.pop("currency", "EUR"), "lines": [line]}
    return event("refund.created", data, **more)


def record(
    body: dict[str, Any] | str, number: int = 0, *, replay: bool = False, by_app: bool = False
) -> dict[str, Any]:
    """An SQS record as Lambda hands it over."""
    marks = {"replay": replay, "app": by_app}
    attributes = {name: {"stringValue": "true", "dataType": "String"} for name, is_set in marks.items() if is_set}
    return {
        "messageId": f"m{number}",
        "eventSource": "aws:sqs",
        "body": body if isinstance(body, str) else json.dumps(body),
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": attributes,
    }


def deliver(*bodies: dict[str, Any] | str, replay: bool = False, by_app: bool = False) -> list[str]:
    """Hand events to the function as one batch; return the ids of the messages it wants to see again."""
    records = [record(body, number, replay=replay, by_app=by_app) for number, body in enumerate(bodies)]
    answer = handler({"Records": records}, None)  # type: ignore[arg-type]
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def customer_of(external_id: str = "ann", *, shop: str = "demo", source: str = "shopify") -> Customer:
    identity = Identity.get(f"SHOP#{shop}#IDENTITY#external:{source}#{external_id}", "IDENTITY")
    customer = snapshot.read(shop, identity.customer_id).head(Customer)
    assert customer is not None
    return customer


def statistics_of(external_id: str = "ann", *, shop: str = "demo") -> dict[str, Any]:
    customer = customer_of(external_id, shop=shop)
    statistics = snapshot.read(shop, customer.customer_id).head(Statistics)
    assert statistics is not None
    return {
        "orders": int(statistics.order_count),
        "totals": {t.currency: (int(t.orders), int(t.gross), int(t.refunded), int(t.net)) for t in statistics.totals},
        "first": statistics.first_order_at and statistics.first_order_at.isoformat(),
        "last": statistics.last_order_at and statistics.last_order_at.isoformat(),
    }
