# infra/local/demo_segments.py
"""The demo shop's segments, by name: two by the day of the last order, a window of orders, and carts that were left."""

from typing import Final

QUERIES: Final = {
    "Ordered in the last 30 days": "last_order_date > -30d",
    "Repeat buyer": "number_of_orders >= 2",
    "At risk": "number_of_orders >= 2 AND last_order_date BETWEEN -180d AND -91d",
    "Big spender": "orders_placed(sum_amount_min: 200, since: -12m)",
    "Abandoned checkout": "checkout_abandoned(60, since: -7d)",
}
