# tests/integration/test_touchpoints_record.py
from datetime import timedelta

import pytest

from crm.kernel.change import Change
from crm.touchpoints import service
from crm.touchpoints.service import TouchpointSeen
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("tables")


def see(event_id: str, kind: str = "product.viewed", *, minute: int = 0, customer_id: str = "cus_1") -> bool:
    change = Change()
    service.record(
        change,
        "demo",
        customer_id,
        TouchpointSeen(kind, "web", "s1", {"sku": "A", "price": "9.90"}),
        touchpoint_id=event_id,
        cause=f"event:{event_id}",
        occurred_at=NOW + timedelta(minutes=minute),
        now=NOW,
        replayed=False,
    )
    return change.commit()


def test_a_touchpoint_is_kept_once_with_all_that_was_said_of_it() -> None:
    assert see("e1")
    assert not see("e1")
    [touchpoint] = service.touchpoints("demo", "cus_1", limit=10)
    assert (touchpoint.type, touchpoint.channel, touchpoint.session_id) == ("product.viewed", "web", "s1")
    assert touchpoint.properties == {"sku": "A", "price": "9.90"}


def test_touchpoints_are_listed_newest_first_whatever_order_they_came_in() -> None:
    for event_id, minute in (("e1", 1), ("e3", 3), ("e2", 2)):
        see(event_id, minute=minute)
    see("foreign", customer_id="cus_2")
    first = service.touchpoints("demo", "cus_1", limit=2)
    rest = service.touchpoints("demo", "cus_1", limit=2, before=first[-1].timeline_key)
    assert [touchpoint.touchpoint_id for touchpoint in first + rest] == ["e3", "e2", "e1"]


def test_touchpoints_of_one_type_fill_a_page_whatever_lies_between_them() -> None:
    for minute in range(6):
        see(f"e{minute}", "cart.updated" if minute % 3 == 0 else "product.viewed", minute=minute)
    carts = service.touchpoints("demo", "cus_1", of_type="cart.updated", limit=2)
    assert [touchpoint.touchpoint_id for touchpoint in carts] == ["e3", "e0"]
