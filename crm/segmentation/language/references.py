# crm/segmentation/language/references.py
"""Which segments ask about which."""

from crm.segmentation.language import tree
from crm.segmentation.language.catalogue import Catalogue
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


def _asked_by(catalogue: Catalogue) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for each in catalogue.segments.values():
        for asked in named(each.query, catalogue) if each.query is not None else ():
            found.setdefault(asked, set()).add(each.id)
    return {segment_id: frozenset(askers) for segment_id, askers in found.items()}
