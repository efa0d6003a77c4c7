# tests/unit/segmentation/language/test_shopify.py
"""Shopify's segment query language, held against ten customers (small_shop.py): the members are worked out by hand.

Sources, as of 2026-11-22. Where a query is not word for word as it stands there, it says how it differs.

R  https://shopify.dev/docs/api/shopifyql/segment-query-language-reference
H  https://help.shopify.com/en/manual/customers/customer-segmentation/reference-guide/shopify-segments
K  https://github.com/devkindhq/shopifyql-skill (skills/shopifyql/SKILL.md)
E  https://github.com/shap87/shopify-app-everflow (web/index.js)
"""

import pytest

from crm.segmentation.language.catalogue import Catalogue
from crm.segmentation.language.compiling import understand
from tests.unit.segmentation.language.small_shop import CUSTOMERS, NOW
from tests.unit.segmentation.language.some import compiled

ALL = "ada ben cyd dee eli fay gus hal ida jon"
ORDERED = "ada ben dee eli gus hal ida jon"

QUERIES: list[tuple[str, str, str]] = [
    ("R", "email_subscription_status = 'SUBSCRIBED'", "ada ben cyd gus ida jon"),
    ("R", "last_order_date > 2020-05-30", ORDERED),
    ("R", "last_order_date != 2020-05-30", ORDERED),  # of who never ordered it is unknown: a deviation
    ("R", "last_order_date <= 2020-05-30", ""),
    ("R", "last_order_date BETWEEN 2021-01-01 AND today", ORDERED),
    ("R", "last_order_date BETWEEN 2020-01-01 AND -7d", "ada ben dee eli gus hal ida"),
    ("R", "last_order_date > -7d", "jon"),
    ("R", "last_order_date >= -2w", "ada jon"),
    ("R", "last_order_date < -1y", "gus ida"),
    ("R", "last_order_date = today", "jon"),
    ("R", "last_order_date = yesterday", ""),
    ("R", "amount_spent = 10.99", "hal"),
    ("R", "amount_spent != 10.99", "ada ben cyd dee eli fay gus ida jon"),
    ("R", "amount_spent > 10.99", "ada ben dee eli gus ida jon"),
    ("R", "amount_spent BETWEEN 100 AND 1000.99", "dee eli gus jon"),
    ("R", "number_of_orders > 10", "ida"),
    ("R", "number_of_orders <= 10", "ada ben cyd dee eli fay gus hal jon"),
    ("R", "customer_tags CONTAINS 'vip'", "ada dee"),
    ("R", "customer_tags NOT CONTAINS 'vip'", "ben cyd eli fay gus hal ida jon"),
    ("R", "customer_cities CONTAINS 'US-CA-LosAngeles'", "dee"),
    ("R", "customer_cities NOT CONTAINS 'US-CA-LosAngeles'", "ada ben cyd eli fay gus hal ida jon"),
    ("R", "customer_email_domain = 'example.com'", "cyd dee"),
    ("R", "customer_email_domain != 'example.com'", "ada ben fay gus hal ida jon"),
    ("R", "email_subscription_status = 'SUBSCRIBED' AND customer_countries CONTAINS 'CA'", "cyd"),
    (
        "R",
        "email_subscription_status = 'SUBSCRIBED' OR customer_countries CONTAINS 'CA'",
        "ada ben cyd dee gus ida jon",
    ),
    (
        "R",
        "email_subscription_status = 'SUBSCRIBED' AND customer_countries CONTAINS 'CA' OR amount_spent > 999.99",
        "ada cyd eli ida",
    ),
    (
        "R",
        "(email_subscription_status = 'SUBSCRIBED' AND customer_countries CONTAINS 'CA') OR amount_spent > 999.99",
        "ada cyd eli ida",
    ),
    (
        "R",
        "email_subscription_status = 'SUBSCRIBED' AND (customer_countries CONTAINS 'CA' OR amount_spent > 999.99)",
        "ada cyd ida",
    ),
    ("R", "products_purchased NOT MATCHES ()", "cyd fay"),
    ("R", "products_purchased MATCHES (tag = 'Sports wear')", "ada dee"),
    ("R", "products_purchased NOT MATCHES (date > -3m)", "cyd dee eli fay gus hal ida"),
    ("R", "products_purchased MATCHES (tag = 'Sports wear', date >= -12m)", "ada dee"),
    # `id = 1012132033639` there: products have SKUs here.
    ("R", "products_purchased MATCHES (sku = 'SHIRT', date BETWEEN -12m AND today)", "ada dee"),
    ("R", "products_purchased MATCHES (sku IN ('MUG', 'PJ-1'))", "ben ida jon"),
    # The date is `'metafields.facts.birth_date'` there.
    ("R", "anniversary(birth_date) = today", "ida"),
    ("H", "anniversary(birth_date) BETWEEN today AND +30d", "ada ida"),
    ("H", "abandoned_checkout_date >= 7_days_ago", "cyd"),
    ("H", "abandoned_checkout_date > -8m", "cyd fay"),
    ("H", "amount_spent BETWEEN 1 AND 999.99", "ben dee gus hal jon"),
    ("H", "customer_cities CONTAINS 'US-NY-NewYorkCity'", "ben"),
    ("H", "abandoned_checkout_date IS NULL", "ada ben dee eli gus hal ida jon"),
    ("K", "amount_spent > 500 AND number_of_orders >= 3 AND last_order_date > -90d", "ada"),
    ("K", "last_order_date BETWEEN -365d AND -90d AND number_of_orders > 1", "dee eli"),
    ("K", "customer_tags CONTAINS 'wholesale' OR amount_spent > 2000", "ada hal"),
    (
        "K",
        "email_subscription_status = 'SUBSCRIBED' AND (customer_countries CONTAINS 'US' OR amount_spent > 500)",
        "ada ben gus ida",
    ),
    ("K", "customer_regions CONTAINS 'NY'", "ben"),
    ("K", "customer_email_domain = 'gmail.com'", "ada ben gus"),
    ("K", "customer_language = 'en'", "ben cyd fay"),
    ("K", "customer_added_date > -90d", "cyd fay"),
    ("K", "first_order_date < -365d", "ada dee gus ida"),
    ("K", "first_order_date BETWEEN 2024-01-01 AND 2024-12-31", "ada dee gus"),
    ("K", "predicted_spend_tier = 'HIGH'", "ada"),
    ("K", "rfm_group = 'CHAMPIONS'", "ada"),
    ("K", "sms_subscription_status = 'SUBSCRIBED'", "ada eli"),
    ("K", "products_purchased MATCHES (tag = 'sale', date > -90d)", "ben jon"),
    # `financial_status = 'paid'` stands beside the date there.
    ("K", "orders_placed MATCHES (date > -30d)", "ada ben jon"),
    ("E", "customer_tags NOT CONTAINS 'everflow_linked'", ALL),
]


def test_there_are_forty_at_least_and_none_twice() -> None:
    assert len({query for _, query, _ in QUERIES}) == len(QUERIES) >= 40


@pytest.mark.parametrize(("source", "query", "members"), QUERIES)
def test_a_query_that_shops_know_has_the_members_it_should(source: str, query: str, members: str) -> None:
    segment = compiled(query, Catalogue("EUR"))
    found = [name for name, known in CUSTOMERS.items() if segment.evaluate(known, NOW).member]
    assert found == members.split()


@pytest.mark.parametrize(
    ("query", "nearest"),
    [
        ("customer_account_status = 'DISABLED'", "customer_status"),
        ("storefront_event.product_viewed MATCHES (product_id = 1)", "event('product.viewed', product_id: 1)"),
        ("last_order_date > 2020-05-30T16:00:00", None),
        ("products_purchased MATCHES (id = 2012162031638)", None),
        ("anniversary('metafields.facts.birth_date') = today", None),
    ],
)
def test_what_is_not_spoken_here_is_refused_and_not_misunderstood(query: str, nearest: str | None) -> None:
    understood = understand(query, Catalogue("EUR"))
    assert understood.compiled is None
    assert understood.mistakes[0].nearest == nearest
