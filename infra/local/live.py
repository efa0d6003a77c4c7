# infra/local/live.py
"""What happens in the demo shop just now: someone new looks, fills a cart, orders, and says how it was; someone else
went to pay an hour and a half ago, and did not. Pure.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from infra.local.people import Person

SOURCE = "demo"
BUYS = Person("live-1", "Grace", "Hopper", 1980, "granted")
LEAVES = Person("live-2", "Lena", "Okafor", 1990, "granted")

Step = tuple[str, int, dict[str, Any]]


def live_events(shop: str, *, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield the events of the last hours before `now`, oldest first."""
    told = [(minutes, person, kind, data) for person, steps in _steps(now).items() for kind, minutes, data in steps]
    for minutes, person, kind, data in sorted(told, key=lambda one: -one[0]):
        yield {
            "id": f"{person.number}-{kind.replace('.', '-')}",
            "type": kind,
            "version": 1,
            "shop": shop,
            "source": SOURCE,
            "occurredAt": (now - timedelta(minutes=minutes)).isoformat(),
            "customer": person.customer() if kind == "customer.updated" else {"externalId": f"cdnow-{person.number}"},
            "data": data,
        }


def _steps(now: datetime) -> dict[Person, list[Step]]:
    """What each does, and how many minutes ago."""
    jazz = {"sku": "CD-017", "quantity": 2, "unitPrice": "14.90"}
    cart = {"cartId": "cart-live-1", "currency": "USD", "total": "29.80", "channel": "web", "lines": [jazz]}
    soul = {"sku": "CD-404", "quantity": 1, "unitPrice": "24.50"}
    left = {"cartId": "cart-live-2", "currency": "USD", "total": "24.50", "channel": "app", "lines": [soul]}
    order = {
        "orderId": "live-1",
        "version": 1,
        "status": "placed",
        "currency": "USD",
        "placedAt": (now - timedelta(minutes=3)).isoformat(),
        "lines": [{"id": "1", "title": "Jazz, volume 17", "category": "jazz"} | jazz],
        "channel": "web",
        "cartId": "cart-live-1",
    }
    return {
        BUYS: [
            ("customer.updated", 15, {"consents": BUYS.consents()}),
            ("product.viewed", 12, {"sku": "CD-017", "category": "jazz", "channel": "web"}),
            ("cart.updated", 8, cart),
            ("checkout.started", 5, cart),
            ("order.placed", 3, order),
            ("feedback.received", 1, {"score": 9, "comment": "Quick and easy.", "orderId": "live-1"}),
        ],
        LEAVES: [
            ("customer.updated", 120, {"consents": LEAVES.consents()}),
            ("product.viewed", 110, {"sku": "CD-404", "category": "soul", "channel": "app"}),
            ("cart.updated", 100, left),
            ("checkout.started", 90, left),
        ],
    }
