# tests/integration/test_earn_preview.py
"""What a cart is shown is what its order then earns, whatever time has done that no timer has yet told of."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from crm.customers import service as customers
from crm.kernel import clock, timers
from crm.kernel.meter import metering
from crm.kernel.timers import TimerDue
from crm.loyalty import repository, service
from crm.loyalty.earning.definitions import Conditions, Earning, Kind, Rule
from crm.loyalty.programme import Programme
from crm.orders import service as orders
from crm.orders.events import OrderRecorded
from functions.segmentation.refresh_memberships import handler as refresh
from tests.integration.deliveries import batch, failed
from tests.integration.memberships import DAY, Time
from tests.integration.points import programme
from tests.integration.tiers import JUNE, ruled
from tests.segments import define, id_of
from tests.shop_events import customer_of, deliver, placed

__all__ = ["programme", "ruled"]
pytestmark = pytest.mark.usefixtures("shop", "outlets")

LATELY, QUIET = "lately", "quiet"
BRONZE, SILVER, GOLD = "bronze", "silver", "gold"
SEED = 3


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch, ruled: list[Programme]) -> Time:
    """Rules for whoever is in a segment or has a tier, each told by what it gives."""
    moving = Time(JUNE)
    monkeypatch.setattr(clock, "now", lambda: moving.now)
    for name, query in ((LATELY, "last_order_date > -30d"), (QUIET, "last_order_date < -30d")):
        define(name, query, now=JUNE - timedelta(days=1))
    asked = {name: Conditions(tiers=(name[0],)) for name in (BRONZE, SILVER, GOLD)}
    asked |= {name: Conditions(segments=(id_of(name),)) for name in (LATELY, QUIET)}
    rules = tuple(Rule(name, name, Kind.FIXED, Decimal(2**n), each) for n, (name, each) in enumerate(asked.items()))
    ruled.append(replace(ruled[-1], earning=Earning(rules)))
    return moving


def cart(price: int, **said: Any) -> service.Cart:
    return service.Cart("EUR", [service.CartLine("A", 1, price)], **said)


def shown(time: Time, price: int, **said: Any) -> dict[str, int]:
    """Points by rule."""
    snapshot = customers.take_snapshot("demo", customer_of().customer_id)
    earned = service.earn_preview("demo", cart(price, **said), snapshot, now=time.now).earned
    return {each.rule: each.points for each in earned.given}


def taken_in(
    order_id: str, price: int, at: datetime, *, spent: int = 0, tax: int = 0, shipping: int = 0
) -> OrderRecorded:
    """As it is told; amounts are minor units."""
    line = {"id": "1", "sku": "A", "quantity": 1, "unitPrice": f"{price / 100:.2f}", "tax": f"{tax / 100:.2f}"}
    more = {"lines": [line], "pointsSpent": spent, "shipping": f"{shipping / 100:.2f}"}
    assert deliver(placed(order_id, placedAt=at.isoformat(), occurredAt=at.isoformat(), **more)) == []
    return OrderRecorded.of(orders.get("demo", order_id))


def earned(told: OrderRecorded, time: Time) -> dict[str, int]:
    service.post_for_order(told, now=time.now)
    given = repository.get_for_order("demo", told.customer_id, told.order_id)[1].given
    return {each.rule: int(each.points) for each in given}


def available() -> int:
    account = service.account("demo", customer_of().customer_id)
    return int(account.available) if account else 0


def hear(*told: Any) -> None:
    """Segments do."""
    context: Any = None
    assert failed(refresh(batch(*told), context)) == []


def woken(now: datetime) -> None:
    """All timers are handled that are due."""
    customer_id = customer_of().customer_id
    for owner, subject in (("segmentation", "memberships"), (service.OWNER, service.TIER)):
        timer = timers.get("demo", customer_id, owner, subject)
        if timer is None or timer.due_at > now:
            continue
        due = TimerDue("demo", customer_id, owner, subject, timer.due_at)
        if owner == service.OWNER:
            service.wake_tier(due, now=now)
        else:
            hear(due)


def test_a_cart_is_shown_what_its_order_then_earns_however_late_timers_are(time: Time) -> None:
    draw = random.Random(SEED)  # noqa: S311  of no secret
    hear(first := taken_in("o0", 20_000, JUNE))
    earned(first, time)
    seen = set[str]()
    for number in range(1, 11):
        time.now += timedelta(days=draw.choice([0, 1, 29, 31, 400, 800]), microseconds=draw.randint(1, 10**9))
        if draw.random() < 0.5:
            woken(time.now)
        price, tax, shipping = draw.randint(100, 40_000), draw.randint(0, 5000), draw.randint(0, 900)
        spent = draw.choice([0, draw.randint(1, available())])
        found = shown(time, price, points_spent=spent, total=price + tax + shipping)
        at = time.now
        time.now += timedelta(seconds=draw.randint(0, 300))
        if draw.random() < 0.5:
            woken(time.now)
        told = taken_in(f"o{number}", price, at, spent=spent, tax=tax, shipping=shipping)
        heard_first = draw.random() < 0.5
        if heard_first:
            hear(told)
        assert earned(told, time) == found, number
        if not heard_first:
            hear(told)
        seen |= found.keys()
    assert seen == {"base", BRONZE, SILVER, GOLD, LATELY, QUIET}


def test_whoever_had_left_a_segment_when_they_ordered_earns_nothing_by_it(time: Time) -> None:
    hear(taken_in("o0", 100, JUNE))
    time.now = JUNE + 60 * DAY
    assert shown(time, 100) == {"base": 1, QUIET: 16}
    late = [earned(taken_in(f"o{days}", 100, JUNE + days * DAY), time) for days in (10, 40)]
    assert late == [{"base": 1, LATELY: 8}, {"base": 1, QUIET: 16}]
    hear(placed_meanwhile := taken_in("o61", 100, time.now))
    assert earned(placed_meanwhile, time) == {"base": 1, QUIET: 16}


def test_a_tier_that_is_over_earns_no_more_which_takes_one_request_to_find_out(time: Time) -> None:
    earned(taken_in("o0", 100_000, JUNE), time)
    requests = []
    for time.now, tier in ((JUNE + DAY, GOLD), (datetime(2027, 1, 2, tzinfo=UTC), SILVER)):
        with metering() as meter:
            assert tier in shown(time, 100)
        requests.append(meter.requests)
    assert requests[1] == requests[0] + 1


def test_points_pay_for_taxes_and_shipping_of_a_cart_too(time: Time) -> None:
    earned(taken_in("o0", 100, JUNE), time)
    time.now = JUNE + DAY
    assert shown(time, 10_000, points_spent=6_000)["base"] == 40
    assert shown(time, 10_000, points_spent=6_000, total=12_000)["base"] == 50
