# crm/loyalty/remaining.py
"""What an entry did to the points that can be spent, by when they expire: credits and what is left of them, and debits
and from which. Pure.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from crm.loyalty import expiry
from crm.loyalty.ledger import pools
from crm.loyalty.ledger.pools import Effect, Pool
from crm.loyalty.models import LedgerEntry, PoolLine


class Credit(Struct, frozen=True):
    """Points that came, and how many of them are left: those that came first, of all that expire at once, go first."""

    points: int
    remaining: int
    expires_at: datetime | None


class Part(Struct, frozen=True):
    """Points that went, or came back, with the expiry they have had all along."""

    points: int
    expires_at: datetime | None


def credited(entry: LedgerEntry) -> list[str]:
    """The pools whose state says what is left of the entry's credits."""
    return [line.pool for line in _lines(entry, Effect.CREDIT)]


def credits_of(entry: LedgerEntry, found: Mapping[str, Pool], *, now: datetime) -> list[Credit]:
    """`found`: its pools as they are. Of what has expired nothing is left, also before that is posted."""
    return [
        Credit(int(line.points), _remaining(line, found.get(line.pool), now=now), expiry.ends_at(line.pool))
        for line in _lines(entry, Effect.CREDIT)
    ]


def taken(entry: LedgerEntry) -> list[Part]:
    return _parts(entry, Effect.TAKE)


def returned(entry: LedgerEntry) -> list[Part]:
    return _parts(entry, Effect.RETURN)


def _remaining(line: PoolLine, pool: Pool | None, *, now: datetime) -> int:
    if pool is None or expiry.is_past(line.pool, now):
        return 0
    return pools.remaining_of_credit(pool, start=int(line.start or 0), points=int(line.points))


def _parts(entry: LedgerEntry, effect: Effect) -> list[Part]:
    lines = sorted(_lines(entry, effect), key=lambda line: str(line.pool))
    return [Part(int(line.points), expiry.ends_at(line.pool)) for line in lines]


def _lines(entry: LedgerEntry, effect: Effect) -> list[PoolLine]:
    lines: Sequence[PoolLine] = entry.lines
    return [line for line in lines if line.effect == effect]
