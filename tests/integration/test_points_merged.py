# tests/integration/test_points_merged.py
"""Two customers become one: loyalty stands as if all had always been the survivor's."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from crm.customers.refusals import CustomerBlocked
from crm.kernel import timers
from crm.kernel.change import Change, retrying
from crm.kernel.errors import NotFound
from crm.kernel.meter import metering
from crm.loyalty import absorbing, repository, service
from crm.loyalty.admission import of_customer
from crm.loyalty.bonuses.definitions import Bonuses
from crm.loyalty.earning import repository as earning
from crm.loyalty.earning.definitions import Caps, Earning
from crm.loyalty.expiry import Expiry, Kind
from crm.loyalty.programme import Programme, Shortfall
from crm.loyalty.redemptions import repository as redemptions
from crm.loyalty.rewards import service as rewards
from crm.loyalty.rewards.service import Limit, Period
from crm.loyalty.service import TierOverride, Window
from tests.integration.merging import DAY, REVIEW, TIERS, bought, merged, profile, reviewed, ruled, wake
from tests.integration.points import ANN, BEA, STAFF, adjust, balances, hold, programme, spend
from tests.integration.rewards import cancel, overtaking, redeem, reward, use
from tests.kept import put_back, stored_items

__all__ = ["programme", "ruled"]

MERGE = "merge:m1"


def tier(customer_id: str, now: datetime) -> str | None:
    found = service.tier_at("demo", customer_id, now=now).tier
    return found.id if found else None


def changes(customer_id: str) -> list[tuple[str | None, str, str]]:
    found = service.tier_changes("demo", customer_id, before=None, limit=50)
    return [(each.after_id, each.why, each.cause or "") for each in found[::-1]]


def state(customer_id: str) -> tuple[Any, ...]:
    """All that must be the same however the merge went."""
    head = service.account("demo", customer_id)
    assert head is not None
    part = head.tier
    kept = (part.tier_id, part.since_on, part.ends_on, part.number) if part else None
    counts = {each.period: each.counts for each in earning.list_counts("demo", customer_id)}
    tallies = {each.sk: each.counted for each in repository.list_tallies("demo", customer_id)}
    uses = {each: (int(one.ever), one.by_day()) for each, one in redemptions.list_uses("demo", customer_id).items()}
    head_says = kept, head.enrolled_at, head.active_at, head.tier_due_at
    return balances(customer_id), *head_says, changes(customer_id), uses, counts, tallies


# --- tiers


def test_what_both_have_bought_counts_for_the_survivors_tier_once(now: datetime) -> None:
    bought(ANN, 600, now - 30 * DAY)
    bought(BEA, 500, now - 10 * DAY)
    merged(now)
    assert (tier(ANN, now), tier(BEA, now)) == (None, "g")
    assert changes(BEA)[1:] == [("g", "MERGED", f"merge:{ANN}:tier")]
    assert changes(ANN) == [("s", "ATTAINED", "order:o_cus_1:tier:1")]  # what they had stays told
    before = state(BEA), state(ANN)
    assert merged(now + DAY) == 0
    assert (state(BEA), state(ANN)) == before
    assert timers.get("demo", ANN, service.OWNER, service.TIER) is None
    progress = service.tier_progress("demo", BEA, now=now)
    assert progress is not None
    assert progress.reached == 1100


def test_a_refund_of_what_the_absorbed_one_bought_lowers_the_survivors_tier(now: datetime) -> None:
    bought(ANN, 600, now - 30 * DAY)
    bought(BEA, 500, now - 10 * DAY)
    merged(now)
    bought(ANN, 0, now - 30 * DAY, now=now + DAY, rev=2, refunded=60_000)
    assert tier(BEA, now + DAY) == "s"
    assert changes(BEA)[-1] == ("s", "REFUNDED", f"merge:{ANN}:tier")
    assert changes(ANN) == [("s", "ATTAINED", "order:o_cus_1:tier:1")]
    assert balances(ANN) == (0, 0, 0)


def test_an_order_of_the_absorbed_one_that_is_told_late_is_the_survivors(now: datetime) -> None:
    merged(now)  # of whom nothing is known yet
    bought(ANN, 500, now - DAY, now=now + DAY)
    assert (balances(ANN), balances(BEA)) == ((0, 0, 0), (500, 0, 0))
    assert (tier(ANN, now + DAY), tier(BEA, now + DAY)) == (None, "s")
    assert changes(ANN) == []


def test_a_tier_that_somebody_of_the_shop_gave_either_is_kept_while_it_is_higher(now: datetime) -> None:
    until = now + 40 * DAY
    bought(BEA, 500, now - DAY)
    given = TierOverride(tier_id="g", until=until, reason="A guest")
    service.override_tier("demo", ANN, given, actor=STAFF, now=now)
    merged(now)
    assert tier(BEA, now) == "g"
    assert tier(BEA, until) == "s"
    [newest, _] = service.tier_changes("demo", BEA, before=None, limit=5)
    assert (newest.why, newest.until) == ("MERGED", until)


def test_whose_tier_came_with_a_merge_is_given_it_again_in_their_own_name(now: datetime) -> None:
    lower = TierOverride(tier_id="s", until=now + 20 * DAY, reason="A guest")
    higher = TierOverride(tier_id="g", until=now + 40 * DAY, reason="A guest")
    service.override_tier("demo", BEA, lower, actor=STAFF, now=now)
    service.override_tier("demo", ANN, higher, actor=STAFF, now=now)
    merged(now)
    assert tier(BEA, now) == "g"
    given = [service.override_tier("demo", BEA, higher, actor=STAFF, now=now + DAY).replayed for _ in range(2)]
    assert given == [False, True]
    assert [why for _, why, _ in changes(BEA)] == ["OVERRIDDEN", "MERGED", "OVERRIDDEN"]


def test_a_tier_that_somebody_of_the_shop_gave_gives_way_to_a_higher_one_that_both_have_reached(now: datetime) -> None:
    given = TierOverride(tier_id="s", until=now + 40 * DAY, reason="A guest")
    service.override_tier("demo", BEA, given, actor=STAFF, now=now)
    bought(ANN, 1000, now - DAY)
    merged(now)
    assert tier(BEA, now) == "g"
    assert not service.tier_at("demo", BEA, now=now).overridden


def test_nobody_loses_a_tier_because_the_years_of_both_begin_on_another_day(
    now: datetime, ruled: list[Programme]
) -> None:
    """Membership years are those of whoever joined first."""
    ruled.append(replace(ruled[-1], tiers=replace(TIERS, window=Window.MEMBERSHIP_YEAR)))
    bought(ANN, 1, datetime(2022, 9, 10, tzinfo=UTC))
    for number, day in enumerate((datetime(2025, 8, 20, tzinfo=UTC), datetime(2025, 9, 20, tzinfo=UTC))):
        bought(BEA, 500, day, f"b{number}")
    had = service.tier_at("demo", BEA, now=now)
    assert had.tier is not None
    assert had.tier.id == "g"
    merged(now)
    then = service.tier_at("demo", BEA, now=now)
    assert then.tier == had.tier
    assert then.until == had.until


def test_orders_of_long_before_those_that_were_worked_out_count_for_the_survivor_too(now: datetime) -> None:
    """Of 2024 both have 500: Gold through 2025, and a step down from then on. Neither had more than Silver."""
    bought(BEA, 1, datetime(2023, 6, 1, tzinfo=UTC), "b1")
    bought(BEA, 500, datetime(2024, 11, 10, tzinfo=UTC), "b2")
    bought(BEA, 1, now - DAY, "b3")
    bought(ANN, 500, datetime(2024, 12, 1, tzinfo=UTC))
    assert (tier(ANN, now), tier(BEA, now)) == (None, None)
    merged(now)
    assert tier(BEA, now) == "s"


@pytest.mark.parametrize("who", [ANN, BEA])
def test_what_time_had_done_to_the_tier_of_either_is_told_of_them(now: datetime, who: str) -> None:
    bought(who, 1000, datetime(2024, 6, 1, tzinfo=UTC))
    merged(now)
    assert changes(who) == [("g", "ATTAINED", f"order:o_{who}:tier:1"), ("s", "ENDED", "tier:2026-01-01:end")]
    assert tier(BEA, now) == "s"


def test_a_tier_that_both_have_reached_is_not_given_though_it_took_several_steps_to_count(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(absorbing, "MOST_MONTHS", 1)
    for days in (5, 45):
        bought(ANN, 600, now - days * DAY, f"a{days}")
    merged(now)
    assert tier(BEA, now) == "g"
    assert not service.tier_at("demo", BEA, now=now).overridden


# --- points


def test_points_follow_whenever_they_come_free(now: datetime, ruled: list[Programme]) -> None:
    ruled.append(replace(ruled[-1], return_window_days=3))
    bought(ANN, 100, now)
    adjust(50, now)
    hold(20, now, hours=1)
    assert merged(now) == 30
    assert (balances(ANN), balances(BEA)) == ((0, 100, 20), (30, 0, 0))
    wake(ANN, now + timedelta(hours=2))
    assert (balances(ANN), balances(BEA)) == ((0, 100, 0), (50, 0, 0))
    wake(ANN, now + 5 * DAY)
    assert (balances(ANN), balances(BEA)) == ((0, 0, 0), (150, 0, 0))


@pytest.mark.parametrize(("captured", "left"), [(None, 20), (15, 5)])
def test_what_the_absorbed_one_had_set_aside_is_captured_and_released_still_and_what_comes_back_is_the_survivors(
    captured: int | None, left: int, now: datetime
) -> None:
    adjust(20, now)
    held = hold(20, now, hours=48).hold
    merged(now)
    asked: dict[str, Any] = {
        "actor": STAFF,
        "now": now,
        "admit": of_customer("demo", ANN, themselves=False, of_hold=True),
    }
    for _ in range(2):
        if captured is None:
            service.release("demo", ANN, held.hold_id, **asked)
        else:
            service.capture("demo", ANN, held.hold_id, points=captured, **asked)
        assert (balances(ANN), balances(BEA)) == ((0, 0, 0), (left, 0, 0))


@pytest.mark.parametrize("themselves", [False, True])
def test_an_absorbed_customer_asks_for_nothing_and_nothing_else_of_theirs_moves(
    themselves: bool, now: datetime
) -> None:
    adjust(20, now)
    held = hold(20, now, hours=48).hold
    merged(now)
    admit = of_customer("demo", ANN, themselves=themselves, of_hold=themselves)
    with pytest.raises(CustomerBlocked if themselves else NotFound):
        service.release("demo", ANN, held.hold_id, actor=STAFF, now=now, admit=admit)


def test_what_the_absorbed_one_had_set_aside_pays_first_what_their_refund_forgave(
    now: datetime, ruled: list[Programme]
) -> None:
    ruled.append(replace(ruled[-1], shortfall=Shortfall.WITHIN_BALANCE))
    bought(ANN, 100, now)
    adjust(30, now)
    hold(120, now, hours=48)
    assert merged(now) == 10
    bought(ANN, 0, now, now=now + DAY, rev=2, refunded=10_000)
    assert (balances(ANN), balances(BEA)) == ((0, 0, 120), (0, 0, 0))  # 90 of what it had earned are forgiven
    wake(ANN, now + 3 * DAY)
    assert (balances(ANN), balances(BEA)) == ((0, 0, 0), (30, 0, 0))


@pytest.mark.parametrize(
    ("policy", "most", "left"),
    [
        (Shortfall.WITHIN_BALANCE, None, 0), (Shortfall.NEGATIVE, None, -60), (Shortfall.NEGATIVE, 25, -25),
    ],
)  # fmt: skip
def test_a_refund_takes_from_the_survivor_what_the_absorbed_one_had_earned(
    now: datetime, ruled: list[Programme], policy: Shortfall, most: int | None, left: int
) -> None:
    ruled.append(replace(ruled[-1], shortfall=policy, most_owed=most))
    for order_id in ("o1", "o2"):
        bought(ANN, 100, now, order_id)
    merged(now)
    spend(160, now, customer_id=BEA)
    bought(ANN, 0, now, "o1", now=now + DAY, rev=2, refunded=10_000)
    assert (balances(ANN)[0], balances(BEA)[0]) == (0, left)
    bought(ANN, 0, now, "o2", now=now + DAY, rev=2, refunded=10_000)
    assert (balances(ANN)[0], balances(BEA)[0]) == (0, left if policy is Shortfall.WITHIN_BALANCE or most else -160)


def test_a_refund_of_the_absorbed_one_takes_no_more_than_the_survivor_has_who_spends_meanwhile(
    now: datetime, ruled: list[Programme], monkeypatch: pytest.MonkeyPatch
) -> None:
    ruled.append(replace(ruled[-1], shortfall=Shortfall.WITHIN_BALANCE))
    bought(ANN, 100, now)
    merged(now)
    backed = absorbing.backed

    def overtaken(*given: Any, **named: Any) -> Programme:
        found = backed(*given, **named)
        monkeypatch.setattr(absorbing, "backed", backed)
        spend(70, now, customer_id=BEA)
        return found

    monkeypatch.setattr(absorbing, "backed", overtaken)
    bought(ANN, 0, now, now=now + DAY, rev=2, refunded=10_000)
    assert (balances(ANN)[0], balances(BEA)[0]) == (0, 0)  # and 70 are forgiven


def test_who_was_merged_into_somebody_who_was_merged_gives_all_to_the_last(
    now: datetime, ruled: list[Programme]
) -> None:
    ruled.append(replace(ruled[-1], shortfall=Shortfall.WITHIN_BALANCE))
    bought(ANN, 600, now - DAY)
    merged(now)
    profile("cus_3", now)
    merged(now, absorbed=BEA, survivor="cus_3")
    bought(ANN, 500, now - DAY, "late", now=now)
    assert [balances(each)[0] for each in (ANN, BEA, "cus_3")] == [0, 0, 1100]
    assert tier("cus_3", now) == "g"
    bought(ANN, 0, now - DAY, "late", now=now, rev=2, refunded=50_000)
    assert [balances(each)[0] for each in (ANN, BEA, "cus_3")] == [0, 0, 600]
    with pytest.raises(ValueError, match="was merged into"):
        service.absorb("demo", ANN, "cus_3", cause="merge:m9", now=now)
    with pytest.raises(ValueError, match="themselves"):
        service.absorb("demo", BEA, BEA, cause="merge:m9", now=now)


def test_nobody_is_merged_into_whom_they_have_absorbed(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    for customer_id in (ANN, BEA, "cus_3"):
        profile(customer_id, now)
        adjust(10, now, customer_id=customer_id)
    merged(now)
    with pytest.raises(ValueError, match="was merged into cus_2"):
        service.absorb("demo", BEA, ANN, cause="merge:m9", now=now)
    begun = [lambda: absorbing._mark("demo", "cus_3", BEA, cause="merge:m8", now=now)]
    monkeypatch.setattr(repository, "list_survivors", overtaking(repository.list_survivors, begun))
    with pytest.raises(ValueError, match="was merged into cus_2"):
        retrying(lambda: absorbing._mark("demo", BEA, "cus_3", cause="merge:m9", now=now))
    service.absorb("demo", "cus_3", BEA, cause="merge:m8", now=now)
    assert [balances(each)[0] for each in (ANN, BEA, "cus_3")] == [0, 30, 0]


# --- what else is one's own


def test_a_survivor_takes_part_since_the_first_of_both_did_and_is_welcomed_once(
    now: datetime, ruled: list[Programme]
) -> None:
    ruled.append(replace(ruled[-1], bonuses=Bonuses(signup=7)))
    bought(ANN, 100, now - 20 * DAY)
    merged(now)
    head = service.account("demo", BEA)
    assert head is not None
    assert head.enrolled_at == now - 20 * DAY
    assert service.enroll("demo", BEA, actor=STAFF, now=now).replayed
    assert balances(BEA) == (107, 0, 0)


@pytest.mark.parametrize("is_known", [True, False])
def test_nobody_has_two_birthdays_in_the_year_in_which_they_became_one(
    now: datetime, ruled: list[Programme], is_known: bool
) -> None:
    ruled.append(replace(ruled[-1], bonuses=Bonuses(birthday=20)))
    profile(ANN, now, birth_date="1990-03-12")
    service.heard_of_birthday("demo", ANN, now=now)
    if is_known:
        profile(BEA, now, birth_date="1990-05-17")
        service.heard_of_birthday("demo", BEA, now=now)
    wake(ANN, now + 3 * DAY)
    merged(now + 4 * DAY)
    assert balances(BEA)[0] == 20
    profile(BEA, now, birth_date="1990-05-17")
    service.heard_of_birthday("demo", BEA, now=now + 5 * DAY)
    wake(BEA, now + 200 * DAY)
    assert balances(BEA)[0] == 20
    wake(BEA, now + 500 * DAY)
    assert balances(BEA)[0] == 40
    head = service.account("demo", ANN)
    assert head is not None
    assert head.birthday is None


def test_a_birthday_that_neither_has_had_this_year_is_still_to_come(now: datetime, ruled: list[Programme]) -> None:
    ruled.append(replace(ruled[-1], bonuses=Bonuses(birthday=20)))
    for customer_id in (ANN, BEA):
        profile(customer_id, now, birth_date="1990-05-17")
        service.heard_of_birthday("demo", customer_id, now=now)
    merged(now)
    wake(ANN, now + 200 * DAY)
    wake(BEA, now + 200 * DAY)
    assert (balances(ANN)[0], balances(BEA)[0]) == (0, 20)


@pytest.mark.parametrize("were_active", [True, False])
@pytest.mark.parametrize(("absorbed", "survivor"), [(ANN, BEA), (BEA, ANN)])
def test_points_wait_as_long_as_for_who_was_active_or_given_any_last(
    now: datetime, ruled: list[Programme], absorbed: str, survivor: str, were_active: bool
) -> None:
    ruled.append(replace(ruled[-1], expiry=Expiry(1, kind=Kind.INACTIVITY)))
    for customer_id, days in ((ANN, 20), (BEA, 5)):
        if were_active:
            bought(customer_id, 100, now - days * DAY)
        else:
            adjust(100, now - days * DAY, customer_id=customer_id)
    merged(now, absorbed=absorbed, survivor=survivor)
    wake(survivor, now + 15 * DAY)
    assert balances(survivor) == (200, 0, 0)
    wake(survivor, now + 40 * DAY)
    assert balances(survivor) == (0, 0, 0)


def test_what_both_have_redeemed_counts_towards_the_limit_until_it_is_given_back(now: datetime) -> None:
    adjust(1_000, now)
    adjust(1_000, now, customer_id=BEA)
    mug = reward(now, limit=Limit(3, Period.YEAR))
    first = redeem(mug, now - DAY)
    second = redeem(mug, now, key="k2")
    redeem(mug, now, customer_id=BEA)
    merged(now)
    with pytest.raises(rewards.LimitReached):
        redeem(mug, now, key="k4", customer_id=BEA)
    assert use(second.redemption.code, now).redemption.status == "USED"  # what was promised holds
    cancel(first, now)
    assert balances(BEA)[0] == 1_800
    assert redeem(mug, now, key="k5", customer_id=BEA).redemption.status == "FULFILLED"
    with pytest.raises(rewards.LimitReached):
        redeem(mug, now, key="k6", customer_id=BEA)


# --- once


class Crash(Exception):
    """The process dies."""


@pytest.fixture
def crashing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the nth commit from then on crash before it has written: that is after the one before it has."""
    commit, left = Change.commit, [0]

    def crash(change: Change) -> bool:
        left[0] -= 1
        if left[0] == 0:
            raise Crash
        return commit(change)

    monkeypatch.setattr(Change, "commit", crash)

    def arm(number: int) -> None:
        left[0] = number

    return arm


