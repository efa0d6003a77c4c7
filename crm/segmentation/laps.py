# crm/segmentation/laps.py
"""How one walk over all of a shop's customers does for every edit that comes meanwhile. Pure.

The walk goes round and round. Whoever is come to is brought up to all edits there are by then; so an edit joins the
walk where it stands, and is done once that has come round to there. However many follow, each is done after one lap.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from crm.kernel.rounds import Place

MOST_OWED: Final = 50
"""Edits that are told apart; of more, those that joined nearest to each other are done with the later of them."""
MOST_LEFT: Final = 1_000
"""Of whom a walk has given up on, so many are known by name, and come back to."""


class Joined(Struct, frozen=True):
    """An edit, by its version of the catalogue: where it joined the walk, which had come to so many by then."""

    version: int
    place: Place
    walked: int


class Walk(Struct, frozen=True):
    """`walked` counts those who were come to, those before this lap in `before`; a lap has `total`, as far as is known.

    `owed`: the edits that it has not come round for, the oldest first; `done`: the newest that it has. `refused`: how
    many were given up on since the newest joined, of whom `left` has the ids.
    """

    place: Place = Place()
    walked: int = 0
    before: int = 0
    total: int | None = None
    owed: tuple[Joined, ...] = ()
    done: int = 0
    left: tuple[str, ...] = ()
    refused: int = 0

    @property
    def newest(self) -> int:
        """The newest edit that has joined."""
        return self.owed[-1].version if self.owed else self.done

    def walked_before(self, version: int) -> int:
        """How many it had come to before an edit joined that it owes; all, where it owes it no more."""
        return next((each.walked for each in self.owed if each.version >= version), self.walked)


def joined(walk: Walk, version: int) -> Walk:
    """With an edit, unless that has joined before, or a newer one.

    A walk that owes nothing begins anew. One that has given up on anybody is done with those it owes when it is with
    this one: until then it comes to everybody again.
    """
    if version <= walk.newest:
        return walk
    if not walk.owed:
        walk = Walk()
    elif walk.refused:
        walk = replace(walk, owed=(), done=0, left=(), refused=0)
    owed = [*walk.owed, Joined(version, walk.place, walk.walked)]
    if len(owed) > MOST_OWED:
        apart = [later.walked - earlier.walked for earlier, later in pairwise(owed)]
        del owed[apart.index(min(apart))]
    return replace(walk, owed=tuple(owed))


def passed(walk: Walk, place: Place, *, count: int, left: Sequence[str] = (), shards: int) -> Walk:
    """Gone on to a place of this lap, or its end, past so many, of whom some were given up on."""
    walked, before, total = walk.walked + count, walk.before, walk.total
    through = place.walked_through(walk.place.lap, shards=shards)
    if through > walk.place.shard:  # as many in each, by chance
        total = round((walked - before) * shards / through)
    if place.lap > walk.place.lap:
        before = walked
    is_done = [place.has_come_to(each.place.a_lap_later()) for each in walk.owed]
    return replace(
        walk,
        place=place,
        walked=walked,
        before=before,
        total=total,
        owed=tuple(each for each, done in zip(walk.owed, is_done, strict=True) if not done),
        done=max([walk.done, *(each.version for each, done in zip(walk.owed, is_done, strict=True) if done)]),
        left=(*walk.left, *left)[:MOST_LEFT],
        refused=walk.refused + len(left),
    )
