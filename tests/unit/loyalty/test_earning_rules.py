# tests/unit/loyalty/test_earning_rules.py
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from crm.loyalty.earning import granting
from crm.loyalty.earning.definitions import Caps, Conditions, Earning, Kind, Rule
from crm.loyalty.earning.granting import Basket, Context, Earned, Given, Line, Rooms
from crm.loyalty.programme import Programme, Withheld

TUESDAY = datetime(2026, 3, 10, 12, tzinfo=UTC)
CONTEXT = Context(TUESDAY)
SHOE = Line(5_000, 2, "shoes", "s1", frozenset({"new"}))
SHIRT = Line(1_990, 1, "shirts", "t1")


def rule(kind: Kind, value: str | int, id_: str = "r1", **said: Any) -> Rule:
    about = {name: said.pop(name) for name in list(said) if name in Conditions.__struct_fields__}
    caps = {name: said.pop(name) for name in list(said) if name in Caps.__struct_fields__}
    return Rule(id_, id_, kind, Decimal(value), Conditions(**about), Caps(**caps), **said)


def programme(*rules: Rule, rate: str | int = 0, **caps: int) -> Programme:
    return Programme("EUR", "Europe/Vienna", Decimal(rate), earning=Earning(rules, Caps(**caps)))


def points(
    counting: Programme, *lines: Line, context: Context = CONTEXT, channel: str | None = None, **others: Any
) -> int:
    return granting.earned(counting, Basket("EUR", lines, channel), context, **others).points


def shares(counting: Programme, *lines: Line, **others: Any) -> dict[str, int]:
    earned = granting.earned(counting, Basket("EUR", lines), CONTEXT, **others)
    assert sum(one.points for one in earned.given) == earned.points
    return {one.rule: one.points for one in earned.given}


# --- the rate


@pytest.mark.parametrize(
    ("net", "currency", "earned"),
    [(0, "EUR", 0), (99, "EUR", 0), (100, "EUR", 1), (1999, "EUR", 19), (1999, "JPY", 1999), (1999, "KWD", 1)],
)
def test_each_whole_unit_of_net_earns_a_point_whatever_digits_the_currency_has(
    net: int, currency: str, earned: int
) -> None:
    found = granting.earned(Programme(currency, "UTC"), Basket(currency, (Line(net),)), CONTEXT)
    assert found.points == earned


def test_a_rate_is_exact() -> None:
    assert points(programme(rate="0.1"), Line(3000)) == 3  # 0.1 * 30 is less than 3 in no float


def test_an_order_in_another_currency_earns_nothing_and_says_why() -> None:
    found = granting.earned(programme(rule(Kind.FIXED, 50)), Basket("USD", (Line(10_000),)), CONTEXT)
    assert found == Earned(0, Withheld.OTHER_CURRENCY)


def test_nothing_is_earned_on_what_was_paid_with_points_not_even_on_part_of_a_cent() -> None:
    assert points(programme(rate=1), Line(10_000), points_spent=1000) == 90
    assert points(programme(rate=1), Line(10_000), points_spent=20_000) == 0


# --- what rules give


def test_each_kind_gives_what_it_says_of_the_lines_it_covers() -> None:
    assert points(programme(rule(Kind.PER_UNIT, "1.5", categories=("shoes",))), SHOE, SHIRT) == 75
    assert points(programme(rule(Kind.PER_ITEM, 10, skus=("s1", "t9"))), SHOE, SHIRT) == 20
    assert points(programme(rule(Kind.FIXED, 100, tags=("new", "old"))), SHOE, SHIRT) == 100
    assert points(programme(rule(Kind.FIXED, 100, tags=("old",))), SHOE, SHIRT) == 0
    assert shares(programme(rule(Kind.MULTIPLIER, 3, categories=("shoes",)), rate=1), SHOE, SHIRT) == {
        "base": 69,
        "r1": 100,
    }


def test_of_several_multipliers_the_highest_counts_line_by_line() -> None:
    twice, thrice = rule(Kind.MULTIPLIER, 2, "all"), rule(Kind.MULTIPLIER, 3, "shoes", categories=("shoes",))
    counting = programme(twice, thrice, rule(Kind.PER_ITEM, 5, "each", categories=("shoes",)), rate=1)
    assert shares(counting, SHOE, SHIRT) == {"base": 69, "all": 20, "shoes": 120, "each": 10}
    assert points(counting, SHOE, SHIRT) == 3 * (50 + 10) + 2 * 19 + 1  # 2 x 19.90 is 39.80


THRICE, TWICE = rule(Kind.MULTIPLIER, 3, "thrice"), rule(Kind.MULTIPLIER, 2, "twice")


