# crm/loyalty/tiers/regimes.py
"""Which tiers a shop's programme had, and since when."""

import hashlib
from collections.abc import Iterable
from datetime import date, datetime

from msgspec.structs import replace

from crm.kernel import clock
from crm.kernel.remembered import Remembered
from crm.loyalty.programmes import in_force
from crm.loyalty.programmes.versions import Version
from crm.loyalty.tiers.definitions import Regime

_cache = Remembered[tuple[Version, tuple[Regime, ...]]]()


def regimes(shop: str, *, now: datetime) -> tuple[Regime, ...]:
    """All that have counted by now, the oldest first. A day is ruled by what counts when it ends, today by what counts
    now. Raises NotFound for an unknown shop.
    """
    newest = in_force.version(shop, at=now, now=now)
    if not newest.number:
        return (Regime(date.min, newest.programme.tiers, zone=newest.programme.zone),)
    cached = _cache.get(shop)
    if cached is None or cached[0] is not newest:
        cached = newest, tuple(_ruling(in_force.counted(shop, now=now)))
        _cache.keep(shop, cached)
    return cached[1]


def digest(regime: Regime) -> str:
    """Tells one regime from another, by all that accounts keep of it."""
    return hashlib.sha256(repr((regime.since, regime.zone, regime.tiers.kept())).encode()).hexdigest()[:16]


def _ruling(versions: Iterable[Version]) -> list[Regime]:
    """Those whose rules differ. Names, benefits and notices are those of the newest that has the same rules."""
    found: list[Regime] = []
    for version in versions:
        programme = version.programme
        since = clock.local_day(version.effective_at, programme.zone) if version.effective_at else date.min
        at = version.effective_at
        regime = Regime(since, programme.tiers, version.tiers_in, began_at=at, said_at=at, zone=programme.zone)
        if found and found[-1].since == since:
            found.pop()
        if found and found[-1].tiers.rules() == regime.tiers.rules():
            before = found.pop()
            said_at = at if regime.tiers.kept() != before.tiers.kept() else before.said_at
            regime = replace(regime, since=before.since, began_at=before.began_at, said_at=said_at)
        found.append(regime)
    return found
