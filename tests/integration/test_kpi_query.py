# tests/integration/test_kpi_query.py
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from crm.kernel.errors import InvalidInputs, NotFound
from crm.kernel.meter import metering
from crm.kpis import service
from crm.kpis.service import Kpi
from tests.kpi_cells import deliver, fill
from tests.stream_records import answer, order, profile, store

pytestmark = pytest.mark.usefixtures("two_shops", "outlets")
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
MARCH = (date(2026, 3, 1), date(2026, 3, 31))


def kpi(
    name: str, first: str, last: str, *, grain: str = "day", currency: str | None = None, shop: str = "demo"
) -> Kpi:
    days = date.fromisoformat(first), date.fromisoformat(last)
    return service.kpi(shop, name, *days, grain=grain, currency=currency, now=NOW)


def values(found: Kpi) -> list[str | None]:
    return [None if row.value is None else str(row.value) for row in found.rows]


def test_days_without_facts_are_zero_and_both_ends_are_included() -> None:
    deliver(store(order("o1", day="2026-03-01")), store(order("o2", day="2026-03-03")))
    deliver(store(order("before", day="2026-02-28")), store(order("after", day="2026-03-04")))
    assert values(kpi("orders", "2026-03-01", "2026-03-03")) == ["1", "0", "1"]
    assert values(kpi("net_revenue", "2026-03-01", "2026-03-03")) == ["20.00", "0.00", "20.00"]


@pytest.mark.parametrize(
    ("grain", "expected"),
    [
        ("day", 365),
        ("week", ["4", *["7"] * 51, "4"]),
        ("month", ["31", "28", "31", "30", "31", "30", "31", "31", "30", "31", "30", "31"]),
        ("quarter", ["90", "91", "92", "92"]),
        ("year", ["365"]),
    ],
)
def test_periods_are_the_sums_of_their_days(grain: str, expected: int | list[str]) -> None:
    fill("orders", "all", date(2026, 1, 1), 365)
    found = values(kpi("orders", "2026-01-01", "2026-12-31", grain=grain))
    assert found == (["1"] * expected if isinstance(expected, int) else expected)


def test_money_is_of_the_shops_currency_unless_another_is_named() -> None:
    deliver(store(order("o1")), store(order("o2", currency="JPY", net=700)))
    found = kpi("net_revenue", "2026-03-01", "2026-03-01")
    assert (found.currency, values(found)) == ("EUR", ["20.00"])
    assert values(kpi("net_revenue", "2026-03-01", "2026-03-01", currency="JPY")) == ["700"]
    assert values(kpi("orders", "2026-03-01", "2026-03-01")) == ["2"]
    assert values(kpi("orders", "2026-03-01", "2026-03-01", currency="JPY")) == ["1"]


def test_the_average_of_a_period_is_of_all_its_orders_and_not_of_its_days() -> None:
    deliver(store(order("o1", net=1000, day="2026-03-02")), store(order("o2", net=1001, day="2026-03-02")))
    deliver(store(order("o3", net=4000, day="2026-03-03")), store(order("o4", currency="CHF", day="2026-03-03")))
    assert values(kpi("average_order_value", "2026-03-02", "2026-03-04")) == ["10.01", "40.00", None]
    (row,) = kpi("average_order_value", "2026-03-02", "2026-03-04", grain="week").rows
    assert (row.numerator, row.denominator, row.value) == (6001, 3, Decimal("20.00"))


def test_nps_is_a_share_of_answers_and_unknown_where_nobody_answered() -> None:
    deliver(*(store(answer(f"a{number}", score)) for number, score in enumerate((10, 9, 8, 7, 6, 10))))
    found = kpi("nps", "2026-02-28", "2026-03-01")
    assert [(row.value, row.numerator, row.denominator) for row in found.rows] == [
        (None, 0, 0),
        (Decimal("0.333333"), 2, 6),
    ]


def test_what_detracts_can_outweigh_what_promotes() -> None:
    deliver(store(answer("a1", 0)), store(answer("a2", 8)))
    assert values(kpi("nps", "2026-03-01", "2026-03-01")) == ["-0.500000"]


def test_a_value_comes_with_its_definition() -> None:
    definition = kpi("net_revenue", "2026-03-01", "2026-03-01").definition
    assert definition.numerator == "net: gross - refunded value"
    assert definition.denominator is None
    assert definition.day == "the day the order was placed"
    assert definition.exclusions == ("test customers", "cancelled orders")


