# schema/plan.py
"""What is known about a document before it runs, worked out once: parsed, measured, validated, and what it needs.

Parsing and validating each time is most of what a GraphQL request costs by default.
"""

from collections import OrderedDict
from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSyntaxError,
    InlineFragmentNode,
    NoFragmentCyclesRule,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValuesOfCorrectTypeRule,
    get_named_type,
    parse,
    specified_rules,
    validate,
    value_from_ast_untyped,
)
from graphql.execution.collect_fields import FragmentDetails, GroupedFieldSet
from msgspec import Struct, field

from schema import limits, sizes
from schema.access import INTROSPECTION, Access, Denied, denied, rule
from schema.coercion import LiteralsRule, places
from schema.connections import MOST_FIRST
from schema.limits import Excess
from schema.principal import Kind, Principal
from schema.selections import Compiled
from schema.sizes import Terms

MOST_PLANS: Final = 512
MOST_DENIED: Final = 5  # fields that a refusal names
MOST_KEPT: Final = 1_000_000  # characters of all documents together: a plan takes about a hundred bytes for each
MOST_ERRORS: Final = 5

RULES: Final = tuple(LiteralsRule if each is ValuesOfCorrectTypeRule else each for each in specified_rules)

Code = str


class Plan(Struct):
    """One operation of one document. With `problems`, it must not run."""

    schema: GraphQLSchema
    problems: tuple[tuple[Code, GraphQLError], ...] = ()
    operation: OperationDefinitionNode | None = None
    terms: Terms = field(default_factory=dict)
    products: Terms = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)
    """What variables are where nothing is given for them."""

    uses: dict[str, Access | None] = field(default_factory=dict)
    places: dict[str, FieldNode] = field(default_factory=dict)
    """Where each of these first stands."""

    fragment_definitions: dict[str, FragmentDefinitionNode] = field(default_factory=dict)
    fragments: dict[str, FragmentDetails] = field(default_factory=dict)
    static: bool = False
    """Whether what is selected is the same whatever the variables."""

    root_fields: GroupedFieldSet | None = None
    subfields: dict[Any, Any] = field(default_factory=dict)
    compiled: Compiled = field(default_factory=dict)
    _verdicts: dict[tuple[Kind, frozenset[str]], tuple[Denied, ...]] = field(default_factory=dict)

    @property
    def document(self) -> DocumentNode:
        """The operation and what it may spread."""
        assert self.operation is not None
        return DocumentNode(definitions=(self.operation, *self.fragment_definitions.values()))

    @property
    def is_mutation(self) -> bool:
        return self.operation is not None and self.operation.operation is OperationType.MUTATION

    @property
    def root_type(self) -> GraphQLObjectType:
        assert self.operation is not None
        root = self.schema.get_root_type(self.operation.operation)
        assert root is not None
        return root

    def errors(self) -> list[dict[str, Any]]:
        """The problems as a response lists them, made anew for each request: it writes its own id into them."""
        return [
            {**error.formatted, "extensions": {**(error.extensions or {}), "code": code}}
            for code, error in self.problems[:MOST_ERRORS]
        ]

    def cost(self, variables: Mapping[str, Any]) -> int:
        return sizes.cost(self.terms, {**self.defaults, **variables})

    def excess(self, variables: Mapping[str, Any]) -> Excess | None:
        """What these variables make too much of; None where they keep within the limits."""
        for size in {size for term in self.terms for size in term}:
            length = size.length(variables)
            if length > MOST_FIRST:
                said = f"A list that sizes an answer may have {MOST_FIRST} items at most; this has {length}."
                place = places(self.document).get(size.variable or "", ())
                return Excess("sizingList", length, MOST_FIRST, said, field=(*place, *size.path))
        items = sizes.product(self.products, {**self.defaults, **variables})
        if items > limits.MOST_PRODUCT:
            said = f"Lists within lists would hold {items} items; they may hold {limits.MOST_PRODUCT}."
            return self._of_lists("items", items, limits.MOST_PRODUCT, said, variables)
        cost = self.cost(variables)
        if cost > limits.MOST_COST:
            said = f"This would cost {cost} points; one request may cost {limits.MOST_COST}."
            return self._of_lists("cost", cost, limits.MOST_COST, said, variables)
        return None

    def _of_lists(self, limit: str, value: int, most: int, said: str, variables: Mapping[str, Any]) -> Excess:
        assert self.operation is not None
        from schema.fullest_list import FullestList  # late: of use to what is refused only

        given = {**self.defaults, **variables}
        fullest = FullestList(self.schema, self.fragment_definitions, given).of(self.operation)
        if fullest.path:
            said = f"{said} The most are in {'.'.join(fullest.path)}."
        return Excess(limit, value, most, said, list=fullest.path)

    def denied(self, principal: Principal) -> tuple[Denied, ...]:
        """Why this principal may not run it, five fields at most; nothing where they may."""
        key = (principal.kind, principal.scopes)
        if key not in self._verdicts:
            if len(self._verdicts) >= MOST_PLANS:
                self._verdicts.clear()
            refusals = (denied(coordinate, access, principal) for coordinate, access in self.uses.items())
            self._verdicts[key] = tuple(islice(filter(None, refusals), MOST_DENIED))
        return self._verdicts[key]


