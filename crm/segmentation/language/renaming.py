# crm/segmentation/language/renaming.py
"""What becomes of queries when a segment that they name is called something else."""

from collections.abc import Iterator

from crm.segmentation.language import tree
from crm.segmentation.language.catalogue import Catalogue
from crm.segmentation.language.choosing import settled
from crm.segmentation.language.mistakes import Mistakes
from crm.segmentation.language.parser import parse
from crm.segmentation.language.tree import Span, Text
from crm.segmentation.language.writing import literal, written


def renamed(text: str, catalogue: Catalogue, segment_id: str, name: str) -> str | None:
    """The text of a query with the new name wherever it names the segment by the old one, and all else as it was typed;
    None where it does not. One that names it by its id says the same as before.
    """
    places = list(_places(text, catalogue, segment_id))
    if not places:
        return None
    for span in sorted(places, key=lambda place: place.offset, reverse=True):
        text = text[: span.offset] + literal(Text(name)) + text[span.end :]
    return text


def canonical(text: str, catalogue: Catalogue) -> str | None:
    """The one text of a query, whether or not what it names is there; None of what cannot be read."""
    query = parse(text, Mistakes(text)).query
    return None if query is None else written(settled(query, catalogue))


def _places(text: str, catalogue: Catalogue, segment_id: str) -> Iterator[Span]:
    query = parse(text, Mistakes(text)).query
    for call in tree.calls(query) if query is not None else ():
        for argument in call.arguments if call.name == "segment" else ():
            said = argument.value
            if isinstance(said, Text) and said.value != segment_id:
                found = catalogue.segment(said.value)
                if found is not None and found.id == segment_id:
                    yield said.span
