# tests/integration/test_roll_up.py
import json
from datetime import UTC, date, datetime
from itertools import permutations
from pathlib import Path

import pytest

from crm.kernel.meter import metering
from crm.kpis import repository
from crm.shops import service as shops
from tests.kpi_cells import NOTHING, ONE_ORDER, cells, days, deliver
from tests.stream_records import answer, order, record, store

pytestmark = pytest.mark.usefixtures("shop", "outlets")
EVENTS = Path(__file__).parents[1] / "events"


def test_an_order_counts_on_its_day_however_often_it_is_delivered() -> None:
    told = store(order())
    assert deliver(told, told) == []
    assert deliver(told) == []
    assert cells() == ONE_ORDER


def test_a_repeat_writes_nothing() -> None:
    told = store(order())
    deliver(told)
    with metering() as meter:
        deliver(told)
    assert "TransactWriteItems" not in meter.operations


def test_a_record_as_dynamodb_sends_it_is_understood() -> None:
    recorded = json.loads((EVENTS / "dynamodb_stream_order.json").read_text())
    assert deliver(*recorded["Records"]) == []
    assert cells() == {
        ("orders all", "2026-02-28"): 1,
        ("orders EUR", "2026-02-28"): 1,
        ("gross_revenue EUR", "2026-02-28"): 4990,
        ("net_revenue EUR", "2026-02-28"): 2495,
        ("refunded EUR", "2026-03-01"): 2495,
    }


def test_an_order_that_moves_to_another_day_leaves_nothing_behind() -> None:
    deliver(store(order()))
    moved = order(rev=2, day="2026-02-27")
    deliver(store(moved))
    assert cells() == dict(days([moved]))
    assert [
        item.fact_id for item in repository.list_facts("demo", "order", date(2026, 3, 1), after=None, limit=9)
    ] == []


def test_a_cancelled_order_counts_no_more_and_again_when_it_comes_back() -> None:
    deliver(store(order()))
    deliver(store(order(rev=2, status="cancelled")))
    assert cells() == NOTHING
    deliver(store(order(rev=3)))
    assert cells() == ONE_ORDER


@pytest.mark.parametrize("together", [True, False])
def test_revisions_end_alike_in_any_order(together: bool) -> None:
    for number, arrival in enumerate(list(permutations(range(4)))[together::2]):
        shop = f"shop-{number}"
        life = (
            order(rev=1, shop=shop),
            order(rev=2, shop=shop, net=5000),
            order(rev=3, shop=shop, net=5000, day="2026-02-27"),
            order(rev=4, shop=shop),
        )
        told = [record(life[position]) for position in arrival]
        if together:
            deliver(*told)
        else:
            for late in told:
                deliver(late, told[0])
        assert cells(shop) == ONE_ORDER, arrival


def test_a_revision_that_changes_no_number_still_keeps_older_ones_out() -> None:
    told = [record(order(rev=1)), record(order(rev=2, net=100)), record(order(rev=3))]
    deliver(told[0])
    deliver(told[2])
    deliver(told[1])
    assert cells() == ONE_ORDER


def test_refunds_count_on_the_shops_day_they_were_given_and_lower_the_day_of_the_sale() -> None:
    # 23:30 UTC is the next day in Vienna; on 29 March clocks go forward there, and the day has 23 hours.
    refunds = (
        ("r1", datetime(2026, 3, 28, 22, 59, tzinfo=UTC), 300),
        ("r2", datetime(2026, 3, 28, 23, 0, tzinfo=UTC), 200),
        ("r3", datetime(2026, 3, 29, 21, 59, tzinfo=UTC), 50),
        ("r4", datetime(2026, 3, 29, 22, 0, tzinfo=UTC), 7),
    )
    deliver(store(order(rev=5, net=1443, refunds=refunds)))
    found = cells()
    assert found["net_revenue EUR", "2026-03-01"] == 1443
    assert {day: amount for (cell, day), amount in found.items() if cell == "refunded EUR"} == {
        "2026-03-28": 300,
        "2026-03-29": 250,
        "2026-03-30": 7,
    }


def test_a_zone_the_shop_changes_to_does_not_move_what_was_counted() -> None:
    refunds = (("r1", datetime(2026, 3, 2, 23, 30, tzinfo=UTC), 300),)
    deliver(store(order(rev=1, net=1700, refunds=refunds)))
    shops.update("demo", shops.ShopFields(zone="America/New_York"))
    deliver(store(order(rev=2, net=1700, refunds=refunds)))
    assert cells()["refunded EUR", "2026-03-03"] == 300


def test_currencies_are_never_added() -> None:
    deliver(store(order("o1")), store(order("o2", currency="CHF", net=700)))
    found = cells()
    assert found["orders all", "2026-03-01"] == 2
    assert (found["net_revenue EUR", "2026-03-01"], found["net_revenue CHF", "2026-03-01"]) == (2000, 700)


def test_two_shops_with_the_same_ids_count_apart() -> None:
    told = [store(order(shop="demo")), store(order(shop="other", net=500))]
    deliver(*told)
    assert cells("demo") == ONE_ORDER
    assert cells("other")["net_revenue EUR", "2026-03-01"] == 500


def test_answers_count_by_group() -> None:
    deliver(*(store(answer(f"a{score}", score)) for score in range(11)))
    assert cells() == {
        ("nps_responses all", "2026-03-01"): 11,
        ("nps_promoters all", "2026-03-01"): 2,
        ("nps_detractors all", "2026-03-01"): 7,
    }
