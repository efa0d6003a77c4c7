# tests/faults/loyalty_tier_meetings.py
"""What may meet about tiers, and about points that nobody ordered for."""

from datetime import datetime, timedelta
from typing import Any, Final

from crm.customers.service import Customer
from crm.customers.standing import BLOCKED
from crm.kernel.change import Change, retrying
from crm.kernel.timers import Timer, TimerDue
from crm.loyalty import service
from crm.loyalty.bonuses.definitions import Bonuses, EventBonus
from crm.loyalty.programme import Programme
from crm.loyalty.tiers.book import OWNER, SUBJECT
from crm.loyalty.tiers.definitions import Tier, Tiers
from crm.loyalty.tiers.record import kept_of
from crm.touchpoints.events import TouchpointRecorded
from crm.touchpoints.models import Touchpoint
from tests.faults.loyalty_meetings import ANN, BEA, BEGUN, Move, Moves, Situation
from tests.faults.loyalty_reward_meetings import RewardMoves
from tests.faults.loyalty_shop import CURRENCY, ZONE, staff

SILVER, GOLD = Tier("silver", "Silver", 100), Tier("gold", "Gold", 250)
TIERED: Final = Programme(CURRENCY, ZONE, tiers=Tiers(all=(SILVER, GOLD)))
REVIEWED: Final = "review.written"
GIVING: Final = Programme(
    CURRENCY, ZONE, bonuses=Bonuses(
        signup=25, birthday=20,
        events=(EventBonus(id="reviews", name="Reviews", event=REVIEWED, points=10, per_day=1, per_customer=2),),
    ),
)  # fmt: skip
A_YEAR_LATER: Final = BEGUN + timedelta(days=370)


class TierMoves:
    def __init__(self, shop: str, now: datetime) -> None:
        self._shop, self._now = shop, now

    def override(self, tier: Tier | None, days: int = 30) -> Move:
        said = service.TierOverride(
            tier_id=tier.id if tier else None, until=self._now + timedelta(days=days) if tier else None, reason="Thanks"
        )

        def override() -> Any:
            kept = kept_of(service.override_tier(self._shop, ANN, said, actor=staff(), now=self._now).account)
            return kept.tier, kept.number

        return override

    def wake(self) -> Move:
        due = TimerDue(self._shop, ANN, OWNER, SUBJECT, BEGUN)
        return lambda: len(service.wake_tier(due, now=self._now))

    def timer(self) -> Move:
        """One that is left of somebody who is not there any more."""
        return lambda: Timer.of(self._shop, ANN, OWNER, SUBJECT, BEGUN).save()


class BonusMoves:
    def __init__(self, shop: str, now: datetime) -> None:
        self._shop, self._now = shop, now

    def review(self, touchpoint_id: str) -> Move:
        def review() -> Any:
            item = Touchpoint.of(self._shop, ANN, REVIEWED, touchpoint_id, occurred_at=BEGUN)
            item.direction, item.recorded_at, item.rev, item.cause = "inbound", BEGUN, 1, f"event:{touchpoint_id}"
            item.save()
            given = service.give_for_event(TouchpointRecorded.of(item), now=self._now)
            return [(one.points, one.unearned) for one in given]

        return review

    def born(self, day: str) -> Move:
        """Their profile says so."""

        def born() -> str:
            profile = Customer.get(Customer.of(self._shop, ANN, now=self._now).pk, Customer.SK, consistent_read=True)
            profile.birth_date, written = day, Change(self._now)
            written.revise(profile)
            written.commit()
            return day

        return lambda: retrying(born)

    def hear(self) -> Move:
        """What the profile says."""
        return lambda: service.heard_of_birthday(self._shop, ANN, now=self._now)


def situations(shop: str) -> list[Situation]:
    points, late = Moves(shop, BEGUN), Moves(shop, A_YEAR_LATER)
    at, later = TierMoves(shop, BEGUN), TierMoves(shop, A_YEAR_LATER)
    given, profile = BonusMoves(shop, BEGUN), RewardMoves(shop, BEGUN)
    newcomer = {
        "give a tier": at.override(GOLD), "wake": at.wake(), "give": points.adjust(50), "order": points.order("o1"),
        "order too little": points.order("o2", gross=50),
    }  # fmt: skip
    bonuses = {
        "review": given.review("t1"), "review too": given.review("t2"), "are blocked": profile.becomes(BLOCKED),
        "take part": profile.enrol(), "hear of their birthday": given.hear(), "settle": points.settle(),
        "say another birthday": given.born("1990-03-20"),
    }  # fmt: skip
    silver = [points.order("o1", gross=12_000), points.adjust(50, "b", customer=BEA)]
    return [
        Situation("tiers", silver, _moves(points, at), programme=TIERED),
        Situation("a tier is over", silver, _moves(late, later), programme=TIERED),
        Situation("a given tier is over", [*silver, at.override(GOLD)], _moves(late, later), programme=TIERED),
        Situation("nobody, tiers", [at.timer()], newcomer, programme=TIERED, then=[at.wake()]),
        Situation("bonuses", [profile.customer(ANN), given.born("1990-03-10")], bonuses, programme=GIVING),
    ]


def _moves(points: Moves, tiers: TierMoves) -> dict[str, Move]:
    return {
        "attain more": points.order("o2", gross=20_000),
        "order too little": points.order("o3", gross=50),
        "order too little again": points.order("o4", gross=50),
        "refund": points.order("o1", 2, gross=12_000, refunded=12_000),
        "give a tier": tiers.override(GOLD),
        "give a lower tier": tiers.override(SILVER, 60),
        "give none": tiers.override(None),
        "wake": tiers.wake(),
        "give": points.adjust(40, "b"),
        "merge": points.transfer(BEA, ANN),
    }
