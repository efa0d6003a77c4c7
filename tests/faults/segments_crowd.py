# tests/faults/segments_crowd.py
"""Customers of whom only their profile is stored, many at once, through the repositories."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from tests.faults.segments_people import OWN


def found(shop: str, queries: dict[str, str], *, zone: str, currency: str, now: datetime) -> dict[str, str]:
    """A shop, its attributes and its segments; returns the ids of these by name."""
    from crm.customers import attribute_definitions
    from crm.customers.attribute_definitions import AttributeFields
    from crm.kernel.actor import SYSTEM
    from crm.kernel.table import connection
    from crm.segmentation import service as segmentation
    from crm.segmentation.service import DYNAMIC, SegmentFields
    from crm.shops import service as shops

    connection()
    shops.create(shop, shops.ShopFields(name=shop, zone=zone, currency=currency, locale="de-AT"))
    for key, said in OWN.items():
        attribute_definitions.define(shop, key, AttributeFields(**said), now=now)
    return {
        name: segmentation.create(
            shop, DYNAMIC, SegmentFields(name=name, query=query), actor=SYSTEM, now=now
        ).definition.segment_id
        for name, query in queries.items()
    }


def seed(shop: str, numbers: Iterable[int], *, now: datetime, wakes_at: datetime | None = None) -> list[str]:
    """Their profiles and segments heads, with a timer where they are to be woken; returns their ids."""
    from crm.customers.models import Customer, SegmentsHead
    from crm.kernel.timers import Timer
    from crm.segmentation import service as segmentation

    version = segmentation.current(shop, now=now).version
    ids = [f"cus_{number:026}" for number in numbers]
    items: list[Any] = []
    for customer_id in ids:
        head = SegmentsHead.of(shop, customer_id)
        head.definitions_version, head.wakes_at, head.rev = version, wakes_at, 1
        profile = Customer.of(shop, customer_id, now=now)
        profile.rev = profile.version = 1
        items += [profile, head]
        if wakes_at is not None:
            items.append(Timer.of(shop, customer_id, "segmentation", "memberships", wakes_at))
    with Customer.batch_write() as batch:
        for item in items:
            batch.save(item)
    return ids
