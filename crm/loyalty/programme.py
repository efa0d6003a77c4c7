# crm/loyalty/programme.py
"""By which rules points are earned, kept and taken back: what a version of a programme says.

It is stored whole (crm/loyalty/programmes/). Each part that has a room of its own is a value of that room, with a
default: what versions that were written before it say of it.
"""

from decimal import ROUND_CEILING, ROUND_DOWN, Decimal
from enum import StrEnum

from msgspec import Struct

from crm.kernel.money import Money, minor_units
from crm.loyalty.bonuses.definitions import Bonuses, Enrolment
from crm.loyalty.expiry import Expiry


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


class Earned(Struct, frozen=True):
    """What an order earns as it stands; `withheld` says why it is nothing whatever its net."""

    points: int
    withheld: Withheld | None = None


class Programme(Struct, frozen=True):
    """`rate`: points for each whole unit of its currency. `point_value`: whole units of it that a point pays.
    `notice_days`: how long before points expire their customer is told; None: never.
    """

    currency: str
    zone: str
    rate: Decimal = Decimal(1)
    point_value: Decimal = Decimal("0.01")
    return_window_days: int = 0
    expiry: Expiry | None = None
    shortfall: Shortfall = Shortfall.NEGATIVE
    most_owed: int | None = None
    grace_days: int = 30
    enrolment: Enrolment = Enrolment.AUTOMATIC
    bonuses: Bonuses = Bonuses()
    notice_days: int | None = None

    def earned(self, net: Money, *, points_spent: int = 0) -> Earned:
        """Points for an order's net less what was paid with points, rounded down on the whole order.

        Rounding down means that a split order never earns more than the same order whole. Another currency earns
        nothing, since no rate is agreed. Net is without taxes, shipping and gift cards (docs/glossary.md).
        """
        if net.currency != self.currency:
            return Earned(0, Withheld.OTHER_CURRENCY)
        base = Money(max(0, net.minor - self.worth(points_spent)), self.currency)
        return Earned(int((base.amount * self.rate).to_integral_value(rounding=ROUND_DOWN)))

    def worth(self, points: int) -> int:
        """What points pay, in minor units, rounded up: on no part of a unit that was paid with points any is earned."""
        digits = Money(1, self.currency).amount
        paid = (points * self.point_value).quantize(digits, rounding=ROUND_CEILING)
        return minor_units(str(paid), self.currency)