def test_what_the_highest_multiplier_may_not_give_the_next_gives_up_to_its_own_factor() -> None:
    both, basket = programme(TWICE, THRICE, rate=1), Line(12_000)
    assert shares(both, basket) == {"base": 120, "thrice": 240}
    assert shares(both, basket, rooms=Rooms({"thrice": 0})) == {"base": 120, "twice": 120}
    assert shares(both, basket, rooms=Rooms({"thrice": 10})) == {"base": 120, "twice": 110, "thrice": 10}
    assert shares(both, basket, rooms=Rooms({"thrice": 130})) == {"base": 120, "thrice": 130}  # more than twice gives
    assert shares(both, basket, rooms=Rooms({"thrice": 10, "twice": 20})) == {"base": 120, "twice": 20, "thrice": 10}
    capped = programme(replace(THRICE, caps=Caps(per_order=10)), TWICE, rate=1)
    assert shares(capped, basket) == {"base": 120, "thrice": 10, "twice": 110}


def test_of_what_a_multiplier_may_give_each_of_its_lines_has_the_same_part() -> None:
    twice = rule(Kind.MULTIPLIER, 2, "twice", categories=("shoes",))
    counting, lines = programme(THRICE, twice, rate=1), (Line(3_000, 1, "shoes"), Line(1_000, 1, "shirts"))
    assert shares(counting, *lines, rooms=Rooms({"thrice": 20})) == {"base": 40, "thrice": 20, "twice": 15}
    assert shares(counting, *lines, rooms=Rooms({"thrice": 1})) == {"base": 40, "thrice": 1, "twice": 29}  # 29.25


def test_the_most_that_a_multiplier_can_give_is_what_it_would_give_alone() -> None:
    both = programme(TWICE, replace(THRICE, caps=Caps(per_order=50)), rate=1)
    found = granting.most(both, Basket("EUR", (Line(12_050),)), CONTEXT)
    assert found == (Given("base", 121), Given("twice", 121), Given("thrice", 50))


def test_points_are_rounded_down_once_over_the_whole_order() -> None:
    thirds = [rule(Kind.PER_UNIT, "0.4", name) for name in ("a", "b", "c")]
    assert shares(programme(*thirds), Line(100)) == {"c": 1}


def test_what_costs_nothing_and_what_points_paid_for_earns_no_points_by_the_item_either() -> None:
    each = programme(rule(Kind.PER_ITEM, 10))
    assert points(each, Line(0, 3)) == 0
    assert points(each, SHOE, points_spent=2_500) == 10
    assert points(programme(rule(Kind.FIXED, 100)), SHOE, points_spent=5_000) == 0


def test_a_rule_that_is_archived_gives_nothing() -> None:
    assert points(programme(rule(Kind.FIXED, 100, archived_at=TUESDAY)), SHOE) == 0


# --- conditions


@pytest.mark.parametrize(
    ("said", "so"),
    [
        ({"weekdays": (2,)}, True), ({"weekdays": (1, 3)}, False),
        ({"from_on": date(2026, 3, 10), "until_on": date(2026, 3, 10)}, True),
        ({"from_on": date(2026, 3, 11)}, False), ({"until_on": date(2026, 3, 9)}, False),
        ({"channels": ("app", "web")}, True), ({"channels": ("store",)}, False),
        ({"segments": ("seg_1",)}, True), ({"segments": ("seg_2", "seg_1")}, True), ({"segments": ("seg_2",)}, False),
        ({"tiers": ("gold",)}, True), ({"tiers": ("silver",)}, False),
        ({"minimum": Decimal("69.90")}, True), ({"minimum": Decimal("69.91")}, False),
        ({"minimum": Decimal(50), "categories": ("shoes",)}, True),
        ({"minimum": Decimal("50.01"), "categories": ("shoes",)}, False),
        ({"first_order": True}, False),
        ({"tiers": ("gold",), "weekdays": (3,)}, False),
    ],
)  # fmt: skip
def test_a_rule_holds_where_all_of_its_conditions_do(said: dict[str, Any], so: bool) -> None:
    context = Context(TUESDAY, tier="gold", segments=("seg_1",))
    assert points(programme(rule(Kind.FIXED, 9, **said)), SHOE, SHIRT, context=context, channel="web") == 9 * so


def test_days_are_those_of_the_programmes_zone() -> None:
    late = Context(datetime(2026, 3, 10, 23, 30, tzinfo=UTC))  # Wednesday in Vienna
    assert points(programme(rule(Kind.FIXED, 9, weekdays=(3,))), SHOE, context=late) == 9
    assert points(programme(rule(Kind.FIXED, 9, from_on=date(2026, 3, 11))), SHOE, context=late) == 9


def test_a_first_order_bonus_is_gone_when_the_order_is_refunded_whole() -> None:
    welcome = programme(rule(Kind.FIXED, 200, first_order=True))
    first = Context(TUESDAY, first=True)
    assert points(welcome, SHOE, SHIRT, context=first) == 200
    assert points(welcome, Line(0, 0, "shoes"), Line(1, 1), context=first) == 200
    assert points(welcome, Line(0, 0, "shoes"), Line(0), context=first) == 0


# --- limits


