# tests/unit/loyalty/test_earning_budgets.py
"""Budgets, caps of rules and of all together, and earlier orders, all at once, beside a store that is a dict."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from crm.loyalty.earning import budgets, caps, granting, repository
from crm.loyalty.earning.budgets import SHARES, Drawn
from crm.loyalty.earning.definitions import Caps, Conditions, Earning, Kind, Rule
from crm.loyalty.earning.granting import Basket, Given, Line, Rooms
from crm.loyalty.earning.limits import Limits
from crm.loyalty.earning.models import EarnedCounts
from crm.loyalty.programme import Programme
from tests.unit.loyalty.test_earning_rules import CONTEXT, TUESDAY, programme, rule

CUSTOMER: Final = "cus_1"
ROOM: Final = st.none() | st.integers(0, 150)


class Store:
    """What rules have given, of budgets by rule and share, and to the customer."""

    def __init__(self) -> None:
        self.empty()

    def empty(self) -> None:
        self.spent: dict[str, dict[int, int]] = {}
        self.counts: caps.Counts = {}
        self.reads = 0

    def get_spent(self, _shop: str, rules: Iterable[str], shares: Sequence[int]) -> dict[str, dict[int, int]]:
        self.reads += 1
        return {id_: {share: self.spent.get(id_, {}).get(share, 0) for share in shares} for id_ in rules}

    def get_counts(self, shop: str, customer_id: str, periods: Iterable[str]) -> dict[str, EarnedCounts]:
        found = {}
        for period in periods:
            found[period] = item = EarnedCounts.of(shop, customer_id, period)
            item.counts = {day: dict(of) for day, of in self.counts.items() if day.startswith(period)}
        return found

    def left(self, counting: Programme) -> dict[str, int]:
        return {
            one.id: budgets.use(one.budget, self.spent.get(one.id, {})).left
            for one in counting.earning.active
            if one.budget is not None
        }

    def take(self, before: Iterable[Drawn], after: Iterable[Drawn]) -> None:
        for sign, parts in ((-1, before), (1, after)):
            for part in parts:
                shares = self.spent.setdefault(part.rule, {})
                shares[part.share] = shares.get(part.share, 0) + sign * part.points


class Order(Struct):
    given: tuple[Given, ...] = ()
    drawn: tuple[Drawn, ...] = ()


def post(store: Store, counting: Programme, number: int, order: Order, lines: Sequence[Line]) -> Mapping[str, int]:
    """As an order is posted; returns what it was given, once what it may not be is looked at."""
    basket, name = Basket(counting.currency, tuple(lines)), f"o{number}"
    limits = Limits("demo", CUSTOMER, name, counting, placed_at=TUESDAY, given=order.given, drawn=order.drawn)
    rooms = limits.with_budgets(granting.most(counting, basket, CONTEXT))
    earned = granting.earned(counting, basket, CONTEXT, rooms=rooms)
    drawn = limits.drawn(earned.given)
    held = {id_: budgets.held(order.drawn, id_) for id_ in store.left(counting)}
    whole = limits.rooms.within({id_: held[id_] + left for id_, left in store.left(counting).items()})
    assert earned == granting.earned(counting, basket, CONTEXT, rooms=whole)  # as if all of budgets had been read
    assert all(one.points <= rooms.rules.get(one.rule, one.points) for one in earned.given)
    store.take(order.drawn, drawn)
    day = TUESDAY.date().isoformat()
    store.counts = caps.recounted(counting.earning, store.counts, day, order.given, earned.given)
    order.given, order.drawn = earned.given, drawn
    return {one.rule: one.points for one in earned.given}


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    found = Store()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(repository, "get_spent", found.get_spent)
        patched.setattr(repository, "get_counts", found.get_counts)
        yield found


@pytest.fixture
def fresh(store: Store) -> Store:
    store.empty()
    return store


def campaigns(*said: tuple[int, int], **capped: int) -> Programme:
    """Fixed points by rules a, b, …, of budgets."""
    return programme(
        *(rule(Kind.FIXED, value, "abc"[at], budget=budget) for at, (value, budget) in enumerate(said)), **capped
    )


@pytest.mark.parametrize("capped", [{"per_order": 80}, {"per_day": 80 * 6}])
def test_where_the_budget_of_one_campaign_ends_the_next_gives_beneath_the_cap_of_all(
    capped: dict[str, int], fresh: Store
) -> None:
    counting = campaigns((80, 240), (80, 8_000), **capped)
    found = [post(fresh, counting, number, Order(), [Line(5_000)]) for number in range(6)]
    assert sum(one.get("a", 0) for one in found) == 240
    if "per_order" in capped:
        assert found == [{"a": 80}] * 3 + [{"b": 80}] * 3


def test_the_next_campaign_gives_all_that_its_budget_has_though_it_lies_in_other_shares(fresh: Store) -> None:
    counting = campaigns((90, 0), (50, 160), per_order=100)
    found = [post(fresh, counting, number, Order(), [Line(5_000)]) for number in range(4)]
    assert [one.get("b", 0) for one in found] == [50, 50, 50, 10]


def test_budgets_of_any_number_of_rules_are_read_at_most_twice(fresh: Store) -> None:
    post(fresh, campaigns((10, 8_000), (10, 8_000), (10, 8_000)), 1, Order(), [Line(5_000)])
    assert fresh.reads == 1
    post(fresh, campaigns((10, 8), (10, 8), (10, 8_000)), 2, Order(), [Line(5_000)])
    assert fresh.reads == 3
    post(fresh, campaigns((10, 8_000)), 3, Order((Given("a", 10),), (Drawn("a", 0, 10),)), [Line(5_000)])
    assert fresh.reads == 3


def test_a_budget_that_was_not_read_gives_no_more_than_the_order_holds_of_it(fresh: Store) -> None:
    limits = Limits(
        "demo", CUSTOMER, "o1", campaigns((80, 800), (80, 800)), placed_at=TUESDAY, given=(),
        drawn=[Drawn("a", 3, 20)],
    )  # fmt: skip
    assert limits.with_budgets([]) == Rooms({"a": 20, "b": 0})
    assert fresh.reads == 0


CATEGORIES = st.sampled_from(["x", "y"])
LINES = st.lists(st.builds(Line, st.integers(0, 20_000), st.integers(0, 3), CATEGORIES), min_size=1, max_size=3)
VALUES = {Kind.PER_UNIT: ("0.5", "1", "2.3"), Kind.PER_ITEM: ("7",), Kind.MULTIPLIER: ("1.5", "2", "3"),
          Kind.FIXED: ("30", "100")}  # fmt: skip


@st.composite
def programmes(draw: st.DrawFn) -> Programme:
    rules = []
    for number in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(list(Kind)))
        rules.append(
            Rule(
                f"r{number}", "", kind, Decimal(draw(st.sampled_from(VALUES[kind]))),
                Conditions(categories=draw(st.sampled_from([(), (), ("x",), ("y",)]))),
                Caps(draw(ROOM), draw(ROOM), draw(ROOM)), draw(st.none() | st.integers(0, 400)),
            )
        )  # fmt: skip
    together = Caps(draw(ROOM), draw(ROOM), draw(ROOM))
    rate = Decimal(draw(st.sampled_from("01")))
    return Programme("EUR", "Europe/Vienna", rate, earning=Earning(tuple(rules), together))


@settings(max_examples=60)
@given(programmes(), st.lists(st.tuples(st.integers(0, 3), LINES), min_size=1, max_size=8))
def test_whatever_rules_caps_and_budgets_nothing_gives_more_than_it_has_and_orders_are_given_what_is_left(
    store: Store, counting: Programme, told: list[tuple[int, list[Line]]]
) -> None:
    store.empty()
    orders = [Order() for _ in range(4)]
    for number, lines in told:
        found = post(store, counting, number, orders[number], lines)
        assert post(store, counting, number, orders[number], lines) == found  # once more, it moves nothing
    for one in (*counting.earning.active, None):
        limits = one.caps if one else counting.earning.caps
        each = [sum(part.points for part in order.given if one is None or part.rule == one.id) for order in orders]
        together = sum(each)
        assert limits.per_order is None or max(each) <= limits.per_order
        assert all(most is None or together <= most for most in (limits.per_day, limits.per_customer))
        if one and one.budget is not None:
            spent = store.spent.get(one.id, {})
            assert sum(spent.values()) == together <= one.budget
            assert all(0 <= spent.get(share, 0) <= budgets.share_of(one.budget, share) for share in range(SHARES))
