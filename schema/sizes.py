# schema/sizes.py
"""How many items lists can have, as their arguments and variables say (`@listSize`), and what they multiply to."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, Final

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
    is_list_type,
    is_non_null_type,
)
from msgspec import Struct

from schema.connections import MOST_FIRST, Cost, ListSize

LITERAL_SIZES: Final = {str(size): size for size in range(1, MOST_FIRST + 1)}


class Size(Struct, frozen=True):
    """How many items a list can have: a number, or what a variable says (`path` leads into an input object).

    `given`: as many as there are in the list, or in all lists, that the path leads to.
    """

    number: int
    variable: str | None = None
    path: tuple[str, ...] = ()
    given: bool = False

    def of(self, variables: Mapping[str, Any]) -> int:
        if self.variable is None:
            return self.number
        if self.given:
            return self._count(variables)
        value = self._given(variables)
        if value is None:
            return self.number
        if isinstance(value, list):
            return min(len(value), MOST_FIRST)
        if isinstance(value, float) and value.is_integer():  # an Int by the specification
            value = int(value)
        # What is no valid size is refused by validation or the resolver; until then it costs as much as the most.
        return min(value, MOST_FIRST) if isinstance(value, int) and value > 0 else MOST_FIRST

    def length(self, variables: Mapping[str, Any]) -> int:
        """How long the list is that sizes an answer; 0 where none does."""
        value = None if self.given else self._given(variables)
        return len(value) if isinstance(value, list) else 0

    def _count(self, variables: Mapping[str, Any]) -> int:
        found = [variables.get(self.variable or "")]
        for name in self.path:
            items = (item for value in found for item in (value if isinstance(value, list) else [value]))
            found = [item.get(name) for item in items if isinstance(item, Mapping)]
        return sum(len(value) if isinstance(value, list) else 1 for value in found if value is not None)

    def _given(self, variables: Mapping[str, Any]) -> Any:
        value = variables.get(self.variable) if self.variable else None
        for name in self.path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value


ONE: Final = Size(1)


class Sized(Struct, frozen=True):
    """What a connection has declared of the lists just below it."""

    fields: tuple[str, ...]
    size: Size

    def size_of(self, name: str) -> Size | None:
        return self.size if name in self.fields else None


Terms = dict[tuple[Size, ...], int]
"""A number for each product of variable sizes."""


def cost(terms: Terms, variables: Mapping[str, Any]) -> int:
    """The most objects an answer can hold: the sum of the products."""
    return sum(times * prod(size.of(variables) for size in sizes) for sizes, times in terms.items())


def product(products: Terms, variables: Mapping[str, Any]) -> int:
    """The most items that lists within lists can hold: the largest of the products."""
    return max((times * prod(size.of(variables) for size in sizes) for sizes, times in products.items()), default=0)


def definition_of(parent: GraphQLNamedType | None, name: str) -> GraphQLField | None:
    if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
        found: GraphQLField | None = parent.fields.get(name)
        return found
    return None


def is_list(definition: GraphQLField) -> bool:
    kind = definition.type
    return is_list_type(kind.of_type if is_non_null_type(kind) else kind)


def declared_size(definition: GraphQLField | None) -> ListSize | None:
    return next((each for each in _directives(definition) if isinstance(each, ListSize)), None)


def declared_price(node: FieldNode, definition: GraphQLField | None) -> int:
    """Of a field, and of the arguments that it is given."""
    if definition is None:
        return 0
    names = [argument.name.value for argument in node.arguments or ()]
    what: list[GraphQLField | GraphQLArgument] = [definition]
    what += [definition.args[name] for name in names if name in definition.args]
    return sum(each.weight for declared in what for each in _directives(declared) if isinstance(each, Cost))


def _directives(definition: GraphQLField | GraphQLArgument | None) -> Sequence[object]:
    declared = definition.extensions.get("strawberry-definition") if definition else None
    return getattr(declared, "directives", None) or ()


def size_of_list(node: FieldNode, declared: ListSize) -> Size:
    """The size an argument gives, or one inside it (`input.events`)."""
    values = {argument.name.value: argument.value for argument in node.arguments or ()}
    for sizing in declared.slicing_arguments or ():
        name, *path = sizing.split(".")
        if name in values:
            return _size_of(values[name], tuple(path), declared.assumed_size)
    return Size(declared.assumed_size)


def _size_of(value: ValueNode, path: tuple[str, ...], assumed: int) -> Size:
    match value:
        case VariableNode():
            return Size(assumed, value.name.value, path)
        case ObjectValueNode() if path:
            inner = {given.name.value: given.value for given in value.fields}
            return _size_of(inner[path[0]], path[1:], assumed) if path[0] in inner else Size(assumed)
        case ListValueNode():
            return Size(min(len(value.values), MOST_FIRST))
        case IntValueNode():
            # What is no valid size is refused by the resolver; until then it costs as much as the most.
            return Size(LITERAL_SIZES.get(value.value, MOST_FIRST))
    return Size(assumed)
