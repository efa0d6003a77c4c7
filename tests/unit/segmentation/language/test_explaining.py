# tests/unit/segmentation/language/test_explaining.py
from crm.segmentation.language.explaining import Explanation, explain
from crm.segmentation.language.facts import Profile, Statistics
from tests.unit.segmentation.language.some import by_name, compiled, facts, local, order

NOW = local("2026-03-10T12:00")
BOUGHT = local("2026-02-20T12:00")
KNOWN = facts(
    profile=Profile(local("2026-01-01T00:00"), tags=frozenset({"vip", "press"})),
    statistics=Statistics(1, 12_050, 12_050, BOUGHT, BOUGHT),
    orders=(order(BOUGHT, 12_050),),
    memberships=frozenset({"staff"}),
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
    assert (placed.truth, placed.value, placed.flips_at) == (True, "1 orders of 120.50 EUR", leaves)
    assert placed.records == (KNOWN.orders[0].order_id,) if KNOWN.orders else ()


def test_lists_and_segments_are_told_too() -> None:
    shop = by_name(big="amount_spent > 100", staff=None)
    query = "customer_tags CONTAINS 'vip' AND segment('big') AND segment('staff')"
    tags, big, staff = explain(compiled(query, shop), KNOWN, NOW).parts
    assert (tags.value, big.value, staff.value) == ("press, vip", "a member", "a member")
    assert (big.records, big.facts, staff.facts) == (("big",), ("statistics",), ("memberships",))
    (asked,) = big.parts
    assert (asked.text, asked.value, staff.parts) == ("amount_spent > 100", "120.50 EUR", ())
