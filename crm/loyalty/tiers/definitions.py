# crm/loyalty/tiers/definitions.py
"""What a programme says of its tiers."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct


class Basis(StrEnum):
    """What is counted, of the orders placed in the window."""

    POINTS = "POINTS"
    """What the orders earn as they stand, whatever has been spent since."""
    SPEND = "SPEND"
    """Their net, in minor units of the programme's currency; orders in another count nothing."""
    ORDERS = "ORDERS"
    """How many of them stand."""


class Window(StrEnum):
    """Over which days it is counted."""

    ROLLING = "ROLLING"
    """The 12 months that end with the day."""
    CALENDAR_YEAR = "CALENDAR_YEAR"
    MEMBERSHIP_YEAR = "MEMBERSHIP_YEAR"
    """Years that begin on the day of joining."""


class Downgrade(StrEnum):
    """What becomes of a tier that was not reached again in time."""

    ONE_STEP = "ONE_STEP"
    """The next lower one, for a year, where less was reached than that."""
    REEVALUATE = "REEVALUATE"
    """What was reached."""


class Tier(Struct, frozen=True):
    """`threshold` is the least that attains it. One that is archived is kept by those who have it, and attained by
    nobody else.
    """

    id: str
    name: str
    threshold: int
    benefits: tuple[str, ...] = ()
    archived_at: datetime | None = None


class Tiers(Struct, frozen=True):
    """All the tiers there ever were, and by which rules they are attained and lost."""

    basis: Basis = Basis.POINTS
    window: Window = Window.ROLLING
    downgrade: Downgrade = Downgrade.ONE_STEP
    grace_days: int = 0
    """How long a tier stays that was not reached again, and what is reached in that time still counts for it."""
    notice_days: int = 30
    """How long before it ends customers are told."""
    all: tuple[Tier, ...] = ()

    @property
    def active(self) -> tuple[Tier, ...]:
        """Those that can be attained, ascending."""
        return tuple(sorted((tier for tier in self.all if tier.archived_at is None), key=_threshold))

    @property
    def names(self) -> dict[str, str]:
        """Of those that can be attained, by their ids."""
        return {tier.id: tier.name for tier in self.active}

    @property
    def archived(self) -> frozenset[str]:
        """The ids of the others."""
        return frozenset(tier.id for tier in self.all if tier.archived_at is not None)

    def find(self, tier_id: str | None) -> Tier | None:
        return next((tier for tier in self.all if tier.id == tier_id), None)

    def attained(self, amount: int) -> str | None:
        """The highest tier that so much attains."""
        return next((tier.id for tier in reversed(self.active) if tier.threshold <= amount), None)

    def below(self, tier_id: str | None) -> str | None:
        """One step down."""
        tier = self.find(tier_id)
        return self.attained(tier.threshold - 1) if tier else None

    def above(self, tier_id: str | None) -> Tier | None:
        """The next to attain."""
        tier = self.find(tier_id)
        return next((each for each in self.active if tier is None or each.threshold > tier.threshold), None)

    def keeping(self, tier: Tier) -> Tier | None:
        """The least that is to be attained so that a tier does not become a lower one: itself, until it is archived."""
        return next((each for each in self.active if each.threshold >= tier.threshold), None)

    def is_lower(self, tier_id: str | None, than: str | None) -> bool:
        return self._rank(tier_id) < self._rank(than)

    def higher(self, one: str | None, other: str | None) -> str | None:
        return other if self.is_lower(one, other) else one

    def rules(self) -> tuple[Any, ...]:
        """All that decides who has which tier: names and benefits do not."""
        thresholds = tuple((tier.id, tier.threshold, tier.archived_at is None) for tier in self.all)
        return self.basis, self.window, self.downgrade, self.grace_days, thresholds

    def kept(self) -> tuple[Any, ...]:
        """All that accounts keep of it: what decides, what tiers are called, and how long before their end is told."""
        return *self.rules(), self.notice_days, tuple((tier.id, tier.name) for tier in self.all)

    def _rank(self, tier_id: str | None) -> int:
        tier = self.find(tier_id)
        return -1 if tier is None else tier.threshold


class Regime(Struct, frozen=True):
    """What counts from a day on, until the next one: from `began_at` of that day. `version` of the programme is the
    newest that says so, and it does from `said_at`: it may call by other names what counted before. None: since ever.
    """

    since: date
    tiers: Tiers
    version: int = 0
    began_at: datetime | None = None
    said_at: datetime | None = None
    zone: str = ""


def _threshold(tier: Tier) -> int:
    return tier.threshold
