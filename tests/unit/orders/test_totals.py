# tests/unit/orders/test_totals.py
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.orders.totals import Line, Returned, Totals, totals


def test_gross_leaves_out_gift_cards_and_takes_discounts_off() -> None:
    lines = [Line("1", 2, 1000, 150), Line("2", 1, 5000, gift_card=True)]
    assert totals(lines, [], cancelled=False) == Totals(1850, 0, 1850)


def test_a_cancelled_order_is_worth_nothing_net() -> None:
    assert totals([Line("1", 2, 1000)], [Returned("1", 1)], cancelled=True) == Totals(2000, 1000, 0)


def test_thirds_of_a_line_given_back_one_by_one_add_up_to_the_whole() -> None:
    lines = [Line("1", 3, 333, -0), Line("2", 1, 1)]
    steps = [totals(lines, [Returned("1", 1)] * units, cancelled=False).refunded for units in range(4)]
    assert steps == [0, 333, 666, 999]
    assert totals([Line("1", 3, 334, 2)], [Returned("1", 1)] * 3, cancelled=False) == Totals(1000, 1000, 0)


@pytest.mark.parametrize("parts", list(permutations([Returned("1", 1), Returned("1", 1, 400), Returned("2", 1)])))
def test_refunds_come_to_the_same_in_any_order(parts: tuple[Returned, ...]) -> None:
    assert totals([Line("1", 3, 1000), Line("2", 1, 700)], parts, cancelled=False) == Totals(3700, 2100, 1600)


def test_more_units_or_money_back_than_the_line_has_gives_back_the_line() -> None:
    line = [Line("1", 2, 1000)]
    assert totals(line, [Returned("1", 5)], cancelled=False).net == 0
    assert totals(line, [Returned("1", 1, 99_999)], cancelled=False).net == 0
    assert totals(line, [Returned("gone", 1, 500)], cancelled=False).net == 2000


lines_strategy = st.builds(
    Line, st.sampled_from("ab"), st.integers(1, 9), st.integers(0, 9999), st.integers(0, 500), st.booleans()
)
parts_strategy = st.builds(Returned, st.sampled_from("abc"), st.integers(1, 9), st.none() | st.integers(0, 9999))


@given(st.lists(lines_strategy, max_size=2, unique_by=lambda line: line.line_id), st.lists(parts_strategy, max_size=5))
def test_net_is_never_negative_and_never_more_than_gross(lines: list[Line], parts: list[Returned]) -> None:
    worth = totals(lines, parts, cancelled=False)
    assert 0 <= worth.net <= worth.gross
    assert worth.net == worth.gross - worth.refunded
