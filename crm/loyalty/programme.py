# crm/loyalty/programme.py
"""By which rules points are earned, kept and taken back: what a version of a programme says.

It is stored whole (crm/loyalty/programmes/). Each part that has a room of its own is a value of that room, with a
default: what versions that were written before it say of it.
"""

from decimal import ROUND_CEILING, Decimal
from enum import StrEnum

from msgspec import Struct

from crm.kernel.money import Money, minor_units
from crm.loyalty.bonuses.definitions import Bonuses, Enrolment
from crm.loyalty.earning.definitions import Earning
from crm.loyalty.expiry import Expiry
from crm.loyalty.tiers.definitions import Tiers


class Shortfall(StrEnum):
    """What becomes of points that a refund takes back and that are spent, where the balance does not cover them."""

    WITHIN_BALANCE = "WITHIN_BALANCE"
    """They are forgiven."""
    NEGATIVE = "NEGATIVE"
    """They are owed, and the balance is shown below zero; beyond `most_owed` they are forgiven."""
    RECOVER = "RECOVER"
    """They are owed, the balance is shown as zero, and what is earned next pays first."""


class Withheld(StrEnum):
    """Why an order earns nothing."""

    OTHER_CURRENCY = "OTHER_CURRENCY"
    NOT_ENROLLED = "NOT_ENROLLED"
    """It was placed before its customer took part."""


class Programme(Struct, frozen=True):
    """`rate`: points for a unit of its currency, whatever rules add. `point_value`: whole units of it
    that a point pays. `notice_days`: how long before points expire that is published; None: never.
    """

    currency: str
    zone: str
    rate: Decimal = Decimal(1)
    point_value: Decimal = Decimal("0.01")
    breakage: Decimal = Decimal(0)
    """The share of points that is never spent: what is owed for them is less by it (crm/kpis/balances.py)."""
    return_window_days: int = 0
    expiry: Expiry | None = None
    shortfall: Shortfall = Shortfall.NEGATIVE
    most_owed: int | None = None
    grace_days: int = 30
    earning: Earning = Earning()
    enrolment: Enrolment = Enrolment.AUTOMATIC
    bonuses: Bonuses = Bonuses()
    notice_days: int | None = None
    tiers: Tiers = Tiers()

    def worth(self, points: int) -> int:
        """What points pay, in minor units, rounded up: on no part of a unit that was paid with points any is earned."""
        digits = Money(1, self.currency).amount
        paid = (points * self.point_value).quantize(digits, rounding=ROUND_CEILING)
        return minor_units(str(paid), self.currency)