class Plans:
    """The plans of one schema, the least recently used dropped first."""

    def __init__(self, schema: GraphQLSchema, *, most: int = MOST_PLANS, characters: int = MOST_KEPT) -> None:
        self.schema = schema
        self.most = most
        self.characters = characters
        self._length = 0
        self._kept: OrderedDict[tuple[str, str | None, bool], Plan] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def plan(self, document: str, operation_name: str | None = None, *, suggestions: bool = False) -> Plan:
        """`suggestions`: whether messages may name what the caller might have meant."""
        key = (document, operation_name, suggestions)
        known = self._kept.get(key)
        if known is not None:
            self._kept.move_to_end(key)
            return known
        if len(document) > limits.MOST_CHARACTERS:
            said = f"A document may have {limits.MOST_CHARACTERS} characters at most; this has {len(document)}."
            excess = Excess("characters", len(document), limits.MOST_CHARACTERS, said)
            return Plan(self.schema, (("QUERY_TOO_COMPLEX", excess.error()),))
        plan = self._kept[key] = self._make(document, operation_name, suggestions=suggestions)
        self._length += len(document)
        while len(self._kept) > self.most or self._length > self.characters:
            (dropped, _, _), _ = self._kept.popitem(last=False)
            self._length -= len(dropped)
        return plan

    def _make(self, text: str, operation_name: str | None, *, suggestions: bool) -> Plan:
        try:
            document = parse(text, max_lexical_tokens=limits.MOST_TOKENS)
        except GraphQLSyntaxError as error:
            return Plan(self.schema, (("GRAPHQL_PARSE_FAILED", error),))
        measuring = limits.Measuring(self.schema, document)
        operation = _operation(measuring.operations, operation_name)
        if isinstance(operation, GraphQLError):
            return Plan(self.schema, (("OPERATION_RESOLUTION_FAILURE", operation),))
        excess = measuring.excess()
        if excess:
            return Plan(self.schema, (("QUERY_TOO_COMPLEX", excess.error()),))
        # In a circle nothing ends that spreads fragments out, as the other rules do.
        rules = (NoFragmentCyclesRule,) if measuring.circular else RULES
        problems = validate(self.schema, document, rules, max_errors=MOST_ERRORS, hide_suggestions=not suggestions)
        if problems:
            return Plan(self.schema, tuple(("GRAPHQL_VALIDATION_FAILED", error) for error in problems))
        measure = measuring.operation(operation)
        terms, products = measure.weigh()
        definitions = measuring.fragments
        uses, places = _uses(self.schema, operation, definitions)
        return Plan(
            self.schema,
            operation=operation,
            terms=terms,
            products=products,
            defaults={
                node.variable.name.value: value_from_ast_untyped(node.default_value)
                for node in operation.variable_definitions or ()
                if node.default_value
            },
            uses=uses,
            places=places,
            fragment_definitions=definitions,
            fragments={name: FragmentDetails(node, None) for name, node in definitions.items()},
            static=measure.directives == 0,
        )


def _operation(operations: list[OperationDefinitionNode], name: str | None) -> OperationDefinitionNode | GraphQLError:
    if name is None:
        if len(operations) == 1:
            return operations[0]
        return GraphQLError("A document of several operations needs operationName." if operations else "No operation.")
    for node in operations:
        if node.name and node.name.value == name:
            return node
    return GraphQLError("The document has no operation of this name.")


def _uses(
    schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> tuple[dict[str, Access | None], dict[str, FieldNode]]:
    """The fields an operation can reach, by coordinate, with their rules; and where each first stands."""
    uses: dict[str, Access | None] = {}
    places: dict[str, FieldNode] = {}
    walked: set[str] = set()

    def walk(node: SelectionSetNode, parent: GraphQLNamedType | None) -> None:
        for selection in node.selections:
            match selection:
                case FieldNode():
                    use(selection, parent)
                case InlineFragmentNode(type_condition=condition):
                    walk(selection.selection_set, schema.get_type(condition.name.value) if condition else parent)
                case FragmentSpreadNode() if selection.name.value not in walked:
                    walked.add(selection.name.value)
                    fragment = fragments[selection.name.value]
                    walk(fragment.selection_set, schema.get_type(fragment.type_condition.name.value))

    def use(node: FieldNode, parent: GraphQLNamedType | None) -> None:
        name = node.name.value
        if name == "__typename" or parent is None:
            return
        if name.startswith("__"):
            uses[name] = INTROSPECTION  # what it selects describes the schema and needs no more
            places.setdefault(name, node)
            return
        assert isinstance(parent, GraphQLObjectType | GraphQLInterfaceType)
        definition = parent.fields[name]
        uses[f"{parent.name}.{name}"] = rule(parent, definition)
        places.setdefault(f"{parent.name}.{name}", node)
        if node.selection_set:
            walk(node.selection_set, get_named_type(definition.type))

    walk(operation.selection_set, schema.get_root_type(operation.operation))
    return uses, places
