# crm/customers/provenance.py
"""Where a value comes from: which system said it, who, and when it came about."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Self

from msgspec import Struct

from crm.kernel import clock
from crm.kernel.actor import Actor, Role

HERE = "rapport"
"""The source of what is said through our own API; what events say has the source they name."""


class Origin(Struct, frozen=True):
    """Whose word a value is: the system in which it was said, and who said it there."""

    source: str
    actor: Actor

    @classmethod
    def of_event(cls, source: str) -> Self:
        return cls(source, Actor(Role.SERVICE, source))

    @classmethod
    def here(cls, actor: Actor) -> Self:
        return cls(HERE, actor)

    def __str__(self) -> str:
        return f"{self.source} {self.actor}"  # a source has no spaces

    @classmethod
    def parse(cls, text: str) -> Self:
        source, _, actor = text.partition(" ")
        return cls(source, Actor.parse(actor))


class Occasion(Struct, frozen=True):
    """On what occasion a record changes. `occurred_at` is when that came about, by its source; `now`, when it is told.

    The cause is that of one change of one record: it is told in the record's history once.
    """

    origin: Origin
    cause: str
    occurred_at: datetime
    now: datetime
    replayed: bool = False


class Provenance(Struct, frozen=True):
    """Of one field, also of one that was cleared. `origin` is None for what was stored before origins were kept."""

    field: str
    at: datetime
    origin: Origin | None

    def is_third_party(self, third_parties: Collection[str]) -> bool:
        """What customers and staff say is the shop's own; of what systems say, the shop names those that are not."""
        return self.origin is not None and is_third_party(self.origin, third_parties)


def is_third_party(origin: Origin, third_parties: Collection[str]) -> bool:
    return origin.actor.role is Role.SERVICE and origin.source in third_parties


def of_fields(times: Mapping[str, str], origins: Mapping[str, str]) -> list[Provenance]:
    """By field."""
    return [
        Provenance(name, clock.parse(at), Origin.parse(origins[name]) if name in origins else None)
        for name, at in sorted(times.items())
    ]
