# schema/limits.py
"""How much one document may ask for: depth, aliases, root fields, directives, fields and cost, in one measurement.

Every fragment is measured once, however often it is spread: Strawberry's own limiters walk it each time, which is
exponential in nested fragments. A document is measured before it is validated, because repeats of one selection keep
the standard overlapping-fields rule busy for seconds.

Cost is the number of objects an answer can hold, with `first` taken from the variables, plus a price per mutation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_list_type,
    is_non_null_type,
)

from schema.connections import MOST_FIRST, ListSize

MOST_TOKENS: Final = 3_000
MOST_DEPTH: Final = 16  # the standard introspection query is 15 deep
MOST_ALIASES: Final = 30
MOST_ROOT_FIELDS: Final = 20
MOST_DIRECTIVES: Final = 50
MOST_FIELDS: Final = 1_000
MOST_COST: Final = 12_000
MUTATION_COST: Final = 10
INTROSPECTION_COST: Final = 100
LITERAL_SIZES: Final = {str(size): size for size in range(1, MOST_FIRST + 1)}
UNSIZED_LIST: Final = 10  # a plain list that declares no size


@dataclass(frozen=True, slots=True)
class Size:
    """How many items a list can have: a number, or a variable with its default."""

    number: int
    variable: str | None = None

    def of(self, variables: Mapping[str, Any]) -> int:
        if self.variable is None:
            return self.number
        value = variables.get(self.variable, self.number)
        if value is None:
            return self.number
        # What is no valid size is refused by validation or the resolver; until then it costs as much as the most.
        return min(value, MOST_FIRST) if isinstance(value, int) and value > 0 else MOST_FIRST


Terms = dict[tuple[Size, ...], int]
"""How often each product of variable sizes counts."""


def cost(terms: Terms, variables: Mapping[str, Any]) -> int:
    return sum(times * prod(size.of(variables) for size in sizes) for sizes, times in terms.items())


@dataclass(slots=True)
class Measure:
    """What a selection asks for, all fragments spread out. `items` are its objects: (how many times, below each)."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    items: list[tuple[Size, "Measure | None"]] = field(default_factory=list)

    def add(self, other: "Measure") -> None:
        self.depth = max(self.depth, other.depth)
        self.fields += other.fields
        self.aliases += other.aliases
        self.directives += other.directives
        self.items.append((Size(1), other))

    def terms(self) -> "Terms":
        """The most objects the answer can hold, as a sum of products. Call it on what is within MOST_FIELDS only."""
        total: Terms = {}
        for size, below in self.items:
            factor = (size,) if size.variable else ()
            for sizes, times in (below.terms() if below else {(): 1}).items():
                key = sizes + factor
                total[key] = total.get(key, 0) + times * (1 if size.variable else size.number)
        return total


def excess(node: OperationDefinitionNode, measure: Measure) -> str | None:
    """What an operation has too much of, whatever its variables; None where it keeps within the limits."""
    counted = (
        ("levels", measure.depth, MOST_DEPTH),
        ("fields, fragments spread out,", measure.fields, MOST_FIELDS),
        ("aliases", measure.aliases, MOST_ALIASES),
        ("directives", measure.directives, MOST_DIRECTIVES),
        ("root fields", len(node.selection_set.selections), MOST_ROOT_FIELDS),
    )
    return next(
        (f"An operation may have {most} {what} at most." for what, number, most in counted if number > most), None
    )


class Measuring:
    """Measures the operations of one document."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self.schema = schema
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._measured: dict[str, Measure] = {}
        self._open: set[str] = set()

    def operation(self, node: OperationDefinitionNode) -> Measure:
        root = self.schema.get_root_type(node.operation)
        defaults = {
            variable.variable.name.value: int(variable.default_value.value)
            for variable in node.variable_definitions or ()
            if isinstance(variable.default_value, IntValueNode)
        }
        measure = self._selections(node.selection_set, root, None, defaults)
        measure.directives += len(node.directives or ())
        if node.operation is OperationType.MUTATION:
            measure.items.append((Size(MUTATION_COST * len(node.selection_set.selections)), None))
        return measure

    def _selections(
        self, node: SelectionSetNode, parent: GraphQLNamedType | None, sized: Size | None, defaults: dict[str, int]
    ) -> Measure:
        """`sized` is the size of the lists just below, where a connection has declared it."""
        total = Measure()
        for selection in node.selections:
            total.directives += len(selection.directives or ())
            match selection:
                case FieldNode():
                    total.add(self._field(selection, parent, sized, defaults))
                case InlineFragmentNode():
                    condition = selection.type_condition
                    inner = self.schema.get_type(condition.name.value) if condition else parent
                    total.add(self._selections(selection.selection_set, inner, sized, defaults))
                case FragmentSpreadNode():
                    total.fields += 1  # counted, or doublings of nothing would be free
                    total.add(self._spread(selection.name.value, sized, defaults))
        return total

    def _spread(self, name: str, sized: Size | None, defaults: dict[str, int]) -> Measure:
        fragment = self._fragments.get(name)
        # A fragment inside itself, or one that is missing, is the standard rules' to refuse.
        if fragment is None or name in self._open:
            return Measure()
        key = f"{name}|{sized}"
        if key not in self._measured:
            self._open.add(name)
            parent = self.schema.get_type(fragment.type_condition.name.value)
            self._measured[key] = self._selections(fragment.selection_set, parent, sized, defaults)
            self._open.discard(name)
        return self._measured[key]

    def _field(
        self, node: FieldNode, parent: GraphQLNamedType | None, sized: Size | None, defaults: dict[str, int]
    ) -> Measure:
        measure = Measure(depth=1, fields=1, aliases=1 if node.alias else 0)
        if not node.selection_set:
            return measure
        definition = _definition(parent, node.name.value)
        kind = get_named_type(definition.type) if definition else None
        declared = _declared_size(definition)
        size = _size(node, declared, defaults) if declared else None
        below = self._selections(
            node.selection_set, kind, size if declared and declared.sized_fields else None, defaults
        )
        measure.depth += below.depth
        measure.fields += below.fields
        measure.aliases += below.aliases
        measure.directives += below.directives
        if node.name.value.startswith("__"):  # costs no store request; its nesting is the standard rules' to limit
            measure.items.append((Size(INTROSPECTION_COST), None))
            return measure
        times = Size(1)
        if definition and _is_list(definition):
            times = size or sized or Size(UNSIZED_LIST)
        measure.items += [(times, None), (times, below)]
        return measure


def _definition(parent: GraphQLNamedType | None, name: str) -> GraphQLField | None:
    if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
        found: GraphQLField | None = parent.fields.get(name)
        return found
    return None


def _is_list(definition: GraphQLField) -> bool:
    kind = definition.type
    return is_list_type(kind.of_type if is_non_null_type(kind) else kind)


def _declared_size(definition: GraphQLField | None) -> ListSize | None:
    if definition is None:
        return None
    field_definition = definition.extensions.get("strawberry-definition")
    for directive in getattr(field_definition, "directives", None) or ():
        if isinstance(directive, ListSize):
            return directive
    return None


def _size(node: FieldNode, declared: ListSize, defaults: dict[str, int]) -> Size:
    for argument in node.arguments or ():
        if argument.name.value in (declared.slicing_arguments or ()):
            match argument.value:
                case IntValueNode():
                    # What is no valid size is refused by the resolver; until then it costs as much as the most.
                    return Size(LITERAL_SIZES.get(argument.value.value, MOST_FIRST))
                case VariableNode():
                    name = argument.value.name.value
                    return Size(defaults.get(name, declared.assumed_size), name)
    return Size(declared.assumed_size)
