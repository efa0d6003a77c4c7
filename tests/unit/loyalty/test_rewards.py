# tests/unit/loyalty/test_rewards.py
"""Which rewards can be defined, who may redeem them and why not, and what a code is."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from crm.kernel.money import Money
from crm.loyalty.ledger.refusals import InsufficientPoints
from crm.loyalty.redemptions import codes
from crm.loyalty.rewards import limits
from crm.loyalty.rewards.eligibility import Offered, Reason, Who, reasons, refusal
from crm.loyalty.rewards.limits import Limit, Period
from crm.loyalty.rewards.refusals import LimitReached, NotEligible, OutOfStock
from crm.loyalty.rewards.reward import Reward, RewardFields, RewardKind, understood

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)  # a Tuesday
TODAY = date(2026, 3, 10)
VIENNA = "Europe/Vienna"
MUG = Reward(name="A mug", kind=RewardKind.PRODUCT, price=100, sku="mug")
RICH = Who(available=1_000)


def faulty(before: Reward | None = None, **said: Any) -> list[tuple[str, str]]:
    return [(fault.path, fault.code) for fault in understood(before, RewardFields(**said))[1]]


def why_not(reward: Reward = MUG, who: Who = RICH, *, left: int | None = None, archived: bool = False) -> list[Reason]:
    return list(reasons(Offered(reward=reward, left=left, archived=archived), who, zone=VIENNA, now=NOW))


def mug(**others: Any) -> Reward:
    return Reward(**{"name": "A mug", "kind": RewardKind.PRODUCT, "price": 100, "sku": "mug", **others})


# --- definitions


def test_a_reward_says_what_it_is_for_what_price() -> None:
    assert faulty() == [("name", "REQUIRED"), ("kind", "REQUIRED"), ("price", "REQUIRED")]


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"name": " "}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"description": "x" * 2_001}, "description"),
        ({"price": 0}, "price"),
        ({"stock": -1}, "stock"),
        ({"limit": Limit(0)}, "limit.count"),
        ({"segments": ("",)}, "segments"),
        ({"tiers": tuple(map(str, range(51)))}, "tiers"),
        ({"valid_from": NOW, "valid_until": NOW}, "valid_until"),
        ({"voucher_days": 0}, "voucher_days"),
        ({"sku": None}, "sku"),
        ({"percent": Decimal(5)}, "percent"),
    ],
)
def test_what_nobody_could_redeem_is_told_at_once(said: dict[str, Any], wrong: str) -> None:
    assert [path for path, _ in faulty(MUG, **said)] == [wrong]


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({}, ["amount"]),
        ({"amount": Money(500, "EUR"), "percent": Decimal(5)}, ["percent"]),
        ({"amount": Money(0, "EUR")}, ["amount.amount"]),
        ({"amount": Money(5, "XXY")}, ["amount.currency_code"]),
        ({"percent": Decimal(101)}, ["percent"]),
        ({"percent": Decimal("1.001")}, ["percent"]),
        ({"percent": Decimal("NaN")}, ["percent"]),
        ({"percent": Decimal("12.5")}, []),
        ({"amount": Money(500, "EUR"), "sku": "mug"}, ["sku"]),
    ],
)
def test_a_discount_is_money_or_a_share(said: dict[str, Any], wrong: list[str]) -> None:
    found = faulty(name="Off", kind=RewardKind.DISCOUNT, price=10, **said)
    assert [path for path, _ in found] == wrong


def test_what_another_kind_had_is_forgotten_with_it() -> None:
    changed, wrong = understood(MUG, RewardFields(kind=RewardKind.SHIPPING))
    assert wrong == []
    assert changed is not None
    assert (changed.kind, changed.sku) == (RewardKind.SHIPPING, None)


def test_a_reward_is_stored_and_read_as_it_is() -> None:
    whole = Reward(
        name="Off", kind=RewardKind.DISCOUNT, price=10, description="x", percent=Decimal("12.50"), stock=3,
        limit=Limit(2, Period.WEEK), segments=("seg_1",), tiers=("gold",), valid_from=NOW,
        valid_until=NOW + timedelta(days=1), voucher_days=30,
    )  # fmt: skip
    assert Reward.read(whole.document()) == whole


# --- who may


def test_whoever_has_the_points_may_redeem_what_is_for_everybody() -> None:
    assert why_not() == []
    assert refusal(Offered(reward=MUG), RICH, zone=VIENNA, now=NOW) is None


@pytest.mark.parametrize(
    ("reward", "who", "reason"),
    [
        (mug(valid_from=NOW + timedelta(microseconds=1)), RICH, Reason.NOT_YET),
        (mug(valid_until=NOW), RICH, Reason.OVER),
        (mug(segments=("seg_1", "seg_2")), RICH, Reason.SEGMENT),
        (mug(tiers=("gold",)), RICH, Reason.TIER),
        (mug(tiers=("gold",)), Who(available=1_000, tier="silver"), Reason.TIER),
        (mug(price=1_001), RICH, Reason.INSUFFICIENT_POINTS),
        (mug(limit=Limit(2)), Who(available=1_000, ever=2), Reason.LIMIT_REACHED),
    ],
)
def test_one_thing_that_stands_against_it_is_enough(reward: Reward, who: Who, reason: Reason) -> None:
    assert why_not(reward, who) == [reason]


@pytest.mark.parametrize(
    ("reward", "who"),
    [
        (mug(valid_from=NOW, valid_until=NOW + timedelta(microseconds=1)), RICH),
        (mug(segments=("seg_1", "seg_2")), Who(available=1_000, segments={"seg_2"})),
        (mug(tiers=("gold", "silver")), Who(available=1_000, tier="silver")),
        (mug(price=1_000), RICH),
        (mug(limit=Limit(2)), Who(available=1_000, ever=1)),
    ],
)
def test_who_is_just_within_may_redeem_it(reward: Reward, who: Who) -> None:
    assert why_not(reward, who, left=1) == []


def test_all_that_stands_against_it_is_told() -> None:
    hard = mug(
        price=9_999, limit=Limit(0), segments=("seg_1",), tiers=("gold",), valid_from=NOW + timedelta(1),
        valid_until=NOW,
    )  # fmt: skip
    assert why_not(hard, replace(RICH, served=False), left=0, archived=True) == list(Reason)


def test_a_refusal_says_first_what_more_points_would_not_change() -> None:
    poor = Who(available=5, ever=1, by_day={TODAY: 1})

    def refused(reward: Reward, left: int | None = None) -> Any:
        return refusal(Offered(reward=reward, left=left), poor, zone=VIENNA, now=NOW)

    strict = mug(tiers=("gold",), limit=Limit(1, Period.MONTH))
    assert isinstance(refused(strict, 0), NotEligible)
    assert refused(strict, 0).reasons == (Reason.TIER,)
    limited = refused(mug(limit=Limit(1, Period.MONTH)), 0)
    assert isinstance(limited, LimitReached)
    assert (limited.limit, limited.period) == (1, Period.MONTH)
    assert limited.again_at == datetime.fromisoformat("2026-03-31T22:00:00Z")  # 1 April in Vienna
    assert isinstance(refused(MUG, 0), OutOfStock)
    short = refused(MUG, 1)
    assert isinstance(short, InsufficientPoints)
    assert (short.available, short.required) == (5, 100)


def test_a_limit_for_ever_never_ends() -> None:
    refused = refusal(Offered(reward=mug(limit=Limit(1))), Who(available=999, ever=1), zone=VIENNA, now=NOW)
    assert isinstance(refused, LimitReached)
    assert refused.again_at is None


# --- limits


@pytest.mark.parametrize(
    ("period", "used", "begins", "again"),
    [
        (Period.DAY, 1, TODAY, date(2026, 3, 11)),
        (Period.WEEK, 3, date(2026, 3, 9), date(2026, 3, 16)),
        (Period.MONTH, 7, date(2026, 3, 1), date(2026, 4, 1)),
        (Period.YEAR, 15, date(2026, 1, 1), date(2027, 1, 1)),
        (Period.EVER, 99, None, None),
    ],
)
def test_uses_count_in_the_period_of_the_calendar_that_today_is_in(
    period: Period, used: int, begins: date | None, again: date | None
) -> None:
    days = {date(2025, 12, 31): 16, date(2026, 1, 1): 8, date(2026, 3, 8): 4, date(2026, 3, 9): 2, TODAY: 1}
    assert limits.used(period, ever=99, by_day=days, today=TODAY) == used
    assert (limits.first_day(period, TODAY), limits.next_day(period, TODAY)) == (begins, again)


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.sampled_from(list(Period)[:-1]))
def test_the_next_period_begins_where_this_one_ends(day: date, period: Period) -> None:
    again = limits.next_day(period, day)
    assert again is not None
    assert again > day
    assert limits.first_day(period, again) == again
    assert limits.first_day(period, again - timedelta(days=1)) == limits.first_day(period, day)


def test_days_are_those_of_the_programmes_zone() -> None:
    late = datetime(2026, 3, 10, 23, 30, tzinfo=UTC)  # 11 March in Vienna
    once = Offered(reward=mug(limit=Limit(1, Period.DAY)))
    who = Who(available=1_000, ever=1, by_day={TODAY: 1})
    assert reasons(once, who, zone=VIENNA, now=late) == ()
    assert reasons(once, who, zone="UTC", now=late) == (Reason.LIMIT_REACHED,)


# --- codes


def test_a_code_is_read_aloud_without_a_doubt_and_is_no_word() -> None:
    assert not {*codes.ALPHABET} & {*"O0I1LUZ2S5B8AEIOU"}
    assert len({*codes.ALPHABET}) == len(codes.ALPHABET)


def test_codes_are_drawn_from_all_that_there_are() -> None:
    drawn = {codes.new() for _ in range(500)}
    assert len(drawn) == 500
    assert {*"".join(drawn)} == {*codes.ALPHABET}
    assert len(codes.ALPHABET) ** codes.LENGTH > 10**16


@pytest.mark.parametrize("typed", ["CDFG-3467-HJKM", "cdfg 3467 hjkm", "cdfg3467hjkm", " CDFG-3467 -HJKM "])
def test_a_code_is_known_however_it_is_typed(typed: str) -> None:
    assert codes.canonical(typed) == "CDFG3467HJKM"
    assert codes.shown("CDFG3467HJKM") == "CDFG-3467-HJKM"


@pytest.mark.parametrize("coupon", ["", "SUMMER-SALE", "CDFG-3467-HJK", "CDFG-3467-HJKMM", "CDFO-3467-HJKM", "C" * 999])
def test_a_coupon_of_the_shops_own_is_no_code(coupon: str) -> None:
    assert codes.canonical(coupon) is None
