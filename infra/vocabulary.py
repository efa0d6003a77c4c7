# infra/vocabulary.py
"""What queries of segments may say, as it is declared (crm/segmentation/language): parts of docs/segments.md."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from crm.segmentation.language.binding import operators_of
from crm.segmentation.language.catalogue import ATTRIBUTES, FUNCTIONS
from crm.segmentation.language.facts import ORIGINS
from crm.segmentation.language.kinds import Kind, Type, several
from crm.segmentation.language.mistakes import MEANINGS
from crm.segmentation.language.words import Attribute, Function, Group, Parameter, Role

SEGMENTS_PAGE: Final = Path(__file__).parents[1] / "docs" / "segments.md"
MOST_LISTED: Final = 12
"""Of the values of an attribute; beyond that its description says what they are."""
KINDS: Final[tuple[Type, ...]] = tuple(Type(kind) for kind in Kind)


def rendered(page: str) -> str:
    """The page with its generated parts as declared now. Raises ValueError where a mark is missing."""
    for name, part in PARTS.items():
        begin, end = f"<!-- generated: {name} -->", f"<!-- end: {name} -->"
        if begin not in page or end not in page:
            raise ValueError(f"docs/segments.md has no {begin} … {end}")
        before, _, rest = page.partition(begin)
        text = "\n".join(part())
        page = f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}"
    return page


def attributes() -> Iterator[str]:
    for group in Group:
        found = [attribute for attribute in ATTRIBUTES.values() if attribute.group is group]
        if found:
            yield from (
                f"### {group.value}",
                "",
                "| attribute | is | unknown | reads | for example |",
                "|---|---|---|---|---|",
            )
            yield from (_attribute(each) for each in found)
            yield ""


def functions() -> Iterator[str]:
    for function in FUNCTIONS.values():
        yield from _function(function)


def operators() -> Iterator[str]:
    yield from ("| of | operators |", "|---|---|")
    for type_ in KINDS:
        yield f"| {several(type_.kind)} | {', '.join(f'`{each}`' for each in operators_of(type_))} |"


def facts() -> Iterator[str]:
    yield from ("| fact | is | read by |", "|---|---|---|")
    for fact, origin in ORIGINS.items():
        readers = [f"`{each.name}`" for each in ATTRIBUTES.values() if each.fact is fact]
        readers += [f"`{each.name}`" for each in FUNCTIONS.values() if fact in each.facts]
        yield f"| `{fact.value}` | {origin} | {', '.join(readers) or '`attributes.<key>`'} |"


def mistakes() -> Iterator[str]:
    yield from ("| code | means |", "|---|---|")
    yield from (f"| `{code.value}` | {meaning} |" for code, meaning in MEANINGS.items())


PARTS: Final[Mapping[str, Callable[[], Iterator[str]]]] = {
    "operators": operators,
    "attributes": attributes,
    "functions": functions,
    "facts": facts,
    "mistakes": mistakes,
}


def _attribute(declared: Attribute) -> str:
    said = f"{declared.description} *{_type(declared.type)}*"
    unknown = declared.unknown or "never"
    return f"| `{declared.name}` | {said} | {unknown} | `{declared.fact.value}` | `{declared.example}` |"


def _function(declared: Function) -> Iterator[str]:
    returned = f" *{_type(declared.returns)}*" if declared.returns else ""
    unknown = f" Unknown {declared.unknown}." if declared.unknown else ""
    yield from (f"### `{declared.name}`", "", f"{declared.description}{returned}{unknown}", "")
    yield from (f"`{declared.example}`", "", "| argument | is | |", "|---|---|---|")
    yield from (_parameter(parameter) for parameter in declared.parameters)
    if declared.with_properties:
        yield "| `properties.<path>` | What the value at a path in the event is. *text, number, true or false* | |"
    for name, (low, high) in declared.ranges.items():
        meant = f"`{low}` and `{high}`, with an operator" if high else f"`{low}`, with an operator"
        others = f", `{name} = …`, `{name} BETWEEN … AND …`" if high else ""
        yield f"| `{name}` | {meant}: `{name} >= …`, `{name} > …`{others} | |"
    yield ""


def _parameter(parameter: Parameter) -> str:
    type_ = parameter.role.value if parameter.role is not Role.VALUE else _type(parameter.type)
    many = f" or several: `{parameter.name}: ('a', 'b')`, `{parameter.name} != 'a'`" if parameter.many else ""
    notes = [
        *(["needed"] if parameter.required else []),
        *(["goes without its name"] if parameter.positional else []),
        *([f"like `'{parameter.form[1]}'`"] if parameter.form else []),
        *([f"from {parameter.least}"] if parameter.least is not None else []),
        *([f"to {parameter.most:,}"] if parameter.most is not None else []),
    ]
    return f"| `{parameter.name}` | {parameter.description} *{type_}{many}* | {', '.join(notes)} |"


def _type(type_: Type) -> str:
    if type_.kind is Kind.LIST:
        return f"list: {_type(type_.of_values)}"
    if 0 < len(type_.choices) <= MOST_LISTED:
        return ", ".join(f"`{each}`" for each in type_.choices)
    return type_.kind.value
