# tests/integration/infra/test_demo_loyalty.py
from datetime import timedelta

import pytest

from crm.kernel import clock
from crm.loyalty import service
from crm.loyalty.programmes.faults import of_fields
from crm.loyalty.rewards import service as rewards
from crm.shops import service as shops
from infra.local.demo_loyalty import REWARDS, TIERS, main

pytestmark = pytest.mark.usefixtures("shop")


def test_the_demo_shop_has_a_programme_for_its_oldest_purchases_and_rewards_once() -> None:
    shops.update("demo", shops.ShopFields(currency="USD"))
    assert main() == 0
    assert main() == 0
    now = clock.now()
    version = service.version_in_force("demo", at=now - timedelta(days=2 * 366), now=now)
    assert (version.number, version.programme.tiers) == (1, TIERS)
    plain = ("point_value", "return_window_days", "grace_days", "notice_days")
    given = {"signup_points": version.programme.bonuses.signup, "birthday_points": version.programme.bonuses.birthday}
    assert of_fields(given | {name: getattr(version.programme, name) for name in plain}) == []
    assert version.programme.bonuses.events == ()
    assert sorted(one.reward.name for one, _ in rewards.list_rewards("demo")) == sorted(one.name for one in REWARDS)


def test_the_demo_shops_tiers_are_apart_and_its_rewards_ask_for_tiers_that_there_are() -> None:
    thresholds = [tier.threshold for tier in TIERS.all]
    assert thresholds == sorted(set(thresholds))
    assert {tier for reward in REWARDS for tier in reward.tiers} <= {tier.id for tier in TIERS.all}
