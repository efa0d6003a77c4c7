# tests/unit/segmentation/language/test_suggesting.py
"""What an editor offers at the cursor, which is where the texts have a bar."""

import pytest

from crm.segmentation.language import suggesting
from crm.segmentation.language.catalogue import ATTRIBUTES, FUNCTIONS, Catalogue
from crm.segmentation.language.compiling import understand
from crm.segmentation.language.suggesting import Suggestion
from crm.segmentation.language.tree import Span
from tests.unit.segmentation.language.some import OWN, SHOP, by_name

SHOP_WITH_SEGMENTS = Catalogue("EUR", OWN, by_name(vip="amount_spent > 100", staff=None).segments)
KNOWN = {
    "customer_tags": ["wholesale", "vip", "it's"],
    "orders_placed.channel": ["web", "pos"],
    "event.name": ["quiz.done"],
}


COMPARISONS = ["=", "!=", ">", ">=", "<", "<=", "BETWEEN", "NOT BETWEEN", "IN", "NOT IN", "IS NULL", "IS NOT NULL"]


def filters(marked: str) -> list[str]:
    text = marked.replace("|", "")
    return [found.text for found in suggesting.filters_at(text, marked.index("|"), SHOP_WITH_SEGMENTS)]


def values(marked: str) -> list[str]:
    text = marked.replace("|", "")
    return [found.text for found in suggesting.values_at(text, marked.index("|"), SHOP_WITH_SEGMENTS, KNOWN)]


@pytest.mark.parametrize(
    "marked", ["|", "NOT |", "(|", "age > 3 AND |", "age > 3 OR (gender = 'male' AND NOT |", "blah = AND |"]
)
def test_where_a_condition_begins_all_that_can_be_asked_is_offered(marked: str) -> None:
    assert {*ATTRIBUTES, *(f"{name}(" for name in FUNCTIONS), "attributes.size", "NOT"} <= set(filters(marked))
    assert "attributes.old" not in filters(marked)
    assert values(marked) == []


@pytest.mark.parametrize(
    ("marked", "offered"),
    [
        ("rfm_g|", ["rfm_group"]),
        ("AGE|", ["age"]),
        ("attributes.si|", ["attributes.size"]),
        ("rfm_g|roup = 'NEW'", ["rfm_group"]),
        ("within|", ["customer_within_distance("]),
        ("age |", COMPARISONS),
        ("customer_tags |", ["CONTAINS", "NOT CONTAINS", "IS NULL", "IS NOT NULL"]),
        ("customer_tags NO|", ["NOT CONTAINS", "IS NOT NULL"]),
        ("anniversary(birth_date) |", ["=", "!=", "BETWEEN", "NOT BETWEEN", "IS NULL", "IS NOT NULL"]),
        ("age > 3 |", ["AND", "OR"]),
        ("orders_placed() |", ["AND", "OR"]),
        ("(age > 3) |", ["AND", "OR"]),
        ("checkout_abandoned(|", ["minutes:", "since:", "until:"]),
        ("checkout_abandoned(60, |", ["since:", "until:"]),
        ("checkout_abandoned(60, since: -7d, |", ["until:"]),
        ("event('a', prop|", ["properties."]),
        ("orders_placed |", ["MATCHES (", "NOT MATCHES ("]),
        ("orders_placed MATCHES (sum_amount_max: 5, co|", ["count_min:", "count_max:", "coupon:"]),
        ("age > |", []),
        ("unknown |", []),
        ("first_name = 'ag|", []),
    ],
)  # fmt: skip
def test_names_and_operators_are_offered_where_they_fit(marked: str, offered: list[str]) -> None:
    found = filters(marked)
    assert found[: len(offered)] == offered
    assert len(found) == len(offered) or marked == "AGE|"


@pytest.mark.parametrize(
    ("marked", "offered"),
    [
        ("rfm_group = 'A|", ["'ACTIVE'", "'AT_RISK'", "'ALMOST_LOST'"]),
        ("gender IN ('male', |", ["'female'", "'male'", "'other'", "'undisclosed'"]),
        ("customer_tags CONTAINS |", ["'wholesale'", "'vip'", "'it''s'"]),
        ("customer_tags CONTAINS 'it''|", ["'it''s'"]),
        (r"first_name = 'a\'b' AND customer_tags CONTAINS 'v|", ["'vip'"]),
        ("customer_countries CONTAINS 'D|", ["'DE'", "'DJ'", "'DK'", "'DM'", "'DO'", "'DZ'"]),
        ("attributes.size = |", ["'S'", "'M'", "'L'"]),
        ("attributes.newsletter = |", ["true", "false"]),
        ("last_order_date >= |", ["today", "yesterday", "-7d", "-30d", "-90d", "-12m"]),
        ("last_order_date BETWEEN -9|", ["-90d"]),
        ("last_order_date BETWEEN -9d AND t|", ["today"]),
        ("anniversary(|", ["customer_added_date", "birth_date", "attributes.wedding"]),
        ("anniversary(birth_date) = |", ["today", "+7d", "+30d"]),
        ("orders_placed(since: |", ["today", "yesterday", "-7d", "-30d", "-90d", "-12m"]),
        ("orders_placed(channel: 'p|", ["'pos'"]),
        ("segment('|", ["'VIP'", "'STAFF'"]),
        ("segment(|", ["'VIP'", "'STAFF'"]),
        ("event(|", ["'visit.started'", "'product.viewed'", "'cart.updated'", "'checkout.started'", "'quiz.done'"]),
        ("age > |", []),
        ("age |", []),
    ],
)
def test_values_are_offered_where_they_fit(marked: str, offered: list[str]) -> None:
    found = values(marked)
    assert set(offered) <= set(found)
    assert bool(offered) == bool(found)
    assert marked == "anniversary(|" or found[: len(offered)] == offered


def test_what_is_taken_up_stands_in_the_place_of_what_was_begun() -> None:
    (found,) = suggesting.filters_at("age > 3 AND rfm_grop = 'NEW'", 18, SHOP)
    assert (found.text, found.span) == ("rfm_group", Span(12, 8))
    (value,) = suggesting.values_at("rfm_group = 'NE", 15, SHOP, {})[:1]
    assert value == Suggestion("'NEW'", "value", Span(12, 3))


@pytest.mark.parametrize("name", sorted({*ATTRIBUTES, *FUNCTIONS} - {"segment"}))
def test_an_example_written_letter_by_letter_never_stops_the_editor(name: str) -> None:
    example = ATTRIBUTES[name].example if name in ATTRIBUTES else FUNCTIONS[name].example
    for end in range(len(example) + 1):
        offered = suggesting.filters_at(example[:end], end, SHOP) + suggesting.values_at(example[:end], end, SHOP, {})
        for each in offered:
            assert each.span.end == end
    assert understand(example, SHOP).compiled
