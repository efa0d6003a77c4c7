# crm/loyalty/rewards/eligibility.py
"""Whether a customer may redeem a reward, and everything that stands against it. Pure."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from enum import StrEnum

from msgspec import Struct

from crm.kernel import clock
from crm.kernel.errors import CrmError
from crm.loyalty.ledger.refusals import InsufficientPoints
from crm.loyalty.rewards import limits
from crm.loyalty.rewards.refusals import LimitReached, NotEligible, OutOfStock, PriceChanged
from crm.loyalty.rewards.reward import Reward


class Reason(StrEnum):
    """Why not; in the order in which they are told."""

    ARCHIVED = "ARCHIVED"
    NOT_SERVED = "NOT_SERVED"
    NOT_YET = "NOT_YET"
    OVER = "OVER"
    SEGMENT = "SEGMENT"
    TIER = "TIER"
    LIMIT_REACHED = "LIMIT_REACHED"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    INSUFFICIENT_POINTS = "INSUFFICIENT_POINTS"


OF_THEM = frozenset({Reason.ARCHIVED, Reason.NOT_SERVED, Reason.NOT_YET, Reason.OVER, Reason.SEGMENT, Reason.TIER})
"""What makes a customer not eligible; the others have refusals of their own, which say more."""


class Offered(Struct, frozen=True, kw_only=True):
    """A reward as it stands. `left` of its stock; None: any number."""

    reward: Reward
    left: int | None = None
    archived: bool = False


class Who(Struct, frozen=True, kw_only=True):
    """What is asked of a customer. `served`: they take part. `segments` they are in now; uses of the reward `ever` and
    `by_day`.
    """

    available: int
    served: bool = True
    segments: Collection[str] = ()
    tier: str | None = None
    ever: int = 0
    by_day: Mapping[date, int] = {}


def reasons(offered: Offered, who: Who, *, zone: str, now: datetime) -> tuple[Reason, ...]:
    """None, where they may redeem it now."""
    reward = offered.reward
    against = {
        Reason.ARCHIVED: offered.archived,
        Reason.NOT_SERVED: not who.served,
        Reason.NOT_YET: reward.valid_from is not None and now < reward.valid_from,
        Reason.OVER: reward.valid_until is not None and now >= reward.valid_until,
        Reason.SEGMENT: bool(reward.segments) and not {*reward.segments} & {*who.segments},
        Reason.TIER: bool(reward.tiers) and who.tier not in reward.tiers,
        Reason.LIMIT_REACHED: reward.limit is not None
        and limits.is_reached(reward.limit, ever=who.ever, by_day=who.by_day, today=clock.local_day(now, zone)),
        Reason.OUT_OF_STOCK: offered.left is not None and offered.left <= 0,
        Reason.INSUFFICIENT_POINTS: who.available < reward.price,
    }
    return tuple(reason for reason in Reason if against[reason])


def refusal(offered: Offered, who: Who, *, expected: int | None = None, zone: str, now: datetime) -> CrmError | None:
    """What a customer who may not redeem it is told; first what more points would not change. `expected`: what they
    were told that it costs.
    """
    reward, found = offered.reward, reasons(offered, who, zone=zone, now=now)
    if of_them := [reason for reason in found if reason in OF_THEM]:
        return NotEligible(of_them)
    if expected not in {None, reward.price}:
        return PriceChanged(reward.price)
    if Reason.LIMIT_REACHED in found and reward.limit:
        again = limits.next_day(reward.limit.period, clock.local_day(now, zone))
        return LimitReached(
            limit=reward.limit.count, period=reward.limit.period,
            again_at=clock.start_of_day(again, zone) if again else None,
        )  # fmt: skip
    if Reason.OUT_OF_STOCK in found:
        return sold_out()
    if Reason.INSUFFICIENT_POINTS in found:
        return InsufficientPoints(available=who.available, required=reward.price, field="reward_id")
    return None


def sold_out() -> OutOfStock:
    return OutOfStock("None of it is left.", field="reward_id")
