# tests/integration/points.py
"""Points of the shop `demo`, as tests move them."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from crm.kernel.actor import Actor, Role
from crm.loyalty import service
from crm.loyalty.expiry import Expiry
from crm.loyalty.programme import Programme
from crm.loyalty.programmes import in_force
from crm.loyalty.programmes.versions import Version
from crm.orders.events import OrderRecorded

STAFF = Actor(Role.STAFF, "s1")
ANN, BEA = "cus_1", "cus_2"


@pytest.fixture
def programme(monkeypatch: pytest.MonkeyPatch) -> list[Programme]:
    """Points mature after three days and live for a month. Put another in here, and it counts."""
    counting = [Programme(currency="EUR", zone="Europe/Vienna", return_window_days=3, expiry=Expiry(1))]
    monkeypatch.setattr(in_force, "version", lambda *_, **__: Version(0, counting[-1]))
    return counting


def adjust(points: int, now: datetime, *, key: str = "k1", customer_id: str = ANN) -> service.Given:
    return service.adjust(
        "demo", customer_id, points, reason="A late parcel", actor=STAFF, idempotency_key=key, now=now
    )


def tier(now: datetime, name: str = "Gold", threshold: int = 100) -> str:
    """Another tier of the programme; its id."""
    made = service.tier_create("demo", service.TierFields(name, Decimal(threshold)), actor=STAFF, now=now).tier
    assert made is not None
    return made.id


def hold(points: int, now: datetime, *, key: str = "h1", hours: int = 1, order_id: str | None = None) -> service.Hold:
    return service.hold(
        "demo", ANN, points, lasts=timedelta(hours=hours), order_id=order_id, actor=STAFF, idempotency_key=key, now=now
    )


def spend(points: int, now: datetime, *, key: str = "s1", customer_id: str = ANN) -> service.Given:
    """As a checkout does of a shop that tells of no order: held, and captured."""
    made = service.hold(
        "demo", customer_id, points, lasts=timedelta(hours=1), actor=STAFF, idempotency_key=key, now=now
    )
    return service.capture("demo", customer_id, made.hold.hold_id, actor=STAFF, now=now).given


def order(now: datetime, *, rev: int = 1, net: int = 10_000, order_id: str = "o1", **others: Any) -> OrderRecorded:
    said: dict[str, Any] = {"refunded": 10_000 - net, "points_spent": 0, "status": "placed", "replayed": False} | others
    return OrderRecorded(
        id="1", shop="demo", customer_id=ANN, order_id=order_id, rev=rev, version=rev, currency="EUR", gross=10_000,
        net=net, first=True, placed_at=now, placed_on="2026-03-10", occurred_at=now, cause=f"event:e{rev}:order", **said
    )  # fmt: skip


def balances(customer_id: str = ANN) -> tuple[int, int, int]:
    """Available, pending and held; the ledger is verified on the way."""
    account = service.account("demo", customer_id)
    if account is None:
        return 0, 0, 0
    assert service.verify("demo", customer_id).findings == []
    return int(account.available), int(account.pending), int(account.held)
