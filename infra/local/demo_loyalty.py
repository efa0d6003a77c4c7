# infra/local/demo_loyalty.py
"""The demo shop's programme, tiers and rewards: `python -m infra.local.demo_loyalty` defines what it has none of yet.

The programme counts from before the first of its purchases, so that they earn by it.
"""

import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from crm.kernel import clock
from crm.kernel.actor import SYSTEM
from crm.kernel.money import Money
from crm.loyalty import service
from crm.loyalty.rewards import service as rewards
from crm.loyalty.rewards.service import Limit, Period, Reward, RewardFields, RewardKind
from crm.loyalty.service import (
    Basis,
    Bonuses,
    Downgrade,
    Expiry,
    Programme,
    Rounding,
    Tier,
    Tiers,
    Window,
)
from infra.local.instance import DEMO_SHOP

REACHES_BACK: Final = timedelta(days=3 * 366)
"""The purchases are of a year and a half."""
TIERS: Final = Tiers(
    basis=Basis.SPEND,
    window=Window.ROLLING,
    downgrade=Downgrade.ONE_STEP,
    grace_days=14,
    notice_days=30,
    all=(
        Tier("tier_listener", "Listener", 50_00, ("A record's anniversary is told",)),
        Tier("tier_collector", "Collector", 150_00, ("First look at new arrivals", "Free returns")),
        Tier("tier_curator", "Curator", 400_00, ("All of Collector's", "A listening session a year")),
    ),
)
REWARDS: Final = (
    Reward(name="Free shipping", kind=RewardKind.SHIPPING, price=50, limit=Limit(1, Period.MONTH), voucher_days=30),
    Reward(name="10 dollars off", kind=RewardKind.DISCOUNT, price=150, amount=Money(10_00, "USD"), voucher_days=90),
    Reward(
        name="Signed test pressing", kind=RewardKind.CUSTOM, price=300, stock=15, limit=Limit(1),
        tiers=("tier_collector", "tier_curator"), description="Collected at the shop.",
    ),
)  # fmt: skip


def programme(before: Programme) -> Programme:
    """A point a dollar; what was earned can be spent two weeks later, and for a year to the end of that month."""
    return replace(
        before,
        return_window_days=14,
        expiry=Expiry(12, Rounding.MONTH),
        notice_days=30,
        bonuses=Bonuses(birthday=25),
        point_value=Decimal("0.05"),
        tiers=TIERS,
    )


def main() -> int:
    now = clock.now()
    if not service.newest_programme(DEMO_SHOP, now=now).number:
        day = datetime.combine((now - REACHES_BACK).date(), datetime.min.time(), UTC)
        service.edit_programme(DEMO_SHOP, programme, actor=SYSTEM, now=now, effective_at=day, expected_version=0)
    archived = rewards.list_archived(DEMO_SHOP, before=None, limit=100)
    known = {definition.reward.name for definition, _ in [*rewards.list_rewards(DEMO_SHOP), *archived]}
    tiers = service.newest_programme(DEMO_SHOP, now=now).programme.tiers.names
    for reward in REWARDS:
        if reward.name not in known and tiers.keys() >= {*reward.tiers}:  # it may have defined others by now
            fields = RewardFields(**{name: getattr(reward, name) for name in reward.__struct_fields__})
            rewards.create(DEMO_SHOP, fields, actor=SYSTEM, now=now)
    return 0


if __name__ == "__main__":
    sys.exit(main())
