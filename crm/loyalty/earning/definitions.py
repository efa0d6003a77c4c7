# crm/loyalty/earning/definitions.py
"""What a programme says of earning: its rules."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from msgspec import Struct

BASE: Final = "base"
"""What stands for a rule where the programme's own rate gave points."""


class Kind(StrEnum):
    """What a rule's `value` is."""

    PER_UNIT = "PER_UNIT"
    """Points for a unit of the programme's currency, and parts of it for its parts, of the lines it covers."""
    PER_ITEM = "PER_ITEM"
    """Points for each unit of goods of the lines it covers."""
    MULTIPLIER = "MULTIPLIER"
    """So many times what the rate and the rules above give for the lines it covers. Of several the highest counts; what
    its caps and budget keep back the next gives, up to its own factor.
    """
    FIXED = "FIXED"
    """Points for an order of which something that it covers is kept."""


class Conditions(Struct, frozen=True):
    """Whatever is given must hold; of a list one is enough. The first three say which lines a rule covers."""

    categories: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    weekdays: tuple[int, ...] = ()
    """By ISO, Monday is 1; as all days here, those of the programme's zone."""
    from_on: date | None = None
    until_on: date | None = None
    """The last day."""
    first_order: bool = False
    minimum: Decimal | None = None
    """Net of the lines it covers, in whole units of the programme's currency."""

    @property
    def are_of_lines(self) -> bool:
        return bool(self.categories or self.skus or self.tags)


class Caps(Struct, frozen=True):
    """The most points that may be given: for an order, to a customer in a day, and to a customer ever."""

    per_order: int | None = None
    per_day: int | None = None
    per_customer: int | None = None

    @property
    def are_counted(self) -> bool:
        return self.per_day is not None or self.per_customer is not None


class Rule(Struct, frozen=True):
    """`budget`: points that it may give in all, to all customers."""

    id: str
    name: str
    kind: Kind
    value: Decimal
    conditions: Conditions = Conditions()
    caps: Caps = Caps()
    budget: int | None = None
    archived_at: datetime | None = None


class Earning(Struct, frozen=True):
    """All the rules there ever were, and what all of them together may give at most."""

    rules: tuple[Rule, ...] = ()
    caps: Caps = Caps()

    @property
    def active(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.archived_at is None)

    @property
    def segments(self) -> frozenset[str]:
        """Those that some rule asks about."""
        return frozenset(each for rule in self.active for each in rule.conditions.segments)

    @property
    def asks_about_goods(self) -> bool:
        """Whether what an order earns depends on more than its net, its customer and its day."""
        return any(
            rule.kind is Kind.PER_ITEM or rule.conditions.are_of_lines or rule.conditions.channels
            for rule in self.active
        )

    @property
    def is_counted(self) -> bool:
        """Whether what a customer was given before limits what they are given."""
        return self.caps.are_counted or any(rule.caps.are_counted for rule in self.active)
