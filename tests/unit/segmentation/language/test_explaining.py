# tests/unit/segmentation/language/test_explaining.py
"""Why somebody is in a segment, or is not."""

from datetime import date
from decimal import Decimal

import pytest

from crm.kernel.money import Money
from crm.segmentation.language.explaining import Explanation, explain
from crm.segmentation.language.facts import Address, Checkout, Line, Profile, Statistics, Touchpoint
from tests.unit.segmentation.language.some import by_name, compiled, facts, local, order

NOW = local("2026-03-10T12:00")
BOUGHT = local("2026-02-20T12:00")
KNOWN = facts(
    profile=Profile(
        local("2026-01-01T00:00"),
        birth_date=date(1990, 3, 9),
        tags=frozenset({"vip", "press"}),
        addresses=(Address(city="Potsdam", latitude=52.3906, longitude=13.0645),),
    ),
    statistics=Statistics(1, 12_050, 12_050, BOUGHT, BOUGHT),
    orders=(order(BOUGHT, 12_050, lines=(Line("A", 3), Line("B", 1))),),
    touchpoints={
        "quiz.done": (
            Touchpoint("t1", "quiz.done", BOUGHT),
            Touchpoint("t2", "quiz.done", local("2026-03-09T12:00")),
        )
    },
    checkouts=(Checkout("c1", BOUGHT, BOUGHT, is_open=True), Checkout("c2", NOW, NOW, is_open=True)),
    memberships=frozenset({"staff"}),
    attributes={
        "newsletter": True,
        "weight": Decimal("71.5"),
        "budget": Money(25_000, "EUR"),
        "holidays": (date(2026, 12, 24), date(2026, 3, 10)),
    },
)


def test_each_part_is_told_with_its_value_its_truth_and_when_it_flips() -> None:
    query = "amount_spent >= 100.50 AND (last_order_date < -30d OR NOT gender = 'male') AND orders_placed(since: -60d)"
    spent, either, placed = (found := explain(compiled(query), KNOWN, NOW)).parts
    flips, leaves = local("2026-03-23T00:00"), local("2026-04-22T00:00")
    assert (found.truth, found.flips_at, found.value) == (None, flips, None)
    assert found.facts == ("orders", "profile", "statistics")
    assert spent == Explanation("amount_spent >= 100.5", True, None, "120.50 EUR", ("statistics",), (), ())  # noqa: FBT003
    assert (either.truth, either.flips_at) == (None, flips)
    ordered, opposite = either.parts
    assert (ordered.truth, ordered.value, ordered.flips_at) == (False, "2026-02-20", flips)
    assert (opposite.text, opposite.truth) == ("NOT gender = 'male'", None)
    assert (opposite.parts[0].truth, opposite.parts[0].value) == (None, None)
    assert (placed.truth, placed.value, placed.flips_at) == (True, "1 order of 120.50 EUR", leaves)
    assert placed.records == (KNOWN.orders[0].order_id,) if KNOWN.orders else ()


def test_lists_and_segments_are_told_too() -> None:
    shop = by_name(big="amount_spent > 100", staff=None)
    query = "customer_tags CONTAINS 'vip' AND segment('big') AND segment('staff')"
    tags, big, staff = explain(compiled(query, shop), KNOWN, NOW).parts
    assert (tags.value, big.value, staff.value) == ("press, vip", "a member", "a member")
    assert (big.records, big.facts, staff.facts) == (("big",), ("memberships", "statistics"), ("memberships",))
    (asked,) = big.parts
    assert (asked.text, asked.value, staff.parts) == ("amount_spent > 100", "120.50 EUR", ())


@pytest.mark.parametrize(
    ("query", "value", "records"),
    [
        ("orders_placed(since: -7d)", "0 orders of 0.00 EUR", ()),
        ("products_purchased(sku: 'A')", "3 units", (KNOWN.orders[0].order_id,) if KNOWN.orders else ()),
        ("event('quiz.done', since: -7d)", "1 event", ("t2",)),
        ("checkout_abandoned(60)", "1 cart", ("c1",)),
        ("customer_within_distance(52.52, 13.405, 1)", "27.2 km", ()),
        ("age > 18", "36", ()),
        ("anniversary(birth_date) = today", "1990-03-09", ()),
        ("days_between_orders > 1", None, ()),
        ("attributes.newsletter = true", "true", ()),
        ("attributes.weight > 3", "71.50", ()),
        ("attributes.holidays CONTAINS today", "2026-03-10, 2026-12-24", ()),
        ("attributes.budget > 3", "250.00 EUR", ()),
    ],
)
def test_what_was_found_is_told_in_words_with_the_records_behind_it(
    query: str, value: str | None, records: tuple[str, ...]
) -> None:
    found = explain(compiled(query), KNOWN, NOW)
    assert (found.value, found.records) == (value, records)
