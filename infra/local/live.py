# infra/local/live.py
"""What happens in the demo shop just now: someone new looks, fills a cart, orders, and says how it was. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from infra.local.people import Person

SOURCE = "demo"
VISITOR = "cdnow-live-1"


def live_events(shop: str, *, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield the events of the last quarter of an hour before `now`, oldest first."""
    person = Person("live-1", "Grace", "Hopper", 1980, "granted")
    line = {"id": "1", "sku": "CD-017", "title": "Jazz, volume 17", "category": "jazz", "quantity": 2}
    cart = {"cartId": "cart-live-1", "currency": "USD", "total": "29.80", "channel": "web"}
    cart_lines = {"lines": [{"sku": "CD-017", "quantity": 2, "unitPrice": "14.90"}]}
    order = {
        "orderId": "live-1",
        "version": 1,
        "status": "placed",
        "currency": "USD",
        "placedAt": (now - timedelta(minutes=3)).isoformat(),
        "lines": [{**line, "unitPrice": "14.90"}],
        "channel": "web",
        "cartId": "cart-live-1",
    }
    steps: list[tuple[str, int, dict[str, Any]]] = [
        ("customer.updated", 15, {"consents": person.consents()}),
        ("product.viewed", 12, {"sku": "CD-017", "category": "jazz", "channel": "web"}),
        ("cart.updated", 8, cart | cart_lines),
        ("checkout.started", 5, cart | cart_lines),
        ("order.placed", 3, order),
        ("feedback.received", 1, {"score": 9, "comment": "Quick and easy.", "orderId": "live-1"}),
    ]
    for kind, minutes, data in steps:
        customer = person.customer() if kind == "customer.updated" else {"externalId": VISITOR}
        yield {
            "id": f"live-1-{kind.replace('.', '-')}",
            "type": kind,
            "version": 1,
            "shop": shop,
            "source": SOURCE,
            "occurredAt": (now - timedelta(minutes=minutes)).isoformat(),
            "customer": customer,
            "data": data,
        }
