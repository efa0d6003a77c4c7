# tests/unit/segmentation/language/test_attributes.py
"""What each attribute is of a customer of whom everything is known."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from crm.kernel.money import Money
from crm.segmentation.language.catalogue import ATTRIBUTES, FUNCTIONS, Catalogue, OwnAttribute, own_value
from crm.segmentation.language.compiling import understand
from crm.segmentation.language.facts import (
    Address,
    Feedback,
    Loyalty,
    Predictions,
    Profile,
    Rfm,
    Source,
    Statistics,
)
from crm.segmentation.language.vocabulary.special import bucket, distance
from tests.unit.segmentation.language.some import OWN, SHOP, compiled, facts, local, verdict

NOW = local("2026-03-10T12:00")
ANNA = facts(
    profile=Profile(
        added_at=local("2024-05-01T08:00"),
        first_name="Änna",
        last_name="O'Hara",
        email="anna@Mail.Example.com",
        locale="de-AT",
        gender="female",
        birth_date=date(1990, 3, 11),
        tags=frozenset({"VIP", "press"}),
        addresses=(
            Address("US", "NY", "New York City", 40.7128, -74.006),
            Address("DE", None, "Berlin", 52.52, 13.405),
            Address(city="Atlantis"),
        ),
    ),
    statistics=Statistics(4, 10_000, 3_333, local("2025-01-01T23:00"), local("2026-01-11T01:00")),
    consents={"email": "granted", "sms": "pending", "push": "denied"},
    first_source=Source("newsletter", "email", "spring", channel="web"),
    last_source=Source("google", "cpc", term="mugs", content="banner"),
    loyalty=Loyalty(-5, "gold", date(2025, 6, 1)),
    feedback=Feedback(nps=9, csat=4, answered_at=local("2026-02-01T10:00")),
    predictions=Predictions(25_050, Decimal("1.75"), Decimal("0.25"), "HIGH"),
    rfm=Rfm("LOYAL", 4, 5, 3),
    last_order_channel="pos",
    last_visit_at=local("2026-03-09T23:59"),
    last_seen_channel="app",
    attributes={
        "size": "M",
        "weight": Decimal("71.5"),
        "budget": Money(25_000, "EUR"),
        "wedding": date(2020, 3, 15),
        "newsletter": False,
        "hobbies": ("Chess", "Running"),
    },
    memberships=frozenset({"seg_hand"}),
)
"""375 days over 3 orders more: 125."""


KNOWN = [
    "first_name = 'änna'",
    "first_name = 'A\u0308NNA'",
    "first_name STARTS WITH 'än' AND first_name CONTAINS 'NN'",
    "last_name = 'o''hara'",
    "customer_email_domain = 'mail.example.com'",
    "customer_language = 'DE' AND customer_locale = 'de-at'",
    "customer_countries CONTAINS 'us' AND customer_countries CONTAINS 'DE'",
    "customer_countries NOT CONTAINS 'AT'",
    "customer_regions CONTAINS 'NY' AND customer_regions CONTAINS 'US-NY'",
    "customer_cities CONTAINS 'US-NY-NewYorkCity' AND customer_cities CONTAINS 'new york city'",
    "customer_cities CONTAINS 'DE-Berlin' AND customer_cities CONTAINS 'Atlantis'",
    "customer_tags CONTAINS 'vip' AND customer_tags NOT CONTAINS 'v'",
    "customer_added_date = 2024-05-01",
    "birth_date = 1990-03-11 AND age = 35",
    "gender IN ('Female', 'other')",
    "customer_status = 'active'",
    "utm_source = 'Newsletter' AND utm_medium = 'email' AND utm_campaign = 'spring' AND utm_term IS NULL",
    "last_utm_source = 'google' AND last_utm_medium = 'cpc' AND last_utm_term = 'mugs'",
    "last_utm_content = 'banner' AND last_utm_campaign IS NULL AND utm_content IS NULL",
    "acquisition_channel = 'web'",
    "email_subscription_status = 'subscribed' AND sms_subscription_status = 'PENDING'",
    "push_subscription_status = 'UNSUBSCRIBED' AND postal_subscription_status = 'NOT_SUBSCRIBED'",
    "in_app_subscription_status = 'NOT_SUBSCRIBED' AND ads_subscription_status != 'SUBSCRIBED'",
    "loyalty_tier = 'Gold' AND loyalty_points < 0 AND loyalty_member_since BETWEEN 2025-06-01 AND 2025-06-01",
    "nps_score = 9 AND csat_score = 4 AND ces_score IS NULL AND last_feedback_date = 2026-02-01",
    "predicted_value = 250.50 AND predicted_orders > 1.74 AND predicted_orders < 1.76",
    "churn_risk = 0.25 AND predicted_spend_tier = 'high'",
    "rfm_recency = 4 AND rfm_frequency = 5 AND rfm_monetary = 3 AND rfm_group = 'LOYAL'",
    "number_of_orders = 4 AND amount_spent = 100 AND average_order_value = 33.33",
    "first_order_date = 2025-01-01 AND last_order_date = 2026-01-11",
    "days_between_orders = 125 AND days_between_orders BETWEEN 124.9 AND 125.1",
    "last_order_channel = 'POS'",
    "last_visit_date = yesterday AND last_seen_channel = 'app'",
    "attributes.size = 'm' AND attributes.weight = 71.5 AND attributes.budget BETWEEN 250 AND 250",
    "attributes.wedding = 2020-03-15 AND anniversary(attributes.wedding) = +5d",
    "attributes.newsletter = false AND attributes.hobbies CONTAINS 'chess' AND attributes.holidays IS NULL",
    "customer_within_distance(52.4, 13.06, 30)",
    "NOT customer_within_distance(48.14, 11.58, 500)",
]


@pytest.mark.parametrize("query", KNOWN)
def test_what_is_known_is_found(query: str) -> None:
    assert verdict(query, ANNA, NOW).member


def test_every_attribute_was_asked_about() -> None:
    asked = {name for query in KNOWN for name in query.replace("(", " ").split()}
    assert set(ATTRIBUTES) - asked == {"abandoned_checkout_date"}  # of carts (test_windows.py)


@pytest.mark.parametrize("name", sorted({**ATTRIBUTES, **FUNCTIONS}))
def test_an_example_is_a_right_query_about_its_own(name: str) -> None:
    example = ATTRIBUTES[name].example if name in ATTRIBUTES else FUNCTIONS[name].example
    assert name in example
    if name != "segment":
        reads = compiled(example).reads.facts
        assert reads == ({ATTRIBUTES[name].fact} if name in ATTRIBUTES else reads)
        assert reads.issuperset(FUNCTIONS[name].facts if name in FUNCTIONS else ())


def test_amounts_in_another_currency_are_not_compared() -> None:
    known = facts(attributes={"budget": Money(1, "USD")})
    assert not verdict("attributes.budget < 100 OR attributes.budget >= 100", known, NOW).member
    assert verdict("attributes.budget IS NULL", known, NOW).member


@pytest.mark.parametrize(
    ("currency", "amount", "minor", "finer"),
    [("EUR", "100.50", 10_050, "100.505"), ("JPY", "1290", 1_290, "1290.5"), ("KWD", "1.234", 1_234, "1.2345")],
)
def test_an_amount_has_the_decimals_of_the_shops_currency(currency: str, amount: str, minor: int, finer: str) -> None:
    known = facts(statistics=Statistics(1, minor))
    assert verdict(f"amount_spent = {amount}", known, NOW, Catalogue(currency)).member
    (mistake,) = understand(f"amount_spent = {finer}", Catalogue(currency)).mistakes
    assert (mistake.code, mistake.offset) == ("VALUE", 15)


def test_a_deleted_customer_is_in_no_segment() -> None:
    known = facts(hidden=True)
    assert not verdict("number_of_orders = 0", known, NOW).member


@pytest.mark.parametrize(
    ("type_", "element", "stored", "value"),
    [
        ("number", None, "71.5", Decimal("71.5")),
        ("money", None, {"minor": 5, "currency": "EUR"}, Money(5, "EUR")),
        ("date", None, "2026-01-31", date(2026, 1, 31)),
        ("boolean", None, False, False),
        ("choice", None, "S", "S"),
        ("text", None, None, None),
        ("list", "date", ["2026-01-31"], (date(2026, 1, 31),)),
        ("list", "text", ["a", "b"], ("a", "b")),
    ],
)
def test_a_stored_value_of_an_own_attribute_is_a_fact(
    type_: str, element: str | None, stored: object, value: object
) -> None:
    assert own_value(OwnAttribute("key", "Name", type_, element), stored) == value


def test_the_shops_attributes_are_known_by_their_keys() -> None:
    assert {f"attributes.{key}" for key in OWN} - {each.name for each in SHOP.attributes()} == {"attributes.old"}


def test_a_bucket_is_always_the_same_and_buckets_are_alike_in_size() -> None:
    assert bucket("autumn test", "cus_01jd0000000000000000000000") == 38
    assert bucket("a", "cus_1") != bucket("b", "cus_1")
    in_tenth = sum(bucket("salt", f"cus_{number}") < 10 for number in range(10_000))
    assert 900 < in_tenth < 1_100
    assert {bucket("salt", f"cus_{number}") for number in range(2_000)} == set(range(100))


@pytest.mark.parametrize(
    ("here", "there", "km"),
    [
        ((52.52, 13.405), (48.1351, 11.582), 504),
        ((40.7128, -74.006), (51.5074, -0.1278), 5570),
        ((0.0, 179.5), (0.0, -179.5), 111),
        ((90.0, 0.0), (-90.0, 120.0), 20015),
        ((52.52, 13.405), (52.52, 13.405), 0),
    ],
)
def test_distances_are_those_on_a_sphere(here: tuple[float, float], there: tuple[float, float], km: int) -> None:
    assert distance(here, there) == pytest.approx(km, abs=1)


def test_a_distance_includes_its_bound() -> None:
    there = facts(profile=Profile(datetime(2024, 1, 1, tzinfo=UTC), addresses=(Address(latitude=0, longitude=0),)))
    assert verdict("customer_within_distance(0, 0, 0)", there, NOW).member
