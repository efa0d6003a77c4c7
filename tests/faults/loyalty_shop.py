# tests/faults/loyalty_shop.py
"""Shops whose customers' points are moved in this process, and what is stored of them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from tests.faults import in_process

ZONE, CURRENCY = "Europe/Vienna", "EUR"
PASSES: Final = 200
"""Beyond that many repeats of one call, something is wrong."""


def found(shop: str) -> None:
    in_process.found_shop(shop, zone=ZONE, currency=CURRENCY)


def staff() -> Any:
    from crm.kernel.actor import Actor, Role

    return Actor(Role.STAFF, "s1")


def customer(shop: str, customer_id: str, *, now: datetime) -> None:
    from crm.customers.service import Customer
    from crm.kernel.change import Change

    change = Change(now)
    change.revise(Customer.of(shop, customer_id, now=now))
    change.commit()


def give(shop: str, customer_id: str, points: int, *, now: datetime, key: str = "given") -> None:
    from crm.loyalty import service as loyalty

    loyalty.adjust(shop, customer_id, points, reason="A gift", actor=staff(), idempotency_key=key, now=now)


def reward(shop: str, price: int, *, now: datetime, **said: Any) -> str:
    """One that anybody may redeem who has the points; its id."""
    from crm.loyalty.rewards import service as rewards

    fields = {"name": f"For {price}", "kind": rewards.RewardKind.CUSTOM, "price": price, **said}
    made = rewards.create(shop, rewards.RewardFields(**fields), actor=staff(), now=now)
    return str(made.definition.reward_id)


def final(call: Callable[[], Any]) -> tuple[Any, int]:
    """Repeat a call until it is answered or refused; the answer (None: refused), and how often it was made."""
    from botocore.exceptions import BotoCoreError, ClientError
    from pynamodb.exceptions import PynamoDBException

    from crm.kernel.errors import CrmError, Stale

    for number in range(1, PASSES):
        try:
            return call(), number
        except (Stale, PynamoDBException, ClientError, BotoCoreError):
            continue
        except CrmError as refusal:
            return type(refusal).__name__, number
    raise TimeoutError(f"no answer in {PASSES} calls")


def vouchers(shop: str, customer_id: str) -> list[int]:
    """What each that they have was redeemed for, in points."""
    from crm.loyalty.rewards import service as rewards

    found = rewards.list_redemptions(shop, customer_id, before=None, limit=100)
    return [int(one.points) for one in found if one.code]


def is_sound(shop: str, customer_id: str) -> bool:
    """Whether the ledger verifies, and its balance was never below zero."""
    from crm.loyalty import repository
    from crm.loyalty import service as loyalty

    findings = loyalty.verify(shop, customer_id).findings
    below = [entry.cause for entry in repository.list_all_entries(shop, customer_id) if entry.balance_after < 0]
    for each in [*findings[:5], *below[:5]]:
        print(f"{customer_id}: {each}", flush=True)
    return not findings and not below
