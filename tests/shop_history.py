# tests/shop_history.py
"""What happens in a shop, with everything that follows from it, at once."""

import json
from typing import Any

from crm.intake import service as intake
from crm.loyalty import service as loyalty
from crm.orders import service as orders
from crm.orders.events import OrderRecorded
from crm.segmentation import keeping
from tests.asking import NOW
from tests.shop_events import event


def happened(kind: str, data: dict[str, Any], **envelope: Any) -> str:
    """An event and everything that follows from it; returns its customer."""
    outcome = intake.apply(json.dumps(event(kind, data, **envelope)), now=NOW)
    assert outcome.customer_id is not None
    return outcome.customer_id


def recorded(order_id: str) -> None:
    """What follows from an order that is recorded."""
    told = OrderRecorded.of(orders.get("demo", order_id))
    loyalty.post_for_order(told, now=NOW)
    keeping.refresh(
        "demo",
        told.customer_id,
        touched=keeping.touched(told),
        cause=told.cause,
        occurred_at=told.occurred_at,
        now=NOW,
    )
