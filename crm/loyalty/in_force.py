# crm/loyalty/in_force.py
"""Which programme counts."""

from datetime import datetime

from crm.loyalty.programme import Programme
from crm.shops import service as shops


def programme(shop: str, *, now: datetime) -> Programme:
    """Every shop has the same, in its own currency and zone, until shops define their own. Raises NotFound."""
    found = shops.current(shop, now=now)
    return Programme(currency=found.currency, zone=found.zone)
