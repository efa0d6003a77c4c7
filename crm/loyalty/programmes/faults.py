# crm/loyalty/programmes/faults.py
"""What is wrong with a programme, but for its parts: each part's room judges its own. Pure."""

from decimal import Decimal
from typing import Final

from crm.kernel import clock
from crm.kernel.errors import Fault
from crm.kernel.money import is_currency
from crm.loyalty.programme import Programme

MOST_DAYS: Final = 400
MOST_POINTS: Final = 10**9
MOST_DECIMALS: Final = 6


def of_programme(programme: Programme) -> list[Fault]:
    found = []
    if not is_currency(programme.currency):
        found.append(Fault("currency", "INVALID", "must be an ISO 4217 currency such as EUR"))
    if not clock.is_zone(programme.zone):
        found.append(Fault("zone", "INVALID", "must be an IANA time zone such as Europe/Berlin"))
    found += of_number("point_value", programme.point_value, most=Decimal(1000))
    if not 0 <= programme.breakage <= 1:
        found.append(Fault("breakage", "INVALID", "must be 0 to 1"))
    for name, days in (("return_window_days", programme.return_window_days), ("grace_days", programme.grace_days)):
        if not 0 <= days <= MOST_DAYS:
            found.append(Fault(name, "INVALID", f"must be 0 to {MOST_DAYS} days"))
    if programme.most_owed is not None and not 0 <= programme.most_owed <= MOST_POINTS:
        found.append(Fault("most_owed", "INVALID", f"must be 0 to {MOST_POINTS:,} points"))
    return found


def of_number(path: str, number: Decimal, *, most: Decimal) -> list[Fault]:
    """Above zero, and exact in so few decimals that sums of many stay so."""
    if not number.is_finite() or not 0 < number <= most:
        return [Fault(path, "INVALID", f"must be more than 0 and at most {most:,}")]
    if number != round(number, MOST_DECIMALS):
        return [Fault(path, "INVALID", f"must have at most {MOST_DECIMALS} decimals")]
    return []
