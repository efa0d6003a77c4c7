# tests/unit/segmentation/test_rfm.py
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.kernel import clock
from crm.segmentation import rfm
from crm.segmentation.language.facts import Rfm, Statistics
from crm.segmentation.language.vocabulary.relations import GROUPS
from crm.segmentation.rfm import Counts, Thresholds
from tests.rfm_table import ZONE, Row, rows

TODAY = date(2026, 3, 31)
TABLE = rows()
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def statistics(row: Row) -> Statistics:
    return Statistics(order_count=row.orders, spent=row.spent, last_order_at=row.last_order_at)


def counted(table: list[Row]) -> Counts:
    return Counts(
        Counter(clock.local_day(row.last_order_at, ZONE) for row in table if row.last_order_at),
        Counter(row.orders for row in table if row.orders),
        Counter(row.spent for row in table if row.orders),
    )


def thresholds(table: list[Row]) -> Thresholds:
    return rfm.thresholds(counted(table), version=1, on=TODAY, zone=ZONE, currency="EUR")


def scored(values: list[int]) -> dict[int, int]:
    """What each number of orders is worth in a shop whose customers have these."""
    stands = rfm.thresholds(
        Counts({TODAY: len(values)}, Counter(values), {0: len(values)}), version=1, on=TODAY, zone=ZONE, currency="EUR"
    )
    found = {value: rfm.score(stands, Statistics(value, last_order_at=AT), currency="EUR") for value in set(values)}
    return {value: score.frequency for value, score in found.items() if score and score.frequency}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.customer)
def test_thirty_customers_have_the_scores_that_were_worked_out_by_hand(row: Row) -> None:
    expected = Rfm(row.group, row.recency, row.frequency, row.monetary)
    assert rfm.score(thresholds(TABLE), statistics(row), currency="EUR") == expected


def test_the_table_has_every_group_and_ties_over_bounds() -> None:
    assert {row.group for row in TABLE} == set(GROUPS)
    assert thresholds(TABLE) == Thresholds(
        1, TODAY, ZONE, "EUR", 28,
        (date(2025, 4, 10), date(2025, 9, 30), date(2025, 11, 28), date(2026, 2, 14)),
        (1, 1, 2, 4),
        (1990, 4990, 8990, 24900),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("values", "worth"),
    [
        ([7], {7: 1}),
        ([1] * 12, {1: 1}),
        ([1, 2], {1: 1, 2: 3}),
        ([1, 2, 3], {1: 1, 2: 2, 3: 4}),
        ([1] * 8 + [2] * 2, {1: 1, 2: 5}),
        ([1] * 8 + [2] + [3], {1: 1, 2: 5, 3: 5}),
        ([1, 2, 3, 4, 5], {1: 1, 2: 2, 3: 3, 4: 4, 5: 5}),
        ([1, 2, 3, 4], {1: 1, 2: 2, 3: 3, 4: 4}),
    ],
)
def test_with_few_distinct_values_some_scores_nobody_has(values: list[int], worth: dict[int, int]) -> None:
    assert scored(values) == worth


@given(st.lists(st.integers(0, 12), min_size=1, max_size=60))
def test_a_score_says_how_many_fifths_of_the_customers_have_less(values: list[int]) -> None:
    bounds = rfm.bounds(Counter(values))
    for value in values:
        less = sum(other < value for other in values)
        assert 1 + sum(bound < value for bound in bounds) == 1 + 5 * less // len(values)


@given(st.permutations(TABLE), st.sampled_from(TABLE))
def test_in_what_order_customers_are_counted_does_not_matter(table: list[Row], row: Row) -> None:
    assert thresholds(table) == thresholds(TABLE)
    twin = Row(f"{row.customer}b", *(getattr(row, name) for name in Row.__struct_fields__[1:]))
    both = thresholds([*table, twin])
    assert rfm.score(both, statistics(row), currency="EUR") == rfm.score(both, statistics(twin), currency="EUR")


def test_an_order_behind_all_others_is_worth_five_at_once() -> None:
    later = Statistics(1, 100, 100, AT, AT + timedelta(days=60))
    found = rfm.score(thresholds(TABLE), later, currency="EUR")
    assert found is not None
    assert (found.recency, found.group) == (5, "NEW")


def test_one_without_standing_orders_is_a_prospect_even_where_nobody_ordered() -> None:
    nobody = thresholds([])
    assert nobody.recency == nobody.frequency == nobody.monetary == ()
    assert rfm.score(nobody, Statistics(), currency="EUR") == Rfm("PROSPECTS")
    assert rfm.score(nobody, Statistics(1, 100, 100, AT, AT), currency="EUR") is None


def test_amounts_of_another_currency_are_not_compared() -> None:
    assert rfm.score(thresholds(TABLE), statistics(TABLE[0]), currency="CHF") is None


def test_the_day_of_an_order_is_that_of_the_shop_when_the_bounds_were_drawn() -> None:
    berlin, utc = thresholds(TABLE), rfm.thresholds(counted(TABLE), version=1, on=TODAY, zone="UTC", currency="EUR")
    thirteenth = statistics(TABLE[12])  # midnight in Berlin, two hours before in London
    scores = [rfm.score(each, thirteenth, currency="EUR") for each in (berlin, utc)]
    assert [score.recency for score in scores if score] == [3, 2]


def test_every_combination_of_scores_has_one_of_the_groups() -> None:
    every = {rfm.group(r, f, m) for r in range(1, 6) for f in range(1, 6) for m in range(1, 6)}
    assert every == set(GROUPS) - {"PROSPECTS"}
    assert rfm.group(5, 3, 4) == rfm.group(5, 4, 4) == "CHAMPIONS"  # 3.5 is 4
