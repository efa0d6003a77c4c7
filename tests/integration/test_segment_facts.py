# tests/integration/test_segment_facts.py
"""What is told of a customer is what segments are asked about: each word of the language, from event to verdict."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any, Final

import pytest
from msgspec.structs import replace

from crm.customers import service as customers
from crm.kernel.actor import SYSTEM
from crm.kernel.meter import metering
from crm.kernel.table import client
from crm.loyalty import service as loyalty
from crm.loyalty.programmes import in_force as programmes
from crm.loyalty.programmes.versions import Version
from crm.orders import service as orders
from crm.orders.events import OrderRecorded
from crm.segmentation import in_force, loading, service
from crm.segmentation.defining import SegmentFields
from crm.segmentation.in_force import InForce
from crm.segmentation.language.catalogue import ATTRIBUTES, FUNCTIONS
from crm.segmentation.language.compiling import Compiled, understand
from crm.segmentation.language.facts import Facts
from crm.segmentation.language.reading import NOTHING, all_of
from crm.segmentation.language.vocabulary.special import bucket
from crm.segmentation.models import DYNAMIC, STATIC
from crm.segmentation.rfm import Thresholds
from crm.segmentation.stays import SegmentsByHand
from crm.segmentation.transitions import newest as latest
from tests.conftest import NOW
from tests.shop_events import customer_of, deliver, event, order, placed, refunded

pytestmark = pytest.mark.usefixtures("shop", "outlets")

ANN: Final[dict[str, Any]] = {
    "externalId": "ann", "email": "ann@gmail.com", "emailVerified": True, "firstName": "Ann", "lastName": "O'Hara",
    "locale": "de-AT", "birthDate": "1990-03-12", "gender": "female", "tags": ["vip"], "attributes": {"shoe": 38},
    "addresses": [
        {"city": "Wien", "region": "9", "country": "AT", "latitude": 48.2, "longitude": 16.4},
        {"city": "Berlin", "country": "DE"},
    ],
}  # fmt: skip
STATES: Final = {
    "email": "granted", "sms": "denied", "push": "pending", "in_app": "granted", "postal": "denied", "ads": "pending",
}  # fmt: skip
UTM: Final = {"source": "news", "medium": "email", "campaign": "spring", "term": "shoes", "content": "top"}
LINE: Final = {"sku": "MUG", "quantity": 3, "unitPrice": "20.00", "category": "Kitchen", "tags": ["blue"]}
TRUE: Final = {
    "first_name": "first_name = 'Ann'",
    "last_name": "last_name = 'O''Hara'",
    "customer_email_domain": "customer_email_domain = 'gmail.com'",
    "customer_language": "customer_language = 'de'",
    "customer_locale": "customer_locale = 'de-AT'",
    "customer_countries": "customer_countries CONTAINS 'DE'",
    "customer_regions": "customer_regions CONTAINS 'AT-9'",
    "customer_cities": "customer_cities CONTAINS 'AT-Wien'",
    "customer_tags": "customer_tags CONTAINS 'vip'",
    "customer_added_date": "customer_added_date = today",
    "birth_date": "birth_date = 1990-03-12",
    "age": "age = 35",
    "gender": "gender = 'female'",
    "customer_status": "customer_status = 'active'",
    **{f"utm_{part}": f"utm_{part} = '{value}'" for part, value in UTM.items()},
    **{f"last_utm_{part}": f"last_utm_{part} = 'late {value}'" for part, value in UTM.items()},
    "acquisition_channel": "acquisition_channel = 'web'",
    "email_subscription_status": "email_subscription_status = 'SUBSCRIBED'",
    "sms_subscription_status": "sms_subscription_status = 'UNSUBSCRIBED'",
    "push_subscription_status": "push_subscription_status = 'PENDING'",
    "in_app_subscription_status": "in_app_subscription_status = 'SUBSCRIBED'",
    "postal_subscription_status": "postal_subscription_status = 'UNSUBSCRIBED'",
    "ads_subscription_status": "ads_subscription_status = 'PENDING'",
    "loyalty_tier": "loyalty_tier = 'gold'",
    "loyalty_points": "loyalty_points = 80",
    "loyalty_member_since": "loyalty_member_since = 2026-02-10",
    "nps_score": "nps_score = 9",
    "last_feedback_date": "last_feedback_date = -1d",
    "number_of_orders": "number_of_orders = 2",
    "amount_spent": "amount_spent = 80",
    "average_order_value": "average_order_value = 40",
    "first_order_date": "first_order_date = 2026-02-10",
    "last_order_date": "last_order_date = 2026-03-01",
    "days_between_orders": "days_between_orders = 19",
    "last_order_channel": "last_order_channel = 'web'",
    "last_visit_date": "last_visit_date = -3d",
    "last_seen_channel": "last_seen_channel = 'app'",
    "abandoned_checkout_date": "abandoned_checkout_date = today",
    "rfm_recency": "rfm_recency = 5",
    "rfm_frequency": "rfm_frequency = 2",
    "rfm_monetary": "rfm_monetary = 4",
    "rfm_group": "rfm_group = 'ACTIVE'",
    "orders_placed": "orders_placed(count_min: 1, count_max: 1, sum_amount_min: 40, since: -30d, coupon: 'SPRING')",
    "products_purchased": "products_purchased(sku: 'MUG', category: 'kitchen', tag: 'blue', quantity_min: 4)"
    " AND NOT products_purchased(sku: 'MUG', quantity_min: 5)",
    "checkout_abandoned": "checkout_abandoned(60) AND NOT checkout_abandoned(180)",
    "event": "event('wish.made', count_min: 2, count_max: 2, since: -30d, properties.for: 'boots')",
    "anniversary": "anniversary(birth_date) BETWEEN today AND +7d",
    "customer_within_distance": "customer_within_distance(48.2, 16.3, 20)",
    "segment": "segment('Repeat') AND segment('Chosen') AND NOT segment('Left out')",
    "random_bucket": "random_bucket('x') = {bucket}",
    "attributes.shoe": "attributes.shoe = 38",
}
NOT_COMPUTED_YET: Final = {
    "csat_score", "ces_score", "predicted_value", "predicted_orders",
    "churn_risk", "predicted_spend_tier",
}  # fmt: skip
"""Null of everybody, as docs/segments.md says: there is one survey, and nothing predicts."""


def told() -> None:
    """All that a shop can tell of somebody."""
    customers.define_attribute("demo", "shoe", customers.AttributeFields(name="Shoe", type="number"), now=NOW)
    bought = [LINE | {"quantity": 2}]
    said = [{"channel": channel, "purpose": "marketing", "state": state} for channel, state in STATES.items()]
    who = {"customer": {"externalId": "ann"}}
    late = {part: f"late {value}" for part, value in UTM.items()}
    cart = {"cartId": "c1", "lines": [{"sku": "MUG", "quantity": 1}], "channel": "app"}
    wish = {"name": "wish.made", "properties": {"for": "boots"}}
    events = [
        event("customer.updated", {"consents": said}, customer=ANN, occurredAt="2026-02-01T10:00:00Z"),
        event("visit.started", {"channel": "web", "utm": UTM}, occurredAt="2026-02-01T11:00:00Z", **who),
        event("visit.started", {"channel": "web", "utm": late}, occurredAt="2026-03-07T11:00:00Z", **who),
        event("custom.recorded", wish, occurredAt="2026-03-01T11:00:00Z", **who),
        event("custom.recorded", wish, occurredAt="2026-03-02T11:00:00Z", **who),
        event("custom.recorded", wish, occurredAt="2026-01-02T11:00:00Z", **who),
        event("custom.recorded", wish | {"properties": {"for": "hats"}}, occurredAt="2026-03-03T11:00:00Z", **who),
        placed("o1", 1, placedAt="2026-02-10T10:00:00Z", channel="pos", lines=[LINE]),
        refunded("o1", "r1", 1),
        placed("o2", 1, placedAt="2026-03-01T10:00:00Z", channel="web", coupon="SPRING", lines=bought),
        placed("o3", 1, placedAt="2026-03-05T10:00:00Z", channel="fax", status="cancelled"),
        event("cart.updated", cart, occurredAt="2026-03-10T09:30:00Z", **who),
        event("checkout.started", {"cartId": "c1", "channel": "app"}, occurredAt="2026-03-10T10:00:00Z", **who),
        event("feedback.received", {"score": 9}, occurredAt="2026-03-09T10:00:00Z", **who),
    ]
    assert deliver(*events) == []
    for order_id in ("o1", "o2", "o3"):
        loyalty.post_for_order(OrderRecorded.of(orders.get("demo", order_id)), now=NOW)
    ids = {
        name: service.create("demo", kind, said, actor=SYSTEM, now=NOW).definition.segment_id
        for name, kind, said in (
            ("Repeat", DYNAMIC, SegmentFields("Repeat", query="number_of_orders > 1")),
            ("Left out", DYNAMIC, SegmentFields("Left out", query="number_of_orders > 1")),
            ("Chosen", STATIC, SegmentFields("Chosen")),
        )
    }
    by_hand = SegmentsByHand.of("demo", customer_of("ann").customer_id)
    said_by = ["2026-03-01T10:00:00.000000Z", "staff:anna"]
    by_hand.members, by_hand.exclusions = {ids["Chosen"]: said_by}, {ids["Left out"]: said_by}
    by_hand.rev = 1
    by_hand.save()


@pytest.fixture
def that_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm.kernel.clock.now", lambda: NOW)


@pytest.fixture
def shop_wide(that_day: None, monkeypatch: pytest.MonkeyPatch) -> InForce:
    tiers = loyalty.Tiers(all=(loyalty.Tier("t1", "Gold", 80),))
    programme = loyalty.Programme(currency="EUR", zone="Europe/Vienna", tiers=tiers)
    monkeypatch.setattr(programmes, "version", lambda *_, **__: Version(0, programme))
    told()
    bounds = Thresholds(
        1, date(2026, 3, 10), "Europe/Vienna", "EUR", 9,
        recency=(date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3), date(2026, 2, 28)),
        frequency=(1, 2, 3, 4), monetary=(1000, 2000, 3000, 9000),
    )  # fmt: skip
    return replace(in_force.current("demo", now=NOW), rfm=bounds)


def compiled(query: str, found: InForce) -> Compiled:
    understood = understand(query, found.catalogue)
    assert understood.compiled is not None, (query, understood.mistakes)
    return understood.compiled


def loaded(asked: Compiled, found: InForce, *, earliest: datetime = NOW) -> Facts:
    snapshot = customers.take_snapshot("demo", customer_of("ann").customer_id)
    return loading.load(snapshot, asked.reads, earliest=earliest, in_force=found)


@contextmanager
def counting() -> Iterator[list[int]]:
    """How many items each Query reads."""
    counts: list[int] = []

    def answered(parsed: dict[str, Any], **_: Any) -> None:
        counts.append(parsed["ScannedCount"])

    events = client().meta.events
    events.register("after-call.dynamodb.Query", answered)
    try:
        yield counts
    finally:
        events.unregister("after-call.dynamodb.Query", answered)


def test_no_word_of_the_language_is_left_out() -> None:
    assert {*TRUE} - {"attributes.shoe"} == {*ATTRIBUTES, *FUNCTIONS} - NOT_COMPUTED_YET


def test_every_word_is_true_of_somebody_of_whom_it_was_told(shop_wide: InForce) -> None:
    ann = customer_of("ann").customer_id
    queries = {word: query.format(bucket=bucket("x", ann)) for word, query in TRUE.items()}
    asked = {word: compiled(query, shop_wide) for word, query in queries.items()}
    wrong = [word for word, each in asked.items() if not each.evaluate(loaded(each, shop_wide), NOW).member]
    assert wrong == []
    # All of them at once are loaded as each by itself is.
    every = all_of(each.reads for each in asked.values())
    snapshot = customers.take_snapshot("demo", ann)
    whole = loading.load(snapshot, every, earliest=NOW, in_force=shop_wide)
    assert [word for word, each in asked.items() if not each.evaluate(whole, NOW).member] == []


def test_what_nothing_computes_yet_is_unknown(shop_wide: InForce) -> None:
    for word in NOT_COMPUTED_YET:
        asked = compiled(f"{word} IS NULL", shop_wide)
        assert asked.evaluate(loaded(asked, shop_wide), NOW).member, word


def test_of_somebody_of_whom_nothing_is_told_little_is_true(shop: Any, that_day: None) -> None:
    assert deliver(event("customer.updated", {})) == []
    found = in_force.current("demo", now=NOW)
    words = {**TRUE, "segment": "number_of_orders > 1", "random_bucket": "random_bucket('x') > 99"}
    true = []
    for word, query in words.items():
        if word != "attributes.shoe":
            asked = compiled(query, found)
            if asked.evaluate(loaded(asked, found), NOW).member:
                true.append(word)
    assert true == ["customer_added_date", "customer_status"]


def test_who_is_deleted_or_was_never_recorded_is_hidden(shop_wide: InForce) -> None:
    asked = compiled("number_of_orders > 0", shop_wide)
    customers.delete("demo", customer_of("ann").customer_id, now=NOW)
    assert loaded(asked, shop_wide).hidden
    nobody = loading.load(customers.take_snapshot("demo", "cus_none"), asked.reads, earliest=NOW, in_force=shop_wide)
    assert nobody.hidden


@pytest.mark.parametrize(
    ("query", "requests"),
    [
        ("number_of_orders > 1 AND first_name = 'Ann' AND email_subscription_status = 'SUBSCRIBED'", {}),
        ("utm_source = 'news' AND loyalty_points > 1 AND nps_score > 1 AND rfm_recency = 5", {}),
        ("segment('Repeat') AND random_bucket('x') < 50", {}),
        ("attributes.shoe = 38", {"BatchGetItem": 1}),
        ("orders_placed() AND products_purchased(sku: 'MUG', since: -3d)", {"Query": 1}),
        ("event('wish.made') AND event('wish.made', since: -3d)", {"Query": 1}),
        ("event('wish.made') AND event('product.viewed')", {"Query": 2}),
        ("last_order_channel = 'web'", {"Query": 1}),
        ("last_visit_date = today AND last_seen_channel = 'app'", {"Query": 2}),
        ("abandoned_checkout_date = today", {"Query": 2, "BatchGetItem": 1}),
    ],
)
def test_what_is_not_asked_is_not_read(shop_wide: InForce, query: str, requests: dict[str, int]) -> None:
    asked = compiled(query, shop_wide)
    snapshot = customers.take_snapshot("demo", customer_of("ann").customer_id)
    with metering() as meter:
        loading.load(snapshot, asked.reads, earliest=NOW, in_force=shop_wide)
    assert meter.operations == requests


def test_windows_read_no_more_items_than_lie_in_them(that_day: None) -> None:
    days = [NOW - timedelta(days=back) for back in range(0, 100, 10)]
    events = []
    for number, day in enumerate(days):
        at = {"occurredAt": day.isoformat()}
        events += [
            placed(f"o{number}", placedAt=day.isoformat(), **at),
            event("product.viewed", {"sku": "A"}, **at),
            event("cart.updated", {"cartId": f"c{number}", "lines": [{"sku": "A", "quantity": 1}]}, **at),
            event("checkout.started", {"cartId": f"c{number}", "lines": [{"sku": "A", "quantity": 1}]}, **at),
        ]
    assert deliver(*events) == []
    found = in_force.current("demo", now=NOW)
    read = {}
    for query in (
        "orders_placed(since: -30d)",
        "orders_placed(since: 2026-02-19)",
        "orders_placed()",
        "event('product.viewed', since: -1m)",
        "event('product.viewed')",
        "checkout_abandoned(60, since: -20d)",
        "last_order_channel = 'web'",
    ):
        asked = compiled(query, found)
        with counting() as counts:
            facts = loaded(asked, found)
        read[query] = counts[-(len(counts) - 2) :]  # the identity is a GetItem, the snapshots are two Queries
        assert asked.evaluate(facts, NOW).member is (query != "last_order_channel = 'web'")
    assert read == {
        "orders_placed(since: -30d)": [4],
        "orders_placed(since: 2026-02-19)": [2],
        "orders_placed()": [10],
        "event('product.viewed', since: -1m)": [3],
        "event('product.viewed')": [10],
        "checkout_abandoned(60, since: -20d)": [3, 3],
        "last_order_channel = 'web'": [10],
    }


def test_facts_loaded_for_an_earlier_moment_do_for_it_and_for_all_later_ones(that_day: None) -> None:
    earlier = NOW - timedelta(days=40)
    deliver(*(placed(f"o{back}", placedAt=(NOW - timedelta(days=back)).isoformat()) for back in (5, 45, 65, 80)))
    found = in_force.current("demo", now=NOW)
    asked = compiled("orders_placed(count_min: 2, since: -30d)", found)
    facts = loaded(asked, found, earliest=earlier)
    assert [each.order_id for each in facts.orders or ()] == ["o65", "o45", "o5"]
    assert asked.evaluate(facts, earlier).member
    assert not asked.evaluate(facts, NOW).member


def test_pages_of_a_history_are_read_to_the_end(that_day: None) -> None:
    big = {"name": "wish.made", "properties": {"text": "x" * 90_000}}
    assert deliver(*(event("custom.recorded", big) for _ in range(14))) == []
    found = in_force.current("demo", now=NOW)
    asked = compiled("event('wish.made', count_min: 14)", found)
    assert asked.evaluate(loaded(asked, found), NOW).member


def test_a_checkout_that_does_not_say_what_is_paid_for_is_for_what_was_in_the_cart_before(that_day: None) -> None:
    lines = [{"sku": "A", "quantity": 1}]
    told_before, told_empty = NOW - timedelta(days=20), NOW - timedelta(days=15)
    events = [
        event("cart.updated", {"cartId": "full", "lines": lines}, occurredAt=told_before.isoformat()),
        event("cart.updated", {"cartId": "emptied", "lines": lines}, occurredAt=told_before.isoformat()),
        event("cart.updated", {"cartId": "emptied", "lines": []}, occurredAt=told_empty.isoformat()),
        event("checkout.started", {"cartId": "old", "lines": lines}, occurredAt=told_before.isoformat()),
        *(
            event("checkout.started", {"cartId": cart}, occurredAt=(NOW - timedelta(days=1)).isoformat())
            for cart in ("full", "emptied", "unsaid")
        ),
    ]
    assert deliver(*events) == []
    found = in_force.current("demo", now=NOW)
    facts = loaded(compiled("checkout_abandoned(60, since: -7d)", found), found)
    assert {each.cart_id: each.is_open for each in facts.checkouts or ()} == {
        "full": True,
        "emptied": False,
        "unsaid": False,
    }


def test_a_cart_is_not_abandoned_once_it_is_ordered_and_is_again_when_the_order_is_cancelled(that_day: None) -> None:
    cart = {"cartId": "c1", "lines": [{"sku": "A", "quantity": 1}]}
    deliver(event("checkout.started", cart, occurredAt=(NOW - timedelta(hours=2)).isoformat()))
    found = in_force.current("demo", now=NOW)
    asked = compiled("checkout_abandoned(60)", found)
    truths = [asked.evaluate(loaded(asked, found), NOW).member]
    for version, status in ((1, "placed"), (2, "cancelled")):
        deliver(placed("o1", version, cartId="c1", status=status))
        truths.append(asked.evaluate(loaded(asked, found), NOW).member)
    assert truths == [True, False, True]


def test_facts_say_nothing_of_moments_before_the_newest_that_is_asked_for(shop_wide: InForce) -> None:
    newest = {
        "number_of_orders > 1": "2026-03-01T10:00:00",
        "email_subscription_status = 'SUBSCRIBED'": "2026-02-01T10:00:00",
        "utm_source = 'news'": "2026-03-07T11:00:00",
        "nps_score = 9": "2026-03-09T10:00:00",
        "event('visit.started')": "2026-03-07T11:00:00",
        "attributes.shoe = 38": "2026-02-01T10:00:00",
        "abandoned_checkout_date = today": "2026-03-10T10:00:00",
        "customer_added_date = today": "2026-03-10T12:00:00",
    }
    asked = {query: compiled(query, shop_wide) for query in newest}
    found = {query: latest(loaded(each, shop_wide), each.reads) for query, each in asked.items()}
    assert {query: at and at.isoformat()[:19] for query, at in found.items()} == newest
    assert latest(loaded(asked["nps_score = 9"], shop_wide), NOTHING) is None


def test_amounts_in_another_currency_are_not_added_and_no_line_is_counted_that_was_given_back(that_day: None) -> None:
    customer = {"externalId": "ann"}
    deliver(
        event("order.updated", order("o1"), customer=customer),
        event("order.updated", order("o2", currency="USD"), customer=customer),
        refunded("o1", "r1", 2),
    )
    found = in_force.current("demo", now=NOW)
    asked = compiled("amount_spent = 0 AND number_of_orders = 2 AND NOT products_purchased(quantity_min: 3)", found)
    assert asked.evaluate(loaded(asked, found), NOW).member