def test_a_merge_that_is_interrupted_anywhere_ends_as_one_that_is_not(
    now: datetime, crashing: Callable[..., None], monkeypatch: pytest.MonkeyPatch, ruled: list[Programme]
) -> None:
    monkeypatch.setattr(absorbing, "MOST_MONTHS", 1)
    monkeypatch.setattr(absorbing, "MOST_SUMS", 2)
    bonus = replace(REVIEW, points=1)
    ruled.append(replace(ruled[-1], earning=Earning(caps=Caps(per_day=1_000)), bonuses=Bonuses(events=(bonus,))))
    for customer_id in (ANN, BEA):
        reviewed(customer_id, now)
    for customer_id, points in ((ANN, 350), (BEA, 200)):
        for days in (5, 45):
            bought(customer_id, points, now - days * DAY, f"{customer_id}{days}")
    adjust(5, now)
    profile(ANN, now, merged_into=BEA)
    before, then, is_done = stored_items(), list[Any](), False
    number = 0
    while not is_done:
        put_back(before)
        crashing(number)
        with suppress(Crash):
            service.absorb("demo", ANN, BEA, cause=MERGE, now=now)
            is_done = number > 0
        crashing(0)
        service.absorb("demo", ANN, BEA, cause=MERGE, now=now)
        then.append((state(BEA), balances(ANN)))
        number += 1
    assert len(then) > 5
    assert then == [then[0]] * len(then)
    assert then[0][0][0] == (1107, 0, 0)
    assert then[0][0][-2]["ever"] == {"ever": {"*": 1100}}
    assert set(then[0][0][-1].values()) == {2}
    assert then[0][1] == (0, 0, 0)


def test_what_follows_takes_no_more_requests_however_often_something_has_followed(now: datetime) -> None:
    merged(now)

    def taken(number: int) -> float:
        adjust(5, now, key=f"late{number}")
        with metering() as meter:
            assert absorbing.follow("demo", ANN, now=now) == 5
        return meter.requests

    costs = [taken(number) for number in range(4)]
    assert costs[1:] == costs[1:2] * 3
    assert balances(BEA)[0] == 20
