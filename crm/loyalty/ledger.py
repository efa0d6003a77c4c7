# crm/loyalty/ledger.py
"""How points are earned and moved. Pure: values in, values out."""

from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from msgspec import Struct

from crm.kernel.money import Money

POINTS_PER_UNIT = Decimal(1)

CUSTOMER_AVAILABLE = "customer:available"
PROGRAMME_ISSUED = "programme:issued"


class Movement(StrEnum):
    EARN = "earn"
    REVERSE = "reverse"


class Withheld(StrEnum):
    """Why an order earns nothing."""

    OTHER_CURRENCY = "OTHER_CURRENCY"


class Earned(Struct, frozen=True):
    """What an order earns as it stands; `withheld` says why it is nothing whatever its net."""

    points: int
    withheld: Withheld | None = None


def earned(net: Money, *, currency: str) -> Earned:
    """Points for an order's net: one per whole unit of the programme's currency, rounded down on the whole order.

    Rounding down means that a split order never earns more than the same order whole. Another currency earns nothing,
    since no rate is agreed.
    """
    if net.currency != currency:
        return Earned(0, Withheld.OTHER_CURRENCY)
    return Earned(int((net.amount * POINTS_PER_UNIT).to_integral_value(rounding=ROUND_DOWN)))


def correction(points: int, *, order_rev: int, posted: int, posted_rev: int) -> int | None:
    """What is to be posted so that an order has posted `points`; None where `order_rev` is no news."""
    return points - posted if order_rev > posted_rev else None


def movement(points: int) -> Movement:
    return Movement.EARN if points > 0 else Movement.REVERSE


def postings(points: int) -> Mapping[str, int]:
    """The two sides of points that an order earned, or gives back."""
    return {CUSTOMER_AVAILABLE: points, PROGRAMME_ISSUED: -points}
