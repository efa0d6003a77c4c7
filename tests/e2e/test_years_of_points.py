# tests/e2e/test_years_of_points.py
"""Points and tiers by the clock, on a system whose years may pass: nobody shares it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.lives import Life
from tests.local_system import running

SHOP: Final = "years"
PROGRAMME: Final = {"returnWindowDays": 14, "expiry": {"months": 12}, "noticeDays": 30, "signupPoints": 25}
RULES: Final = {"basis": "SPEND", "window": "ROLLING", "downgrade": "ONE_STEP", "graceDays": 10, "noticeDays": 30}
TIERS: Final = {"Silver": "150", "Gold": "300", "Platinum": "1000"}


@pytest.fixture
def ann(tmp_path: Path) -> Iterator[Life]:
    with running(tmp_path / "system") as system:
        system.found_shop(SHOP, segments={})
        yield Life(system, SHOP, "ann")


def test_points_and_tiers_come_and_go_by_the_clock_and_each_change_is_told_once(ann: Life, tmp_path: Path) -> None:
    ann.begins()
    mug = _define(ann)
    _earn_and_redeem(ann, mug)
    _be_given_a_tier(ann)
    _lose_points_and_tier(ann)
    _do_nothing(ann)

    assert _posted(ann) == [
        ("earn", 0, 0, ann.at(3, 2, 12)),  # pending
        ("earn", 25, 25, ann.at(3, 2, 12)),
        ("earn", 0, 25, ann.at(3, 10, 12)),
        ("reverse", 0, 25, ann.at(3, 12, 12)),
        ("mature", 100, 125, ann.at(3, 17)),
        ("mature", 200, 325, ann.at(3, 25)),
        ("hold", -120, 205, ann.at(3, 26, 12)),
        ("capture", 0, 205, ann.at(3, 26, 12)),
        ("expire", -5, 200, ann.at(3, 3, years=1)),
        ("expire", -200, 0, ann.at(3, 11, years=1)),
        ("earn", 0, 0, ann.at(3, 20, 12, years=1)),
        ("mature", 40, 40, ann.at(4, 4, years=1)),
        ("expire", -40, 0, ann.at(9, 21, years=1)),
    ]
    assert [(told["points"], ann.hour_of(told["expiresAt"])) for told in ann.told("points.expiring")] == [
        (5, ann.at(3, 3, years=1)),
        (200, ann.at(3, 11, years=1)),
        (40, ann.at(9, 21, years=1)),
    ]
    assert _tiers_changed(ann) == [
        (None, "Silver", "ATTAINED", ann.at(3, 2, 12)),
        ("Silver", "Gold", "ATTAINED", ann.at(3, 10, 12)),
        ("Gold", "Platinum", "OVERRIDDEN", ann.at(3, 26, 12)),
        ("Platinum", "Gold", "OVERRIDE_ENDED", ann.at(7, 1)),
        ("Gold", "Silver", "ENDED", ann.at(3, 12, years=1)),
    ]
    (upcoming,) = ann.told("tier.downgrade_upcoming")
    assert (upcoming["tier"], upcoming["nextTier"], upcoming["missing"]) == ("Gold", "Silver", 300_00)
    assert upcoming["endsOn"] == ann.at(3, 12, years=1).date().isoformat()

    assert ann.shown("loyalty { verify { intact entryCount } }")["verify"] == {"intact": True, "entryCount": 13}
    verified = ann.verified(tmp_path)
    assert (verified.returncode, verified.stderr) == (0, "")
    assert verified.stdout == "1 accounts, 13 entries, 0 accounts not as they were posted\n"


def _define(ann: Life) -> str:
    """From this midnight on, and the rest minutes later: by the first order all counts. The id of a reward."""
    ann.does("loyaltyProgrammeUpdate", PROGRAMME | {"effectiveAt": ann.at(3, 1).isoformat()})
    ann.does("loyaltyTiersUpdate", RULES)
    for name, threshold in TIERS.items():
        ann.does("loyaltyTierCreate", {"name": name, "threshold": threshold})
    mug = {"name": "A mug", "kind": "PRODUCT", "sku": "MUG", "price": 120}
    return str(ann.does("loyaltyRewardCreate", mug, "reward { rewardId }")["reward"]["rewardId"])


def _earn_and_redeem(ann: Life, mug: str) -> None:
    """A spring."""
    ann.tells("customer.updated", {})

    # 200.00 earn 200 points, which wait for two weeks; for joining there are 25 more, which do not.
    ann.comes_to(3, 2)
    ann.orders("a", quantity=2, price="100.00")
    assert ann.points() == (25, 200)
    assert _tier(ann) == "Silver"

    # Another 200.00 are 400.00 in all; of the first 100.00 are refunded before they have matured: 200 + 200 - 100.
    ann.comes_to(3, 10)
    ann.orders("b", quantity=2, price="100.00")
    assert _tier(ann) == "Gold"
    ann.comes_to(3, 12)
    refund = {"refundId": "r", "orderId": "a", "currency": "EUR", "lines": [{"lineId": "1", "quantity": 1}]}
    ann.tells("refund.created", refund, customer=False)
    assert ann.points() == (25, 300)
    assert _tier(ann) == "Gold"

    # Both windows are over. Of 25 + 300 a mug takes 120: the 25 and 95 of the first order, of which 5 are left.
    ann.comes_to(3, 26)
    assert ann.points() == (325, 0)  # asked at once: what no timer has told is computed
    ann.hears("points.posted", 6)
    assert ann.points() == (325, 0)
    _redeem(ann, mug)
    assert ann.points() == (205, 0)
    assert ann.shown("loyalty { expiringPoints { nodes { points } } }") == {
        "expiringPoints": {"nodes": [{"points": 5}, {"points": 200}]}
    }


def _be_given_a_tier(ann: Life) -> None:
    """Platinum until 1 July; then what was reached counts again."""
    _give(ann, "Platinum", until=ann.at(7, 1).isoformat())
    assert _tier(ann) == "Platinum"
    ann.comes_to(7, 2)
    ann.hears("tier.changed", 4)
    assert _tier(ann) == "Gold"


def _lose_points_and_tier(ann: Life) -> None:
    """Points live for a year, to the end of that day: 5 to 2 March, 200 to 10 March. Of 300.00 in twelve months 100.00
    are too old on 2 March; ten days later Gold ends, and of the twelve months before that nothing is there yet.
    """
    ann.comes_to(2, 12, years=1)
    ann.hears("points.expiring", 2)
    ann.hears("tier.downgrade_upcoming", 1)
    assert ann.points() == (205, 0)
    ann.comes_to(3, 13, years=1)
    ann.hears("tier.changed", 5)
    ann.hears("points.posted", 10)
    assert ann.points() == (0, 0)
    assert _tier(ann) == "Silver"


def _do_nothing(ann: Life) -> None:
    """From now on points live for as long as somebody does something, and six months: 40 to 20 September."""
    ann.does("loyaltyProgrammeUpdate", {"expiry": {"months": 6, "kind": "INACTIVITY"}})
    ann.comes_to(3, 20, years=1)
    ann.orders("c", quantity=1, price="40.00")
    assert ann.points() == (0, 40)
    ann.comes_to(8, 23, years=1)
    ann.hears("points.expiring", 3)
    assert ann.points() == (40, 0)
    ann.comes_to(9, 22, years=1)
    ann.hears("points.posted", 13)
    assert ann.points() == (0, 0)


def _redeem(ann: Life, reward: str) -> None:
    """By the customer, whose voucher the shop uses."""
    assert ann.shown("loyalty { rewards { redeemable } }")["rewards"] == [{"redeemable": True}]
    said = {"rewardId": reward, "expectedPoints": 120, "idempotencyKey": "mug"}
    for replayed in (False, True):
        made = ann.does("loyaltyRewardRedeem", said, "replayed redemption { code }", themselves=True)
        assert made["replayed"] is replayed
    voucher = {"code": made["redemption"]["code"], "idempotencyKey": "till"}
    used = ann.does("loyaltyVoucherUse", voucher, "redemption { status points }")
    assert used["redemption"] == {"status": "USED", "points": 120}


def _give(ann: Life, tier: str, *, until: str) -> None:
    defined = ann.system.ask("{ loyaltyTiers { tiers { id name } } }", shop=SHOP)["loyaltyTiers"]["tiers"]
    (given,) = (each["id"] for each in defined if each["name"] == tier)
    said = {"customer": ann.shown("id"), "tier": given, "until": until, "reason": "A guest"}
    ann.does("loyaltyTierOverride", said)


def _tier(ann: Life) -> str:
    return str(ann.shown("loyalty { tier { name } }")["tier"]["name"])


def _posted(ann: Life) -> list[tuple[Any, ...]]:
    """Every entry: by how much what can be spent moved, to how much, and as of when."""
    return [
        (told["movement"], told["points"], told["balanceAfter"], ann.hour_of(told["occurredAt"]))
        for told in ann.told("points.posted")
    ]


def _tiers_changed(ann: Life) -> list[tuple[Any, ...]]:
    return [
        (told["previousTier"], told["tier"], told["reason"], ann.hour_of(told["occurredAt"]))
        for told in ann.told("tier.changed")
    ]
