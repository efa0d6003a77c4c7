# tests/integration/test_loyalty_vouchers.py
"""Redemptions interrupted and cancelled, and their vouchers used: as they are stored, and at once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crm.customers import service as customers_service
from crm.customers.service import CustomerBlocked
from crm.intake.changes import events_of
from crm.kernel import change
from crm.kernel.change import Change
from crm.kernel.errors import InvalidInputs, KeyReused, NotFound, Stale
from crm.loyalty import holding, repository, service
from crm.loyalty.redemptions import codes, ending
from crm.loyalty.redemptions import repository as redemptions
from crm.loyalty.redemptions.models import Redemption, UsableVoucher
from crm.loyalty.rewards import service as rewards
from crm.loyalty.rewards.service import Limit
from crm.orders.events import OrderRecorded
from crm.orders.models import Order
from tests.integration.points import ANN, BEA, STAFF, balances, hold, programme
from tests.integration.rewards import cancel, customers, left, overtaking, redeem, reward, statuses, usable, use

pytestmark = pytest.mark.usefixtures("shop", "programme", "customers")
__all__ = ["customers", "programme"]

DAY = timedelta(days=1)


# --- interrupted


class Died(BaseException):
    """The process ended."""


def die() -> str:
    raise Died


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch, now: datetime) -> tuple[str, str]:
    """A redemption of which the second Change was never made: of a mug of which there is one."""
    mug = reward(now, stock=1, limit=Limit(1))
    with monkeypatch.context() as patched:
        patched.setattr(codes, "new", die)
        with pytest.raises(Died):
            redeem(mug, now)
    assert (balances(), left(mug), statuses()) == ((900, 0, 100), 0, ["HELD"])
    return mug, rewards.list_redemptions("demo", ANN, before=None, limit=1)[0].redemption_id


def test_an_interrupted_redemption_goes_on_when_its_key_comes_again(
    interrupted: tuple[str, str], now: datetime
) -> None:
    mug, _ = interrupted
    redeemed = redeem(mug, now + timedelta(minutes=14))
    assert (redeemed.replayed, redeemed.redemption.status) == (True, "FULFILLED")
    assert (balances(), left(mug)) == ((900, 0, 0), 0)


def test_holds_keep_nobody_from_a_reward_and_redemptions_that_are_under_way_only_until_they_end(
    interrupted: tuple[str, str], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "MOST_HOLDS", 1)
    monkeypatch.setattr(change, "wait_before", lambda _: None)
    cup = reward(now, name="A cup")
    hold(10, now, hours=2)
    with pytest.raises(Stale):
        redeem(cup, now, key="k2")
    assert redeem(cup, now + timedelta(minutes=20), key="k2").redemption.status == "FULFILLED"
    assert balances() == (890, 0, 10)


def test_who_is_blocked_while_they_redeem_gets_no_code_and_their_points_back(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    mug = reward(now, stock=1)

    def block() -> None:
        customers_service.update("demo", ANN, customers_service.Words(fields={"status": "blocked"}), now=now, by=STAFF)

    with monkeypatch.context() as patched:
        patched.setattr(redemptions, "get_redemption", overtaking(redemptions.get_redemption, [block]))
        with pytest.raises(CustomerBlocked):
            redeem(mug, now, themselves=True)
    assert (statuses(), left(mug)) == (["HELD"], 0)
    service.settle("demo", ANN, now=now + timedelta(minutes=15))
    assert (balances(), left(mug), statuses()) == ((1_000, 0, 0), 1, ["RELEASED"])


def test_time_lets_an_interrupted_redemption_go_with_all_that_it_took(
    interrupted: tuple[str, str], now: datetime
) -> None:
    mug, _ = interrupted
    later = now + timedelta(minutes=15)
    service.settle("demo", ANN, now=later)
    assert (balances(), left(mug), statuses()) == ((1_000, 0, 0), 1, ["RELEASED"])
    with pytest.raises(rewards.RedemptionClosed):
        redeem(mug, later)
    redeem(mug, later, key="k2")


def test_an_interrupted_redemption_that_is_too_late_is_let_go_whoever_comes_first(
    interrupted: tuple[str, str], now: datetime
) -> None:
    mug, _ = interrupted
    with pytest.raises(rewards.RedemptionClosed):
        redeem(mug, now + timedelta(minutes=15))
    assert (balances(), left(mug)) == ((1_000, 0, 0), 1)


def test_an_interrupted_redemption_can_be_cancelled(interrupted: tuple[str, str], now: datetime) -> None:
    mug, redemption_id = interrupted
    for replayed in (False, True):
        cancelled = rewards.cancel("demo", ANN, redemption_id, actor=STAFF, now=now)
        assert cancelled.replayed is replayed
    assert (balances(), left(mug), statuses()) == ((1_000, 0, 0), 1, ["CANCELLED"])
    assert redeem(mug, now).redemption.status == "CANCELLED"
    redeem(mug, now, key="k2")


def test_two_who_go_on_with_it_at_once_make_one_code(
    interrupted: tuple[str, str], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    mug, _ = interrupted
    made: list[rewards.Redeemed] = []
    theirs = [lambda: made.append(redeem(mug, now))]
    monkeypatch.setattr(repository, "get_hold", overtaking(repository.get_hold, theirs))
    assert redeem(mug, now).redemption.code == made[0].redemption.code
    assert balances() == (900, 0, 0)


def test_it_is_cancelled_or_goes_on_but_never_both(
    interrupted: tuple[str, str], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    mug, redemption_id = interrupted
    theirs = [lambda: redeem(mug, now)]
    monkeypatch.setattr(repository, "get_hold", overtaking(repository.get_hold, theirs))
    rewards.cancel("demo", ANN, redemption_id, actor=STAFF, now=now)
    assert (balances(), left(mug), statuses()) == ((1_000, 0, 0), 1, ["CANCELLED"])


def test_the_hold_of_a_redemption_is_nobody_elses_to_capture_release_or_reverse(
    interrupted: tuple[str, str], now: datetime
) -> None:
    mug, redemption_id = interrupted
    for move in (holding.capture, holding.release):
        with pytest.raises(NotFound):
            move("demo", ANN, redemption_id, actor=STAFF, now=now)
    redeem(mug, now)
    with pytest.raises(service.NotReversible):
        service.reverse("demo", ANN, f"hold:{redemption_id}:capture", reason="x", actor=STAFF, now=now)
    assert balances() == (900, 0, 0)


def test_a_code_that_there_is_already_is_drawn_anew(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    mug = reward(now)
    drawn = ["HJKMHJKMHJKM", "CDFGCDFGCDFG", "CDFGCDFGCDFG"]
    monkeypatch.setattr(codes, "new", drawn.pop)
    first, second = redeem(mug, now), redeem(mug, now, key="k2")
    assert (first.redemption.code, second.redemption.code) == ("CDFGCDFGCDFG", "HJKMHJKMHJKM")
    assert rewards.find_voucher("demo", "CDFGCDFGCDFG").redemption_id == first.redemption.redemption_id
    assert balances() == (800, 0, 0)


# --- cancelling


def test_a_redemption_is_cancelled_once_with_all_that_it_took(now: datetime) -> None:
    mug = reward(now, stock=1, limit=Limit(1))
    redeemed = redeem(mug, now)
    for replayed in (False, True):
        assert cancel(redeemed, now + DAY).replayed is replayed
    assert (balances(), left(mug), statuses()) == ((1_000, 0, 0), 1, ["CANCELLED"])
    with pytest.raises(rewards.VoucherVoid):
        use(redeemed.redemption.code, now + DAY)
    redeem(mug, now + DAY, key="k2")


def test_points_of_a_cancelled_redemption_expire_when_they_would_have(now: datetime) -> None:
    redeemed = redeem(reward(now), now)
    cancel(redeemed, now + 5 * DAY)
    [entry] = service.settle("demo", ANN, now=now + 60 * DAY)
    assert entry.occurred_at == datetime.fromisoformat("2026-04-10T22:00:00Z")
    assert balances() == (0, 0, 0)


def test_what_was_used_or_is_over_is_not_cancelled(now: datetime) -> None:
    mug = reward(now, voucher_days=1)
    used, over = redeem(mug, now), redeem(mug, now, key="k2")
    use(used.redemption.code, now)
    with pytest.raises(rewards.VoucherUsed):
        cancel(used, now)
    with pytest.raises(rewards.VoucherVoid):
        cancel(over, now + 2 * DAY)
    with pytest.raises(NotFound):
        rewards.cancel("demo", BEA, used.redemption.redemption_id, actor=STAFF, now=now)


def test_a_voucher_is_used_or_cancelled_but_never_both(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    redeemed = redeem(reward(now), now)
    theirs = [lambda: use(redeemed.redemption.code, now)]
    monkeypatch.setattr(repository, "get_hold", overtaking(repository.get_hold, theirs))
    with pytest.raises(rewards.VoucherUsed):
        cancel(redeemed, now)
    assert (balances(), statuses()) == ((900, 0, 0), ["USED"])


def test_a_voucher_that_is_cancelled_while_it_is_used_is_not_used(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    redeemed = redeem(reward(now), now)
    monkeypatch.setattr(ending, "is_over", overtaking(ending.is_over, [lambda: cancel(redeemed, now)]))
    with pytest.raises(rewards.VoucherVoid):
        use(redeemed.redemption.code, now)
    assert (balances(), statuses()) == ((1_000, 0, 0), ["CANCELLED"])


# --- using


def test_a_voucher_is_used_once(now: datetime) -> None:
    code = redeem(reward(now), now).redemption.code
    for replayed in (False, True):
        assert use(f" {rewards.shown(code or '').lower()}", now).replayed is replayed
    with pytest.raises(rewards.VoucherUsed):
        use(code, now, key="u2")
    with pytest.raises(KeyReused):
        use(code, now, order_id="o1")


def test_two_who_use_a_voucher_at_once_do_not_both(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    code = redeem(reward(now), now).redemption.code
    theirs = [lambda: use(code, now, key="theirs")]
    monkeypatch.setattr(ending, "is_over", overtaking(ending.is_over, theirs))
    with pytest.raises(rewards.VoucherUsed):
        use(code, now, key="mine")


def test_whoever_says_the_order_that_has_it_is_told_that_it_has_it(now: datetime) -> None:
    code = redeem(reward(now), now).redemption.code
    use(code, now, order_id="o1")
    assert use(code, now, key="another", order_id="o1").replayed
    with pytest.raises(rewards.VoucherUsed):
        use(code, now, key="another", order_id="o2")


def test_a_voucher_is_good_to_the_end_of_its_last_day(now: datetime) -> None:
    mug = reward(now, voucher_days=1)
    last = datetime.fromisoformat("2026-03-11T23:00:00Z")
    use(redeem(mug, now).redemption.code, last - timedelta(microseconds=1))
    with pytest.raises(rewards.VoucherVoid):
        use(redeem(mug, now, key="k2").redemption.code, last)


# --- orders


def ordered(
    coupon: str | None,
    now: datetime,
    order_id: str = "o1",
    *,
    rev: int = 1,
    status: str = "placed",
    replayed: bool = False,
) -> None:
    """An order of Bea's that names a coupon is recorded, and told."""
    item = Order.of("demo", BEA, order_id)
    item.status, item.currency, item.coupon, item.version = status, "EUR", coupon, rev
    item.gross = item.net = 5_000
    item.refunded, item.placed_on, item.cause = 0, "2026-03-10", f"event:{order_id}:order"
    item.placed_at = item.occurred_at = now
    item.rev, item.replayed = rev - 1, replayed
    change = Change(now)
    change.revise(item)
    change.commit()
    service.post_for_order(OrderRecorded.of(item), now=now)


