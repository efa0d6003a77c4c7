# tests/unit/segmentation/language/test_windows.py
"""Functions that count what happened within a window of days: what counts, and when it enters or leaves."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.segmentation.language import days, tree
from crm.segmentation.language.compiling import understand
from crm.segmentation.language.facts import Checkout, Facts, Line, Order, Touchpoint
from crm.segmentation.language.verdicts import Verdict
from tests.unit.segmentation.language.some import SHOP, ZONES, compiled, facts, local, order, verdict

INSTANT = timedelta(microseconds=1)
NOW = local("2026-03-10T12:00")


def placed(*orders: Order, zone: str = "Europe/Berlin") -> Facts:
    return facts(zone, orders=orders)


def bought(*lines: Line) -> Facts:
    return placed(order(local("2026-03-01T10:00"), lines=lines))


def seen(*properties: dict[str, Any], type_: str = "quiz.done") -> Facts:
    at = local("2026-03-01T10:00")
    points = tuple(Touchpoint(f"t{index}", type_, at, each) for index, each in enumerate(properties))
    return facts(touchpoints={type_: points})


TWO = placed(order(local("2026-01-10T12:00")), order(local("2026-02-10T12:00"), 7_500))


@pytest.mark.parametrize(
    ("query", "known", "member", "flips"),
    [
        ("orders_placed()", TWO, True, None),
        ("orders_placed()", placed(), False, None),
        ("orders_placed(count_min: 3)", TWO, False, None),
        ("orders_placed(count_min: 2, since: -60d)", TWO, True, "2026-03-12T00:00"),
        ("orders_placed(since: -60d)", TWO, True, "2026-04-12T00:00"),
        ("orders_placed(count_max: 1, since: -60d)", TWO, False, "2026-03-12T00:00"),
        ("orders_placed(count_max: 0)", placed(), True, None),
        ("orders_placed(count_max: 0, since: -10d)", TWO, True, None),
        ("orders_placed(count_min: 2, until: -30d)", TWO, False, "2026-03-12T00:00"),
        # As one leaves the other enters.
        ("orders_placed(since: -60d, until: -30d)", TWO, True, "2026-04-12T00:00"),
        ("orders_placed(since: -60d, until: -40d)", TWO, True, "2026-03-12T00:00"),
        ("orders_placed(since: -50d, until: -40d)", TWO, False, "2026-03-22T00:00"),
        ("orders_placed(since: -1m, until: -60d)", TWO, False, None),
        ("orders_placed(since: 2026-02-01)", TWO, True, None),
        ("orders_placed(since: 2026-02-01, until: 2026-02-28)", TWO, True, None),
        ("orders_placed(sum_amount_min: 125)", TWO, True, None),
        ("orders_placed(sum_amount_min: 125.01)", TWO, False, None),
        ("orders_placed(sum_amount_min: 100, since: -60d)", TWO, True, "2026-03-12T00:00"),
        ("orders_placed(sum_amount_max: 100, since: -60d)", TWO, False, "2026-03-12T00:00"),
        ("orders_placed(sum_amount_max: 100)", placed(), False, None),
        ("NOT orders_placed(since: -60d)", TWO, False, "2026-04-12T00:00"),
        ("orders_placed MATCHES (date > -60d)", TWO, True, "2026-04-11T00:00"),
        ("orders_placed MATCHES (date >= -60d)", TWO, True, "2026-04-12T00:00"),
        ("orders_placed MATCHES (date < -30d, count = 2)", TWO, False, "2026-03-13T00:00"),
        ("orders_placed MATCHES (date <= -30d, count = 2)", TWO, False, "2026-03-12T00:00"),
        ("orders_placed MATCHES (date = -28d)", TWO, True, "2026-03-11T00:00"),
        ("orders_placed MATCHES (date BETWEEN -60d AND -30d)", TWO, True, "2026-04-12T00:00"),
        ("orders_placed MATCHES (count > 1)", TWO, True, None),
        ("orders_placed MATCHES (count < 2)", TWO, False, None),
        ("orders_placed MATCHES (sum_amount > 125)", TWO, False, None),
        ("orders_placed MATCHES (sum_amount BETWEEN 124.99 AND 125)", TWO, True, None),
        ("orders_placed NOT MATCHES ()", TWO, False, None),
    ],
)
def test_an_order_counts_from_when_it_enters_the_window_to_when_it_leaves(
    query: str, known: Facts, member: bool, flips: str | None
) -> None:
    flips_at = local(flips) if flips else None
    assert verdict(query, known, NOW) == Verdict(member, flips_at)
    if flips_at:
        assert verdict(query, known, flips_at - INSTANT) == Verdict(member, flips_at)
        assert verdict(query, known, flips_at).member is not member


def test_the_day_of_an_order_is_the_shops() -> None:
    at = datetime(2026, 3, 9, 23, 30, tzinfo=UTC)
    assert verdict("orders_placed(since: today)", placed(order(at)), local("2026-03-10T01:00")).member
    in_new_york = placed(order(at), zone="America/New_York")
    assert not verdict("orders_placed(since: today)", in_new_york, local("2026-03-10T12:00")).member


@pytest.mark.parametrize(
    ("query", "member"),
    [
        ("orders_placed(channel: 'POS')", True),
        ("orders_placed(channel: ('app', 'pos'), coupon: 'spring')", True),
        ("orders_placed(channel: 'app')", False),
        ("orders_placed(coupon: ('a', 'b'))", False),
        ("orders_placed(coupon != 'spring')", False),  # the other names none
        ("orders_placed(channel != 'app')", True),
        ("orders_placed(count_min: 2)", True),
        ("orders_placed(count_min: 2, channel: 'pos')", False),
        ("orders_placed(sum_amount_min: 50.01)", False),  # dollars are not added to euros
    ],
)
def test_orders_are_counted_by_channel_and_coupon_and_summed_in_the_shops_currency(query: str, member: bool) -> None:
    at = local("2026-03-01T10:00")
    known = placed(order(at, channel="pos", coupon="SPRING"), order(at + INSTANT, 90_000, currency="USD"))
    assert verdict(query, known, NOW).member is member


@pytest.mark.parametrize(
    ("query", "member"),
    [
        ("products_purchased()", True),
        ("products_purchased(sku: 'mug')", True),
        ("products_purchased(sku: ('x', 'Mug'), quantity_min: 2)", True),
        ("products_purchased(sku: 'MUG', quantity_min: 3)", False),
        ("products_purchased(category: 'Kitchen', quantity_min: 3)", True),
        ("products_purchased(tag: 'gift')", True),
        ("products_purchased(sku: 'MUG', tag: 'gift')", False),  # of one line, not of the order
        ("products_purchased(sku: 'RETURNED')", False),
        ("products_purchased MATCHES (sku NOT IN ('mug', 'spoon'))", False),
        ("products_purchased MATCHES (sku != 'mug')", True),
        ("products_purchased MATCHES (tag != 'gift', quantity > 1)", True),
        ("products_purchased MATCHES (tag != 'gift', quantity > 2)", False),
        ("products_purchased(since: 2026-03-02)", False),
    ],
)
def test_products_are_counted_by_line_and_in_units(query: str, member: bool) -> None:
    known = bought(
        Line("MUG", 2, "kitchen"), Line("SPOON", 1, "kitchen", frozenset({"Gift", "new"})), Line("RETURNED", 0)
    )
    assert verdict(query, known, NOW).member is member


def cart(told: str, *, started: str = "2026-03-10T09:00", cart_id: str = "c1", is_open: bool = True) -> Checkout:
    return Checkout(cart_id, local(started), local(told), is_open)


@pytest.mark.parametrize(
    ("query", "carts", "member", "flips"),
    [
        ("checkout_abandoned(60)", [], False, None),
        ("checkout_abandoned(60)", [cart("2026-03-10T11:00")], True, None),
        ("checkout_abandoned(60)", [cart("2026-03-10T11:00:01")], False, "2026-03-10T12:00:01"),
        ("checkout_abandoned(minutes: 90)", [cart("2026-03-10T11:00")], False, "2026-03-10T12:30"),
        ("checkout_abandoned(60)", [cart("2026-03-10T09:00", is_open=False)], False, None),
        (
            "checkout_abandoned(60)",
            [cart("2026-03-10T09:00", is_open=False), cart("2026-03-10T11:30", cart_id="c2")],
            False,
            "2026-03-10T12:30",
        ),
        ("checkout_abandoned(60, since: -7d)", [cart("2026-03-10T09:00")], True, "2026-03-18T00:00"),
        ("checkout_abandoned(60, until: -1d)", [cart("2026-03-10T09:00")], False, "2026-03-11T00:00"),
        ("checkout_abandoned(60, since: 2026-03-11)", [cart("2026-03-10T09:00")], False, None),
        ("checkout_abandoned(2880, since: -1d)", [cart("2026-03-10T09:00")], False, None),
        ("abandoned_checkout_date = today", [cart("2026-03-10T09:00")], True, "2026-03-11T00:00"),
        ("abandoned_checkout_date IS NULL", [cart("2026-03-10T09:00", is_open=False)], True, None),
        ("NOT checkout_abandoned(60)", [cart("2026-03-10T11:30")], True, "2026-03-10T12:30"),
    ],
)
def test_a_checkout_is_abandoned_so_many_minutes_after_the_last_word_of_its_cart(
    query: str, carts: list[Checkout], member: bool, flips: str | None
) -> None:
    known, flips_at = facts(checkouts=tuple(carts)), local(flips) if flips else None
    assert verdict(query, known, NOW) == Verdict(member, flips_at)
    if flips_at:
        assert verdict(query, known, flips_at - INSTANT) == Verdict(member, flips_at)
        assert verdict(query, known, flips_at).member is not member


@pytest.mark.parametrize(
    ("query", "member"),
    [
        ("event('quiz.done')", True),
        ("event('quiz.done', count_min: 2)", True),
        ("event('quiz.done', count_min: 3)", False),
        ("event('quiz.done', count_max: 1)", False),
        ("event('quiz.other', count_max: 0)", True),
        ("event('quiz.done', properties.result: 'Won')", True),
        ("event('quiz.done', properties.result != 'won')", True),
        ("event('quiz.done', properties.result STARTS WITH 'lo')", True),
        ("event('quiz.done', properties.result: 'won', properties.score < 10)", False),
        ("event('quiz.done', properties.score >= 12.50)", True),
        ("event('quiz.done', properties.score: 7)", True),
        ("event('quiz.done', properties.prize.name CONTAINS 'mug')", True),
        ("event('quiz.done', properties.friends.name: 'Bo')", True),
        ("event('quiz.done', properties.shared: true)", True),
        ("event('quiz.done', properties.shared: false)", False),
        ("event('quiz.done', properties.Result: 'won')", False),
        ("event('quiz.done', properties.missing != 'x')", False),
        ("event('quiz.done', properties.huge > 1)", False),
        ("event('quiz.done', properties.result > 1)", False),
        ("event('quiz.done', properties.shared > 0)", False),
        ("event('quiz.done', since: -10d)", True),
        ("event('quiz.done', since: -5d)", False),
    ],
)
def test_events_are_counted_by_what_they_say(query: str, member: bool) -> None:
    known = seen(
        {"result": "won", "score": "12.50", "prize": {"name": "A big MUG"}, "shared": True, "huge": "9e999999"},
        {"result": "lost", "score": 7, "friends": [{"name": "Al"}, {"name": "bo"}]},
    )
    assert verdict(query, known, NOW).member is member


def test_an_event_leaves_its_window_with_the_shops_day() -> None:
    known = seen({})
    assert verdict("event('quiz.done', since: -10d)", known, NOW) == Verdict(True, local("2026-03-12T00:00"))  # noqa: FBT003


def test_a_history_that_was_not_loaded_is_no_empty_one() -> None:
    for query in ("orders_placed()", "event('quiz.done')", "checkout_abandoned(5)", "attributes.size = 'S'"):
        with pytest.raises(ValueError, match="not loaded"):
            verdict(query, facts(), NOW)


BOUNDS = ["-2y", "-13m", "-90d", "-31d", "-1m", "-1w", "today", "2025-06-30", "2026-02-28"]


@settings(deadline=None)
@given(
    st.lists(st.datetimes(datetime(2024, 6, 1), datetime(2026, 6, 1), timezones=st.just(UTC)), max_size=6),  # noqa: DTZ001  hypothesis wants them naive
    st.sampled_from(BOUNDS),
    st.sampled_from(BOUNDS),
    st.integers(0, 3),
    st.datetimes(datetime(2025, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001  as above
    st.sampled_from(ZONES),
)
def test_a_window_counts_what_lies_in_it_on_every_day_and_turns_just_then(
    times: list[datetime], since: str, until: str, least: int, now: datetime, zone: str
) -> None:
    known = facts(zone, orders=tuple(order(at) for at in times))
    bounds = [
        leaf.values[0]
        for bound in (since, until)
        for leaf in tree.leaves(compiled(f"last_order_date = {bound}").query)
        if isinstance(leaf, tree.Predicate)
    ]
    first, last = (bound for bound in bounds if isinstance(bound, tree.Day | tree.Offset))
    understood = understand(f"orders_placed(since: {since}, until: {until}, count_min: {least})", SHOP)
    if understood.compiled is None:
        assert [mistake.code for mistake in understood.mistakes] == ["EMPTY_RANGE"]
        return

    def expected(at: datetime) -> bool:
        today = days.today(at, zone)
        inside = [days.at(first, today) <= at.astimezone(ZoneInfo(zone)).date() <= days.at(last, today) for at in times]
        return sum(inside) >= least

    found = understood.compiled.evaluate(known, now)
    assert found.member is expected(now)
    end = (found.flips_at - INSTANT) if found.flips_at else now + timedelta(days=1_500)
    for share in (0.05, 0.2, 0.4, 0.6, 0.8, 1):
        assert expected(now + (end - now) * share) is found.member
    if found.flips_at:
        assert expected(found.flips_at) is not found.member
