# crm/kpis/definitions.py
"""What each KPI means. A definition is returned with every value."""

from msgspec import Struct

from crm.kpis.facts import ANSWER, ORDER, REFUND

COUNT, MONEY, FRACTION = "count", "money", "fraction"

TEST_CUSTOMERS = "test customers"
CANCELLED_ORDERS = "cancelled orders"
WITHOUT_SCORE = "answers without a score"


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
    )
}
