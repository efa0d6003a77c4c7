# tests/unit/loyalty/test_earning_limits.py
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.loyalty.earning import budgets, caps
from crm.loyalty.earning.budgets import SHARES, Drawn, Use
from crm.loyalty.earning.definitions import Caps, Earning, Kind, Rule
from crm.loyalty.earning.granting import Given, Rooms

TODAY, YESTERDAY = "2026-03-10", "2026-03-09"


def rule(id_: str, **limits: int) -> Rule:
    return Rule(id_, id_, Kind.FIXED, Decimal(10), caps=Caps(**limits))


def test_what_a_customer_was_given_that_day_and_ever_leaves_so_much_room() -> None:
    earning = Earning((rule("a", per_day=50), rule("b", per_customer=100), rule("c", per_order=5)), Caps(per_day=80))
    counts = {TODAY: {"a": 30, "*": 45}, "ever": {"a": 90, "b": 100, "*": 500}, YESTERDAY: {"a": 50}}
    assert caps.rooms(earning, counts, TODAY, []) == Rooms({"a": 20, "b": 0}, 35)
    assert caps.rooms(earning, {}, TODAY, []) == Rooms({"a": 50, "b": 100}, 80)


def test_what_the_order_itself_was_given_is_room_for_it() -> None:
    earning = Earning((rule("a", per_day=50),), Caps(per_day=80))
    assert caps.rooms(earning, {TODAY: {"a": 50, "*": 60}}, TODAY, [Given("a", 30), Given("x", 5)]) == Rooms(
        {"a": 30}, 55
    )


def test_a_cap_that_others_have_gone_beyond_takes_nothing_back() -> None:
    """It was lowered, and an order of the older version was told late."""
    earning = Earning((rule("a", per_day=50),), Caps(per_customer=50))
    counts = {TODAY: {"a": 90}, "ever": {"*": 100}}
    assert caps.rooms(earning, counts, TODAY, [Given("a", 30)]) == Rooms({"a": 30}, 30)


def test_what_several_were_given_counts_together() -> None:
    ann, bea = {TODAY: {"a": 30, "*": 30}, "ever": {"a": 60}}, {"ever": {"a": -10, "b": 5}, YESTERDAY: {"a": 1}}
    assert caps.together(ann, bea) == {TODAY: {"a": 30, "*": 30}, "ever": {"a": 50, "b": 5}, YESTERDAY: {"a": 1}}
    assert caps.together() == {}


def test_what_goes_back_of_another_before_it_has_followed_makes_no_more_room_than_there_is() -> None:
    assert caps.rooms(Earning((rule("a", per_customer=50),)), {"ever": {"a": -30}}, TODAY, []) == Rooms({"a": 50})


def test_of_what_was_given_before_what_is_forgiven_stays_taken_up() -> None:
    before = (Given("base", 100), Given("a", 50), Given("b", 50))
    assert caps.taken_up(before, before, 0) == before
    assert caps.taken_up(before, [], 0) == ()
    assert caps.taken_up(before, [], 70) == (Given("a", 20), Given("b", 50))  # of the rate last
    assert caps.taken_up(before, [Given("base", 100), Given("a", 20)], 30) == (
        Given("base", 100),
        Given("a", 20),
        Given("b", 30),
    )
    assert caps.taken_up((Given("a", 20),), [Given("a", 50), Given("c", 5)], 0) == (Given("a", 50), Given("c", 5))


def test_only_rules_with_such_a_limit_are_counted_and_refunds_make_room_again() -> None:
    earning = Earning((rule("a", per_day=50), rule("c", per_order=5)))
    before, after = [Given("a", 30), Given("c", 5)], [Given("a", 10)]
    counts = caps.recounted(earning, {}, TODAY, [], before)
    assert counts == {TODAY: {"a": 30}, "ever": {"a": 30}}
    assert caps.recounted(earning, counts, TODAY, before, after) == {TODAY: {"a": 10}, "ever": {"a": 10}}
    assert caps.recounted(earning, counts, TODAY, before, before) == counts


@pytest.mark.parametrize("budget", [1, 7, 8, 1000, 1001])
def test_the_shares_of_a_budget_sum_to_it(budget: int) -> None:
    assert sum(budgets.share_of(budget, share) for share in range(budgets.SHARES)) == budget
    assert sorted(budgets.shares_for("o1")) == list(range(budgets.SHARES))


def test_what_is_given_of_a_budget_is_told_with_what_shares_have_left() -> None:
    assert budgets.use(20, {}) == Use(0, 20)
    assert budgets.use(20, {0: 3, 7: 1}) == Use(4, 16)  # shares of three and of two
    assert budgets.use(20, {share: budgets.share_of(20, share) for share in range(SHARES)}) == Use(20, 0)
    assert budgets.use(8, {0: 5, 1: -2}) == Use(3, 9)  # lowered to one each, and given back to one share for others


def test_an_order_draws_from_its_own_share_first_and_gives_back_what_it_drew_last() -> None:
    drawn = budgets.draw("r", [], {3: 10, 4: 5}, 12)
    assert drawn == (Drawn("r", 3, 10), Drawn("r", 4, 2))
    assert budgets.draw("r", drawn, {}, 12) == drawn
    assert budgets.draw("r", drawn, {}, 7) == (Drawn("r", 3, 7),)
    assert budgets.draw("r", (*drawn, Drawn("other", 3, 1)), {}, 0) == ()
    with pytest.raises(ValueError, match="more are drawn than are left"):
        budgets.draw("r", drawn, {3: 1}, 14)


@settings(max_examples=60)
@given(
    st.dictionaries(st.integers(0, 7), st.integers(0, 20)), st.dictionaries(st.integers(0, 7), st.integers(1, 20)),
    st.data(),
)  # fmt: skip
def test_an_order_never_draws_more_of_a_share_than_it_has_left(
    left: dict[int, int], held: dict[int, int], data: st.DataObject
) -> None:
    before = [Drawn("r", share, points) for share, points in held.items()]
    points = data.draw(st.integers(0, sum(left.values()) + sum(held.values())))
    after = budgets.draw("r", before, left, points)
    assert budgets.held(after, "r") == points
    assert all(0 < each.points <= held.get(each.share, 0) + left.get(each.share, 0) for each in after)
