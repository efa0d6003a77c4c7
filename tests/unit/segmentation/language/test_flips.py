# tests/unit/segmentation/language/test_flips.py
"""Whatever is asked: until the instant it names, no verdict changes by time alone."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from crm.segmentation.language.explaining import Explanation, explain
from crm.segmentation.language.facts import (
    Checkout,
    Facts,
    Line,
    Loyalty,
    Order,
    Profile,
    Statistics,
    Touchpoint,
)
from tests.unit.segmentation.language.some import ZONES, compiled

INSTANT = timedelta(microseconds=1)
START = datetime(2024, 2, 1, tzinfo=UTC)
TIMES = st.integers(0, 700 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes))
CONDITIONS = [
    "last_order_date {sign} {day}", "first_order_date {sign} {day}", "customer_added_date {sign} {day}",
    "birth_date {sign} {day}", "last_visit_date {sign} {day}", "abandoned_checkout_date {sign} {day}",
    "last_order_date BETWEEN {early} AND {late}", "last_order_date NOT BETWEEN {early} AND {late}",
    "last_visit_date IN ({day}, {early}, {late})", "loyalty_member_since IN ({early}, {late})",
    "age {sign} 30", "age BETWEEN 18 AND 36", "anniversary(birth_date) = {day}",
    "anniversary(birth_date) BETWEEN {early} AND {late}", "anniversary(last_order_date) NOT BETWEEN {early} AND {late}",
    "orders_placed(since: {early})", "orders_placed(count_min: 2, since: {early}, until: {late})",
    "orders_placed(count_max: 1, until: {late})", "orders_placed(sum_amount_min: 80, since: {early})",
    "products_purchased(sku: 'A', since: {early})",
    "products_purchased(quantity_min: 3, since: {early}, until: {late})",
    "checkout_abandoned(90)", "checkout_abandoned(3000, since: {early})",
    "checkout_abandoned(5, since: {early}, until: {late})", "checkout_abandoned(5, date > {early}, until: {late})",
    "orders_placed(date > {early})", "orders_placed(date < {late}, count > 1)", "orders_placed(date = {day})",
    "event('a.b', since: {early})", "event('a.b', count_min: 2, since: {early}, until: {late})",
    "event('a.b', count_max: 1, since: {early})",
    "number_of_orders >= 2", "gender = 'male'", "random_bucket('x') < 50",
]  # fmt: skip


@st.composite
def conditions(draw: st.DrawFn) -> str:
    form = draw(st.sampled_from(CONDITIONS))
    lower = draw(st.sampled_from(["-2y", "-12m", "-90d", "-60d", "-5w", "2024-01-31"]))
    upper = draw(st.sampled_from(["-31d", "-1m", "-1w", "yesterday", "today", "+7d", "+1m", "+1y", "2027-02-28"]))
    sign = draw(st.sampled_from(["=", "!=", "<", "<=", ">", ">="]))
    day = draw(st.sampled_from([lower, upper]))
    text = form.format(sign=sign, day=day, early=lower, late=upper)
    return f"NOT {text}" if draw(st.booleans()) else text


TEXTS = st.recursive(
    conditions(),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(" AND ".join),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} OR {pair[1]})"),
        inner.map(lambda text: f"NOT ({text})"),
    ),
    max_leaves=5,
)


@st.composite
def customers(draw: st.DrawFn) -> Facts:
    times = st.lists(TIMES, max_size=4)
    maybe = st.one_of(st.none(), TIMES)
    placed = sorted(draw(times))
    birth = draw(st.one_of(st.none(), st.just(date(2000, 2, 29)), st.dates(date(1980, 1, 1), date(2010, 1, 1))))
    orders = tuple(
        Order(str(at), at, "EUR", 5_000, lines=(Line("A", index % 3), Line("B", 1))) for index, at in enumerate(placed)
    )
    started = draw(times)
    return Facts(
        "cus_1",
        draw(st.sampled_from(ZONES)),
        Profile(draw(TIMES), birth_date=birth),
        Statistics(len(placed), 5_000 * len(placed), None, *((placed[0], placed[-1]) if placed else ())),
        loyalty=Loyalty(0, joined_on=draw(st.one_of(st.none(), st.dates(date(2023, 1, 1), date(2026, 1, 1))))),
        last_visit_at=draw(maybe),
        orders=orders,
        touchpoints={"a.b": tuple(Touchpoint(str(at), "a.b", at) for at in draw(times))},
        checkouts=tuple(
            Checkout(str(at), at, at + timedelta(minutes=draw(st.integers(0, 200))), draw(st.booleans()))
            for at in started
        ),
    )


@settings(max_examples=300, deadline=None)
@given(TEXTS, customers(), TIMES, st.lists(st.floats(0, 1), min_size=3, max_size=6))
def test_nothing_changes_before_it_says(text: str, known: Facts, now: datetime, shares: list[float]) -> None:
    segment = compiled(text)
    for _ in range(3):
        found = segment.evaluate(known, now)
        ends = found.flips_at or now + timedelta(days=1_500)
        assert ends > now
        for instant in [*(now + (ends - INSTANT - now) * share for share in shares), ends - INSTANT]:
            later = segment.evaluate(known, instant)
            assert later.member is found.member
            assert later.flips_at is None or later.flips_at >= ends or found.flips_at is None
        if found.flips_at is None:
            break
        now = found.flips_at


@settings(max_examples=100, deadline=None)
@given(conditions().filter(lambda text: "anniversary" not in text and "checkout" not in text), customers(), TIMES)
def test_a_single_condition_changes_just_when_it_says(text: str, known: Facts, now: datetime) -> None:
    segment = compiled(text)
    found = explain(segment, known, now)
    if found.flips_at is not None:
        assert explain(segment, known, found.flips_at).truth is not found.truth


@settings(max_examples=100, deadline=None)
@given(TEXTS, customers(), TIMES)
def test_an_explanation_and_the_verdict_agree(text: str, known: Facts, now: datetime) -> None:
    segment = compiled(text)
    explained = explain(segment, known, now)
    verdict = segment.evaluate(known, now)
    assert (explained.truth is True) == verdict.member
    assert verdict.flips_at is None or (explained.flips_at is not None and explained.flips_at <= verdict.flips_at)
    assert explained.text == segment.normalized

    def check(part: Explanation) -> None:
        assert compiled(part.text).normalized == part.text
        for inner in part.parts:
            check(inner)

    check(explained)
