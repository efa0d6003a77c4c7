# tests/integration/test_segments_of_a_moved_shop.py
"""A shop in another zone: from the event to queries that are understood there."""

import json
from datetime import datetime
from typing import Any

import pytest

from crm.kernel.actor import SYSTEM
from crm.kernel.settings import settings
from crm.segmentation import in_force, service
from crm.segmentation.service import DYNAMIC, SegmentFields
from crm.shops import service as shops
from crm.shops.events import ShopChanged
from crm.shops.service import ShopFields
from functions.segmentation.refresh_memberships import handler
from tests.integration.deliveries import batch, failed
from tests.letters import letters_in

pytestmark = pytest.mark.usefixtures("shop", "outlets")


def moved(zone: str) -> ShopChanged:
    before, after = shops.get("demo"), shops.update("demo", ShopFields(zone=zone))
    event = ShopChanged.of(after, before)
    assert event is not None
    return event


def deliver(event: ShopChanged) -> list[str]:
    context: Any = None
    return failed(handler(batch(event), context))


def test_a_moved_shop_has_its_segments_computed_anew_once(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm.kernel.clock.now", lambda: now)
    service.create("demo", DYNAMIC, SegmentFields("New", query="customer_added_date = today"), actor=SYSTEM, now=now)
    version = service.current("demo", now=now).version
    assert len(letters_in(settings().operations_queue_url)) == 1  # hidden from here on
    event = moved("Asia/Tokyo")
    assert (event.zone, event.cause) == ("Asia/Tokyo", "shop:demo:update:2")
    assert deliver(event) == []
    assert deliver(event) == []
    in_force.forget_cached()
    found = service.current("demo", now=now)
    (segment,) = found.segments.values()
    assert (found.zone, found.version) == ("Asia/Tokyo", version + 1)
    assert segment.meaning == in_force.Meaning(version + 1, now, "shop:demo:update:2")
    (task,) = letters_in(settings().operations_queue_url)
    assert json.loads(task["Body"])["shop"] == "demo"


def test_a_shop_without_segments_has_nothing_to_compute(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm.kernel.clock.now", lambda: now)
    assert deliver(moved("Asia/Tokyo")) == []
    assert service.current("demo", now=now).version == 0
    assert letters_in(settings().operations_queue_url) == []
