# tests/usual_segments.py
"""The segments that most tests of customers count on, by name. What reads the environment is not imported here."""

from typing import Final

LATELY, REPEAT = "Ordered in the last 30 days", "Repeat buyer"
QUERIES: Final = {LATELY: "last_order_date > -30d", REPEAT: "number_of_orders >= 2"}
