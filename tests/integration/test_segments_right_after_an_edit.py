# tests/integration/test_segments_right_after_an_edit.py
"""What happens within the minute after an edit of segments, in which warm processes remember those of before."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from crm.customers import service as customers
from crm.customers.events import CustomerRecorded
from crm.customers.service import Customer
from crm.kernel.actor import Actor, Role
from crm.kernel.change import Change
from crm.orders.service import Statistics
from crm.segmentation import in_force, keeping, loading, service
from crm.segmentation.defining import Edited, SegmentFields
from crm.segmentation.in_force import InForce
from crm.segmentation.language.facts import Fact, Facts
from crm.segmentation.models import DYNAMIC
from crm.segmentation.touching import Touched
from crm.touchpoints.models import Touchpoint
from tests.segment_walks import LONG_AGO, finish, members, run, store

pytestmark = pytest.mark.usefixtures("shop")

ANNA = Actor(Role.STAFF, "anna")


def defined(now: datetime, query: str = "number_of_orders >= 1", name: str = "Regulars") -> Edited:
    return service.create("demo", DYNAMIC, SegmentFields(name, query=query), actor=ANNA, now=now)


def told(changed: Customer, *, now: datetime) -> None:
    """What segmentation makes of a profile that has changed."""
    event = CustomerRecorded.of(changed)
    touched = keeping.touched(event)
    keeping.refresh("demo", event.customer_id, touched=touched, cause=event.cause, occurred_at=now, now=now)


def buys(customer_id: str, *, at: datetime) -> None:
    """Stored as the area below writes it, and told of."""
    change = Change(at)
    statistics = customers.take_snapshot("demo", customer_id).head(Statistics) or Statistics.of("demo", customer_id)
    statistics.order_count, statistics.first_order_at, statistics.last_order_at = 1, at, at
    change.revise(statistics)
    change.commit()
    touched = Touched(frozenset({Fact.STATISTICS, Fact.ORDERS, Fact.RFM}))
    keeping.refresh("demo", customer_id, touched=touched, cause="event:o1:order", occurred_at=at, now=at)


def sees(customer_id: str, *, at: datetime, older: InForce) -> None:
    """Stored, and told of to a process that knows these definitions."""
    with Touchpoint.batch_write() as batch:
        seen = Touchpoint.of("demo", customer_id, "mug.seen", "e1", occurred_at=at)
        seen.properties, seen.direction, seen.recorded_at = {}, "inbound", at
        batch.save(seen)
    newer = in_force._cache.get("demo")
    in_force._cache.keep("demo", (at, older))
    touched = Touched(frozenset({Fact.TOUCHPOINTS}), types=frozenset({"mug.seen"}))
    keeping.refresh("demo", customer_id, touched=touched, cause="event:e1:touchpoint", occurred_at=at, now=at)
    if newer:
        in_force._cache.keep("demo", newer)


def members_of(edited: Edited) -> list[str]:
    return members(edited.definition.segment_id)


@pytest.mark.parametrize("read_before", [None, "email_subscription_status = 'SUBSCRIBED'"])
def test_what_happens_after_the_walk_counts_whatever_a_process_knows(now: datetime, read_before: str | None) -> None:
    store({"cus_1": 0}, at=now - LONG_AGO)
    if read_before is not None:
        finish(defined(now - timedelta(hours=1), read_before, "Read").operation, now=now - timedelta(hours=1))
    older, soon = service.current("demo", now=now), now + timedelta(seconds=10)
    edited = defined(now)
    assert edited.operation is not None
    while service.ready_in("demo") < older.version + 1:
        run(edited.operation, now=now)

    in_force._cache.keep("demo", (now, older))
    buys("cus_1", at=soon)

    assert members_of(edited) == ["cus_1"]
    finish(edited.operation, now=now)
    assert members_of(edited) == ["cus_1"]


def test_who_is_deleted_after_the_walk_leaves_whatever_a_process_knows(now: datetime) -> None:
    store({"cus_1": 1}, at=now - LONG_AGO)
    older, soon = service.current("demo", now=now), now + timedelta(seconds=15)
    edited = defined(now)
    assert edited.operation is not None
    run(edited.operation, now=now)
    assert members_of(edited) == ["cus_1"]

    in_force._cache.keep("demo", (now, older))
    told(customers.delete("demo", "cus_1", now=soon), now=soon)

    assert members_of(edited) == []


def test_a_touchpoint_that_comes_while_somebody_is_brought_up_counts_whatever_a_process_knows(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    store({"cus_1": 0}, at=now - LONG_AGO)
    finish(defined(now - timedelta(hours=1), "event('mug.seen', count_min: 2)", "Twice").operation, now=now)
    older = service.current("demo", now=now)
    edited, load, once = defined(now, "event('mug.seen')", "Seen"), loading.load, iter([None])

    def overtaken(*given: Any, in_force: InForce, **more: Any) -> Facts:
        """The walk has read; a touchpoint is stored and told of to a process that has the older definitions."""
        facts = load(*given, in_force=in_force, **more)
        if next(once, facts) is None:
            sees("cus_1", at=now, older=older)
        return facts

    monkeypatch.setattr(loading, "load", overtaken)
    finish(edited.operation, now=now)
    assert members_of(edited) == ["cus_1"]
