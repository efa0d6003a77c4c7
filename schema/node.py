# schema/node.py
"""Global ids: opaque to clients, and they name their type."""

import base64
import binascii
from typing import Self

import strawberry
from msgspec import Struct

from crm.kernel.errors import Fault, InvalidInput
from schema.access import signed_in

LONGEST = 1000
NO_ID = "must be the `id` of an object; this is none"


class GlobalId(Struct, frozen=True):
    """Names one object of the caller's shop. `parts` are the keys below the shop."""

    kind: str
    parts: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None where it is no id of ours."""
        if len(text) > LONGEST:
            return None
        try:
            kind, *parts = base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)).decode().split("\x1f")
        except (UnicodeError, binascii.Error, ValueError):
            return None
        found = cls(kind, tuple(parts))
        return found if parts and str(found) == text else None

    def __str__(self) -> str:
        return base64.urlsafe_b64encode("\x1f".join((self.kind, *self.parts)).encode()).decode().rstrip("=")


def global_id(kind: str, *parts: str) -> strawberry.ID:
    return strawberry.ID(str(GlobalId(kind, parts)))


def id_faults(id: str | None, field: str = "id") -> list[Fault]:
    """What `parsed` would refuse, for a form that tells it with everything else that is wrong."""
    return [] if id is None or GlobalId.parse(id) else [Fault(field, "INVALID", NO_ID)]


def parsed(id: str, *, field: str = "id") -> GlobalId:
    """Raises InvalidInput for what is no id at all, such as an id by which the shop names something."""
    found = GlobalId.parse(id)
    if found is None:
        raise InvalidInput(NO_ID, field=field)
    return found


def key_of(kind: str, id: str, *, field: str = "id") -> tuple[str, ...] | None:
    """The keys that an id of this kind names; None where it names something else. Raises InvalidInput as `parsed`."""
    found = parsed(id, field=field)
    return found.parts if found.kind == kind else None


@strawberry.interface(description="An object that can be fetched again by its id.", directives=signed_in())
class Node:
    @strawberry.field(
        description="Opaque, and the same for the same object for ever. Every input of type `ID` takes one of these."
    )
    def id(self) -> strawberry.ID:
        raise NotImplementedError
