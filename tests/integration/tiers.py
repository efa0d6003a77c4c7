# tests/integration/tiers.py
"""A shop with three tiers, and what becomes of a customer's."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from crm.intake.changes import events_of
from crm.kernel import clock, timers
from crm.kernel.domain_events import DomainEvent
from crm.kernel.timers import TimerDue
from crm.loyalty import service
from crm.loyalty.programme import Programme
from crm.loyalty.service import Tier, TierChange, Tiers, Window
from crm.loyalty.tiers import book, settling
from crm.loyalty.tiers.definitions import Regime
from crm.loyalty.tiers.models import TierNotice
from tests.integration.points import ANN, order

THREE = (Tier("b", "Bronze", 100), Tier("s", "Silver", 500), Tier("g", "Gold", 1000, ("Free shipping",)))
DAY = timedelta(days=1)
JUNE = datetime(2025, 6, 1, 10, tzinfo=UTC)


@pytest.fixture
def ruled(programme: list[Programme]) -> list[Programme]:
    """Calendar years, one step down, told a month before. Put another in here, and it counts."""
    tiers = Tiers(window=Window.CALENDAR_YEAR, notice_days=31, all=THREE)
    programme.append(replace(programme[0], return_window_days=0, expiry=None, tiers=tiers))
    return programme


def redefine(monkeypatch: pytest.MonkeyPatch, ruled: list[Programme], at: datetime, **said: Any) -> None:
    """Tiers are others from then on, and were what they were before."""
    before, after = ruled[-1].tiers, replace(ruled[-1].tiers, **said)
    ruled.append(replace(ruled[-1], tiers=after))
    zone = ruled[-1].zone
    regimes = (
        Regime(date.min, before, zone=zone),
        Regime(clock.local_day(at, zone), after, 1, began_at=at, said_at=at, zone=zone),
    )
    for module in (book, settling):
        monkeypatch.setattr(module, "regimes", lambda *_, **__: regimes)


def bought(at: datetime, points: int, order_id: str = "o1", *, now: datetime | None = None, **others: Any) -> None:
    """An order that earns so many points, told at once."""
    placed = order(at, order_id=order_id, net=points * 100, **others)
    service.post_for_order(replace(placed, gross=max(placed.gross, points * 100)), now=now or at)


def standing(now: datetime) -> tuple[str | None, str | None, str | None]:
    found = service.tier_at("demo", ANN, now=now)
    since, until = (day.isoformat() if day else None for day in (found.since, found.until))
    return found.tier.id if found.tier else None, since, until


def history() -> list[tuple[str, str | None, str]]:
    """Oldest first: on which day (UTC) which tier, and why."""
    found = service.tier_changes("demo", ANN, before=None, limit=100)
    return [(each.occurred_at.date().isoformat(), each.after_id, each.why) for each in found[::-1]]


def told() -> list[DomainEvent]:
    notices = TierNotice.query(f"SHOP#demo#CUSTOMER#{ANN}", TierNotice.sk.startswith("TIERNOTICE#"))
    return [event for notice in notices for event in events_of(notice, None)]


def wake(now: datetime) -> list[TierChange]:
    """As the timer does, if it is due."""
    timer = timers.get("demo", ANN, service.OWNER, service.TIER)
    if timer is None or timer.due_at > now:
        return []
    due = TimerDue(timer.shop, timer.customer_id, timer.owner, timer.subject, timer.due_at)
    return service.wake_tier(due, now=now)


def due_at() -> datetime | None:
    timer = timers.get("demo", ANN, service.OWNER, service.TIER)
    return timer.due_at if timer else None
