# crm/segmentation/language/templates.py
"""Segments that shops begin with: queries to take as they are, or to change."""

from typing import Final

from msgspec import Struct


class Template(Struct, frozen=True):
    """`id` is public, and never changes meaning."""

    id: str
    name: str
    description: str
    query: str


UNREACHABLE: Final = " AND ".join(
    f"{channel}_subscription_status != 'SUBSCRIBED'" for channel in ("email", "sms", "push", "postal")
)
TEMPLATES: Final = (
    Template(
        "vip",
        "VIP",
        "Ordered five times or more, and within the last 180 days.",
        "number_of_orders >= 5 AND last_order_date >= -180d",
    ),
    Template("new", "New", "Recorded within the last 30 days.", "customer_added_date >= -30d"),
    Template("one_time", "One-time buyers", "Ordered once.", "number_of_orders = 1"),
    Template("repeat", "Repeat buyers", "Ordered more than once.", "number_of_orders >= 2"),
    Template(
        "at_risk",
        "At risk",
        "Ordered more than once, but not for 90 days.",
        "number_of_orders >= 2 AND last_order_date BETWEEN -180d AND -91d",
    ),
    Template("lapsed", "Lapsed", "Ordered, but not for 180 days.", "last_order_date < -180d"),
    Template(
        "birthday_this_week",
        "Birthday this week",
        "Have their birthday today or within the next six days.",
        "anniversary(birth_date) BETWEEN today AND +6d",
    ),
    Template(
        "abandoned_checkout",
        "Abandoned checkout",
        "Went to pay within the last week, and did not for an hour.",
        "checkout_abandoned(60, since: -7d)",
    ),
    Template(
        "unreachable",
        "Unreachable",
        "Have agreed to marketing neither by e-mail, SMS or push nor by post.",
        UNREACHABLE,
    ),
    Template(
        "big_spenders",
        "Big spenders",
        "Spent 500 or more within a year.",
        "orders_placed(sum_amount_min: 500, since: -12m)",
    ),
)
