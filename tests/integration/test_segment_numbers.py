# tests/integration/test_segment_numbers.py
"""From customers to numbers: scores make members, members come and go, and what is counted is what is listed."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest

from crm.customers import service as customers
from crm.kernel import timers
from crm.kernel.table import Item
from crm.kernel.timers import TimerDue
from crm.kpis import service as kpis
from crm.segmentation import keeping, measuring
from crm.segmentation import service as segmentation
from crm.segmentation.language.facts import Fact
from crm.segmentation.service import SegmentMembership
from crm.segmentation.touching import Touched
from crm.shops import service as shops
from tests import bulk, scored
from tests.integration.memberships import members
from tests.kpi_cells import deliver
from tests.rfm_table import ZONE, rows
from tests.segments import define, id_of
from tests.stream_records import record

NOW = datetime(2026, 3, 31, 10, tzinfo=UTC)
DAY = timedelta(days=1)
TABLE = rows()
QUERIES = {
    "Repeat": "number_of_orders >= 2",
    "Lately": "last_order_date >= -90d",
    "Champions": "rfm_group = 'CHAMPIONS'",
    "Lost": "rfm_recency <= 2 AND rfm_monetary >= 4",
    "Prospects": "rfm_group = 'PROSPECTS'",
}


@pytest.fixture
def ids(shop: shops.Shop, outlets: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The thirty of the table, in a shop that has compared them and brought its segments up to that."""
    monkeypatch.setattr("crm.kernel.clock.now", lambda: NOW)
    shops.update("demo", shops.ShopFields(zone=ZONE))
    shops.forget_cached()
    for name, query in QUERIES.items():
        define(name, query, now=NOW - DAY)
    found = scored.furnish("demo", TABLE, now=NOW - DAY)
    bulk.tasks()  # what the definitions asked for; the scores' refresh does it all
    segmentation.begin_day(shops.get("demo"), now=NOW)
    bulk.drain()
    return found


def let_time_pass(ids: Mapping[str, str], *, now: datetime) -> None:
    for customer_id in ids.values():
        armed = timers.get("demo", customer_id, "segmentation", "memberships")
        if armed is not None and armed.due_at <= now:
            keeping.wake(TimerDue("demo", customer_id, armed.owner, armed.subject, armed.due_at), now=now)


def count() -> None:
    """Deliver what is stored of all stays, as a stream would, with some of it twice."""
    stays = [record(item) for item in Item.scan() if isinstance(item, SegmentMembership)]
    deliver(*stays, *stays[::2])


def counted() -> dict[str, int]:
    found = kpis.member_counts("demo", [id_of(name) for name in QUERIES])
    return {name: found[id_of(name)] for name in QUERIES}


def listed() -> dict[str, int]:
    return {name: len(members(name)) for name in QUERIES}


def test_who_asks_for_scores_has_the_members_that_were_worked_out_by_hand(ids: dict[str, str]) -> None:
    assert members("Champions") == [ids["26"]]
    assert members("Prospects") == sorted([ids["29"], ids["30"]])
    lost = [row.customer for row in TABLE if row.recency and row.monetary and row.recency <= 2 and row.monetary >= 4]
    assert members("Lost") == sorted(ids[each] for each in lost)
    assert lost == ["01", "03", "07", "09", "11"]


def test_what_is_counted_is_what_is_listed_also_when_time_has_passed(ids: dict[str, str]) -> None:
    count()
    assert counted() == listed()
    assert counted()["Lately"] == 8
    later = NOW + 60 * DAY
    let_time_pass(ids, now=later)
    customers.delete("demo", ids["26"], now=later)
    gone = Touched(frozenset({Fact.PROFILE}))
    keeping.refresh("demo", ids["26"], touched=gone, cause="test:26:delete", occurred_at=later, now=later)
    count()
    assert counted() == listed()
    assert counted()["Lately"] < 8
    grown = kpis.growth("demo", id_of("Lately"), date(2026, 3, 1), date(2026, 5, 31), grain="month", now=later)
    assert grown[-1].members == counted()["Lately"]
    assert sum(row.entered - row.left for row in grown) == counted()["Lately"]


def test_what_is_typical_of_a_new_segment_is_known_once_its_members_are(ids: dict[str, str]) -> None:
    define("Once", "number_of_orders = 1", now=NOW)
    bulk.drain()
    once = id_of("Once")
    (found,) = measuring.insights_of("demo", [once]).values()
    bought_once = [row for row in TABLE if row.orders == 1]
    assert found.typical.members == len(members("Once")) == len(bought_once) == 12
    assert found.typical.spent == sum(row.spent for row in bought_once)
    assert set(measuring.insights_of("demo", [id_of(name) for name in QUERIES])) == set(map(id_of, QUERIES))
