# tests/integration/test_touchpoints_record.py
from datetime import timedelta
from itertools import permutations

import pytest

from crm.customers.service import take_snapshot
from crm.kernel.change import Change
from crm.kernel.meter import metering
from crm.touchpoints import service
from crm.touchpoints.service import Campaign, Told, TouchpointSeen
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("tables")


def see(event_id: str, kind: str = "product.viewed", *, minute: int = 0, customer_id: str = "cus_1") -> bool:
    seen = TouchpointSeen(kind, "web", "s1", {"sku": "A", "url": "https://ann@shop.example/a?token=1"})
    return record(event_id, seen, minute=minute, customer_id=customer_id)


def record(event_id: str, seen: TouchpointSeen, *, minute: int = 0, customer_id: str = "cus_1") -> bool:
    change = Change(NOW)
    told = Told(event_id, f"event:{event_id}", NOW + timedelta(minutes=minute), NOW, replayed=False)
    service.record(change, "demo", customer_id, seen, told)
    return change.commit()


def ids(of_type: str | None = None, **where: object) -> list[str]:
    found = service.touchpoints("demo", "cus_1", of_type=of_type, **{"limit": 10} | where)  # type: ignore[arg-type]
    return [touchpoint.touchpoint_id for touchpoint in found]


def test_a_touchpoint_is_kept_once_with_all_that_was_said_of_it() -> None:
    assert see("e1")
    assert not see("e1")
    [touchpoint] = service.touchpoints("demo", "cus_1", limit=10)
    assert (touchpoint.type, touchpoint.channel, touchpoint.session_id) == ("product.viewed", "web", "s1")
    assert (touchpoint.direction, touchpoint.cause, touchpoint.rev) == ("inbound", "event:e1", 1)
    assert touchpoint.properties == {"sku": "A", "url": "https://shop.example/a"}


def test_touchpoints_are_listed_newest_first_whatever_order_they_came_in() -> None:
    for event_id, minute in (("e1", 1), ("e3", 3), ("e2", 2)):
        see(event_id, minute=minute)
    see("foreign", customer_id="cus_2")
    first = service.touchpoints("demo", "cus_1", limit=2)
    assert [touchpoint.touchpoint_id for touchpoint in first] == ["e3", "e2"]
    assert ids(before=first[-1].timeline_key) == ["e1"]


@pytest.mark.parametrize("of_type", [None, "product.viewed"])
def test_touchpoints_of_a_time_begin_with_its_first_instant_and_end_before_its_last(of_type: str | None) -> None:
    for minute in range(6):
        see(f"e{minute}", minute=minute)
    since, until = NOW + timedelta(minutes=1), NOW + timedelta(minutes=4)
    assert ids(of_type, since=since, until=until) == ["e3", "e2", "e1"]
    assert ids(of_type, since=until) == ["e5", "e4"]
    assert ids(of_type, until=since) == ["e0"]
    assert ids(of_type, since=until, until=since) == []


def test_touchpoints_of_one_type_are_found_without_reading_any_other() -> None:
    for minute in range(9):
        see(f"e{minute}", "cart.updated" if minute % 3 == 0 else "product.viewed", minute=minute)
    with metering() as meter:
        first = service.touchpoints("demo", "cus_1", of_type="cart.updated", limit=2)
    assert meter.requests == 1
    assert [touchpoint.touchpoint_id for touchpoint in first] == ["e6", "e3"]
    assert ids("cart.updated", before=first[-1].sk) == ["e0"]
    assert ids("cart") == []


def test_what_brought_a_customer_first_and_last_is_the_same_in_any_order_of_arrival() -> None:
    told = [("e1", Campaign("newsletter")), ("e2", Campaign()), ("e3", Campaign("ads")), ("e4", Campaign("shop"))]
    for number, order in enumerate(permutations(enumerate(told))):
        customer_id = f"cus_{number}"
        for minute, (event_id, campaign) in order:
            direction = service.OUTBOUND if event_id == "e4" else service.INBOUND
            seen = TouchpointSeen("visit.started", "web", campaign=campaign, direction=direction)
            record(event_id, seen, minute=minute, customer_id=customer_id)
        head = take_snapshot("demo", customer_id).head(service.Acquisition)
        assert head is not None
        assert (head.first.source, head.last.source) == ("newsletter", "ads")
        assert (head.first.touchpoint_id, head.last.occurred_at) == ("e1", NOW + timedelta(minutes=2))


def test_a_touchpoint_that_names_no_source_writes_no_head() -> None:
    see("e1")
    assert take_snapshot("demo", "cus_1").head(service.Acquisition) is None


def test_a_source_between_the_first_and_the_last_writes_no_head() -> None:
    for event_id, minute in (("e1", 1), ("e9", 9), ("e5", 5)):
        record(event_id, TouchpointSeen("visit.started", campaign=Campaign("ads")), minute=minute)
    head = take_snapshot("demo", "cus_1").head(service.Acquisition)
    assert head is not None
    assert (head.rev, head.cause) == (2, "event:e9")
