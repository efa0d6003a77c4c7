# crm/segmentation/language/choosing.py
"""Values of a choice may be typed in any case; a query has each as it is listed, so that it has one text."""

from msgspec.structs import replace

from crm.segmentation.language.catalogue import FUNCTIONS, Catalogue
from crm.segmentation.language.kinds import Kind, Type, chosen
from crm.segmentation.language.tree import And, Call, Holds, Literal, Name, Not, Or, Predicate, Query, Text


def settled(query: Query, catalogue: Catalogue) -> Query:
    """The same query with the values of choices as the catalogue has them. What it does not have stays as it is."""
    match query:
        case Predicate():
            choices = _choices(query.subject, catalogue)
            return replace(query, values=tuple(_listed(each, choices) for each in query.values)) if choices else query
        case Holds():
            return query
        case Not(part):
            return replace(query, part=settled(part, catalogue))
        case And(parts) | Or(parts):
            return replace(query, parts=tuple(settled(part, catalogue) for part in parts))


def _choices(subject: Name | Call, catalogue: Catalogue) -> tuple[str, ...]:
    """None of what is no choice, or is not there."""
    type_: Type | None
    if isinstance(subject, Name):
        attribute = catalogue.attribute(subject.value)
        type_ = attribute.type if attribute else None
    else:
        type_ = FUNCTIONS[subject.name].returns if subject.name in FUNCTIONS else None
    return type_.of_values.choices if type_ is not None and type_.of_values.kind is Kind.CHOICE else ()


def _listed(value: Literal, choices: tuple[str, ...]) -> Literal:
    found = chosen(value.value, choices) if isinstance(value, Text) else None
    return value if found is None else replace(value, value=found)
