# tests/integration/test_segment_memberships.py
"""What a customer's memberships rely on, what they cost, and what they answer of the past."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from crm.customers import service as customers
from crm.kernel import clock
from crm.kernel.meter import metering
from crm.kernel.timers import TimerDue
from crm.orders.service import Statistics
from crm.segmentation import in_force, keeping, loading, recording, refreshing, service
from crm.segmentation.asking import questions
from crm.segmentation.keeping import Touched
from crm.segmentation.language.facts import Fact
from crm.segmentation.service import CauseKind, SegmentFields, cause_kind
from crm.segmentation.stays import SegmentsByHand
from tests import shop_events
from tests.integration.memberships import (
    DAY,
    ENDS,
    HOUR,
    INSTANT,
    LATELY,
    REPEAT,
    Time,
    deliver,
    fire,
    head,
    members,
    members_at,
    memberships,
    open_at,
    recorded,
    stays,
    store,
    timer,
)
from tests.segments import ANNA, define, id_of

pytestmark = pytest.mark.usefixtures("segments")
LOOKING = "Looking"
VIEWS = Touched(frozenset({Fact.TOUCHPOINTS}), types=frozenset({"product.viewed"}))


@pytest.fixture(autouse=True)
def time(monkeypatch: pytest.MonkeyPatch, now: datetime) -> Time:
    moving = Time(now)
    monkeypatch.setattr(clock, "now", lambda: moving.now)
    return moving


@pytest.fixture
def overtaken(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Callable[[], object]]]:
    """What is put in here happens once, after the next read of the facts and before what is written by them."""
    meanwhile: list[Callable[[], object]] = []
    read = loading.load

    def read_and_be_overtaken(*args: Any, **kwargs: Any) -> Any:
        answer = read(*args, **kwargs)
        if meanwhile:
            meanwhile.pop()()
        return answer

    monkeypatch.setattr(loading, "load", read_and_be_overtaken)
    yield meanwhile
    assert meanwhile == []


def view(at: datetime) -> None:
    """Stored, and not told of yet."""
    assert shop_events.deliver(
        shop_events.event("product.viewed", {"sku": "A"}, customer={"id": "cus_1"}, occurredAt=at.isoformat())
    ) == []  # fmt: skip


def looked(at: datetime, *, now: datetime) -> list[keeping.Interval]:
    """That they looked is told."""
    return keeping.refresh("demo", "cus_1", touched=VIEWS, cause=f"event:{at}", occurred_at=at, now=now)


def test_an_event_that_no_segment_reads_costs_one_look_at_the_definitions_and_one_that_touches_none_asks_none(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(now)
    deliver(recorded(now))
    service.current("demo", now=now)
    with metering() as untouched:
        assert looked(now, now=now) == []
    assert untouched.operations == {"GetItem": 1}

    define(LOOKING, "event('product.viewed', since: -9d)", now=now - DAY)
    asked: list[str] = []

    def counted(*args: Any, **kwargs: Any) -> Any:
        found = questions(*args, **kwargs)
        asked.extend(question.segment_id for question in found)
        return found

    looked(now, now=now)
    monkeypatch.setattr("crm.segmentation.refreshing.questions", counted)
    looked(now, now=now)
    assert asked == [id_of(LOOKING)]


def test_a_process_with_older_definitions_reads_them_anew_where_the_customer_was_judged_by_newer_ones(
    now: datetime,
) -> None:
    store(now, now)
    older = service.current("demo", now=now)
    service.update("demo", id_of(REPEAT), SegmentFields(query="number_of_orders >= 3"), actor=ANNA, now=now - HOUR)
    deliver(recorded(now))
    assert stays(REPEAT) == []
    in_force._cache.keep("demo", (now, older))
    deliver(recorded(now))
    assert stays(REPEAT) == []
    assert head().definitions_version == older.version + 1


def test_an_edit_that_comes_between_is_not_written_over_by_what_was_decided_before_it(
    now: datetime, overtaken: list[Callable[[], object]]
) -> None:
    store(now, now)
    older = service.current("demo", now=now)

    def edit() -> None:
        fields = SegmentFields(query="number_of_orders >= 3")
        service.update("demo", id_of(REPEAT), fields, actor=ANNA, now=now - HOUR)
        newer = service.current("demo", now=now)
        keeping.bring_up(customers.take_snapshot("demo", "cus_1"), newer, now=now)
        in_force._cache.keep("demo", (now, older))

    overtaken.append(edit)
    deliver(recorded(now))
    assert stays(REPEAT) == []
    assert open_at(now) == [LATELY]


def test_of_two_that_pass_each_other_the_one_that_writes_last_sees_what_made_the_other_come(
    now: datetime, overtaken: list[Callable[[], object]]
) -> None:
    define("Two", "event('product.viewed', count_min: 2) AND NOT event('product.viewed', count_min: 3)", now=now - DAY)
    store()
    view(now - 2 * HOUR)
    looked(now - 2 * HOUR, now=now)
    view(now - HOUR)

    def come_and_find_nothing_to_do() -> None:
        view(now)
        assert looked(now, now=now) == []

    overtaken.append(come_and_find_nothing_to_do)
    looked(now - HOUR, now=now)
    assert open_at(now) == []
    assert [left is not None for _, left in stays("Two")] == [True]


def test_what_changes_nothing_is_not_looked_at_twice(now: datetime) -> None:
    define(LOOKING, "event('product.viewed', count_min: 2, since: -9d)", now=now - DAY)
    store()
    view(now)
    looked(now, now=now)
    service.current("demo", now=now)
    with metering() as again:
        looked(now, now=now)
    assert again.operations == {"GetItem": 1, "Query": 2}  # the definitions, the snapshot, and what they looked at


def test_another_definition_takes_effect_when_it_was_written_and_says_so(now: datetime, time: Time) -> None:
    store(now)
    deliver(recorded(now))
    time.now = now + 5 * HOUR
    written = now + 4 * HOUR
    edited = service.update(
        "demo", id_of(REPEAT), SegmentFields(query="number_of_orders >= 1"), actor=ANNA, now=written
    ).definition
    newer = service.current("demo", now=time.now)
    keeping.bring_up(customers.take_snapshot("demo", "cus_1"), newer, now=time.now)
    (stay,) = memberships(REPEAT)
    assert (stay.entered_at, cause_kind(stay.entered_cause)) == (written, CauseKind.DEFINITION)
    assert (stay.version, head().definitions_version) == (edited.rev, newer.version)
    assert stays(LATELY) == [(now, None)]
    with metering() as again:
        keeping.bring_up(customers.take_snapshot("demo", "cus_1"), newer, now=time.now)
    assert again.operations == {"Query": 1}


def test_a_customer_whom_nothing_happened_to_is_stamped_too(now: datetime) -> None:
    store()
    newer = service.current("demo", now=now)
    assert keeping.bring_up(customers.take_snapshot("demo", "cus_1"), newer, now=now) == []
    assert head().definitions_version == newer.version
    assert keeping.bring_up(customers.take_snapshot("demo", "cus_nobody"), newer, now=now) == []
    assert not customers.take_snapshot("demo", "cus_nobody")


def test_the_members_of_a_segment_that_is_given_up_leave_it(now: datetime) -> None:
    store(now, now)
    deliver(recorded(now))
    gone = id_of(REPEAT)
    service.delete("demo", gone, actor=ANNA, now=now)
    newer = service.current("demo", now=now)
    keeping.bring_up(customers.take_snapshot("demo", "cus_1"), newer, now=now)
    (stay,) = service.list_memberships("demo", "cus_1", gone)
    assert (stay.left_at, stay.left_cause) == (now, newer.gone[gone].cause)
    assert open_at(now) == [LATELY]


def test_who_was_a_member_at_any_moment_is_known_without_looking_at_everybody(now: datetime, time: Time) -> None:
    store(now)
    deliver(recorded(now))
    store(now + DAY, customer_id="cus_2")
    time.now = now + DAY
    deliver(recorded(now + DAY, "o2", customer_id="cus_2"))
    time.now = ENDS + HOUR
    fire()
    assert members(LATELY) == ["cus_2"]
    assert members_at(LATELY, now - INSTANT) == []
    assert members_at(LATELY, now) == ["cus_1"]
    assert members_at(LATELY, now + DAY) == members_at(LATELY, ENDS - INSTANT) == ["cus_1", "cus_2"]
    assert members_at(LATELY, ENDS) == ["cus_2"]


def test_a_history_is_told_page_by_page_the_last_stay_first(now: datetime, time: Time) -> None:
    for month in range(3):
        time.now = now + month * 60 * DAY
        store(*[now] * (month + 1), time.now)
        deliver(recorded(time.now, f"o{month}"))
    time.now = ENDS + 300 * DAY
    fire()
    lately = id_of(LATELY)
    first = service.history_in("demo", "cus_1", lately, before=None, limit=2)
    (last,) = service.history_in("demo", "cus_1", lately, before=first[-1].sk, limit=2)
    assert [stay.entered_at for stay in [*first, last]] == [now + 120 * DAY, now + 60 * DAY, now]
    both = service.history("demo", "cus_1", before=None, limit=10)
    rest = service.history("demo", "cus_1", before=both[1].timeline_key, limit=10)
    assert [stay.sk for stay in both[2:]] == [stay.sk for stay in rest]
    assert {stay.segment_id for stay in both} == {lately, id_of(REPEAT)}


def test_what_is_due_is_computed_by_all_that_is_known_though_only_the_head_was_read(now: datetime) -> None:
    define(LOOKING, "event('product.viewed', since: -9d)", now=now - DAY)
    store(now)
    view(now)
    deliver(recorded(now))
    looked(now, now=now)
    heads = customers.snapshots("demo", ["cus_1"], [customers.Customer, customers.SegmentsHead])["cus_1"]
    ends = now + 20 * DAY
    assert {each.segment_id for each in service.open_segments(heads, now=now)} == {id_of(LATELY), id_of(LOOKING)}
    assert [each.segment_id for each in service.open_segments(heads, now=ends)] == [id_of(LATELY)]


def test_more_segments_than_one_transaction_holds_are_entered_in_several(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refreshing, "MOST_AT_ONCE", 3)
    for number in range(5):
        define(f"Buyers {number}", f"number_of_orders > {number - 9} AND last_order_date > -{20 + number}d", now=now)
    store(now)
    assert len(keeping.refresh("demo", "cus_1", touched=keeping.EVERYTHING, cause="c", occurred_at=now, now=now)) == 6
    assert len(open_at(now)) == 6
    assert head().rev == 2
    fire_at = now + 90 * DAY
    while (armed := timer()) is not None:
        keeping.wake(
            TimerDue("demo", "cus_1", armed.owner, armed.subject, armed.due_at),
            now=fire_at,
        )
    assert open_at(fire_at) == []
    assert [len(stays(f"Buyers {number}")) for number in range(5)] == [1] * 5
    assert all(stays(f"Buyers {number}")[0][1] is not None for number in range(5))


def test_what_a_snapshot_must_hold_for_memberships_is_named() -> None:
    assert set(recording.HEADS) > {customers.Customer, customers.SegmentsHead, SegmentsByHand, Statistics}


def test_who_is_known_by_their_heads_only_is_brought_up_by_them(now: datetime) -> None:
    store(now, now)
    heads = customers.snapshots("demo", ["cus_1"], recording.HEADS)["cus_1"]
    newer = service.current("demo", now=now)
    with metering() as meter:
        keeping.bring_up(heads, newer, now=now)
    assert meter.operations == {"TransactWriteItems": 1}
    assert open_at(now) == [LATELY, REPEAT]
