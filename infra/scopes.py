# infra/scopes.py
"""Which scope opens what, as the rules in the SDL have it: a part of docs/local.md, written by `make schema`."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from graphql import InterfaceTypeDefinitionNode, ObjectTypeDefinitionNode, StringValueNode, parse
from graphql.language.ast import FieldDefinitionNode

from schema.principal import SCOPES

LOCAL_PAGE = Path(__file__).parents[1] / "docs" / "local.md"
SDL = Path(__file__).parents[1] / "schema" / "schema.graphql"
BEGIN, END = "<!-- generated: scopes -->", "<!-- end: scopes -->"
BESIDE = {
    "events:write": ["`POST /v1/events`", "`GET /v1/events/{id}`"],
    "schema:read": ["introspection"],
}
"""What no field of the SDL says."""


def rendered(page: str) -> str:
    """The page with its table as the SDL has it now. Raises ValueError where a mark is missing."""
    if BEGIN not in page or END not in page:
        raise ValueError(f"docs/local.md has no {BEGIN} … {END}")
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{table(SDL.read_text())}\n{END}{rest.partition(END)[2]}"


def table(sdl: str) -> str:
    opened: defaultdict[str, list[str]] = defaultdict(list, {scope: list(parts) for scope, parts in BESIDE.items()})
    for scope, name in _rules(sdl):
        opened[scope].append(f"`{name}`")
    rows = [f"| `{scope}` | {', '.join(opened[scope])} |" for scope in sorted(SCOPES | set(opened))]
    return "\n".join(["| scope | opens |", "|---|---|", *rows])


def _rules(sdl: str) -> Iterator[tuple[str, str]]:
    for kind in parse(sdl, no_location=True).definitions:
        if isinstance(kind, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
            of_type = _scope(kind)
            if of_type:
                yield of_type, kind.name.value
            for field in kind.fields or ():
                if (scope := _scope(field)) and scope != of_type:
                    yield scope, f"{kind.name.value}.{field.name.value}"


def _scope(node: ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode | FieldDefinitionNode) -> str | None:
    for directive in node.directives or ():
        for argument in directive.arguments or ():
            if (directive.name.value, argument.name.value) == ("access", "scope") and isinstance(
                argument.value, StringValueNode
            ):
                return argument.value.value
    return None
