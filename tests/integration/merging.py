# tests/integration/merging.py
"""Two customers of the shop `demo` who become one, as tests merge them."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from crm.customers.models import Customer
from crm.kernel.change import Change
from crm.kernel.timers import TimerDue
from crm.loyalty import service
from crm.loyalty.bonuses.definitions import EventBonus
from crm.loyalty.programme import Programme
from crm.loyalty.service import Tier, Tiers, Window
from crm.shops.models import Shop
from crm.touchpoints.events import TouchpointRecorded
from crm.touchpoints.models import Touchpoint
from tests.integration.points import ANN, BEA, order

DAY = timedelta(days=1)
TIERS = Tiers(window=Window.CALENDAR_YEAR, all=(Tier("s", "Silver", 500), Tier("g", "Gold", 1000)))
REVIEW = EventBonus(id="ebn_1", name="Reviews", event="review.written", points=50, per_day=2, per_customer=3)


@pytest.fixture(autouse=True)
def ruled(shop: Shop, programme: list[Programme], now: datetime) -> list[Programme]:
    """Ann and Bea are there, and points can be spent at once."""
    programme.append(replace(programme[0], return_window_days=0, expiry=None, tiers=TIERS))
    for customer_id in (ANN, BEA):
        profile(customer_id, now)
    return programme


def profile(customer_id: str, now: datetime, **said: Any) -> None:
    change = Change(now)
    try:
        customer = Customer.get(f"SHOP#demo#CUSTOMER#{customer_id}", Customer.SK)
    except Customer.DoesNotExist:
        customer = Customer.of("demo", customer_id, now=now)
    for name, value in said.items():
        setattr(customer, name, value)
    change.revise(customer)
    change.commit()


def bought(
    customer_id: str, points: int, at: datetime, order_id: str = "", *, now: datetime | None = None, **more: Any
) -> None:
    placed = order(at, order_id=order_id or f"o_{customer_id}", net=points * 100, **more)
    placed = replace(placed, customer_id=customer_id, gross=max(placed.gross, points * 100))
    service.post_for_order(placed, now=now or at)


def merged(now: datetime, absorbed: str = ANN, survivor: str = BEA) -> int:
    profile(absorbed, now, merged_into=survivor)
    return service.absorb("demo", absorbed, survivor, cause=f"merge:{absorbed}", now=now)


def wake(customer_id: str, now: datetime) -> None:
    service.wake(TimerDue("demo", customer_id, "loyalty", "ledger", now), now=now)


def reviewed(customer_id: str, at: datetime) -> int:
    item = Touchpoint.of("demo", customer_id, "review.written", f"{customer_id}{at:%d}", occurred_at=at)
    item.direction, item.recorded_at, item.properties = "inbound", at, {}
    item.rev, item.cause = 1, "event:e1:touchpoint"
    item.save()
    return sum(each.points for each in service.give_for_event(TouchpointRecorded.of(item), now=at))
