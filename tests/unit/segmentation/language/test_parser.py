# tests/unit/segmentation/language/test_parser.py
"""How a text is read, and what is said of one that cannot be."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.intake.event_types import BEHAVIOUR, EVENT_TYPES, RESERVED
from crm.segmentation.language import tree
from crm.segmentation.language.catalogue import ATTRIBUTES, FUNCTIONS, Catalogue, Segment
from crm.segmentation.language.compiling import understand
from crm.segmentation.language.mistakes import Code, Mistake, Mistakes
from crm.segmentation.language.parser import MOST_CHARACTERS, MOST_DEPTH, MOST_PREDICATES, parse
from crm.segmentation.language.tree import And, Argument, Call, Holds, Name, Not, Offset, Operator, Or, Predicate, Unit
from crm.segmentation.language.vocabulary.behaviour import OURS, TYPES
from tests.unit.segmentation.language.some import OWN, SHOP, number

A, B, C = (Predicate(Name(name), Operator.EQUAL, (number("1"),)) for name in "abc")


def read(text: str) -> tree.Query:
    mistakes = Mistakes(text)
    parsed = parse(text, mistakes)
    assert parsed.query is not None
    assert not mistakes, mistakes.in_order()
    return parsed.query


def mistakes_of(text: str) -> tuple[Mistake, ...]:
    understood = understand(text, SHOP)
    assert understood.compiled is None
    return understood.mistakes


def told(text: str) -> list[tuple[str, str | None]]:
    """Code and nearest of each mistake."""
    return [(mistake.code.value, mistake.nearest) for mistake in mistakes_of(text)]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("a = 1 OR b = 1 AND c = 1", Or((A, And((B, C))))),
        ("(a = 1 OR b = 1) AND c = 1", And((Or((A, B)), C))),
        ("NOT a = 1 AND b = 1", And((Not(A), B))),
        ("NOT (a = 1 AND b = 1)", Not(And((A, B)))),
        ("a = 1 AND (b = 1 AND c = 1)", And((A, B, C))),
        ("((a = 1))", A),
        ("A=1 and B=1", And((A, B))),
    ],
)
def test_not_binds_tighter_than_and_and_and_tighter_than_or(text: str, query: tree.Query) -> None:
    assert read(text) == query


@pytest.mark.parametrize(
    ("text", "operator", "negated", "values"),
    [
        ("x != 2", Operator.UNEQUAL, False, [number("2")]),
        ("x BETWEEN 1 AND 2.50", Operator.BETWEEN, False, [number("1"), number("2.5")]),
        ("x not between 1 and 2", Operator.BETWEEN, True, [number("1"), number("2")]),
        ("x CONTAINS 'it''s'", Operator.CONTAINS, False, [tree.Text("it's")]),
        ("x NOT CONTAINS ''", Operator.CONTAINS, True, [tree.Text("")]),
        ("x STARTS   WITH 'a'", Operator.STARTS_WITH, False, [tree.Text("a")]),
        ("x IN ('a', 'b')", Operator.IN, False, [tree.Text("a"), tree.Text("b")]),
        ("x NOT IN (true)", Operator.IN, True, [tree.Flag(value=True)]),
        ("x IS NULL", Operator.IS_NULL, False, []),
        ("x IS NOT NULL", Operator.IS_NULL, True, []),
        ("x < -90d", Operator.LESS, False, [Offset(-90, Unit.DAY)]),
        ("x < +4W", Operator.LESS, False, [Offset(4, Unit.WEEK)]),
        ("x = today", Operator.EQUAL, False, [Offset(0, Unit.DAY)]),
        ("x = -0m", Operator.EQUAL, False, [Offset(0, Unit.DAY)]),
        ("x = Yesterday", Operator.EQUAL, False, [Offset(-1, Unit.DAY)]),
        ("x >= 7_days_ago", Operator.AT_LEAST, False, [Offset(-7, Unit.DAY)]),
        ("x >= 12_months_ago", Operator.AT_LEAST, False, [Offset(-12, Unit.MONTH)]),
        ("x >= 1_year_ago", Operator.AT_LEAST, False, [Offset(-1, Unit.YEAR)]),
    ],
)
def test_each_operator_is_read_with_its_values(
    text: str, operator: Operator, negated: bool, values: list[tree.Literal]
) -> None:
    assert read(text) == Predicate(Name("x"), operator, tuple(values), negated)


def test_a_function_is_a_condition_and_true_or_false_may_be_said() -> None:
    call = Call("f", (Argument("since", Operator.EQUAL, Offset(-1, Unit.YEAR)),))
    assert read("f(since: -1y)") == read("f(since: -1y) = true") == read("F(since = -1y) != false") == Holds(call)
    assert read("f(since: -1y) = false") == Not(Holds(call))


def test_shopifys_way_of_asking_a_function_is_understood() -> None:
    since = Argument("date", Operator.GREATER, Offset(-90, Unit.DAY))
    assert read("f MATCHES ()") == Holds(Call("f", ()))
    assert read("f MATCHES (date > -90d)") == Holds(Call("f", (since,)))
    assert read("f NOT MATCHES (date > -90d) AND a = 1") == And((Not(Holds(Call("f", (since,)))), A))
    assert read("f MATCHES (x NOT IN ('a'))") == read("f(x != ('a'))")


def test_a_part_knows_its_place() -> None:
    query = read("a = 1 AND\n NOT b = 1")
    assert isinstance(query, And)
    assert [(part.span.offset, part.span.length) for part in query.parts] == [(0, 5), (11, 9)]


def test_a_mistake_says_where_it_is_what_was_expected_and_what_was_meant() -> None:
    (mistake,) = mistakes_of("number_of_orders > 2\n  AND amount_spend >= 100")
    assert mistake == Mistake(
        Code.UNKNOWN_ATTRIBUTE, "There is no such attribute.", 27, 12, 2, 7, nearest="amount_spent"
    )


def test_every_mistake_is_told_and_none_twice() -> None:
    text = (
        "customer_tag CONTAINS 'x' AND (age > 'old' OR rfm_group = 'CHAMPION') AND NOT last_order_date < 2026-02-30 "
        "AND orders_place(count_min: 2) OR orders_placed(cont_min: 2, since: 3, until) AND gender LIKE 'f' AND"
    )
    assert told(text) == [
        ("UNKNOWN_ATTRIBUTE", "customer_tags"),
        ("VALUE", None),
        ("VALUE", "'CHAMPIONS'"),
        ("NO_SUCH_DAY", None),
        ("UNKNOWN_FUNCTION", "orders_placed"),
        ("UNKNOWN_ARGUMENT", "count_min"),
        ("VALUE", None),
        ("UNKNOWN_ARGUMENT", "until:"),
        ("EXPECTED", None),
        ("EXPECTED", None),
    ]


@pytest.mark.parametrize(
    ("text", "code", "offset", "nearest"),
    [
        ("", "EXPECTED", 0, None),
        ("amount_spent", "EXPECTED", 12, None),
        ("amount_spent >", "EXPECTED", 14, None),
        ("amount_spent > 1,000", "EXPECTED", 16, None),
        ("amount_spent > €100", "CHARACTER", 15, None),
        ("amount_spent > 1.005", "VALUE", 15, None),
        ("amount_spent > 1234567890123456789", "VALUE", 15, None),
        ("amount_spent > 12x", "CHARACTER", 15, None),
        ("amount_spent > '100'", "VALUE", 15, None),
        ("amount_spent == 1", "CHARACTER", 13, "="),
        ("amount_spent > 1 && age > 3", "CHARACTER", 17, "AND"),
        ("age > 18.5", "VALUE", 6, None),
        ("age BETWEEN 30 AND 20", "EMPTY_RANGE", 12, None),
        ("last_order_date BETWEEN today AND -1w", "EMPTY_RANGE", 24, None),
        ("last_order_date = '2026-01-01'", "VALUE", 18, None),
        ("last_order_date = 1.1.2026", "CHARACTER", 18, None),
        ("last_order_date = 2026-01-01T10:00", "NO_SUCH_DAY", 18, None),
        ("last_order_date >= -90", "VALUE", 19, None),
        ("last_order_date >= -90x", "VALUE", 19, None),
        ("last_order_date >= -300y", "VALUE", 19, None),
        ("last_order_date >= yestreday", "EXPECTED", 19, "yesterday"),
        ("first_name = Anna", "EXPECTED", 13, None),
        ('first_name = "Anna"', "CHARACTER", 13, None),
        ("first_name = 'Anna", "UNTERMINATED", 13, None),
        ("first_name > 'Anna'", "OPERATOR", 11, None),
        ("first_name NOT = 'Anna'", "EXPECTED", 15, None),
        ("first_name = NULL", "EXPECTED", 13, None),
        ("customer_tags = 'vip'", "OPERATOR", 14, "CONTAINS"),
        ("customer_tags CONTAIN 'vip'", "EXPECTED", 14, "CONTAINS"),
        ("customer_countries CONTAINS 'UK'", "VALUE", 28, None),
        ("tags CONTAINS 'vip'", "UNKNOWN_ATTRIBUTE", 0, "customer_tags"),
        ("size = 'S'", "UNKNOWN_ATTRIBUTE", 0, "attributes.size"),
        ("attributes.sise = 'S'", "UNKNOWN_ATTRIBUTE", 0, "attributes.size"),
        ("attributes.old = 'S'", "RETIRED", 0, None),
        ("orders_placed", "EXPECTED", 13, None),
        ("orders_placed > 1", "UNKNOWN_ATTRIBUTE", 0, None),
        ("orders_placed() > 1", "OPERATOR", 0, None),
        ("orders_placed(count_min: 3, count_max: 2)", "EMPTY_RANGE", 25, None),
        ("orders_placed(since: 2026-02-01, until: 2026-01-01)", "EMPTY_RANGE", 21, None),
        ("orders_placed(since: -1w, since: -2w)", "REPEATED_ARGUMENT", 26, None),
        ("orders_placed(since >= -1w)", "OPERATOR", 14, None),
        ("orders_placed(date != -1w)", "OPERATOR", 14, None),
        ("orders_placed(date > -1w, since: -2w)", "REPEATED_ARGUMENT", 26, None),
        ("orders_placed(date BETWEEN today AND -7d)", "EMPTY_RANGE", 27, None),
        ("orders_placed MATCHES (count = 'x')", "VALUE", 31, None),
        ("products_purchased MATCHES (quantity < 3)", "OPERATOR", 28, None),
        ("products_purchased MATCHES", "EXPECTED", 26, None),
        ("orders_placed(channel > 'a')", "OPERATOR", 14, None),
        ("orders_placed(channel: web)", "VALUE", 23, None),
        ("orders_placed(count_min: 1, count = 2)", "REPEATED_ARGUMENT", 28, None),
        ("(age > 3 gender = 'x') AND age > 4", "EXPECTED", 9, None),
        ("(age > 3 'x') AND age > 4", "EXPECTED", 9, None),
        ("customer_tags CONTAINS 'a' OR first_name STARTS 'a'", "EXPECTED", 48, None),
        ("orders_placed(3)", "UNKNOWN_ARGUMENT", 14, None),
        ("amount_spent() > 3", "UNKNOWN_FUNCTION", 0, "amount_spent"),
        ("checkout_abandoned()", "MISSING_ARGUMENT", 0, None),
        ("checkout_abandoned(0)", "VALUE", 19, None),
        ("customer_within_distance(91, 0, 5)", "VALUE", 25, None),
        ("anniversary(age) = today", "VALUE", 12, None),
        ("anniversary(birth_date)", "EXPECTED", 0, None),
        ("anniversary(birth_date) > today", "OPERATOR", 24, None),
        ("random_bucket('x') = true", "EXPECTED", 0, None),
        ("segment('VIP')", "UNKNOWN_SEGMENT", 8, None),
        ("event('a.b', properties.a > 'b')", "OPERATOR", 13, None),
        ("event('a.b', properties.a: today)", "VALUE", 27, None),
        ("event('Product viewed')", "VALUE", 6, None),
        ("(age > 3", "EXPECTED", 8, None),
        ("age > 3)", "EXPECTED", 7, None),
        ("age > 3 gender = 'male'", "EXPECTED", 8, None),
        ("age > 3 # older", "CHARACTER", 8, None),
        ("AND age > 3", "EXPECTED", 0, None),
        ("age BETWEEN AND 3", "EXPECTED", 12, None),
        ("x IN ()", "EXPECTED", 6, None),
    ],
)  # fmt: skip
def test_a_wrong_query_is_told_of_at_its_place(text: str, code: str, offset: int, nearest: str | None) -> None:
    found = {mistake.offset: mistake for mistake in mistakes_of(text)}
    assert offset in found, found
    assert (found[offset].code, found[offset].nearest) == (code, nearest)
    assert re.fullmatch(r"[^a-z].*\.", found[offset].message), "a sentence"


NAMED = Catalogue("EUR", OWN, {"seg_1": Segment("seg_1", "It's VIP"), "seg_2": Segment("seg_2", "Buyers")})


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("gender = 'femal'", "gender = 'female'"),
        ("customer_countries CONTAINS 'UKA'", "customer_countries CONTAINS 'UA'"),
        ("segment('its vip')", "segment('It''s VIP')"),
        ("amount_spend>3", "amount_spent>3"),
        ("customer_tags='vip'", "customer_tags CONTAINS 'vip'"),
        ("customer_tags !='vip'", "customer_tags NOT CONTAINS 'vip'"),
        ("age CONTAINS 3 OR age NOT  CONTAINS 4", "age = 3 OR age != 4"),
        ("orders_place(count_min: 2) AND age > 3", "orders_placed(count_min: 2) AND age > 3"),
        ("orders_placd MATCHES (date > -90d)", "orders_placed MATCHES (date > -90d)"),
        ("aniversary(birth_date) = today", "anniversary(birth_date) = today"),
        ("anniversary(birth_dat) = today", "anniversary(birth_date) = today"),
        ("anniversary = today", "anniversary(birth_date) = today"),
        ("amount_spent() > 3", "amount_spent > 3"),
        ("amount_spend() > 3", "amount_spent > 3"),
        ("orders_placed(cont_min: 2, dat > -90d)", "orders_placed(count_min: 2, date > -90d)"),
        ("products_purchased(tga != 'a')", "products_purchased(tag != 'a')"),
        ("checkout_abandoned(60, sinc: -9d)", "checkout_abandoned(60, since: -9d)"),
        ("storefront_event.product_viewed NOT MATCHES (date > -9d)", "NOT event('product.viewed', date > -9d)"),
        ("storefront.product_viewed() = true", "event('product.viewed')"),
        ("age>3&&age<9||(!age = 5)", "age>3 AND age<9 OR (NOT age = 5)"),
        ("age <> 3", "age != 3"),
        ("first_name STRTS 'A'", "first_name STARTS WITH 'A'"),
        ("first_name START WITH 'A'", "first_name STARTS WITH 'A'"),
        ("last_order_date > tody", "last_order_date > today"),
        ("customer_account_status = 'active'", "customer_status = 'active'"),
        ("size = 'S'", "attributes.size = 'S'"),
        ("last_order_date > -3 months AND age > 3", "last_order_date > -3m AND age > 3"),
        ("last_order_date > 90 days ago", "last_order_date > -90d"),
        ("last_order_date BETWEEN -2weeks AND 1 Day Ago", "last_order_date BETWEEN -2w AND -1d"),
        ("anniversary(birth_date) = 3 days from now", "anniversary(birth_date) = +3d"),
        ("orders_placed(since: 12 months ago, count_min: 2)", "orders_placed(since: -12m, count_min: 2)"),
        ("last_order_date IN (-3 d, 7_days_from_now)", "last_order_date IN (-3d, +7d)"),
        ("checkout_abandoned(60 minutes, since: -9d)", "checkout_abandoned(60, since: -9d)"),
        ("event('product.view')", "event('product.viewed')"),
    ],
)  # fmt: skip
def test_what_was_meant_can_be_put_in_the_place_of_what_stands_there(text: str, mended: str) -> None:
    for mistake in reversed(understand(text, NAMED).mistakes):
        assert mistake.nearest is not None, mistake
        text = text[: mistake.offset] + mistake.nearest + text[mistake.offset + mistake.length :]
    assert text == mended
    assert understand(text, NAMED).compiled is not None


@pytest.mark.parametrize(
    "text",
    ["last_order_date > 90 days", "age > 3 years", "last_order_date > 90d", "last_order_date > 1.5 months",
     "last_order_date > 999999 days ago", "last_order_date > +5 minutes", "event('order.placed')",
     "age > 3 tody", "orders_placed > 1", "order_placd > 1", "amount_spend()", "customer_tags IN ('a')", "age NOT = 3"],
)  # fmt: skip
def test_nothing_is_told_as_meant_that_does_not_fit_there(text: str) -> None:
    assert {mistake.nearest for mistake in mistakes_of(text)} == {None}


@pytest.mark.parametrize(
    "text", ["last_order_date > -3 months", "last_order_date > 90 days ago", "last_order_date > 90 d", "age > 3 years"]
)
def test_a_number_with_a_unit_is_one_mistake(text: str) -> None:
    (mistake,) = mistakes_of(text)
    assert text[mistake.offset : mistake.offset + mistake.length] == text.split(" > ")[1]


@pytest.mark.parametrize(
    "test", ["NOT CONTAINS 'a'", "NOT IN ('a')", "IN ('a')", "IS NULL", "IS NOT NULL", "BETWEEN 1 AND 2", "LIKE 'a'"]
)
def test_of_a_property_only_what_it_takes_is_expected(test: str) -> None:
    (mistake,) = mistakes_of(f"event('a.b', properties.x {test})")
    assert (mistake.offset, mistake.length) == (26, len(test.partition(" ")[0]))
    assert mistake.expected == (":", "=", "!=", ">", ">=", "<", "<=", "CONTAINS", "STARTS WITH")
    written = {":": "properties.x: 'a'"} | {each: f"properties.x {each} 1" for each in mistake.expected if each != ":"}
    written |= {each: f"properties.x {each} 'a'" for each in ("CONTAINS", "STARTS WITH")}
    assert all(understand(f"event('a.b', {each})", SHOP).compiled for each in written.values())


def test_behind_not_only_what_it_goes_before_is_expected() -> None:
    (mistake,) = mistakes_of("first_name NOT LIKE 'a'")
    assert mistake.expected == ("BETWEEN", "CONTAINS", "IN", "STARTS WITH")


@pytest.mark.parametrize("name", sorted({*EVENT_TYPES} - BEHAVIOUR | {f"{noun}.done" for noun in RESERVED}))
def test_an_event_that_is_never_a_touchpoint_is_a_mistake_and_told_what_to_ask_instead(name: str) -> None:
    (mistake,) = mistakes_of(f"event('{name}')")
    assert (mistake.code, mistake.offset) == ("VALUE", 6)
    instead = OURS[name.partition(".")[0]]
    assert instead in {*ATTRIBUTES, *FUNCTIONS, ""}
    assert mistake.expected == ((instead,) if instead else tuple(f"'{each}'" for each in TYPES))
    assert instead in mistake.message


def test_touchpoints_of_rapports_and_of_shops_own_can_be_asked_for() -> None:
    assert {*TYPES} == BEHAVIOUR - {"custom.recorded"}  # which is a touchpoint by the shop's own name
    assert {*OURS} == RESERVED
    assert all(understand(f"event('{name}')", SHOP).compiled for name in (*TYPES, "wish.made", "orders.placed"))


def test_behind_a_mistake_reading_goes_on() -> None:
    assert [mistake.offset for mistake in mistakes_of("age > AND ages = 3 OR (gender 'x') AND x = 'y'")] == [
        6,
        10,
        30,
        39,
    ]


def test_of_a_condition_that_cannot_be_read_the_subject_is_looked_at_all_the_same() -> None:
    assert told("amount_spend NOT = 3 OR orders_place(since: -9d) LIKE 'x'") == [
        ("UNKNOWN_ATTRIBUTE", "amount_spent"),
        ("EXPECTED", None),
        ("UNKNOWN_FUNCTION", "orders_placed"),
        ("EXPECTED", None),
    ]
    assert told("orders_place(since 3)") == [("UNKNOWN_FUNCTION", "orders_placed"), ("EXPECTED", None)]


def test_a_parenthesis_that_was_forgotten_or_is_too_many_is_told_of_once() -> None:
    assert told("orders_placed(since: -9d AND amount_spend > 3") == [
        ("EXPECTED", None),
        ("UNKNOWN_ATTRIBUTE", "amount_spent"),
    ]
    assert told("age IN (1, 2, x, 3) AND ages = 3") == [("EXPECTED", None), ("UNKNOWN_ATTRIBUTE", "age")]
    assert told("(age IN (1, 2 OR age = 3) AND age > x") == [("EXPECTED", None), ("EXPECTED", None)]
    assert told("age IN (1, 2)) AND age > 3") == [("EXPECTED", None)]
    assert told("((age > 3)") == [("EXPECTED", None)]


def test_a_text_that_is_too_long_is_not_looked_at() -> None:
    (mistake,) = mistakes_of("x" * (MOST_CHARACTERS + 1))
    assert (mistake.code, mistake.offset) == ("TOO_LONG", MOST_CHARACTERS)


def test_parentheses_and_nots_have_a_depth() -> None:
    deepest = "(" * MOST_DEPTH + "age > 3" + ")" * MOST_DEPTH
    assert understand(deepest, SHOP).compiled
    assert told(f"({deepest})") == [("TOO_DEEP", None)]
    assert told("NOT " * (MOST_DEPTH + 1) + "age > 3") == [("TOO_DEEP", None)]
    assert told("(" * 5_000) == [("TOO_DEEP", None)]


def test_a_query_has_a_hundred_conditions_at_most() -> None:
    assert understand(" OR ".join(["age > 3"] * MOST_PREDICATES), SHOP).compiled
    assert told(" OR ".join(["age > 3"] * (MOST_PREDICATES + 1))) == [("TOO_MANY", None)]


def test_a_list_has_five_hundred_values_at_most() -> None:
    assert understand(f"age IN ({', '.join(map(str, range(500)))})", SHOP).compiled
    assert told(f"age IN ({', '.join(map(str, range(501)))})") == [("TOO_MANY", None)]


ALPHABET = "aA_.19'\"(),:=<>! \n+-d$€ü#\u2018\u2019"
PIECES = [
    "age", ">", "3", "AND", "OR", "NOT", "(", ")", "'x'", "BETWEEN", "IN", "orders_placed(", "since:", ",", "-9d",
]  # fmt: skip


@settings(deadline=None)
@given(st.one_of(st.text(ALPHABET, max_size=80), st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join)))
def test_any_text_is_understood_or_told_what_is_wrong_within_it(text: str) -> None:
    understood = understand(text, SHOP)
    assert (understood.compiled is None) == bool(understood.mistakes)
    for mistake in understood.mistakes:
        assert 0 <= mistake.offset <= mistake.offset + mistake.length <= len(text)
        assert text.count("\n", 0, mistake.offset) == mistake.line - 1
        assert mistake.offset - text.rfind("\n", 0, mistake.offset) == mistake.column
        assert re.fullmatch(r"[^a-z].*\.", mistake.message)
