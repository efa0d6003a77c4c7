# tests/unit/loyalty/test_redemptions.py
"""How often rewards were redeemed, and what becomes of vouchers in time."""

from datetime import UTC, date, datetime, timedelta

import pytest

from crm.kernel.change import Change
from crm.kernel.errors import Stale
from crm.loyalty.redemptions import ending
from crm.loyalty.redemptions.models import Redemption, RedemptionStatus, RewardUses

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY, DAY = date(2026, 3, 10), timedelta(days=1)


def redemption(counted_on: date) -> Redemption:
    made = Redemption.of("demo", "cus_1", "rdn_1")
    made.reward_id, made.took_stock, made.counted_on = "rwd_1", False, counted_on.isoformat()
    return made


def uses(days: dict[date, int]) -> RewardUses:
    made = RewardUses.of("demo", "cus_1", "rwd_1")
    made.days, made.ever = {str(day): count for day, count in days.items()}, sum(days.values())
    return made


def test_uses_are_kept_by_day_for_a_year_and_counted_for_ever() -> None:
    counted = uses({TODAY - 366 * DAY: 1, TODAY - 365 * DAY: 2})
    ending.take(Change(NOW), "demo", redemption(TODAY), counted, otherwise=Stale())
    assert counted.by_day() == {TODAY - 365 * DAY: 2, TODAY: 1}
    assert counted.ever == 4


def test_what_was_given_back_and_is_not_counted_any_more_lets_nobody_redeem_once_more() -> None:
    gone, counted = uses({TODAY - DAY: -1, TODAY: -1}), uses({TODAY: 1})
    ending.hand_over(Change(NOW), gone, counted)
    assert (counted.by_day(), counted.ever) == ({}, 0)
    assert (gone.by_day(), gone.ever, gone.moved) == ({}, 0, True)


@pytest.mark.parametrize("status", RedemptionStatus)
def test_only_a_voucher_that_could_be_used_expires(status: RedemptionStatus) -> None:
    made = redemption(TODAY)
    made.status, made.voucher_until = status, NOW
    expired = RedemptionStatus.EXPIRED if status is RedemptionStatus.FULFILLED else status
    assert [ending.status_at(made, at) for at in (NOW - DAY, NOW)] == [status, expired]
