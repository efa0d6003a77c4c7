# crm/kpis/definitions.py
"""What each KPI means. A definition is returned with every value."""

from msgspec import Struct

from crm.kpis.facts import ANSWER, ORDER, POINTS, REFUND

COUNT, MONEY, FRACTION = "count", "money", "fraction"

TEST_CUSTOMERS = "test customers"
CANCELLED_ORDERS = "cancelled orders"
WITHOUT_SCORE = "answers without a score"

OUTSTANDING, OUTSTANDING_BY_YEAR = "points_outstanding", "points_outstanding_by_year"
MOVED = "the day the points moved, whenever that was told or posted"


class Definition(Struct, frozen=True):
    """`added` less `subtracted`, and over `divisor` where there is one: sums of the metrics' cells over the days."""

    name: str
    description: str
    unit: str
    """count; money, in whole units of one currency; fraction, of one."""
    numerator: str
    denominator: str | None
    """In words; None where nothing is divided. Over nothing there is no value: null, not zero."""
    day: str
    """Which shop-local day a fact belongs to."""
    exclusions: tuple[str, ...]
    fact_kind: str
    added: str
    subtracted: str | None = None
    divisor: str | None = None
    before: str | None = None
    """Of a balance: the metric that sums up whole years of `added`. Its value is that of the end of the period."""
    is_worth: bool = False
    """Points, at what the programme says that they are worth."""


def _of_orders(name: str, description: str, unit: str, *, numerator: str, divided: bool = False) -> Definition:
    return Definition(
        name=name,
        description=description,
        unit=unit,
        numerator=numerator,
        denominator="orders in the same currency" if divided else None,
        day="the day the order was placed",
        exclusions=(TEST_CUSTOMERS, CANCELLED_ORDERS),
        fact_kind=ORDER,
        added="net_revenue" if divided else name,
        divisor="orders" if divided else None,
    )


def _of_points(name: str, description: str, *, numerator: str) -> Definition:
    return Definition(
        name=name,
        description=description,
        unit=COUNT,
        numerator=numerator,
        denominator=None,
        day=MOVED,
        exclusions=(TEST_CUSTOMERS,),
        fact_kind=POINTS,
        added=name,
    )


def _of_balance(name: str, description: str, unit: str, *, numerator: str) -> Definition:
    return Definition(
        name=name,
        description=description,
        unit=unit,
        numerator=numerator,
        denominator=None,
        day=MOVED,
        exclusions=(TEST_CUSTOMERS,),
        fact_kind=POINTS,
        added=OUTSTANDING,
        before=OUTSTANDING_BY_YEAR,
        is_worth=unit == MONEY,
    )


DEFINITIONS = {
    definition.name: definition
    for definition in (
        _of_orders("orders", "How many orders were placed.", COUNT, numerator="orders"),
        _of_orders(
            "gross_revenue",
            "What was sold before refunds.",
            MONEY,
            numerator="gross: quantity x unit price - discounts, without tax, shipping and gift cards",
        ),
        _of_orders(
            "net_revenue",
            "What was sold, less what has been refunded of it since, on the day of the sale.",
            MONEY,
            numerator="net: gross - refunded value",
        ),
        _of_orders(
            "average_order_value",
            "Net revenue an order.",
            MONEY,
            numerator="net: gross - refunded value",
            divided=True,
        ),
        Definition(
            name="refunded",
            description="What was refunded, on the day of the refund, whenever the sale was.",
            unit=MONEY,
            numerator="refunded value: by how much refunds reduced the net of their orders",
            denominator=None,
            day="the day of the refund",
            exclusions=(TEST_CUSTOMERS, CANCELLED_ORDERS),
            fact_kind=REFUND,
            added="refunded",
        ),
        Definition(
            name="nps_responses",
            description="How many answers gave a recommendation score.",
            unit=COUNT,
            numerator="answers with a score from 0 to 10, each answer counted",
            denominator=None,
            day="the day of the answer",
            exclusions=(TEST_CUSTOMERS, WITHOUT_SCORE),
            fact_kind=ANSWER,
            added="nps_responses",
        ),
        Definition(
            name="nps",
            description="Net Promoter Score, as a fraction from -1 to 1.",
            unit=FRACTION,
            numerator="promoters (9, 10) - detractors (0 to 6)",
            denominator="answers with a score from 0 to 10, each answer counted",
            day="the day of the answer",
            exclusions=(TEST_CUSTOMERS, WITHOUT_SCORE),
            fact_kind=ANSWER,
            added="nps_promoters",
            subtracted="nps_detractors",
            divisor="nps_responses",
        ),
        _of_points(
            "points_issued",
            "How many points were earned, pending ones included, less what refunds took back.",
            numerator="points that orders and bonuses earned - points taken back from them",
        ),
        _of_points(
            "points_redeemed",
            "How many points were spent, less what was given back of them.",
            numerator="points spent - points given back",
        ),
        _of_points(
            "points_expired",
            "How many points were not spent in time, less those that a refund would have taken back.",
            numerator="points expired - expired points taken back",
        ),
        _of_points(
            "points_adjusted",
            "How many points staff gave, less what they took.",
            numerator="points given by hand - points taken by hand",
        ),
        _of_balance(
            "points_outstanding",
            "How many points customers have at the end of the period.",
            COUNT,
            numerator="points issued + adjusted - redeemed - expired since ever: available, pending and held - owed",
        ),
        _of_balance(
            "points_liability",
            "What outstanding points are worth at the end of the period, in the programme's currency.",
            MONEY,
            numerator="points outstanding x value of a point x (1 - breakage), both as the programme has them then",
        ),
    )
}
