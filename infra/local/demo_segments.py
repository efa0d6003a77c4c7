# infra/local/demo_segments.py
"""The demo shop's segments, by name."""

from typing import Final

QUERIES: Final = {
    "Ordered in the last 30 days": "last_order_date > -30d",
    "Repeat buyer": "number_of_orders >= 2",
}
