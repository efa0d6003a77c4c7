# tests/integration/test_segment_counts.py
"""How many members a segment has, and how it grew."""

from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from crm.kernel.errors import InvalidInputs
from crm.kernel.meter import metering
from crm.kpis import service
from crm.kpis.models import KpiItem
from crm.kpis.service import GrowthRow
from crm.segmentation.service import SegmentMembership
from crm.shops import service as shops
from tests.kpi_cells import NOTHING, cells, deliver
from tests.stream_records import profile, record, store

pytestmark = pytest.mark.usefixtures("shop", "outlets")
FIRST = date(2026, 3, 1)
NOON = datetime(2026, 3, 1, 11, tzinfo=UTC)  # in Vienna


def stay(
    customer: str = "ann", entered: int = 0, left: int | None = None, *, segment: str = "seg_a", shop: str = "demo"
) -> SegmentMembership:
    """From the noon so many days after the first until another."""
    at = NOON + timedelta(days=entered)
    item = SegmentMembership.of(shop, customer, segment, at, f"event:{customer}-{entered}:order", begun_in=1)
    item.rev, item.cause = 1, item.entered_cause
    if left is not None:
        item.left_at = NOON + timedelta(days=left)
        item.left_cause = item.cause = f"time:{left}:flip"
        item.rev, item.list_pk, item.list_sk = 2, None, None
    return item


def members(*segments: str, shop: str = "demo") -> list[int]:
    return list(service.member_counts(shop, segments).values())


def grown(start: date, end: date, grain: str = "day", *, now: datetime = NOON + timedelta(days=90)) -> list[GrowthRow]:
    return service.growth("demo", "seg_a", start, end, grain=grain, now=now)


def test_a_stay_counts_once_however_often_it_is_delivered() -> None:
    told = record(stay())
    deliver(told, told)
    deliver(told)
    assert cells() == {("segment_entered seg_a", "2026-03-01"): 1, ("segment_members seg_a", "9999-12-31"): 1}
    assert members("seg_a", "seg_b") == [1, 0]


def test_revisions_end_alike_in_any_order_together_or_one_by_one() -> None:
    ends = {("segment_entered seg_a", "2026-03-01"): 1, ("segment_left seg_a", "2026-03-04"): 1}
    for number, arrival in enumerate(permutations([stay(left=None), stay(left=3), stay("bob", left=1)])):
        for together in (True, False):
            shop = f"shop-{number}-{together}".lower()
            shops.create(shop, shops.ShopFields("One", "Europe/Vienna", "EUR", "de-AT"))
            told = [record(_moved(each, shop)) for each in arrival]
            if together:
                deliver(*told)
            else:
                for each in told:
                    deliver(each, told[0])
            assert cells(shop) == ends | {
                ("segment_entered seg_a", "2026-03-01"): 2,
                ("segment_left seg_a", "2026-03-02"): 1,
            }, arrival
            assert members("seg_a", shop=shop) == [0]


def _moved(item: SegmentMembership, shop: str) -> SegmentMembership:
    entered = (item.entered_at - NOON).days
    left = (item.left_at - NOON).days if item.left_at else None
    return stay(item.customer_id, entered, left, shop=shop)


def test_a_stay_told_whole_counts_as_one_that_opened_and_closed() -> None:
    whole = stay(left=3)
    whole.rev = 1
    deliver(record(whole))
    assert cells() == {("segment_entered seg_a", "2026-03-01"): 1, ("segment_left seg_a", "2026-03-04"): 1}


def test_who_comes_back_is_counted_again() -> None:
    deliver(record(stay(left=1)), record(stay(entered=2)))
    assert members("seg_a") == [1]
    assert cells()["segment_entered seg_a", "2026-03-03"] == 1


def test_a_rebuild_from_all_stays_changes_nothing_and_one_from_nothing_counts_the_same() -> None:
    stays = [stay("ann", 0, 2), stay("ann", 5), stay("bob", 1), stay("cid", 1, 1), stay("ann", 1, segment="seg_b")]
    deliver(*(record(each) for each in stays))
    before = cells()
    deliver(*(record(each) for each in reversed(stays)))
    assert cells() == before
    for item in list(KpiItem.scan()):
        item.delete()
    assert cells() == NOTHING
    deliver(*(record(each) for each in reversed(stays)))
    assert cells() == before
    assert members("seg_a", "seg_b") == [2, 1]


def test_test_customers_are_members_like_others() -> None:
    deliver(store(profile(test=True)))
    deliver(record(stay()))
    deliver(store(profile(2, test=False)))
    assert members("seg_a") == [1]


def test_growth_tells_who_came_and_went_and_how_many_there_were_at_each_end() -> None:
    people = [stay("ann"), stay("bob", 1, 3), stay("cid", 1), stay("dan", -40, 2), stay("eve", 9)]
    deliver(*(record(each) for each in people))
    assert grown(FIRST, FIRST + timedelta(days=3)) == [
        GrowthRow(date(2026, 3, 1), date(2026, 3, 1), 1, 0, 2),
        GrowthRow(date(2026, 3, 2), date(2026, 3, 2), 2, 0, 4),
        GrowthRow(date(2026, 3, 3), date(2026, 3, 3), 0, 1, 3),
        GrowthRow(date(2026, 3, 4), date(2026, 3, 4), 0, 1, 2),
    ]
    weeks = grown(FIRST, date(2026, 3, 15), grain="week")
    assert [(row.entered, row.left, row.members) for row in weeks] == [(1, 0, 2), (2, 2, 2), (1, 0, 3)]
    assert weeks[-1].members == members("seg_a")[0]


def test_growth_counts_by_the_shops_days_and_keeps_them_when_the_zone_changes() -> None:
    late = stay()
    late.entered_at = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)  # after midnight in Vienna
    deliver(record(late))
    shops.update("demo", shops.ShopFields(zone="America/New_York"))
    shops.forget_cached()
    deliver(record(late))
    rows = grown(FIRST, date(2026, 3, 2))
    assert [row.entered for row in rows] == [0, 1]


def test_growth_tells_nothing_of_days_that_are_yet_to_come() -> None:
    deliver(record(stay("ann")), record(stay("bob", 1, 3)))
    now = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)  # the third of March in Vienna
    weeks = grown(FIRST, date(2026, 3, 31), grain="week", now=now)
    assert [(row.start.day, row.end.day, row.members) for row in weeks] == [(1, 1, 1), (2, 3, 2)]
    assert grown(date(2026, 3, 4), date(2026, 3, 31), now=now) == []


@pytest.mark.parametrize(
    ("asked", "code"),
    [((FIRST, FIRST - timedelta(1)), "INVALID"), ((FIRST, FIRST + timedelta(service.MOST_DAYS)), "TOO_LONG")],
)
def test_impossible_days_are_refused(asked: tuple[date, date], code: str) -> None:
    with pytest.raises(InvalidInputs) as refused:
        grown(*asked)
    assert [fault.code for fault in refused.value.faults] == [code]


def test_the_counts_of_a_hundred_segments_are_one_request_and_growth_is_two() -> None:
    with metering() as meter:
        members(*(f"seg_{number}" for number in range(100)))
    assert dict(meter.operations) == {"BatchGetItem": 1}
    grown(FIRST, FIRST)  # from then on the shop is known
    with metering() as meter:
        grown(FIRST, FIRST)
    assert dict(meter.operations) == {"Query": 2}


def test_a_stay_in_a_shop_that_is_unknown_is_dead_lettered(outlets: Any) -> None:
    assert deliver(record(stay(shop="nowhere"))) == []
    assert cells("nowhere") == NOTHING
