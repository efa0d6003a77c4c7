# crm/intake/examples.py
"""One example of each event type: shown in the docs, kept in its JSON Schema, and validated by a test."""

from copy import deepcopy
from typing import Any

from crm.intake.event_types import EVENT_TYPES

CUSTOMER = {
    "externalId": "4711",
    "email": "ada@example.com",
    "emailVerified": True,
    "firstName": "Ada",
    "lastName": "Byron",
    "locale": "en",
}
ORDER: dict[str, Any] = {
    "orderId": "1001",
    "version": 1,
    "status": "placed",
    "currency": "EUR",
    "placedAt": "2026-03-01T09:30:00+01:00",
    "lines": [
        {
            "id": "1",
            "sku": "CD-17",
            "title": "Goldberg Variations",
            "category": "music",
            "quantity": 2,
            "unitPrice": "14.90",
            "discount": "2.00",
            "tax": "4.63",
        }
    ],
    "shipping": "4.90",
    "channel": "web",
    "cartId": "cart-88",
}
CART = {
    "cartId": "cart-88",
    "lines": [{"sku": "CD-17", "quantity": 2, "unitPrice": "14.90"}],
    "currency": "EUR",
    "total": "29.80",
    "channel": "web",
    "sessionId": "s-1",
}
DATA: dict[str, dict[str, Any]] = {
    "customer.updated": {
        "consents": [{"channel": "email", "purpose": "marketing", "state": "granted", "source": "checkout"}]
    },
    "consent.updated": {
        "consents": [
            {
                "channel": "email",
                "purpose": "marketing",
                "topic": "concerts",
                "state": "granted",
                "source": "preference centre",
                "textVersion": "2026-02",
                "optInLevel": "double",
                "legalBasis": "consent",
                "occurredAt": "2026-03-01T09:29:00+01:00",
            },
            {"channel": "sms", "purpose": "marketing", "state": "denied", "source": "preference centre"},
        ]
    },
    "address.suppressed": {"channel": "email", "address": "ada@example.com", "reason": "hard_bounce"},
    "refund.created": {
        "refundId": "r-1",
        "orderId": "1001",
        "currency": "EUR",
        "lines": [{"lineId": "1", "quantity": 1}],
        "reason": "damaged",
    },
    "visit.started": {
        "url": "https://shop.example.com/music",
        "referrer": "https://www.search.example/",
        "utm": {"source": "newsletter", "medium": "email", "campaign": "spring"},
        "channel": "web",
        "sessionId": "s-1",
    },
    "custom.recorded": {"name": "wishlist.shared", "properties": {"list": "birthday", "items": 3}, "channel": "app"},
    "product.viewed": {"sku": "CD-17", "category": "music", "channel": "web", "sessionId": "s-1"},
    "cart.updated": CART,
    "checkout.started": CART,
    "feedback.received": {"score": 9, "comment": "Quick, and well packed.", "orderId": "1001"},
}


def example(name: str) -> dict[str, Any]:
    """A whole envelope of the event type, as a source would send it."""
    kind = EVENT_TYPES[name]
    data = DATA.get(name)
    if data is None:  # the life of one order, a version a step
        steps = [other for other in EVENT_TYPES if other.startswith("order.")]
        data = {**ORDER, "version": steps.index(name) + 1, "status": kind.status or "placed"}
    envelope: dict[str, Any] = {
        "id": f"evt-{name.replace('.', '-')}-1",
        "type": name,
        "version": 1,
        "shop": "demo",
        "source": "shopify",
        "occurredAt": "2026-03-01T09:30:00+01:00",
    }
    if kind.needs_customer:
        envelope["customer"] = CUSTOMER
    return deepcopy({**envelope, "data": data})  # who changes theirs changes nobody else's