def test_an_order_uses_the_voucher_that_it_names_whoever_it_was_given_to(now: datetime) -> None:
    code = redeem(reward(now), now).redemption.code or ""
    ordered(rewards.shown(code), now)
    found = rewards.find_voucher("demo", code)
    assert (found.status, found.order_id, found.used_by) == ("USED", "o1", "order:o1:voucher")
    with pytest.raises(rewards.VoucherUsed):
        use(code, now)
    assert use(code, now, order_id="o1").replayed


def test_an_order_that_is_told_again_or_changes_uses_its_voucher_once(now: datetime) -> None:
    code = redeem(reward(now), now).redemption.code or ""
    ordered(code, now)
    rev = rewards.find_voucher("demo", code).rev
    ordered(code, now, rev=2)
    assert rewards.find_voucher("demo", code).rev == rev


def test_of_two_orders_with_one_voucher_the_first_has_it(now: datetime) -> None:
    code = redeem(reward(now), now).redemption.code or ""
    ordered(code, now, "o1")
    ordered(code, now, "o2")
    assert rewards.find_voucher("demo", code).order_id == "o1"


def test_two_orders_that_use_a_voucher_at_once_do_not_both(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    code = redeem(reward(now), now).redemption.code or ""
    theirs = [lambda: ordered(code, now, "theirs")]
    monkeypatch.setattr(ending, "is_over", overtaking(ending.is_over, theirs))
    ordered(code, now, "mine")
    assert rewards.find_voucher("demo", code).order_id == "theirs"


def test_the_order_that_names_a_voucher_which_a_checkout_used_is_the_one_it_was_used_for(now: datetime) -> None:
    code = redeem(reward(now), now).redemption.code or ""
    use(code, now)
    ordered(code, now)
    assert rewards.find_voucher("demo", code).order_id == "o1"
    assert use(code, now).replayed


def test_an_order_that_is_cancelled_or_placed_too_late_uses_no_voucher(now: datetime) -> None:
    code = redeem(reward(now, voucher_days=1), now).redemption.code or ""
    ordered(code, now, "o1", status="cancelled")
    ordered(code, now + 2 * DAY, "o2")
    ordered("SUMMER", now, "o3")
    assert rewards.find_voucher("demo", code).status == "FULFILLED"


@pytest.mark.parametrize("code", ["", "SUMMER", "CDFG-3467-HJKM"])
def test_a_code_that_nobody_was_given_is_not_there(code: str, now: datetime) -> None:
    with pytest.raises(NotFound):
        use(code, now)


def test_a_code_of_another_shop_is_not_there(now: datetime) -> None:
    code = redeem(reward(now), now).redemption.code or ""
    assert redemptions.find_redemption("demo", code) is not None
    assert redemptions.find_redemption("other", code) is None


def test_what_a_call_says_of_an_order_is_judged(now: datetime) -> None:
    with pytest.raises(InvalidInputs):
        use("CDFG-3467-HJKM", now, order_id=" ")


def test_vouchers_that_can_be_used_are_listed_by_when_they_end_and_no_others_are_read(now: datetime) -> None:
    mug, short, long = reward(now), reward(now, voucher_days=1), reward(now, voucher_days=30)
    made = [redeem(each, now, key=f"k{n}") for n, each in enumerate((mug, short, long, mug, mug, mug))]
    use(made[3].redemption.code, now)
    cancel(made[4], now)
    ordered(made[5].redemption.code, now)
    ids = [one.redemption.redemption_id for one in made]
    assert usable(now) == [ids[1], ids[2], ids[0]]
    assert usable(now + 2 * DAY) == [ids[2], ids[0]]
    pages, after = [], None
    while page := rewards.list_usable("demo", ANN, after=after, limit=1, now=now):
        [(after, one)] = page
        pages.append(one.redemption_id)
    assert pages == [ids[1], ids[2], ids[0]]
    kept = UsableVoucher.query(f"SHOP#demo#CUSTOMER#{ANN}", UsableVoucher.sk.startswith("USABLE#"))
    assert len(list(kept)) == 3


def test_a_voucher_that_is_used_while_a_page_is_read_is_not_on_it(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, get = redeem(reward(now), now).redemption.code, redemptions.get_redemptions

    def used_before(*asked: Any) -> Any:
        use(code, now)
        return get(*asked)

    monkeypatch.setattr(redemptions, "get_redemptions", used_before)
    assert usable(now) == []


# --- what staff find


def listed(reward_id: str) -> list[str]:
    shards = (rewards.list_of_reward("demo", reward_id, each, before=None, limit=50) for each in range(rewards.SHARDS))
    return [one.redemption_id for shard in shards for one in shard]


def test_a_rewards_redemptions_are_listed_and_those_that_were_not_given_back_counted(now: datetime) -> None:
    mug, cup = reward(now), reward(now, stock=9)
    first, second = redeem(mug, now), redeem(mug, now + DAY, key="k2")
    theirs = redeem(cup, now, customer_id=BEA)
    assert listed(mug) == [second.redemption.redemption_id, first.redemption.redemption_id]
    assert rewards.count_redeemed("demo", [mug, cup]) == {mug: 2, cup: 1}
    for _ in range(2):
        cancel(first, now + DAY)
    use(second.redemption.code, now + DAY)
    cancel(theirs, now)
    assert (len(listed(mug)), rewards.count_redeemed("demo", [mug, cup])) == (2, {mug: 1, cup: 0})


def test_what_time_lets_go_counts_no_more(interrupted: tuple[str, str], now: datetime) -> None:
    mug, _ = interrupted
    assert rewards.count_redeemed("demo", [mug]) == {mug: 1}
    service.settle("demo", ANN, now=now + timedelta(minutes=15))
    assert rewards.count_redeemed("demo", [mug]) == {mug: 0}


def refused_vouchers() -> list[tuple[str, str]]:
    shards = (rewards.list_refused("demo", each, before=None, limit=50) for each in range(rewards.SHARDS))
    return [(one.order_id, one.reason) for shard in shards for one in shard]


def test_an_order_that_names_a_voucher_which_it_cannot_use_leaves_a_trace_once(now: datetime) -> None:
    mug, short = reward(now), reward(now, voucher_days=1)
    used, void = redeem(mug, now), redeem(mug, now, key="k2")
    over = redeem(short, now, key="k3").redemption.code
    cancel(void, now)
    ordered(used.redemption.code, now, "o1")
    ordered(used.redemption.code, now, "o1", rev=2)
    assert refused_vouchers() == []
    for rev in (1, 2):
        ordered(used.redemption.code, now, "o2", rev=rev)
    ordered(void.redemption.code, now, "o3")
    ordered(over, now + 2 * DAY, "o4")
    ordered("CDFG-3467-HJKM", now, "o5")
    assert sorted(refused_vouchers()) == [("o2", "USED_BEFORE"), ("o3", "CANCELLED"), ("o4", "EXPIRED")]
    trace = redemptions.get_refused("demo", BEA, "o2")
    assert (trace.rev, trace.given_to, trace.redemption_id) == (1, ANN, used.redemption.redemption_id)


# --- what is published


def told(*statuses_of: str, code: str | None = "CDFG34679HJK") -> list[str]:
    item = Redemption.of("demo", ANN, "rdn_1")
    item.redeemed_at = item.ended_at = datetime(2026, 3, 1, 11, tzinfo=UTC)
    item.reward_id, item.reward_version, item.points, item.code = "rwd_1", 1, 100, code
    types = []
    for item.status in statuses_of:
        types += [event.detail_type for event in events_of(item, None)]
    return types


def test_of_a_redemption_it_is_told_when_it_is_made_when_it_is_cancelled_and_when_its_voucher_is_used() -> None:
    assert told("HELD", code=None) == []
    assert told("FULFILLED", "USED") == ["reward.redeemed", "voucher.used"]
    assert told("FULFILLED", "CANCELLED") == ["reward.redeemed", "redemption.cancelled"]


def test_of_what_was_never_made_nobody_is_told_that_it_ended() -> None:
    assert told("HELD", "RELEASED", "CANCELLED", code=None) == []


def test_a_voucher_that_an_import_uses_messages_nobody(now: datetime) -> None:
    code = redeem(reward(now), now).redemption.code
    ordered(code, now, replayed=True)
    found = rewards.find_voucher("demo", code or "")
    [event] = events_of(found, None)
    assert (event.detail()["replayed"], event.detail()["orderId"]) == (True, "o1")
