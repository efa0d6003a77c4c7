# crm/loyalty/naming.py
"""What rules and rewards name: tiers, and segments, which are not loyalty's own. Pure."""

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

from crm.kernel.errors import CrmError, Fault
from crm.kernel.nearest import nearest

Segments = Mapping[str, str] | None
"""The segments of a shop, names by ids, as whoever is above them has read them; None: they are not judged."""


class Noun(StrEnum):
    SEGMENT = "segment"
    TIER = "tier"


class Known(Struct, frozen=True):
    id: str
    name: str


class UnknownName(Fault, frozen=True):
    """A name of which there is nothing. `meant`: what was probably meant by it."""

    noun: Noun
    meant: Known | None = None


class Asking(Struct, frozen=True):
    """Rules and rewards that ask for something: their names by their ids."""

    rules: Mapping[str, str]
    rewards: Mapping[str, str]

    def __bool__(self) -> bool:
        return bool(self.rules or self.rewards)


class TierNamed(CrmError):
    """Rules or rewards ask for the tier."""

    code = "TIER_NAMED"

    def __init__(self, asking: Asking) -> None:
        super().__init__("Rules or rewards name this tier: change or archive them first.", field="id")
        self.asking = asking


def unknown(
    path: str,
    words: Collection[str],
    known: Mapping[str, str] | None,
    noun: Noun,
    *,
    archived: Collection[str] = (),
    kept: Collection[str] = (),
) -> Iterator[UnknownName]:
    """A fault for each word that is no id of what is `known`, names by ids, and one of its own for what is `archived`.
    What was named before may be `kept`.
    """
    for at, word in enumerate(words if known is not None else ()):
        if word in archived and word not in kept:
            yield UnknownName(f"{path}.{at}", "ARCHIVED", f"must be the `id` of a {noun} that is not archived", noun)
        elif known is not None and word not in known and word not in kept:
            name = nearest(word, known.values())
            meant = next((Known(id_, each) for id_, each in known.items() if each == name), None)
            yield UnknownName(f"{path}.{at}", "UNKNOWN", f"must be the `id` of a {noun} that there is", noun, meant)
