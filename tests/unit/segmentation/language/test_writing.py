# tests/unit/segmentation/language/test_writing.py
"""Each query has one text."""

import pytest
from hypothesis import given, settings

from crm.segmentation.language.choosing import settled
from crm.segmentation.language.mistakes import Mistakes
from crm.segmentation.language.parser import parse
from crm.segmentation.language.tree import Query
from crm.segmentation.language.writing import written
from tests.unit.segmentation.language.some import QUERIES, SHOP, compiled


@settings(deadline=None)
@given(QUERIES)
def test_what_is_written_is_read_back(query: Query) -> None:
    text = written(query)
    mistakes = Mistakes(text)
    assert parse(text, mistakes).query == query
    assert not mistakes
    assert written(query) == text


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("Amount_Spent>=100.50", "amount_spent >= 100.5"),
        ("last_order_date>= 90_days_ago and not (x = 1)", "last_order_date >= -90d AND NOT x = 1"),
        ("x = +0w or x = -1d", "x = today OR x = yesterday"),
        ("((a = 1) or (b = 2)) and c is  not null", "(a = 1 OR b = 2) AND c IS NOT NULL"),
        ("a = 1 or (b = 2 and c = 3)", "a = 1 OR b = 2 AND c = 3"),
        ("not (not a = 1)", "NOT NOT a = 1"),
        ("f( since : -1y,x='it''s' ) = FALSE", "NOT f(since: -1y, x: 'it''s')"),
        ("event('a', properties.Price >= 010.0)", "event('a', properties.Price >= 10)"),
        ("x in ( 1,2 , 3)", "x IN (1, 2, 3)"),
        (r"x = 'it\'s' or x = '\\'", r"x = 'it''s' OR x = '\\'"),
        ("f matches (id=1, date > -90d)", "f(id: 1, date > -90d)"),
        ("f NOT MATCHES ()", "NOT f()"),
        ("f NOT_MATCHES (tag in ('a','b'), id not in (1))", "NOT f(tag: ('a', 'b'), id != (1))"),
        ("f(date BETWEEN -12m AND today, x: 1)", "f(date BETWEEN -12m AND today, x: 1)"),
    ],
)
def test_the_canonical_text(text: str, canonical: str) -> None:
    mistakes = Mistakes(text)
    query = parse(text, mistakes).query
    assert query is not None
    assert written(query) == canonical
    assert parse(canonical, mistakes).query == query


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("gender = 'FEMALE'", "gender = 'female'"),
        ("rfm_group not in ('champions','New')", "rfm_group NOT IN ('CHAMPIONS', 'NEW')"),
        ("not customer_countries contains 'de'", "NOT customer_countries CONTAINS 'DE'"),
        ("attributes.size = 's' and age = 3", "attributes.size = 'S' AND age = 3"),
        ("customer_tags CONTAINS 'VIP'", "customer_tags CONTAINS 'VIP'"),
        ("gender = 'Elf' OR attributes.gone = 's'", "gender = 'Elf' OR attributes.gone = 's'"),
    ],
)  # fmt: skip
def test_choices_are_as_they_are_listed_and_texts_as_they_are_typed(text: str, canonical: str) -> None:
    query = parse(text, Mistakes(text)).query
    assert query is not None
    assert written(settled(query, SHOP)) == canonical


def test_a_query_is_kept_with_its_choices_as_they_are_listed() -> None:
    assert compiled("gender = 'MALE'").normalized == compiled("gender = 'male'").normalized == "gender = 'male'"
