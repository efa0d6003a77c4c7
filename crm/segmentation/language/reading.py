# crm/segmentation/language/reading.py
"""What a query reads of a customer, and how far back: no more history than its windows span."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import TypeAlias

from msgspec import Struct, field

from crm.segmentation.language import days
from crm.segmentation.language.days import Edge, Exclusive
from crm.segmentation.language.facts import Fact

Bound: TypeAlias = Edge | None
"""The earliest day of a history that is read; None: all of it."""


class Reads(Struct, frozen=True):
    """`attributes`: the keys of the shop's own; `segments`: the ids of those it asks about, by way of others too.

    `orders`, `carts` and, by type, `touchpoints`: where each window on them begins.
    """

    facts: frozenset[Fact] = frozenset()
    attributes: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    orders: frozenset[Bound] = frozenset()
    carts: frozenset[Bound] = frozenset()
    touchpoints: Mapping[str, frozenset[Bound]] = field(default_factory=dict)

    def __or__(self, other: "Reads") -> "Reads":
        types = sorted({*self.touchpoints, *other.touchpoints})
        nothing: frozenset[Bound] = frozenset()
        return Reads(
            self.facts | other.facts,
            self.attributes | other.attributes,
            self.segments | other.segments,
            self.orders | other.orders,
            self.carts | other.carts,
            {type_: self.touchpoints.get(type_, nothing) | other.touchpoints.get(type_, nothing) for type_ in types},
        )

    def is_touched_by(
        self, changed: Iterable[Fact], *, types: Collection[str] | None = None, keys: Collection[str] | None = None
    ) -> bool:
        """Whether a change of these kinds of facts can change a verdict: of touchpoints only of the `types`, of own
        attributes only of the `keys`, where it is known which changed.
        """
        read = self.facts & frozenset(changed)
        if types is not None and not self.touchpoints.keys() & set(types):
            read -= {Fact.TOUCHPOINTS}
        if keys is not None and not self.attributes & set(keys):
            read -= {Fact.ATTRIBUTES}
        return bool(read)


NOTHING = Reads()


def all_of(parts: Iterable[Reads]) -> Reads:
    found = NOTHING
    for part in parts:
        found = found | part
    return found


def only(*facts: Fact) -> Reads:
    return Reads(frozenset(facts))


def earliest(bounds: Iterable[Bound], today: date) -> date | None:
    """The first day that is read when today is `today`; None where it is all. Later days need no more: windows move on.

    Raises ValueError without bounds: nothing is read then.
    """
    moving = [bound.day if isinstance(bound, Exclusive) else bound for bound in bounds]
    begins = [None if bound is None else days.at(bound, today) for bound in moving]
    if not begins:
        raise ValueError("nothing is read")
    known = [day for day in begins if day is not None]
    return min(known) if len(known) == len(begins) else None
