# crm/segmentation/language/suggesting.py
"""What an editor offers while a query is written: names and operators ("filters"), and values."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from crm.segmentation.language.binding import operators_of
from crm.segmentation.language.catalogue import FUNCTIONS, Catalogue
from crm.segmentation.language.given import PROPERTIES
from crm.segmentation.language.kinds import Kind, Type, folded
from crm.segmentation.language.parser import MOST_CHARACTERS, wanted
from crm.segmentation.language.reader import Wanted
from crm.segmentation.language.tree import Call, Name, Span, Text
from crm.segmentation.language.vocabulary.behaviour import TYPES
from crm.segmentation.language.words import Function, Parameter, Role
from crm.segmentation.language.writing import literal

CLOSED: Final = re.compile(r"'(?:[^'\\]|''|\\.)*+'", re.DOTALL)
REST: Final = re.compile(r"[\w.]*+")
PAST: Final = ("today", "yesterday", "-7d", "-30d", "-90d", "-12m")
COMING: Final = ("today", "+7d", "+30d")


class Suggestion(Struct, frozen=True):
    """`text` is to stand in the place of `span`. `kind`: attribute, function, argument, operator, keyword or value.

    `type` says what kind of value an attribute, a function or an argument has.
    """

    text: str
    kind: str
    span: Span
    description: str = ""
    type: str = ""
    example: str = ""


def filters_at(text: str, offset: int, catalogue: Catalogue) -> list[Suggestion]:
    """What may be named, compared or joined at a place in a text, what begins like what stands there first."""
    begun, span, looked_for = _place(text[:MOST_CHARACTERS], offset)
    return _matching(begun, _filters(looked_for, span, catalogue))


def values_at(text: str, offset: int, catalogue: Catalogue, known: Mapping[str, Sequence[str]]) -> list[Suggestion]:
    """The values that may stand at a place in a text. `known` are texts that the shop uses, by attribute
    (`customer_tags`), or by function and argument (`orders_placed.channel`).
    """
    begun, span, looked_for = _place(text[:MOST_CHARACTERS], offset)
    offered = (Suggestion(value, "value", span) for value in _values(looked_for, catalogue, known))
    return _matching(begun.removeprefix("'"), offered)


def _place(text: str, offset: int) -> tuple[str, Span, Wanted]:
    """What stands before the cursor of what is being written, the place of all of that, and what may stand there."""
    before = text[:offset]
    opened = _opened(before)
    if opened is not None:
        return before[opened:], Span(opened, offset - opened), wanted(before[:opened])
    start = offset = len(before)
    while start and (before[start - 1].isalnum() or before[start - 1] in "_."):
        start -= 1
    start -= before[max(0, start - 1) : start] in {"+", "-"}
    rest = REST.match(text, offset)
    end = rest.end() if rest else offset
    return before[start:], Span(start, end - start), wanted(before[:start])


def _opened(before: str) -> int | None:
    """Where the text begins that is not closed, if there is one."""
    place = 0
    while (start := before.find("'", place)) >= 0:
        closed = CLOSED.match(before, start)
        if closed is None:
            return start
        place = closed.end()
    return None


def _matching(begun: str, offered: Iterable[Suggestion]) -> list[Suggestion]:
    """Those that begin like it, and behind them those that have it in them."""
    search = folded(begun)
    first, others = [], []
    for each in offered:
        text = folded(each.text.strip("'"))
        if text.startswith(search):
            first.append(each)
        elif search in text:
            others.append(each)
    return [*first, *others]


def _filters(looked_for: Wanted, span: Span, catalogue: Catalogue) -> Iterator[Suggestion]:
    match looked_for:
        case Wanted("condition"):
            yield from _conditions(span, catalogue)
        case Wanted("connective", Call(name)):
            returned = FUNCTIONS[name].returns if name in FUNCTIONS else None
            yield from _joined(span) if returned is None else _compared(returned, span)
        case Wanted("connective"):
            yield from _joined(span)
        case Wanted("test", Name(name)):
            attribute = catalogue.attribute(name)
            asked = FUNCTIONS.get(name)
            if attribute is not None:
                yield from _compared(attribute.type, span)
            elif asked is not None and asked.returns is None:
                yield from (Suggestion(f"{negation}MATCHES (", "operator", span) for negation in ("", "NOT "))
        case Wanted("argument", str(name)) if name in FUNCTIONS:
            yield from _arguments(FUNCTIONS[name], looked_for, span)


def _conditions(span: Span, catalogue: Catalogue) -> Iterator[Suggestion]:
    for attribute in catalogue.attributes():
        type_ = attribute.type.kind.value
        yield Suggestion(attribute.name, "attribute", span, attribute.description, type_, attribute.example)
    for function in FUNCTIONS.values():
        type_ = function.returns.kind.value if function.returns else Kind.FLAG.value
        yield Suggestion(f"{function.name}(", "function", span, function.description, type_, function.example)
    yield Suggestion("NOT", "keyword", span)


def _joined(span: Span) -> Iterator[Suggestion]:
    yield from (Suggestion(word, "keyword", span) for word in ("AND", "OR"))


def _compared(type_: Type, span: Span) -> Iterator[Suggestion]:
    yield from (Suggestion(operator, "operator", span) for operator in operators_of(type_))


def _arguments(function: Function, looked_for: Wanted, span: Span) -> Iterator[Suggestion]:
    """Those that are not given yet."""
    positional = [each.name for each in function.parameters if each.positional]
    placed = sum(1 for argument in looked_for.given if argument.name is None)
    given = {argument.name for argument in looked_for.given} | set(positional[:placed])
    for each in function.parameters:
        if each.name not in given:
            yield Suggestion(f"{each.name}:", "argument", span, each.description, each.type.kind.value)
    if function.with_properties:
        yield Suggestion(PROPERTIES, "argument", span, "The path to a value in the event.")


def _values(looked_for: Wanted, catalogue: Catalogue, known: Mapping[str, Sequence[str]]) -> Iterator[str]:
    match looked_for:
        case Wanted("value", Name(name)):
            attribute = catalogue.attribute(name)
            yield from _of_type(attribute.type, known.get(name, ())) if attribute else ()
        case Wanted("value", Call(name)) if name in FUNCTIONS and FUNCTIONS[name].returns is not None:
            yield from _of_type(FUNCTIONS[name].returns, ())
        case Wanted("value", str(name)) if name in FUNCTIONS and looked_for.argument in FUNCTIONS[name].parameter:
            parameter = FUNCTIONS[name].parameter[str(looked_for.argument)]
            yield from _of_parameter(parameter, catalogue, known.get(f"{name}.{parameter.name}", ()))
        case Wanted("argument", str(name)) if name in FUNCTIONS:
            placed = [each for each in FUNCTIONS[name].parameters if each.positional]
            if len(looked_for.given) < len(placed):
                parameter = placed[len(looked_for.given)]
                yield from _of_parameter(parameter, catalogue, known.get(f"{name}.{parameter.name}", ()))


def _of_parameter(parameter: Parameter, catalogue: Catalogue, known: Sequence[str]) -> Iterator[str]:
    if parameter.role is Role.SEGMENT:
        yield from (literal(Text(each.name)) for each in catalogue.segments.values())
    elif parameter.role is Role.DATE_ATTRIBUTE:
        yield from (each.name for each in catalogue.attributes() if each.type.kind is Kind.DATE)
    else:
        standing = TYPES if parameter.name == "name" else ()
        yield from _of_type(parameter.type, (*standing, *known))


def _of_type(type_: Type | None, known: Sequence[str]) -> Iterator[str]:
    element = type_.of_values if type_ else None
    match element:
        case Type(Kind.CHOICE, choices):
            yield from (literal(Text(each)) for each in choices)
        case Type(Kind.TEXT):
            yield from (literal(Text(each)) for each in dict.fromkeys(known))
        case Type(Kind.DATE):
            yield from PAST
        case Type(Kind.ANNIVERSARY):
            yield from COMING
        case Type(Kind.FLAG):
            yield from ("true", "false")
