# tests/unit/segmentation/language/test_reading.py
"""A query reads what it asks about, and no more history than its windows span."""

from datetime import date

import pytest

from crm.segmentation.language.facts import Fact
from crm.segmentation.language.reading import Reads, earliest
from tests.unit.segmentation.language.some import compiled

TODAY = date(2026, 3, 10)


def reads(text: str) -> Reads:
    return compiled(text).reads


def test_facts_are_those_of_all_parts() -> None:
    own = "attributes.size = 'S' OR anniversary(attributes.wedding) = today"
    found = reads(f"amount_spent > 3 AND (NOT gender = 'male' OR {own})")
    assert found.facts == {"statistics", "profile", "attributes"}
    assert found.attributes == {"size", "wedding"}
    assert found.orders == found.carts == frozenset()
    assert found.touchpoints == {}


@pytest.mark.parametrize(
    ("query", "since"),
    [
        ("orders_placed(since: -90d)", date(2025, 12, 10)),
        ("orders_placed(since: -1m) OR products_purchased(sku: 'A', since: -2w)", date(2026, 2, 10)),
        ("orders_placed(since: 2025-01-01) AND orders_placed(since: -30d)", date(2025, 1, 1)),
        ("orders_placed(until: -30d)", None),
        ("orders_placed(date > -30d)", date(2026, 2, 8)),
        ("orders_placed(since: -90d) AND orders_placed()", None),
    ],
)
def test_orders_are_read_from_where_the_widest_window_begins(query: str, since: date | None) -> None:
    assert earliest(reads(query).orders, TODAY) == since


def test_touchpoints_are_read_by_type() -> None:
    found = reads("event('a.b', since: -7d) OR event('a.b', since: -30d) OR event('c.d')").touchpoints
    assert {type_: earliest(bounds, TODAY) for type_, bounds in found.items()} == {"a.b": date(2026, 2, 8), "c.d": None}


def test_carts_are_read_from_where_a_window_on_them_begins() -> None:
    assert earliest(reads("checkout_abandoned(60, since: -7d)").carts, TODAY) == date(2026, 3, 3)
    assert earliest(reads("abandoned_checkout_date > -7d").carts, TODAY) is None


@pytest.mark.parametrize(
    ("query", "changed", "touched"),
    [
        ("amount_spent > 3", {Fact.PROFILE, Fact.CONSENT}, False),
        ("amount_spent > 3 OR gender = 'male'", {Fact.PROFILE}, True),
        ("event('a.b')", {Fact.TOUCHPOINTS, Fact.LAST_SEEN}, True),
        ("event('c.d') AND gender = 'male'", {Fact.TOUCHPOINTS, Fact.LAST_SEEN}, False),
        ("event('c.d') AND gender = 'male'", {Fact.TOUCHPOINTS, Fact.PROFILE}, True),
        ("attributes.size = 'S'", {Fact.ATTRIBUTES}, True),
        ("attributes.weight > 3", {Fact.ATTRIBUTES}, False),
        ("random_bucket('x') < 10", set(Fact) - {Fact.IDENTITY}, False),
    ],
)
def test_a_change_touches_a_query_that_reads_it(query: str, changed: set[Fact], touched: bool) -> None:
    assert reads(query).is_touched_by(changed, types={"a.b"}, keys={"size"}) is touched


def test_where_it_is_not_known_what_changed_of_a_kind_all_of_it_may_have() -> None:
    assert reads("event('c.d')").is_touched_by({Fact.TOUCHPOINTS})
    assert reads("attributes.weight > 3").is_touched_by({Fact.ATTRIBUTES})


def test_what_is_not_read_has_no_beginning() -> None:
    with pytest.raises(ValueError, match="nothing is read"):
        earliest(reads("amount_spent > 3").orders, TODAY)
