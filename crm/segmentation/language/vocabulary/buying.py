# crm/segmentation/language/vocabulary/buying.py
"""Attributes of what a customer buys. Cancelled orders count nowhere (docs/decisions/0006)."""

from datetime import date
from fractions import Fraction

from crm.segmentation.language import days
from crm.segmentation.language.facts import Fact
from crm.segmentation.language.kinds import DATE, INTEGER, MONEY, NUMBER, TEXT
from crm.segmentation.language.truth import Moment
from crm.segmentation.language.words import Attribute, Group

NO_ORDERS = "without standing orders"


def _first(moment: Moment) -> date | None:
    at = moment.facts.statistics.first_order_at
    return days.of(at, moment.facts.zone) if at else None


def _last(moment: Moment) -> date | None:
    at = moment.facts.statistics.last_order_at
    return days.of(at, moment.facts.zone) if at else None


def _between(moment: Moment) -> Fraction | None:
    first, last, count = _first(moment), _last(moment), moment.facts.statistics.order_count
    return Fraction((last - first).days, count - 1) if first and last and count > 1 else None


BUYING = (
    Attribute(
        "number_of_orders", INTEGER, Group.BUYING, "Standing orders in any currency; 0 without any.",
        "number_of_orders >= 2", Fact.STATISTICS, lambda moment: moment.facts.statistics.order_count,
    ),
    Attribute(
        "amount_spent", MONEY, Group.BUYING,
        "The net of all standing orders in the shop's currency; 0 without any. Other currencies are not converted.",
        "amount_spent BETWEEN 100 AND 499.99", Fact.STATISTICS, lambda moment: moment.facts.statistics.spent,
    ),
    Attribute(
        "average_order_value", MONEY, Group.BUYING,
        "The net per standing order in the shop's currency, to the nearest minor unit, halves rounded up.",
        "average_order_value > 75", Fact.STATISTICS, lambda moment: moment.facts.statistics.average,
        unknown=f"{NO_ORDERS} in the shop's currency",
    ),
    Attribute(
        "first_order_date", DATE, Group.BUYING, "The day of the first standing order.", "first_order_date >= -30d",
        Fact.STATISTICS, _first, unknown=NO_ORDERS,
    ),
    Attribute(
        "last_order_date", DATE, Group.BUYING, "The day of the last standing order.", "last_order_date < -90d",
        Fact.STATISTICS, _last, unknown=NO_ORDERS,
    ),
    Attribute(
        "days_between_orders", NUMBER, Group.BUYING,
        "Days from the day of the first standing order to that of the last, by the number of orders less one.",
        "days_between_orders <= 45", Fact.STATISTICS, _between, unknown="with fewer than two standing orders",
    ),
    Attribute(
        "last_order_channel", TEXT, Group.BUYING, "The channel of the last standing order.",
        "last_order_channel = 'pos'", Fact.LAST_ORDER, lambda moment: moment.facts.last_order_channel,
        unknown=f"{NO_ORDERS}, or whose last one names no channel",
    ),
)  # fmt: skip
