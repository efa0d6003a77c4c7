# crm/segmentation/language/references.py
"""Which segments ask about which."""

from collections.abc import Mapping

from crm.segmentation.language import tree
from crm.segmentation.language.catalogue import Catalogue, Segment
from crm.segmentation.language.tree import Query, Text


def named(query: Query, catalogue: Catalogue) -> frozenset[str]:
    """The ids of the segments that a query names itself; what names none is left out."""
    said = [
        argument.value.value
        for call in tree.calls(query)
        if call.name == "segment"
        for argument in call.arguments
        if isinstance(argument.value, Text)
    ]
    return frozenset(found.id for each in said if (found := catalogue.segment(each)) is not None)


def dependents(segment_id: str, catalogue: Catalogue) -> frozenset[str]:
    """The segments that ask about this one, by way of others too: when its definition changes, so may their members."""
    found: set[str] = set()
    asked = _asked_by(catalogue)
    waiting = [segment_id]
    while waiting:
        for each in asked.get(waiting.pop(), frozenset()) - found:
            found.add(each)
            waiting.append(each)
    return frozenset(found - {segment_id})


def cycle(segment: Segment, catalogue: Catalogue) -> tuple[str, ...]:
    """The ids by way of which a segment would ask about itself, it first and last; empty where it does not. What the
    catalogue has as its definition is not looked at.
    """
    edited = Catalogue(catalogue.currency, catalogue.own, {**catalogue.segments, segment.id: segment})
    came_from: dict[str, str] = {}
    waiting = [segment.id]
    while waiting:
        here = waiting.pop(0)
        query = edited.segments[here].query
        for each in sorted(named(query, edited)) if query is not None else ():
            if each == segment.id:
                return (*_way(segment.id, here, came_from), segment.id)
            if each not in came_from:
                came_from[each] = here
                waiting.append(each)
    return ()


def _way(first: str, last: str, came_from: Mapping[str, str]) -> tuple[str, ...]:
    way = [last]
    while way[-1] != first:
        way.append(came_from[way[-1]])
    return tuple(reversed(way))


def _asked_by(catalogue: Catalogue) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for each in catalogue.segments.values():
        for asked in named(each.query, catalogue) if each.query is not None else ():
            found.setdefault(asked, set()).add(each.id)
    return {segment_id: frozenset(askers) for segment_id, askers in found.items()}
