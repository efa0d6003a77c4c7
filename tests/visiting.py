# tests/visiting.py
"""Visitors: what they do, who they turn out to be, and what is stored of it in the end."""

from collections.abc import Sequence
from typing import Any

from crm.customers import service as customers
from crm.kernel.settings import settings
from crm.kernel.table import client
from crm.touchpoints import service as touchpoints
from tests.shop_events import event


def at(minute: int) -> str:
    return f"2026-03-01T10:{minute:02}:00Z"


def viewed(visitor: str, minute: int, **envelope: Any) -> dict[str, Any]:
    """Somebody nobody knows looks at the product `<minute>`."""
    data = {"sku": str(minute), "utm": {"source": f"{visitor}-{minute}"}}
    return event("product.viewed", data, customer={"anonymousId": visitor}, occurredAt=at(minute), **envelope)


def identified(visitor: str, external_id: str, minute: int, **envelope: Any) -> dict[str, Any]:
    who = {"anonymousId": visitor, "externalId": external_id}
    return event("customer.updated", {}, customer=who, occurredAt=at(minute), **envelope)


def settled(*visitors: str, now: Any) -> int:
    """What functions/touchpoints/join_visitor.py does for each."""
    return sum(touchpoints.settle("demo", visitor, now=now) for visitor in visitors)


def history(external_id: str) -> list[str]:
    """The products that a customer has looked at, newest first."""
    customer_id = customers.find("demo", "external", external_id, source="shopify")
    if customer_id is None:
        return []
    found = touchpoints.touchpoints("demo", customer_id, limit=5000)
    return [touchpoint.properties["sku"] for touchpoint in found]


def brought_by(external_id: str) -> Sequence[str | None]:
    """The first and the last source of a customer."""
    customer_id = customers.find("demo", "external", external_id, source="shopify")
    assert customer_id is not None
    head = customers.take_snapshot("demo", customer_id).head(touchpoints.Acquisition)
    if head is None or head.first is None or head.last is None:
        return []
    return [head.first.source, head.last.source]


def stored_of(visitor: str) -> list[dict[str, Any]]:
    """The raw items of a visitor's partition."""
    key = {":pk": {"S": f"SHOP#demo#VISITOR#{visitor}"}}
    answer = client().query(
        TableName=settings().crm_table, KeyConditionExpression="pk = :pk", ExpressionAttributeValues=key
    )
    items: list[dict[str, Any]] = answer["Items"]
    return items
