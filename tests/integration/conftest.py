# tests/integration/conftest.py
from typing import Any

import pytest

from crm.shops.service import Shop
from tests.kept import kept
from tests.shop_events import order, refunded
from tests.shop_history import happened, recorded


@pytest.fixture
def ann(shop: Shop, segments: None) -> str:
    return kept("ann", begun)


def begun() -> str:
    words: dict[str, Any] = {
        "externalId": "ann",
        "email": "Ann@example.com",
        "firstName": "Ann",
        "tags": ["vip", "press"],
    }
    words |= {
        "tags": ["vip", "press"],
        "birthDate": "1990-12-10",
        "addresses": [{"city": "Wien", "country": "AT", "latitude": 48.2, "longitude": 16.4}],
    }
    happened("order.placed", order("o1"), customer=words)
    happened("refund.created", refunded("o1", "r1")["data"])
    customer_id = happened("order.placed", order("o2", placedAt="2026-03-05T10:00:00Z"))
    for order_id in ("o1", "o2"):
        recorded(order_id)
    return customer_id
