# crm/loyalty/ledger/pools.py
"""What is left of points, and until when. Pure.

Points of one account that expire at one instant are alike in everything: they are one pool. It holds sums only, so that
a debit writes no credit, however many are open. What remains of a credit follows from where it begins in its pool.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from crm.loyalty import expiry


class Effect(StrEnum):
    """What a line of an entry does to its pool."""

    CREDIT = "credit"
    TAKE = "take"
    RETURN = "return"
    EXPIRE = "expire"
    RECLAIM = "reclaim"
    """Points that had expired are taken back by the refund of what earned them: the customer loses nothing twice."""


class Line(Struct, frozen=True):
    """Points of one pool that an entry moves. `start`: of a credit, what its pool had been credited before."""

    effect: Effect
    pool: str
    points: int
    start: int | None = None


class Pool(Struct, frozen=True):
    """Sums since ever: of credits, of what was taken and not returned, and of what expired and was not reclaimed.
    `noticed`: the end of which the customer was told.
    """

    credited: int = 0
    taken: int = 0
    expired: int = 0
    noticed: str | None = None

    @property
    def remaining(self) -> int:
        return self.credited - self.taken - self.expired


class Portion(Struct, frozen=True):
    """Points that were taken from a pool."""

    pool: str
    points: int


Pools = Mapping[str, Pool]
EMPTY = Pool()


def remaining(pools: Pools) -> int:
    return sum(pool.remaining for pool in pools.values())


def remaining_of_credit(pool: Pool, *, start: int, points: int) -> int:
    """What is left of a credit: of a pool's points those that came first go first."""
    return max(0, min(points, start + points - pool.taken - pool.expired))


def moved(lines: Iterable[Line]) -> int:
    """By how much lines change what is available."""
    signs = {Effect.CREDIT: 1, Effect.RETURN: 1, Effect.TAKE: -1, Effect.EXPIRE: -1, Effect.RECLAIM: 0}
    return sum(signs[line.effect] * line.points for line in lines)


def after(pools: Pools, lines: Iterable[Line]) -> Pools:
    """Raises ValueError for what no pool can do: a bug."""
    changed = dict(pools)
    for line in lines:
        pool = changed[line.pool] = _after(changed.get(line.pool, EMPTY), line)
        if min(line.points, pool.remaining, pool.taken, pool.expired) < 0:
            raise ValueError(f"{line} leaves {pool}")
    return changed


def crediting(pools: Pools, pool: str, points: int) -> list[Line]:
    return [Line(Effect.CREDIT, pool, points, start=pools.get(pool, EMPTY).credited)] if points else []


def taking(pools: Pools, points: int, *, first: Iterable[str] = ()) -> list[Line]:
    """Take points, or as many as there are: from the pools named `first`, then from those that expire soonest."""
    named = [pool for pool in sorted(set(first)) if pool in pools]
    lines = []
    for name in (*named, *(pool for pool in sorted(pools) if pool not in named)):
        taken = min(points, pools[name].remaining)
        if taken > 0:
            lines.append(Line(Effect.TAKE, name, taken))
            points -= taken
    return lines


def reclaiming(pools: Pools, points: int, *, among: Iterable[str]) -> list[Line]:
    """Of points that are to be taken back, those that have expired already."""
    lines = []
    for name in sorted(set(among)):
        reclaimed = min(points, pools.get(name, EMPTY).expired)
        if reclaimed > 0:
            lines.append(Line(Effect.RECLAIM, name, reclaimed))
            points -= reclaimed
    return lines


def returning(pools: Pools, portions: Sequence[Portion], *, now: datetime, grace: str | None) -> list[Line]:
    """Give portions back to where they were taken from; where that has expired, once, to the pool `grace`. Without one,
    or where they have had it, they expire as they come.
    """
    lines, late = [], 0
    for portion in portions:
        is_late = expiry.is_past(portion.pool, now)
        if is_late and grace and not expiry.had_grace(portion.pool):
            late += portion.points
            continue
        lines.append(Line(Effect.RETURN, portion.pool, portion.points))
        if is_late:
            lines.append(Line(Effect.EXPIRE, portion.pool, portion.points))
    return lines + (crediting(pools, grace, late) if grace else [])


def portions(lines: Iterable[Line], *effects: Effect) -> tuple[Portion, ...]:
    """What lines of these effects moved, or what they took, the soonest expiring first; of a pool in one portion."""
    moved: dict[str, int] = {}
    for line in lines:
        if line.effect in (effects or (Effect.TAKE,)):
            moved[line.pool] = moved.get(line.pool, 0) + line.points
    return tuple(Portion(pool, moved[pool]) for pool in sorted(moved))


def total(portions: Iterable[Portion]) -> int:
    return sum(portion.points for portion in portions)


def split(portions: Sequence[Portion], points: int) -> tuple[tuple[Portion, ...], tuple[Portion, ...]]:
    """The `points` of portions that expire soonest, and the others."""
    first, others = [], []
    for portion in sorted(portions, key=lambda one: one.pool):
        of_first = min(points, portion.points)
        points -= of_first
        first.append(replace(portion, points=of_first))
        others.append(replace(portion, points=portion.points - of_first))
    return tuple(one for one in first if one.points), tuple(one for one in others if one.points)


def _after(pool: Pool, line: Line) -> Pool:
    match line.effect:
        case Effect.CREDIT:
            return replace(pool, credited=pool.credited + line.points)
        case Effect.TAKE:
            return replace(pool, taken=pool.taken + line.points)
        case Effect.RETURN:
            return replace(pool, taken=pool.taken - line.points)
        case Effect.EXPIRE:
            return replace(pool, expired=pool.expired + line.points)
        case Effect.RECLAIM:
            return replace(pool, expired=pool.expired - line.points, taken=pool.taken + line.points)
