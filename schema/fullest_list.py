# schema/fullest_list.py
"""Which list of an operation can hold most items: what to make smaller where it asks for too much.

Costs are added up without saying where they came from (schema/limits.py); this is asked only of what is refused.
"""

from collections.abc import Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)
from msgspec import Struct

from schema.limits import UNSIZED_LIST
from schema.sizes import Size, Sized, declared_size, definition_of, is_list, size_of_list

Path = tuple[str, ...]


class FullestList(Struct):
    """`items`: how many it can hold in the whole answer. Walk an operation that is within MOST_FIELDS only."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    path: Path = ()
    items: int = 0

    def of(self, operation: OperationDefinitionNode) -> "FullestList":
        self._walk(operation.selection_set, self.schema.get_root_type(operation.operation), (), 1, None)
        return self

    def _walk(
        self, node: SelectionSetNode, parent: GraphQLNamedType | None, path: Path, times: int, sized: Sized | None
    ) -> None:
        for selection in node.selections:
            match selection:
                case FieldNode():
                    self._field(selection, parent, path, times, sized)
                case InlineFragmentNode(type_condition=condition):
                    inner = self.schema.get_type(condition.name.value) if condition else parent
                    self._walk(selection.selection_set, inner, path, times, sized)
                case FragmentSpreadNode():
                    fragment = self.fragments[selection.name.value]
                    inner = self.schema.get_type(fragment.type_condition.name.value)
                    self._walk(fragment.selection_set, inner, path, times, sized)

    def _field(
        self, node: FieldNode, parent: GraphQLNamedType | None, path: Path, times: int, sized: Sized | None
    ) -> None:
        name = node.name.value
        definition = definition_of(parent, name)
        if definition is None or node.selection_set is None:
            return
        path = (*path, (node.alias or node.name).value)
        declared = declared_size(definition)
        size = size_of_list(node, declared) if declared else None
        if is_list(definition):
            own = size or (sized.size_of(name) if sized else None) or Size(UNSIZED_LIST)
            times *= own.of(self.variables)
            if times > self.items:
                self.path, self.items = path, times
        below = Sized(tuple(declared.sized_fields), size) if size and declared and declared.sized_fields else None
        self._walk(node.selection_set, get_named_type(definition.type), path, times, below)
