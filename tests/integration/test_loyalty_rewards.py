# tests/integration/test_loyalty_rewards.py
"""Rewards defined and redeemed: as they are stored, and at once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from crm.customers import service as customers_service
from crm.customers.service import CustomerBlocked, CustomerDeleted, SegmentsHead, SegmentState
from crm.kernel.change import Change
from crm.kernel.errors import InvalidInputs, KeyReused, NotFound, VersionMismatch
from crm.kernel.money import Money
from crm.kernel.table import Item, client
from crm.loyalty import repository, service
from crm.loyalty.redemptions import repository as redemption_repository
from crm.loyalty.rewards import repository as reward_repository
from crm.loyalty.rewards import service as rewards
from crm.loyalty.rewards.service import Limit, Period, Reason
from tests.integration.points import ANN, BEA, STAFF, adjust, balances, programme, tier
from tests.integration.rewards import (
    cancel,
    customers,
    founded,
    left,
    offered,
    overtaking,
    redeem,
    reward,
    statuses,
    use,
)

pytestmark = pytest.mark.usefixtures("shop", "programme", "customers")
__all__ = ["customers", "programme"]

DAY = timedelta(days=1)


def said(**fields: Any) -> rewards.RewardFields:
    return rewards.RewardFields(**fields)


def in_segment(*segment_ids: str, flips_at: datetime | None = None, now: datetime) -> None:
    head = SegmentsHead.of("demo", ANN)
    head.open = [
        SegmentState(segment_id=each, entered_at=now - DAY, entered_cause="event:e1", flips_at=flips_at)
        for each in segment_ids
    ]
    change = Change(now)
    change.revise(head)
    change.commit()


# --- definitions


def test_each_version_of_a_reward_is_kept(now: datetime) -> None:
    mug = reward(now)
    rewards.update("demo", mug, said(price=80), actor=STAFF, now=now + DAY)
    rewards.update("demo", mug, said(price=80), actor=STAFF, now=now + DAY)
    archived = rewards.archive("demo", mug, actor=STAFF, now=now + 2 * DAY, expected_version=2)
    assert int(archived.definition.rev) == 3
    versions = rewards.list_versions("demo", mug, before=None, limit=9)
    assert [(int(one.version), one.document["price"]) for one in versions] == [(3, 80), (2, 80), (1, 100)]
    assert [int(one.version) for one in rewards.list_versions("demo", mug, before=3, limit=1)] == [2]


def test_whoever_decided_by_an_older_version_is_told(now: datetime) -> None:
    mug = reward(now)
    rewards.update("demo", mug, said(price=80), actor=STAFF, now=now)
    with pytest.raises(VersionMismatch):
        rewards.update("demo", mug, said(price=70), actor=STAFF, now=now, expected_version=1)
    with pytest.raises(VersionMismatch):
        rewards.archive("demo", mug, actor=STAFF, now=now, expected_version=1)


def test_two_edits_at_once_both_count(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    mug = reward(now)
    theirs = [lambda: rewards.update("demo", mug, said(name="A cup"), actor=STAFF, now=now)]
    monkeypatch.setattr(reward_repository, "get_reward", overtaking(reward_repository.get_reward, theirs))
    mine = rewards.update("demo", mug, said(price=80), actor=STAFF, now=now)
    assert (mine.definition.reward.name, mine.definition.reward.price) == ("A cup", 80)


def test_what_is_archived_is_neither_redeemed_nor_changed_any_more(now: datetime) -> None:
    mug = reward(now)
    for _ in range(2):
        rewards.archive("demo", mug, actor=STAFF, now=now)
    with pytest.raises(service.Archived):
        rewards.update("demo", mug, said(price=80), actor=STAFF, now=now)
    with pytest.raises(rewards.NotEligible) as told:
        redeem(mug, now)
    assert told.value.reasons == (Reason.ARCHIVED,)


def test_a_shop_has_no_rewards_without_end(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reward_repository, "MOST_REWARDS", 2)
    mug, cup = reward(now), reward(now)
    with pytest.raises(rewards.TooManyRewards):
        reward(now)
    for _ in range(2):  # what is archived once frees one place
        rewards.archive("demo", mug, actor=STAFF, now=now)
    new = reward(now)
    with pytest.raises(rewards.TooManyRewards):
        reward(now)
    assert [each.reward_id for each, _ in rewards.list_rewards("demo")] == sorted([cup, new])


def test_the_archived_are_a_list_of_their_own_with_the_last_first(now: datetime) -> None:
    made = [reward(now, stock=n + 1) for n in range(3)]
    for n, each in enumerate(made):
        rewards.archive("demo", each, actor=STAFF, now=now + n * DAY)
    page = rewards.list_archived("demo", before=None, limit=2)
    assert [(each.reward_id, stock.total) for each, stock in page] == [(made[2], 3), (made[1], 2)]
    rest = rewards.list_archived("demo", before=page[-1][0].timeline_key, limit=2)
    assert [each.reward_id for each, _ in rest] == [made[0]]
    assert rewards.list_rewards("demo") == []
    both = Item.timeline_key.startswith("REWARD")
    assert list(Item.query("SHOP#demo#LOYALTY", both, index_name="timeline")) == []  # nor their stocks


def test_two_rewards_that_can_be_redeemed_have_no_one_name(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    mug, cup = reward(now, name="A mug"), reward(now, name="A cup")
    for attempt in (
        lambda: reward(now, name="a MUG"),
        lambda: reward(now, name=" A mug "),
        lambda: reward(now, name="A\u00a0 mug"),
        lambda: rewards.update("demo", cup, said(name="A mug"), actor=STAFF, now=now),
    ):
        with pytest.raises(InvalidInputs) as told:
            attempt()
        assert [(fault.path, fault.code) for fault in told.value.faults] == [("name", "TAKEN")]
    rewards.update("demo", mug, said(name="A Mug"), actor=STAFF, now=now)
    theirs = [lambda: rewards.update("demo", mug, said(name="A tumbler"), actor=STAFF, now=now)]
    with monkeypatch.context() as patched:
        patched.setattr(reward_repository, "get_reward", overtaking(reward_repository.get_reward, theirs))
        rewards.update("demo", mug, said(name="A tumbler"), actor=STAFF, now=now)
    rewards.update("demo", mug, said(name="A glass"), actor=STAFF, now=now)
    rewards.update("demo", cup, said(name="A mug"), actor=STAFF, now=now)
    rewards.archive("demo", cup, actor=STAFF, now=now)
    reward(now, name="A mug")


def test_what_is_off_is_money_of_the_programme(now: datetime) -> None:
    off = {"kind": rewards.RewardKind.DISCOUNT, "sku": None}
    with pytest.raises(InvalidInputs) as told:
        reward(now, **off, amount=Money(500, "USD"), valid_until=now)
    assert [fault.path for fault in told.value.faults] == ["amount.currency_code", "valid_until"]
    five = reward(now, **off, amount=Money(500, "EUR"))
    rewards.update("demo", five, said(valid_until=now), actor=STAFF, now=now)  # ended at once


def test_a_reward_of_another_shop_is_not_there(now: datetime) -> None:
    mug = reward(now)
    with pytest.raises(NotFound):
        rewards.get("other", mug)


# --- redeeming


def test_a_reward_is_redeemed_for_its_price_and_a_code(now: datetime) -> None:
    mug = reward(now, voucher_days=10)
    redeemed = redeem(mug, now)
    one = redeemed.redemption
    assert (redeemed.replayed, one.status, int(one.points)) == (False, "FULFILLED", 100)
    assert one.voucher_until == datetime.fromisoformat("2026-03-20T23:00:00Z")  # the 20th is the last day in Vienna
    assert balances() == (900, 0, 0)
    assert rewards.find_voucher("demo", rewards.shown(one.code or "")).redemption_id == one.redemption_id
    causes = [f"hold:{one.redemption_id}:{effect}" for effect in ("hold", "capture")]
    assert [repository.get_entry("demo", ANN, cause) is not None for cause in causes] == [True, True]


def test_a_key_redeems_once_and_is_answered_alike_each_time(now: datetime) -> None:
    mug, cup = reward(now, stock=5), reward(now)
    first, again = redeem(mug, now), redeem(mug, now + DAY)
    assert (first.replayed, again.replayed) == (False, True)
    assert (first.redemption.code, first.redemption.rev) == (again.redemption.code, again.redemption.rev)
    with pytest.raises(KeyReused):
        redeem(cup, now)
    with pytest.raises(KeyReused):
        rewards.redeem("demo", ANN, mug, actor=STAFF, idempotency_key="k1", now=now, expected_points=100)
    assert balances() == (900, 0, 0)
    assert left(mug) == 4


def test_what_was_promised_stays_whatever_becomes_of_the_reward(now: datetime) -> None:
    mug = reward(now)
    redeem(mug, now)
    rewards.update("demo", mug, said(price=80, name="A cup"), actor=STAFF, now=now)
    rewards.archive("demo", mug, actor=STAFF, now=now)
    again = redeem(mug, now).redemption
    assert (again.reward["name"], int(again.reward_version), int(again.points)) == ("A mug", 1, 100)
    assert use(again.code, now).redemption.status == "USED"


def test_a_refusal_takes_nothing_and_leaves_its_key_free(now: datetime) -> None:
    mug = reward(now, price=1_001, stock=1, limit=Limit(1))
    with pytest.raises(service.InsufficientPoints) as told:
        redeem(mug, now)
    assert (told.value.available, told.value.required, told.value.field) == (1_000, 1_001, "reward_id")
    assert (balances(), left(mug), statuses()) == ((1_000, 0, 0), 1, [])
    adjust(1, now, key="k2")
    assert not redeem(mug, now).replayed


def test_what_makes_no_sense_is_told_at_once(now: datetime) -> None:
    with pytest.raises(InvalidInputs):
        redeem(reward(now), now, key="")
    with pytest.raises(NotFound):
        redeem("rwd_x", now)
    with pytest.raises(NotFound):
        redeem(reward(now), now, customer_id="cus_9")


def test_whoever_takes_no_part_redeems_nothing(now: datetime) -> None:
    mug = reward(now)
    founded("cus_b", status="blocked")
    founded("cus_d", status="deleted")
    for customer_id in ("cus_b", "cus_d"):
        with pytest.raises(CustomerBlocked):
            redeem(mug, now, customer_id=customer_id, themselves=True)
    with pytest.raises(CustomerDeleted):
        redeem(mug, now, customer_id="cus_d")


def test_points_that_are_due_to_expire_buy_nothing(now: datetime) -> None:
    with pytest.raises(service.InsufficientPoints):
        redeem(reward(now), now + 40 * DAY)


# --- stock and limits


def test_the_last_piece_is_sold_once(now: datetime) -> None:
    mug = reward(now, stock=1)
    redeem(mug, now)
    with pytest.raises(rewards.OutOfStock):
        redeem(mug, now, customer_id=BEA)
    assert balances(BEA) == (100, 0, 0)


def test_two_who_take_the_last_piece_at_once_do_not_both_get_it(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    mug = reward(now, stock=1)
    theirs = [lambda: redeem(mug, now, customer_id=BEA)]
    monkeypatch.setattr(reward_repository, "get_for_redeeming", overtaking(reward_repository.get_for_redeeming, theirs))
    with pytest.raises(rewards.OutOfStock):
        redeem(mug, now)
    assert (balances(), balances(BEA), left(mug)) == ((1_000, 0, 0), (0, 0, 0), 0)


def test_nothing_is_sold_out_of_which_there_is_any_number_meanwhile(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    mug = reward(now, stock=5)
    theirs = [lambda: rewards.update("demo", mug, said(stock=None), actor=STAFF, now=now)]
    monkeypatch.setattr(reward_repository, "get_for_redeeming", overtaking(reward_repository.get_for_redeeming, theirs))
    redeemed = redeem(mug, now)
    assert redeemed.redemption.status == "FULFILLED"
    cancel(redeemed, now)
    rewards.update("demo", mug, said(stock=5), actor=STAFF, now=now)
    assert left(mug) == 5


def test_a_stock_that_is_raised_sells_as_many_more_and_one_that_is_lowered_none(now: datetime) -> None:
    mug = reward(now, stock=2)
    redeem(mug, now)
    for total, then in ((5, 4), (1, 0), (None, None), (3, 2)):
        rewards.update("demo", mug, said(stock=total), actor=STAFF, now=now)
        assert left(mug) == then


def test_a_stock_is_never_less_than_was_taken_whoever_takes_one_meanwhile(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    mug = reward(now, stock=5)
    redeem(mug, now)
    with pytest.raises(InvalidInputs) as told:
        rewards.update("demo", mug, said(stock=0, price=0), actor=STAFF, now=now)
    assert [fault.path for fault in told.value.faults] == ["price", "stock"]
    theirs = [lambda: redeem(mug, now, key="theirs")]
    monkeypatch.setattr(reward_repository, "get_reward", overtaking(reward_repository.get_reward, theirs))
    with pytest.raises(InvalidInputs):
        rewards.update("demo", mug, said(stock=1), actor=STAFF, now=now)
    assert left(mug) == 3


def test_what_was_redeemed_while_there_was_any_number_gives_no_piece_back(now: datetime) -> None:
    mug = reward(now)
    redeemed = redeem(mug, now)
    rewards.update("demo", mug, said(stock=1), actor=STAFF, now=now)
    cancel(redeemed, now)
    assert left(mug) == 1
    redeem(mug, now, key="k2")
    with pytest.raises(rewards.OutOfStock):
        redeem(mug, now, key="k3")


def test_a_customer_redeems_no_more_than_the_limit_of_a_period(now: datetime) -> None:
    mug = reward(now, limit=Limit(1, Period.WEEK))
    redeem(mug, now)
    redeem(mug, now, customer_id=BEA)
    for days in (0, 5):
        with pytest.raises(rewards.LimitReached):
            redeem(mug, now + days * DAY, key="k2")
    redeem(mug, now + 6 * DAY, key="k2")


def test_a_limit_that_is_drawn_later_counts_what_was_redeemed_before(now: datetime) -> None:
    mug = reward(now)
    redeem(mug, now)
    rewards.update("demo", mug, said(limit=Limit(1, Period.YEAR)), actor=STAFF, now=now)
    with pytest.raises(rewards.LimitReached):
        redeem(mug, now + DAY, key="k2")


def test_one_who_redeems_twice_at_once_stays_within_the_limit(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    mug = reward(now, limit=Limit(1))
    theirs = [lambda: redeem(mug, now, key="theirs")]
    monkeypatch.setattr(reward_repository, "get_for_redeeming", overtaking(reward_repository.get_for_redeeming, theirs))
    with pytest.raises(rewards.LimitReached):
        redeem(mug, now, key="mine")
    assert balances() == (900, 0, 0)


def test_one_key_used_twice_at_once_redeems_once(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    mug = reward(now)
    theirs = [lambda: redeem(mug, now)]
    monkeypatch.setattr(reward_repository, "get_for_redeeming", overtaking(reward_repository.get_for_redeeming, theirs))
    assert redeem(mug, now).replayed
    assert (balances(), statuses()) == ((900, 0, 0), ["FULFILLED"])


# --- segments and tiers


def test_a_reward_for_members_of_a_segment_is_for_no_others(now: datetime) -> None:
    mug = reward(now, segments=("seg_1",))
    with pytest.raises(rewards.NotEligible) as told:
        redeem(mug, now)
    assert told.value.reasons == (Reason.SEGMENT,)
    in_segment("seg_1", flips_at=now + DAY, now=now)
    redeem(mug, now)
    with pytest.raises(rewards.NotEligible):
        redeem(mug, now + DAY, key="k2")


def test_whoever_leaves_the_segment_meanwhile_does_not_redeem(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    mug = reward(now, segments=("seg_1",))
    in_segment("seg_1", now=now)

    def leave() -> None:
        head = customers_service.take_snapshot("demo", ANN).head(SegmentsHead)
        assert head is not None
        head.open = []
        change = Change(now)
        change.revise(head)
        change.commit()

    monkeypatch.setattr(
        reward_repository, "get_for_redeeming", overtaking(reward_repository.get_for_redeeming, [leave])
    )
    with pytest.raises(rewards.NotEligible):
        redeem(mug, now)


def test_whoever_is_blocked_meanwhile_does_not_redeem(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    mug = reward(now)

    def block() -> None:
        profile = customers_service.get("demo", ANN)
        profile.status = "blocked"
        change = Change(now)
        change.revise(profile)
        change.commit()

    monkeypatch.setattr(
        reward_repository, "get_for_redeeming", overtaking(reward_repository.get_for_redeeming, [block])
    )
    with pytest.raises(CustomerBlocked):
        redeem(mug, now, themselves=True)
    assert balances() == (1_000, 0, 0)


def deleted(now: datetime) -> Callable[[], object]:
    return lambda: customers_service.delete("demo", ANN, now=now)


def test_whoever_is_deleted_before_their_voucher_is_made_has_none_and_nothing_is_kept_of_them(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    mug = reward(now, stock=1)
    looked = overtaking(customers_service.get, [deleted(now)])  # looked at, and deleted before it is committed
    monkeypatch.setattr(customers_service, "get", looked)
    with pytest.raises(CustomerDeleted):
        redeem(mug, now)
    assert (balances(), statuses(), left(mug)) == ((900, 0, 100), ["HELD"], 0)
    service.settle("demo", ANN, now=now + timedelta(minutes=15))
    assert (balances(), statuses(), left(mug)) == ((1_000, 0, 0), ["RELEASED"], 1)


def test_staff_cancel_nothing_for_whoever_is_deleted_meanwhile(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    redeemed = redeem(reward(now), now)
    looked = overtaking(redemption_repository.get_redemption, [deleted(now)])
    monkeypatch.setattr(redemption_repository, "get_redemption", looked)
    with pytest.raises(CustomerDeleted):
        cancel(redeemed, now)
    assert (balances(), statuses()) == ((900, 0, 0), ["FULFILLED"])


# --- as customers see them


def test_a_customer_sees_what_they_may_redeem_and_why_not_the_others(now: datetime) -> None:
    reward(now)
    reward(now, name="Gold", tiers=(tier(now),), price=5_000)
    reward(now, name="Soon", valid_from=now + DAY)
    reward(now - DAY, name="Gone", valid_until=now)
    rewards.archive("demo", reward(now, name="Archived"), actor=STAFF, now=now)
    once = reward(now, name="Once", limit=Limit(1), stock=1)
    redeem(once, now)
    told = {offer.reward.name: offer.reasons for offer in offered(ANN, now)}
    assert told == {
        "A mug": (),
        "Gold": (Reason.TIER, Reason.INSUFFICIENT_POINTS),
        "Once": (Reason.LIMIT_REACHED, Reason.OUT_OF_STOCK),
    }


def test_staff_see_who_may_redeem_a_reward_before_there_is_one(now: datetime) -> None:
    def seen(**asked: Any) -> tuple[Reason, ...]:
        return rewards.preview("demo", BEA, now=now, **asked)

    draft = said(name="A mug", kind=rewards.RewardKind.CUSTOM, price=101, stock=0)
    assert seen(said=draft) == (Reason.OUT_OF_STOCK, Reason.INSUFFICIENT_POINTS)
    mug = reward(now, stock=1, limit=Limit(1))
    redeem(mug, now)
    assert seen(reward_id=mug) == (Reason.OUT_OF_STOCK,)
    assert seen(reward_id=mug, said=said(stock=2, price=200)) == (Reason.INSUFFICIENT_POINTS,)
    with pytest.raises(InvalidInputs):
        seen(said=said(price=3))


def test_many_rewards_cost_no_more_requests_than_one(now: datetime) -> None:
    mug = reward(now)
    redeem(mug, now)
    few = requests(lambda: offered(ANN, now))
    for _ in range(4):
        reward(now)
    assert requests(lambda: offered(ANN, now)) == few
    assert few == {"Query": 3}  # the customer's heads, their uses, the shop's rewards
    assert requests(lambda: redeem(mug, now, key="k2")) == {
        "Query": 4, "BatchGetItem": 1, "GetItem": 3, "TransactWriteItems": 2,
    }  # fmt: skip


def requests(ask: Any) -> dict[str, int]:
    counted: dict[str, int] = {}

    def count(model: Any, **_: Any) -> None:
        counted[model.name] = counted.get(model.name, 0) + 1

    events = client().meta.events
    events.register("before-call.dynamodb", count)
    try:
        ask()
    finally:
        events.unregister("before-call.dynamodb", count)
    return counted
