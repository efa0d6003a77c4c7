# tests/integration/rewards.py
"""Rewards of the shop `demo`, as tests make and redeem them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from crm.customers.service import Customer, take_snapshot
from crm.kernel.change import Change
from crm.loyalty.rewards import service as rewards
from tests.integration.points import ANN, BEA, STAFF, adjust

SINCE = datetime(2025, 6, 1, tzinfo=UTC)


@pytest.fixture
def customers(shop: None, now: datetime) -> None:
    """Ann has 1,000 points, Bea has 100."""
    founded(ANN)
    founded(BEA)
    adjust(1_000, now)
    adjust(100, now, customer_id=BEA)


def founded(customer_id: str = ANN, **profile: Any) -> Customer:
    customer = Customer.of("demo", customer_id, now=SINCE)
    for name, value in profile.items():
        setattr(customer, name, value)
    change = Change(SINCE)
    change.revise(customer)
    change.commit()
    return customer


def reward(now: datetime, **said: Any) -> str:
    """A mug for 100 points, unless something else is said; its id."""
    fields = {"name": unused("A mug"), "kind": rewards.RewardKind.PRODUCT, "price": 100, "sku": "mug", **said}
    made = rewards.create("demo", rewards.RewardFields(**fields), actor=STAFF, now=now)
    return str(made.definition.reward_id)


def unused(name: str) -> str:
    """The name, or one like it that no reward has."""
    known = {each.reward.name for each, _ in rewards.list_rewards("demo")}
    return next(each for n in range(1, 99) if (each := name if n == 1 else f"{name} {n}") not in known)


def offered(customer_id: str, now: datetime) -> list[rewards.Offer]:
    return rewards.offered(take_snapshot("demo", customer_id), rewards.list_rewards("demo"), now=now)


def usable(now: datetime, customer_id: str = ANN) -> list[str]:
    """The redemptions whose vouchers can be used, by their ids, those first that end first."""
    found = rewards.list_usable("demo", customer_id, after=None, limit=50, now=now)
    return [one.redemption_id for _, one in found]


def redeem(
    reward_id: str, now: datetime, *, key: str = "k1", customer_id: str = ANN, themselves: bool = False
) -> rewards.Redeemed:
    return rewards.redeem(
        "demo", customer_id, reward_id, actor=STAFF, idempotency_key=key, now=now, themselves=themselves
    )


def cancel(redeemed: rewards.Redeemed, now: datetime) -> rewards.Redeemed:
    one = redeemed.redemption
    return rewards.cancel("demo", one.customer_id, one.redemption_id, actor=STAFF, now=now)


def use(code: str | None, now: datetime, *, key: str = "u1", order_id: str | None = None) -> rewards.Redeemed:
    return rewards.use_voucher("demo", code or "", order_id=order_id, actor=STAFF, idempotency_key=key, now=now)


def left(reward_id: str) -> int | None:
    return rewards.get("demo", reward_id)[1].left


def statuses(customer_id: str = ANN) -> list[str]:
    return [one.status for one in rewards.list_redemptions("demo", customer_id, before=None, limit=50)]


def overtaking(read: Callable[..., Any], meanwhile: list[Callable[[], Any]]) -> Callable[..., Any]:
    """`read`, and once behind it what happens `meanwhile`, before whoever reads writes."""

    def read_and_be_overtaken(*arguments: Any, **named: Any) -> Any:
        answer = read(*arguments, **named)
        if meanwhile:
            meanwhile.pop()()
        return answer

    return read_and_be_overtaken
