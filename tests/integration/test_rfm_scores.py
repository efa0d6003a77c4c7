# tests/integration/test_rfm_scores.py
"""The day of a shop: bounds are drawn over its customers, and everybody has scores against them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from crm.customers import service as customers
from crm.kernel import operations
from crm.kernel.actor import SYSTEM
from crm.kernel.meter import metering
from crm.segmentation import in_force, repository, scoring, tallies
from crm.segmentation import service as segmentation
from crm.segmentation.measuring import Rfm
from crm.segmentation.service import DYNAMIC, SegmentFields
from crm.shops import service as shops
from functions.segmentation.score_shops import handler
from tests import bulk, scored
from tests.asking import answer, ask
from tests.rfm_table import ZONE, Row, rows
from tests.segment_walks import finish

pytestmark = pytest.mark.usefixtures("shop", "outlets")

NOW = datetime(2026, 3, 31, 10, tzinfo=UTC)
DAY = timedelta(days=1)
TABLE = rows()


@pytest.fixture(autouse=True)
def time(shop: shops.Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shops.update("demo", shops.ShopFields(zone=ZONE))
    shops.forget_cached()
    at(monkeypatch, NOW)


def at(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr("crm.kernel.clock.now", lambda: now)


def begin_day() -> dict[str, int]:
    context: Any = None
    answered = handler({}, context)
    bulk.drain()
    in_force.forget_cached()
    return answered


def operation(on: str = "2026-03-31") -> operations.Operation:
    return operations.get("demo", f"op_{scoring.SCORE}_{on}")


def ended(operation: operations.Operation, **_: Any) -> None:
    operation.status = operations.DONE


def catalogue_version() -> int:
    return segmentation.current("demo", now=NOW).version


def test_thirty_customers_have_the_scores_that_were_worked_out_by_hand() -> None:
    ids = scored.furnish("demo", TABLE, now=NOW - DAY)
    assert scored.score("demo", ids["26"], now=NOW) is None
    assert begin_day() == {"shops": 1, "refused": 0}
    found = {row.customer: scored.score("demo", ids[row.customer], now=NOW) for row in TABLE}
    assert found == {row.customer: scored.by_hand(row) for row in TABLE}
    drawn = segmentation.current("demo", now=NOW).rfm
    assert drawn is not None
    assert (drawn.version, drawn.on, drawn.customers) == (1, date(2026, 3, 31), 28)
    assert (operation().status, operation().row_count) == ("done", 30)


def test_the_bounds_are_read_with_their_day_and_version_in_one_request() -> None:
    asked = "{ rfmBounds { version asOf customerCount recency frequency monetary { amount currencyCode } } }"
    assert ask(asked, now=NOW)["rfmBounds"] is None
    ids = scored.furnish("demo", TABLE, now=NOW - DAY)
    begin_day()
    drawn = segmentation.current("demo", now=NOW).rfm
    assert drawn is not None
    body = answer(asked, now=NOW + timedelta(seconds=61)).body
    told = body["data"]["rfmBounds"]
    assert told["monetary"][0].keys() == {"amount", "currencyCode"}
    assert told == {
        "version": 1,
        "asOf": "2026-03-31",
        "customerCount": 28,
        "recency": [day.isoformat() for day in drawn.recency],
        "frequency": list(drawn.frequency),
        "monetary": [{"amount": f"{minor / 100:.2f}", "currencyCode": "EUR"} for minor in drawn.monetary],
    }
    assert body["extensions"]["capacity"]["requests"] == 1
    best = scored.score("demo", ids[TABLE[0].customer], now=NOW)
    assert best is not None
    assert best.frequency == 1 + sum(bound < TABLE[0].orders for bound in told["frequency"])


def test_a_day_is_begun_once_however_often_it_is_asked_for() -> None:
    scored.furnish("demo", TABLE[:4], now=NOW - DAY)
    begin_day()
    before, version = operation().rev, catalogue_version()
    for _ in range(3):
        begin_day()
    assert (operation().rev, catalogue_version()) == (before, version)


def test_once_a_history_is_loaded_the_day_has_its_bounds_drawn_anew() -> None:
    scored.furnish("demo", TABLE[:4], now=NOW - DAY)
    begin_day()
    scored.furnish("demo", TABLE[4:], now=NOW - DAY)
    for _ in range(2):
        segmentation.begin_day(shops.get("demo"), occasion="loaded", now=NOW)
        bulk.drain()
    in_force.forget_cached()
    drawn = segmentation.current("demo", now=NOW).rfm
    assert drawn is not None
    assert (drawn.version, drawn.on, drawn.customers) == (2, date(2026, 3, 31), 28)


def test_one_that_was_asked_for_and_never_sent_is_sent_on() -> None:
    scored.furnish("demo", TABLE[:4], now=NOW - DAY)
    segmentation.begin_day(shops.get("demo"), now=NOW)
    assert len(bulk.tasks()) == 1  # lost
    begin_day()
    assert operation().status == "done"


def test_each_day_has_bounds_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = scored.furnish("demo", TABLE, now=NOW - DAY)
    begin_day()
    for row in TABLE[:10]:  # they come back, each once more
        again = Row(row.customer, NOW + DAY / 4, row.orders + 1, row.spent + 100, None, None, None, "")
        scored.order("demo", ids[row.customer], again, now=NOW + DAY)
    assert scored.score("demo", ids["02"], now=NOW) == Rfm("ACTIVE", 5, 3, 1)
    at(monkeypatch, NOW + DAY)
    begin_day()
    drawn = segmentation.current("demo", now=NOW + DAY).rfm
    assert drawn is not None
    assert (drawn.version, drawn.on) == (2, date(2026, 4, 1))
    earlier = repository.get_thresholds("demo", 1)
    assert earlier is not None
    assert earlier.drawn().on == date(2026, 3, 31)
    assert scored.score("demo", ids["26"], now=NOW) == Rfm("LOYAL", 3, 5, 5)


def begin_two_days(monkeypatch: pytest.MonkeyPatch) -> list[operations.Operation]:
    """None of their steps is done."""
    begun = []
    for now in (NOW, NOW + DAY):
        at(monkeypatch, now)
        begun.append(segmentation.begin_day(shops.get("demo"), now=now))
    bulk.tasks()
    return begun


def in_force_on() -> tuple[int, date]:
    in_force.forget_cached()
    drawn = segmentation.current("demo", now=NOW + DAY).rfm
    assert drawn is not None
    return drawn.version, drawn.on


def test_a_day_that_is_scored_late_does_not_replace_a_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    scored.furnish("demo", TABLE[:4], now=NOW - DAY)
    earlier, later = begin_two_days(monkeypatch)
    assert finish(later, now=NOW + DAY).status == operations.DONE
    version = catalogue_version()
    assert finish(earlier, now=NOW + DAY).status == operations.DONE
    assert in_force_on() == (1, date(2026, 4, 1))
    assert (catalogue_version(), repository.get_thresholds("demo", 2)) == (version, None)


def test_a_day_does_not_replace_a_later_one_that_passes_it_in_the_last_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    scored.furnish("demo", TABLE[:4], now=NOW - DAY)
    earlier, later = begin_two_days(monkeypatch)
    read, passing = repository.list_definitions, [later]

    def passed(shop: str) -> Any:
        if passing and (operations.get(shop, earlier.operation_id).state.get(scoring.SHARD) == customers.SHARDS):
            finish(passing.pop(), now=NOW + DAY)
        return read(shop)

    monkeypatch.setattr(repository, "list_definitions", passed)
    assert finish(earlier, now=NOW + DAY).status == operations.DONE
    assert (passing, in_force_on()) == ([], (1, date(2026, 4, 1)))


def test_a_shop_begins_its_day_by_its_own_clock(monkeypatch: pytest.MonkeyPatch, two_shops: None) -> None:
    at(monkeypatch, datetime(2026, 3, 31, 22, 30, tzinfo=UTC))
    assert begin_day() == {"shops": 2, "refused": 0}
    assert operation("2026-04-01").status == "done"
    assert operations.get("other", "op_rfm_score_2026-03-31").status == "done"


def test_test_customers_and_those_who_are_deleted_are_not_compared() -> None:
    scored.furnish("demo", TABLE[:5], now=NOW - DAY)
    tester = scored.settle("demo", TABLE[25], now=NOW - DAY, test=True)
    gone = scored.settle("demo", TABLE[21], now=NOW - DAY)
    customers.delete("demo", gone, now=NOW - DAY)
    begin_day()
    drawn = segmentation.current("demo", now=NOW).rfm
    assert drawn is not None
    assert drawn.customers == 5
    assert scored.score("demo", tester, now=NOW) == Rfm("CHAMPIONS", 5, 5, 5)


def test_bounds_are_of_the_shops_currency() -> None:
    francs = scored.settle("demo", TABLE[25], now=NOW - DAY, currency="CHF")
    scored.furnish("demo", TABLE[:9], now=NOW - DAY)
    begin_day()
    found = scored.score("demo", francs, now=NOW)
    assert found is not None
    assert (found.frequency, found.monetary) == (4, 1)


def test_segments_that_ask_for_scores_mean_something_else_from_then_on_and_others_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(segmentation.STEPS, "segments_refresh", ended)
    said = {"champions": "rfm_group = 'CHAMPIONS'", "repeat": "number_of_orders > 1"}
    ids = {
        name: segmentation.create(
            "demo", DYNAMIC, SegmentFields(name, query=query), actor=SYSTEM, now=NOW - DAY
        ).definition.segment_id
        for name, query in said.items()
    }
    bulk.tasks()
    begin_day()
    found = segmentation.current("demo", now=NOW)
    assert found.segments[ids["champions"]].meaning == in_force.Meaning(3, NOW, "rfm:1:score")
    assert found.segments[ids["champions"]].edited.cause.startswith("segment:")
    assert found.segments[ids["repeat"]].meaning.version < 3


@pytest.mark.parametrize("page", [1, 7, 30, 500])
def test_the_size_of_a_step_does_not_matter(monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    monkeypatch.setattr(scoring, "PAGE", page)
    monkeypatch.setattr(tallies, "MOST_PARTS", 3)
    ids = scored.furnish("demo", TABLE, now=NOW - DAY)
    begin_day()
    assert all(scored.score("demo", ids[row.customer], now=NOW) == scored.by_hand(row) for row in TABLE)


def test_whoever_dies_after_any_step_is_followed_by_one_who_ends_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "PAGE", 5)
    ids = scored.furnish("demo", TABLE, now=NOW - DAY)
    segmentation.begin_day(shops.get("demo"), now=NOW)
    bulk.drain_dying(monkeypatch)
    in_force.forget_cached()
    assert operation().status == "done"
    assert catalogue_version() == 1  # the bounds were put in force once, and found there by whoever came again
    assert all(scored.score("demo", ids[row.customer], now=NOW) == scored.by_hand(row) for row in TABLE)


def test_a_shop_in_which_nobody_ordered_has_prospects_only() -> None:
    ids = scored.furnish("demo", TABLE[28:], now=NOW - DAY)
    begin_day()
    assert scored.score("demo", ids["29"], now=NOW) == Rfm("PROSPECTS")


def test_a_shop_that_is_refused_does_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch, two_shops: None) -> None:
    begin = segmentation.begin_day

    def refused(shop: shops.Shop, *, now: datetime) -> Any:
        if shop.shop == "demo":
            shops.get("nowhere")
        return begin(shop, now=now)

    monkeypatch.setattr(segmentation, "begin_day", refused)
    assert begin_day() == {"shops": 1, "refused": 1}
    assert operations.get("other", "op_rfm_score_2026-03-31").status == "done"


def test_a_day_that_was_begun_costs_little_to_ask_for() -> None:
    begin_day()
    context: Any = None
    with metering() as meter:
        handler({}, context)
    assert dict(meter.operations) == {"Query": 1, "GetItem": 1}
