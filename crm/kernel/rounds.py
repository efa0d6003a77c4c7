# crm/kernel/rounds.py
"""Where a walk stands that goes round and round a list which lies in shards, page by page. Pure."""

from collections.abc import Sequence
from typing import Self

from msgspec import Struct
from msgspec.structs import replace


class Place(Struct, frozen=True):
    """In which lap and shard, behind which sort key (None: before them all)."""

    lap: int = 0
    shard: int = 0
    behind: str | None = None

    def after(self, keys: Sequence[str], *, most: int, shards: int) -> Self:
        """Behind a page of so many keys at most: one that has fewer is the last of its shard."""
        if len(keys) == most:
            return replace(self, behind=keys[-1])
        if self.shard + 1 < shards:
            return replace(self, shard=self.shard + 1, behind=None)
        return replace(self, lap=self.lap + 1, shard=0, behind=None)

    def has_come_to(self, other: Self) -> bool:
        """Of a list that is walked from the greatest key on."""
        here, there = (self.lap, self.shard), (other.lap, other.shard)
        if here != there:
            return here > there
        return other.behind is None or (self.behind is not None and self.behind <= other.behind)

    def a_lap_later(self) -> Self:
        return replace(self, lap=self.lap + 1)

    def walked_through(self, lap: int, *, shards: int) -> int:
        """How many shards of a lap that it is in, or has just ended."""
        return shards if self.lap > lap else self.shard
