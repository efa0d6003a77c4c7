# tests/integration/test_points_figures.py
"""Points issued, redeemed, expired and outstanding, by day, and what is owed for them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from crm.kernel.errors import InvalidInputs
from crm.kernel.meter import metering
from crm.kpis import balances, service
from crm.loyalty.programme import Programme
from crm.loyalty.programmes import in_force
from crm.loyalty.programmes.versions import Version
from schema.node import global_id
from tests.asking import ask
from tests.kpi_cells import NOTHING, cells, deliver, fill
from tests.stream_records import entry, profile, store

pytestmark = pytest.mark.usefixtures("shop", "outlets")
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LATE = datetime(2026, 2, 28, 23, 30, tzinfo=UTC)
"""On 1 March in Vienna."""
DAY = date(2026, 3, 1)


def rows(name: str, first: date = DAY, last: date = DAY, grain: str = "day", now: datetime = NOW) -> list[Any]:
    return [row.value for row in service.kpi("demo", name, first, last, grain=grain, now=now).rows]


@pytest.fixture
def life() -> list[dict[str, Any]]:
    """Records of points earned, spent, given, expired and taken back, over the turn of a year."""
    return [
        store(entry("order:o1:earn:1", at=LATE, issued=-100)),
        store(entry("order:o0:earn:1", at=datetime(2025, 12, 31, 12, tzinfo=UTC), issued=-30)),
        store(entry("order:o2:spend:1", at=LATE, redeemed=40)),
        store(entry("adjustment:a1:adjust", at=LATE + timedelta(days=1), adjusted=-7)),
        store(entry("pool:2026:expire:9", at=LATE + timedelta(days=1), expired=9)),
        store(entry("order:o1:earn:2", at=LATE + timedelta(days=2), issued=20)),
    ]


def test_points_count_on_the_shops_day_of_when_they_moved_however_often_and_in_which_order(
    life: list[dict[str, Any]],
) -> None:
    for arrival in list(permutations(range(6)))[::240]:
        deliver(*(life[position] for position in arrival))
    deliver(*life)
    assert rows("points_issued", date(2025, 12, 31), date(2026, 3, 3), "year") == [30, 80]
    assert rows("points_redeemed") == [40]
    assert rows("points_adjusted", DAY, DAY + timedelta(days=2)) == [0, 7, 0]
    assert rows("points_expired", DAY, DAY + timedelta(days=2)) == [0, 9, 0]


def test_outstanding_points_are_those_of_the_end_of_each_period_since_ever(life: list[dict[str, Any]]) -> None:
    deliver(*life)
    assert rows("points_outstanding", date(2026, 2, 28), date(2026, 3, 4)) == [30, 90, 88, 68, 68]
    assert rows("points_outstanding", date(2025, 12, 1), date(2026, 3, 31), "month") == [30, 30, 30, 68]
    assert rows("points_outstanding", date(2025, 12, 30), date(2025, 12, 31)) == [0, 30]


def test_pools_of_two_customers_that_expire_at_once_are_two_facts() -> None:
    deliver(store(entry("pool:x:expire:9", expired=9)), store(entry("pool:x:expire:9", expired=8, customer="bob")))
    assert rows("points_expired") == [17]


def test_what_moves_within_an_account_is_no_fact() -> None:
    held = entry("hold:h1:hold", issued=0)
    held.postings[0].account = "customer:held"
    deliver(store(held))
    assert cells() == NOTHING


def test_points_of_test_customers_count_nowhere_and_again_once_they_are_none() -> None:
    told = [store(profile(test=True)), store(entry(issued=-100))]
    deliver(*told)
    assert cells() == NOTHING
    deliver(store(profile(2)))
    assert rows("points_outstanding") == [100]
    deliver(store(profile(3, test=True)))
    assert cells() == NOTHING


def test_a_balance_of_any_day_takes_two_queries_however_old_the_shop_is() -> None:
    fill("points_outstanding", "all", date(2016, 1, 1), 3650)
    with metering() as meter:
        assert len(rows("points_outstanding", date(2024, 1, 1), date(2025, 12, 31))) == 731
    assert meter.operations["Query"] == 2
    with metering() as meter:
        rows("points_liability", date(2024, 1, 1), date(2025, 12, 31))
    assert meter.requests <= 4


@pytest.fixture
def programmes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Version]]:
    """Versions, the newest first."""
    counting = [Version(0, Programme(currency="EUR", zone="Europe/Vienna", point_value=Decimal("0.015")))]

    def at(_: str, *, at: datetime, now: datetime) -> Version:
        return next(each for each in counting if each.counts_at(at))

    monkeypatch.setattr(in_force, "version", at)
    return iter([counting])


def test_what_is_owed_goes_by_the_programme_of_each_day(programmes: Iterator[list[Version]]) -> None:
    deliver(store(entry(issued=-99, at=LATE)))
    assert [str(value) for value in rows("points_liability", DAY - timedelta(days=1))] == ["0.00", "1.49"]
    [counting] = programmes
    changed = Programme(currency="EUR", zone="Europe/Vienna", point_value=Decimal("0.02"), breakage=Decimal("0.25"))
    counting.insert(0, Version(1, changed, effective_at=LATE + timedelta(days=1)))
    assert [str(value) for value in rows("points_liability", DAY, DAY + timedelta(days=1))] == ["1.49", "1.49"]
    counting.insert(0, Version(2, Programme(currency="CHF", zone="Europe/Vienna"), LATE + timedelta(days=2)))
    found = service.kpi("demo", "points_liability", DAY, DAY + timedelta(days=2), now=NOW)
    assert (found.currency, [row.value for row in found.rows]) == ("CHF", [None, None, Decimal("0.99")])


def test_a_day_is_valued_by_what_counts_before_its_midnight(programmes: Iterator[list[Version]]) -> None:
    deliver(store(entry(issued=-100, at=LATE)))
    [counting] = programmes
    changed = Programme(currency="EUR", zone="Europe/Vienna", point_value=Decimal("0.02"))
    counting.insert(0, Version(1, changed, effective_at=datetime(2026, 3, 2, 23, tzinfo=UTC)))  # midnight in Vienna
    assert [str(value) for value in rows("points_liability", DAY, DAY + timedelta(days=2))] == ["1.50", "1.50", "2.00"]


def test_what_a_shop_reckons_is_never_spent_is_not_owed_from_the_day_on_which_that_counts() -> None:
    deliver(store(entry(issued=-100, at=LATE)))
    text = """mutation ($input: LoyaltyProgrammeUpdateInput!) { loyaltyProgrammeUpdate(input: $input) {
        programme { breakage } userErrors { code field } } }"""
    said = {"breakage": "0.15", "effectiveAt": "2026-03-11T12:00:00Z"}
    changed = ask(text, {"input": said}, now=NOW)["loyaltyProgrammeUpdate"]
    assert changed == {"programme": {"breakage": "0.15"}, "userErrors": []}
    day, later = date(2026, 3, 10), NOW + timedelta(days=3)
    assert [str(each) for each in rows("points_liability", day, day + timedelta(days=1), now=later)] == ["1.00", "0.85"]
    for wrong in ("-0.01", "1.01"):
        refused = ask(text, {"input": {"breakage": wrong}}, now=NOW)["loyaltyProgrammeUpdate"]["userErrors"]
        assert refused == [{"code": "INVALID", "field": ["input", "breakage"]}]


def test_a_worth_is_rounded_once_and_halves_up() -> None:
    programme = Programme(currency="EUR", zone="UTC", point_value=Decimal("0.005"))
    assert [balances.worth(points, programme).minor for points in (0, 1, 2, 3)] == [0, 1, 1, 2]


def test_points_are_in_no_currency_but_the_programmes() -> None:
    with pytest.raises(InvalidInputs) as refused:
        service.kpi("demo", "points_liability", DAY, DAY, currency="CHF", now=NOW)
    assert [fault.path for fault in refused.value.faults] == ["currency"]
    with pytest.raises(InvalidInputs):
        service.facts("demo", "points_liability", DAY, after=None, limit=9)


def test_the_facts_of_a_day_lead_to_the_entries(life: list[dict[str, Any]]) -> None:
    deliver(*life)
    query = '{ kpiFacts(name: POINTS_ISSUED, day: "2026-03-01") { nodes { kind numerator entry } } }'
    nodes = ask(query)["kpiFacts"]["nodes"]
    assert [(node["kind"], node["numerator"]) for node in nodes] == [("POINTS", "100"), ("POINTS", "0")]
    assert nodes[0]["entry"] == global_id("LedgerEntry", "ann", "order:o1:earn:1")
