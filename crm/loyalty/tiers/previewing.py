# crm/loyalty/tiers/previewing.py
"""Which tier somebody would have, if tiers were defined otherwise from now on. Nothing is written."""

from datetime import date, datetime

from msgspec import Struct

from crm.kernel import clock
from crm.loyalty.models import LoyaltyAccount
from crm.loyalty.tiers import fold, record, repository
from crm.loyalty.tiers.amounts import Days
from crm.loyalty.tiers.definitions import Regime, Tier, Tiers
from crm.loyalty.tiers.fold import Given
from crm.loyalty.tiers.regimes import regimes


class Trial(Struct, frozen=True):
    """The `tier` they would have today, also since nobody loses theirs at once; and the one that what they have
    `reached` since a day attains by itself.
    """

    tier: Tier | None
    attained: Tier | None
    reached: int
    since: date


class Reached(Struct, frozen=True):
    """What counts for somebody's tier, day by day, and what was given them by hand."""

    head: LoyaltyAccount
    days: Days
    regimes: tuple[Regime, ...]

    @classmethod
    def of(cls, shop: str, customer_id: str, head: LoyaltyAccount, *, now: datetime) -> "Reached":
        """One Query, or two."""
        items = repository.list_qualifying(shop, customer_id, since="", until=None)
        return cls(head, Days(record.days_of(items)), regimes(shop, now=now))

    def by(self, tiers: Tiers, *, zone: str, now: datetime) -> Trial | None:
        """None of who takes no part."""
        today, joined_at = clock.local_day(now, zone), self.head.enrolled_at
        if joined_at is None and not self.days.days:
            return None
        joined_on = clock.local_day(joined_at, zone) if joined_at else self.days.days[0]
        before = [each for each in self.regimes if each.since < today]
        given = Given(self.days, [*before, Regime(today, tiers)], joined_on)
        state, _ = fold.advance(fold.beginning(given), given, today)
        since, amount = fold.reached(given, today)
        by_hand = record.kept_of(self.head).override
        had = by_hand.tier if by_hand and by_hand.until > now else state.tier
        return Trial(tiers.find(had), tiers.find(tiers.attained(amount)), amount, since)
