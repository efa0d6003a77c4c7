# schema/limits.py
"""How much one document may ask for: in size, depth, width, repeats and cost, in one measurement.

Every fragment is measured once, however often it is spread: Strawberry's own limiters walk it each time, which is
exponential in nested fragments. A document is measured before it is validated, because repeats of one selection keep
the standard overlapping-fields rule busy for seconds; what no operation reaches is measured too, since it is validated.

Cost is the number of objects an answer can hold, with list sizes taken from arguments and variables (`@listSize`), plus
prices: of each mutation, or of each thing that one does (an event, a consent); of each item of other lists in its
input; and of fields that read more than they answer with (`@cost`).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    get_named_type,
)
from msgspec import Struct, field

from schema.given_lists import given_lists
from schema.sizes import ONE, Size, Sized, Terms, declared_price, declared_size, definition_of, is_list, size_of_list

MOST_CHARACTERS: Final = 20_000
MOST_TOKENS: Final = 1_500
MOST_OPERATIONS: Final = 20
MOST_FRAGMENTS: Final = 100
MOST_VARIABLES: Final = 50
MOST_DEPTH: Final = 16  # the standard introspection query is 15 deep
MOST_ALIASES: Final = 30
MOST_ROOT_FIELDS: Final = 20
MOST_DIRECTIVES: Final = 50
MOST_VALUES: Final = 300  # in arguments, those inside lists and objects too
MOST_FIELDS: Final = 500
MOST_REPEATS: Final = 1_000  # pairs: 45 fragments that all select `id` of one object
MOST_PRODUCT: Final = 10_000
MOST_COST: Final = 12_000
MOST_NESTING: Final = 32  # of lists and objects in variables

MUTATION_COST: Final = 10
INTROSPECTION_COST: Final = 100
UNSIZED_LIST: Final = 10  # a plain list that declares no size
MOST_TOLD: Final = 2**31 - 1


WORDS: Final = {
    "operations": "operations",
    "fragments": "fragments",
    "variables": "variables",
    "depth": "levels",
    "fields": "fields, fragments spread out,",
    "aliases": "aliases",
    "directives": "directives",
    "values": "values in arguments",
    "rootFields": "root fields",
    "repeats": "pairs of selections of one field",
}


class Excess(Struct, frozen=True):
    """What a request has too much of: which limit, how much, and how much there may be."""

    limit: str
    value: int
    most: int
    message: str
    list: tuple[str, ...] = ()
    """The path of the list with most items, by the names of the answer."""
    field: tuple[str, ...] = ()
    """The path of the input at fault."""

    @property
    def extensions(self) -> dict[str, Any]:
        """As the error tells it. Fragments in fragments make numbers that no client could read."""
        told: dict[str, Any] = {"limit": self.limit, "value": min(self.value, MOST_TOLD), "maximum": self.most}
        paths = {"list": self.list, "field": self.field}
        return told | {name: list(path) for name, path in paths.items() if path}

    def error(self) -> GraphQLError:
        return GraphQLError(self.message, extensions=self.extensions)


def too_nested(variables: Mapping[str, Any]) -> bool:
    level: list[Any] = [variables]
    for _ in range(MOST_NESTING):
        level = [
            inner
            for value in level
            for inner in (value.values() if isinstance(value, Mapping) else value)
            if isinstance(inner, Mapping | list)
        ]
        if not level:
            return False
    return True


class Item(Struct):
    """Objects of an answer: `size` of them, and what lies below each. `spread`: a fragment's, in place of its spread.

    `name` is that of a list whose size the connection above it may have declared.
    """

    size: Size
    below: "Measure | None" = None
    name: str = ""
    spread: bool = False
    price: bool = False
    """Points rather than objects: no part of lists within lists."""


class Measure(Struct):
    """What a selection asks for, all fragments spread out."""

    depth: int = 0
    width: int = 0
    """How many fields the selection itself has, those below them not counted."""
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    values: int = 0
    items: list[Item] = field(default_factory=list)
    sized: Sized | None = None
    """What the field it belongs to has declared of the lists in it."""

    def add(self, other: "Measure") -> None:
        self.depth = max(self.depth, other.depth)
        self.width += other.width
        self.fields += other.fields
        self.aliases += other.aliases
        self.directives += other.directives
        self.values += other.values
        self.items.append(Item(ONE, other, spread=True))

    def direct(self, nodes: Iterable[DirectiveNode] | None) -> None:
        for node in nodes or ():
            self.directives += 1
            self.values += sum(_values(argument.value) for argument in node.arguments or ())

    def weigh(self, sized: Sized | None = None) -> tuple[Terms, Terms]:
        """The terms of `cost` and of `product`. Call it on what is within MOST_FIELDS only."""
        sized = self.sized or sized
        terms, products = dict[tuple[Size, ...], int](), dict[tuple[Size, ...], int]()
        for item in self.items:
            size = (sized.size_of(item.name) if sized and item.name else None) or item.size
            variable, number = ((size,), 1) if size.variable else ((), size.number)
            if item.below is None:
                below: tuple[Terms, Terms] = {(): 1}, {} if item.price else {(): 1}
            else:
                below = item.below.weigh(sized if item.spread else None)
            for sizes, times in below[0].items():
                terms[sizes + variable] = terms.get(sizes + variable, 0) + times * number
            for sizes, times in below[1].items():
                products[sizes + variable] = max(products.get(sizes + variable, 0), times * number)
        return terms, products


class Measuring:
    """Measures one document."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self.schema = schema
        self.operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        self.fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self.circular = False
        """Whether a fragment was met inside itself; known once `excess` has been asked for."""
        self._measured: dict[str, Measure] = {}
        self._open: set[str] = set()

    def excess(self) -> Excess | None:
        """What the document has too much of, whatever its variables; None where it keeps within the limits."""
        counted: list[tuple[str, int, int]] = [
            ("operations", len(self.operations), MOST_OPERATIONS),
            ("fragments", len(self.fragments), MOST_FRAGMENTS),
            *(("variables", len(node.variable_definitions or ()), MOST_VARIABLES) for node in self.operations),
        ]
        return _first_excess(iter(counted)) or _first_excess(self._counted())

    def operation(self, node: OperationDefinitionNode) -> Measure:
        measure = self._selections(node.selection_set, self.schema.get_root_type(node.operation))
        measure.direct(node.directives)
        for variable in node.variable_definitions or ():
            measure.direct(variable.directives)
            measure.values += _values(variable.default_value) if variable.default_value else 0
        return measure

    def _counted(self) -> Iterator[tuple[str, int, int]]:
        measures = [self.operation(node) for node in self.operations]
        for measure in (*measures, *(self._fragment(name) for name in self.fragments)):
            yield "depth", measure.depth, MOST_DEPTH
            yield "fields", measure.fields, MOST_FIELDS
            yield "aliases", measure.aliases, MOST_ALIASES
            yield "directives", measure.directives, MOST_DIRECTIVES
            yield "values", measure.values, MOST_VALUES
        for measure in measures:
            yield "rootFields", measure.width, MOST_ROOT_FIELDS
        # Only now, when it is known that spreading all fragments out is little work, and ends.
        for node in () if self.circular else (*self.operations, *self.fragments.values()):
            yield "repeats", self._repeats([node.selection_set]), MOST_REPEATS

    def _repeats(self, merged: list[SelectionSetNode]) -> int:
        """How many pairs of selections answer under one name: what the standard rule compares."""
        named: dict[str, list[SelectionSetNode]] = defaultdict(list)
        counts: dict[str, int] = defaultdict(int)
        waiting, spread = list(merged), set[str]()
        while waiting:
            for selection in waiting.pop().selections:
                match selection:
                    case FieldNode():
                        name = (selection.alias or selection.name).value
                        counts[name] += 1
                        if selection.selection_set:
                            named[name].append(selection.selection_set)
                    case InlineFragmentNode():
                        waiting.append(selection.selection_set)
                    case FragmentSpreadNode(name=fragment) if fragment.value not in spread:
                        spread.add(fragment.value)
                        if fragment.value in self.fragments:
                            waiting.append(self.fragments[fragment.value].selection_set)
        pairs = sum(count * (count - 1) // 2 for count in counts.values())
        if pairs > MOST_REPEATS:
            return pairs
        return pairs + sum(self._repeats(below) for below in named.values())

    def _selections(self, node: SelectionSetNode, parent: GraphQLNamedType | None) -> Measure:
        total = Measure()
        for selection in node.selections:
            total.direct(selection.directives)
            match selection:
                case FieldNode():
                    total.add(self._field(selection, parent))
                case InlineFragmentNode():
                    condition = selection.type_condition
                    inner = self.schema.get_type(condition.name.value) if condition else parent
                    total.add(self._selections(selection.selection_set, inner))
                case FragmentSpreadNode():
                    total.fields += 1  # counted, or doublings of nothing would be free
                    total.add(self._fragment(selection.name.value))
        return total

    def _fragment(self, name: str) -> Measure:
        fragment = self.fragments.get(name)
        # A fragment inside itself, or one that is missing, is the standard rules' to refuse.
        self.circular = self.circular or name in self._open
        if fragment is None or name in self._open:
            return Measure()
        if name not in self._measured:
            self._open.add(name)
            measure = self._selections(fragment.selection_set, self.schema.get_type(fragment.type_condition.name.value))
            measure.direct(fragment.directives)
            self._measured[name] = measure
            self._open.discard(name)
        return self._measured[name]

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Measure:
        name = node.name.value
        values = sum(_values(argument.value) for argument in node.arguments or ())
        measure = Measure(depth=1, width=1, fields=1, aliases=1 if node.alias else 0, values=values)
        definition = definition_of(parent, name)
        declared = declared_size(definition)
        size = size_of_list(node, declared) if declared else None
        if parent is not None and parent is self.schema.mutation_type:
            measure.items.append(Item(size or ONE, Measure(items=[Item(Size(MUTATION_COST), price=True)])))
            if definition is not None:
                sizing = declared.slicing_arguments if declared else None
                lists = given_lists(node, definition, besides=sizing or ())
                measure.items += [Item(each, price=True) for each in lists]
        price = declared_price(node, definition)
        if price:
            measure.items.append(Item(Size(price), price=True))
        if not node.selection_set:
            return measure
        below = self._selections(node.selection_set, get_named_type(definition.type) if definition else None)
        measure.depth += below.depth
        measure.fields += below.fields
        measure.aliases += below.aliases
        measure.directives += below.directives
        measure.values += below.values
        if name.startswith("__"):  # costs no store request; its nesting is the standard rules' to limit
            measure.items.append(Item(Size(INTROSPECTION_COST)))
            return measure
        if size and declared and declared.sized_fields:
            below.sized = Sized(tuple(declared.sized_fields), size)
        if definition and is_list(definition):
            times = Item(size or Size(UNSIZED_LIST), name="" if size else name)
        else:
            times = Item(ONE)
        measure.items += [times, Item(times.size, below, times.name)]
        return measure


def _values(node: ValueNode) -> int:
    match node:
        case ListValueNode():
            return 1 + sum(map(_values, node.values))
        case ObjectValueNode():
            return 1 + sum(_values(given.value) for given in node.fields)
    return 1


def _first_excess(counted: Iterator[tuple[str, int, int]]) -> Excess | None:
    """`counted` are the names of limits, what is counted of each, and how much there may be."""
    for limit, number, most in counted:
        if number > most:
            return Excess(limit, number, most, f"A document may have {most} {WORDS[limit]} at most; this has {number}.")
    return None