def test_a_period_is_complete_when_it_and_the_day_after_have_ended_at_the_shop() -> None:
    rows = kpi("orders", "2026-03-07", "2026-03-10").rows
    assert [row.complete for row in rows] == [True, True, False, False]
    assert [row.complete for row in kpi("orders", "2026-03-01", "2026-03-10", grain="month").rows] == [False]


def test_the_shops_clock_decides_what_has_ended() -> None:
    just_before_midnight_in_new_york = datetime(2026, 3, 10, 3, 59, tzinfo=UTC)
    day = date(2026, 3, 8)
    assert not service.kpi("other", "orders", day, day, now=just_before_midnight_in_new_york).rows[0].complete
    assert service.kpi("demo", "orders", day, day, now=just_before_midnight_in_new_york).rows[0].complete


@pytest.mark.parametrize(
    ("name", "first", "last", "grain", "currency", "fields"),
    [
        ("ordres", "2026-03-01", "2026-03-01", "day", None, ["name"]),
        ("orders", "2026-03-02", "2026-03-01", "day", None, ["from"]),
        ("orders", "2023-03-01", "2026-03-01", "day", None, ["to"]),
        ("orders", "9999-12-01", "9999-12-31", "month", None, ["to"]),
        ("orders", "2026-03-01", "2026-03-01", "hour", None, ["grain"]),
        ("orders", "2026-03-01", "2026-03-01", "day", "EURO", ["currency"]),
        ("nps", "2026-03-01", "2026-03-01", "day", "EUR", ["currency"]),
        ("ordres", "2026-03-02", "2026-03-01", "hour", "EURO", ["name", "currency", "grain", "from"]),
    ],
)
def test_everything_wrong_with_a_question_is_said_at_once(
    name: str, first: str, last: str, grain: str, currency: str | None, fields: list[str]
) -> None:
    with pytest.raises(InvalidInputs) as refusal:
        kpi(name, first, last, grain=grain, currency=currency)
    assert [fault.path for fault in refusal.value.faults] == fields


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InvalidInputs, match="average_order_value, gross_revenue, net_revenue, nps"):
        kpi("ordres", "2026-03-01", "2026-03-01")


def test_three_years_with_their_leap_day_are_one_question_and_few_requests() -> None:
    with metering() as meter:
        assert len(kpi("nps", "2026-03-02", "2029-03-01").rows) == service.MOST_DAYS
    assert meter.operations["Query"] == 3


def test_an_unknown_shop_is_not_found() -> None:
    with pytest.raises(NotFound):
        kpi("orders", "2026-03-01", "2026-03-01", shop="nowhere")


def test_a_shop_sees_only_its_own() -> None:
    deliver(store(order(shop="demo")))
    assert values(kpi("orders", "2026-03-01", "2026-03-01", shop="other")) == ["0"]
    assert service.facts("other", "orders", MARCH[0], after=None, limit=20) == []


def test_a_day_lists_the_facts_it_is_made_of_page_by_page_and_no_others() -> None:
    deliver(*(store(order(f"o{number:02}")) for number in range(25)))
    deliver(store(order("elsewhen", day="2026-03-02")), store(order("cancelled", status="cancelled")))
    deliver(store(profile(test=True, customer="tess")), store(order("test", customer="tess")))
    first = service.facts("demo", "net_revenue", MARCH[0], after=None, limit=20)
    listed = [*first, *service.facts("demo", "net_revenue", MARCH[0], after=first[-1].fact_id, limit=20)]
    assert [item.fact_id for item in listed] == [f"o{number:02}" for number in range(25)]
    total = sum(service.share("net_revenue", item).numerator for item in listed)
    assert total == kpi("net_revenue", "2026-03-01", "2026-03-01").rows[0].numerator


def test_a_page_of_facts_asks_each_shard_once() -> None:
    deliver(*(store(order(f"o{number:02}")) for number in range(25)))
    with metering() as meter:
        service.facts("demo", "orders", MARCH[0], after=None, limit=20)
    assert meter.requests == 4


def test_the_facts_of_an_unknown_figure_are_refused() -> None:
    with pytest.raises(InvalidInputs):
        service.facts("demo", "ordres", MARCH[0], after=None, limit=20)
