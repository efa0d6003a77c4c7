# crm/loyalty/tiers/merging.py
"""Which tier somebody has who was two customers. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Self

from msgspec import Struct

from crm.kernel import clock
from crm.loyalty.expiry import months_later
from crm.loyalty.tiers.definitions import Tiers
from crm.loyalty.tiers.record import Kept, Override


class Had(Struct, frozen=True):
    """What one of them had, until when: given by somebody of the shop, or reached."""

    given: Override | None = None
    reached: Override | None = None

    @classmethod
    def of(cls, kept: Kept, *, zone: str, now: datetime) -> Self:
        """What has no end is had for a year."""
        if kept.override is not None:
            return cls(given=kept.override if kept.override.until > now else None)
        ends_on = kept.ends_on or months_later(clock.local_day(now, zone), 12)
        until = clock.start_of_day(ends_on, zone)
        return cls(reached=Override(kept.tier, until) if kept.tier and until > now else None)


def kept_beside(reached: str | None, had: Iterable[Had], tiers: Tiers) -> Override | None:
    """What counts instead of what both have `reached` together: the highest that either had, where it is a higher one,
    and of what was given also one that is as high.
    """
    found = []
    for each in had:
        if each.given and not tiers.is_lower(each.given.tier, reached):
            found.append(each.given)
        if each.reached and tiers.is_lower(reached, each.reached.tier):
            found.append(each.reached)
    best: Override | None = None
    for one in found:
        if best is None or tiers.is_lower(best.tier, one.tier) or (best.tier == one.tier and one.until > best.until):
            best = one
    return best
