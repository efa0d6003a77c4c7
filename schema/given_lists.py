# schema/given_lists.py
"""The lists in what a mutation is given: each of their items has a price, whichever mutation it is (0047)."""

from collections.abc import Collection, Iterator, Sequence

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
    get_nullable_type,
)

from schema.sizes import Size

Path = tuple[str, ...]


def given_lists(node: FieldNode, definition: GraphQLField, *, besides: Collection[str]) -> Iterator[Size]:
    """The size of each list in the arguments of a field, but for those at the paths `besides` (`input.events`). What
    does not fit the definition is left to validation.
    """
    for argument in node.arguments or ():
        declared = definition.args.get(argument.name.value)
        if declared is not None:
            yield from _sizes(argument.value, declared.type, (argument.name.value,), besides)


def _sizes(value: ValueNode, kind: GraphQLInputType, path: Path, besides: Collection[str]) -> Iterator[Size]:
    nullable = get_nullable_type(kind)
    if isinstance(value, VariableNode):
        lists = (below for below in _paths(kind, ()) if ".".join((*path, *below)) not in besides)
        yield from (Size(0, value.name.value, below, given=True) for below in lists)
    elif isinstance(nullable, GraphQLList):
        items = _items(value)
        if ".".join(path) not in besides:
            yield Size(len(items))
        for item in items:
            yield from _sizes(item, nullable.of_type, path, besides)
    elif isinstance(value, ObjectValueNode) and isinstance(nullable, GraphQLInputObjectType):
        for given in value.fields:
            if given.name.value in nullable.fields:
                yield from _sizes(
                    given.value, nullable.fields[given.name.value].type, (*path, given.name.value), besides
                )


def _items(value: ValueNode) -> Sequence[ValueNode]:
    """Of what is given for a list: what is none counts as a list of one."""
    if isinstance(value, ListValueNode):
        return value.values
    return () if isinstance(value, NullValueNode) else (value,)


def _paths(kind: GraphQLInputType, within: tuple[str, ...]) -> Iterator[Path]:
    """Where the lists of a type are; a list on the way to others is not named."""
    nullable = get_nullable_type(kind)
    if isinstance(nullable, GraphQLList):
        yield ()
        yield from _paths(nullable.of_type, within)
    elif isinstance(nullable, GraphQLInputObjectType) and nullable.name not in within:
        for name, field in nullable.fields.items():
            for below in _paths(field.type, (*within, nullable.name)):
                yield (name, *below)