def test_a_rule_and_all_rules_together_give_no_more_for_an_order_than_they_may() -> None:
    rules = rule(Kind.PER_UNIT, 2, "a", per_order=70), rule(Kind.PER_ITEM, 10, "b")
    assert shares(programme(*rules, rate=1), SHOE, SHIRT) == {"base": 69, "a": 70, "b": 30}
    assert shares(programme(*rules, rate=1, per_order=150), SHOE, SHIRT) == {"base": 69, "a": 70, "b": 11}


def test_what_is_left_elsewhere_limits_a_rule_and_leaves_the_others_as_they_are() -> None:
    counting = programme(rule(Kind.PER_UNIT, 2, "a"), rate=1)
    assert shares(counting, SHOE, rooms=Rooms({"a": 30})) == {"base": 50, "a": 30}
    assert shares(counting, SHOE, rooms=Rooms({"a": 30}, 60)) == {"base": 50, "a": 10}
    assert Rooms({"a": 3, "b": 1}, 5).within({"a": 2, "c": 7}) == Rooms({"a": 2, "b": 1, "c": 7}, 5)


# --- whatever the order


CATEGORIES = st.sampled_from(["a", "b"])
LINES = st.lists(st.builds(Line, st.integers(0, 10**6), st.integers(0, 20), CATEGORIES), min_size=1, max_size=6)
VALUES = st.decimals(0, 50, places=3)
BY_UNITS = st.lists(
    st.builds(
        lambda kind, value, only: rule(kind, str(value if kind is not Kind.MULTIPLIER else value + 1), categories=only),
        st.sampled_from([Kind.PER_UNIT, Kind.PER_ITEM, Kind.MULTIPLIER]), VALUES, st.sampled_from([(), ("a",), ("b",)]),
    ), max_size=4,
)  # fmt: skip


def named(rules: list[Rule], rate: Decimal) -> Programme:
    numbered = [replace(one, id=f"r{number}") for number, one in enumerate(rules)]
    return programme(*numbered, rate=str(rate))


@settings(max_examples=60)
@given(LINES, BY_UNITS, VALUES, st.integers(1, 5))
def test_an_order_in_parts_never_earns_more_than_the_same_order_whole(
    lines: list[Line], rules: list[Rule], rate: Decimal, at: int
) -> None:
    counting = named(rules, rate)
    assert points(counting, *lines[:at]) + points(counting, *lines[at:]) <= points(counting, *lines)


@settings(max_examples=60)
@given(LINES, BY_UNITS, VALUES, st.integers(0, 10**6))
def test_refunds_never_add_points_and_leave_none_of_an_order_that_is_refunded_whole(
    lines: list[Line], rules: list[Rule], rate: Decimal, spent: int
) -> None:
    counting = named([*rules, rule(Kind.FIXED, 40)], rate)
    left = list(lines)
    before = points(counting, *left)
    for at, line in enumerate(lines):
        left[at] = replace(line, net=line.net // 3, units=line.units // 3)
        now = points(counting, *left)
        assert now <= before
        before = now
    assert points(counting, *lines, points_spent=spent) <= points(counting, *lines)
    assert points(counting, *(replace(line, net=0, units=0) for line in lines)) == 0


@settings(max_examples=60)
@given(LINES, BY_UNITS, VALUES, st.dictionaries(st.sampled_from(["base", "r0", "r1"]), st.integers(0, 99)))
def test_no_rule_gives_more_than_it_has_room_for(
    lines: list[Line], rules: list[Rule], rate: Decimal, rooms: dict[str, int]
) -> None:
    found = granting.earned(named(rules, rate), Basket("EUR", tuple(lines)), CONTEXT, rooms=Rooms(rooms, 150))
    assert found.points <= 150
    assert all(isinstance(one, Given) and 0 < one.points <= rooms.get(one.rule, 150) for one in found.given)


@settings(max_examples=60)
@given(LINES, BY_UNITS, st.lists(st.none() | st.integers(0, 2_000), min_size=4, max_size=4), st.data())
def test_multipliers_with_little_left_take_nothing_away_and_no_refund_adds_to_what_they_give(
    lines: list[Line], rules: list[Rule], left: list[int | None], data: st.DataObject
) -> None:
    counting = named(rules, Decimal(1))
    factors = [one for one in counting.earning.rules if one.kind is Kind.MULTIPLIER]
    found = {one.id: room for one, room in zip(factors, left, strict=False) if room is not None}
    whole = points(counting, *lines, rooms=Rooms(found))
    for one in factors:
        without = programme(*(each for each in counting.earning.rules if each != one), rate=1)
        assert points(without, *lines, rooms=Rooms(found)) <= whole
        assert points(counting, *lines, rooms=Rooms({**found, one.id: 0})) == points(
            without, *lines, rooms=Rooms(found)
        )
    turned = programme(*data.draw(st.permutations(counting.earning.rules)), rate=1)
    assert points(turned, *lines, rooms=Rooms(found)) == whole <= points(counting, *lines)
    at = data.draw(st.integers(0, len(lines) - 1))
    less = [*lines[:at], replace(lines[at], net=lines[at].net // 3, units=lines[at].units // 3), *lines[at + 1 :]]
    assert points(counting, *less, rooms=Rooms(found)) <= whole
