# schema/plan.py
"""What is known about a document before it runs, worked out once: parsed, measured, validated, and what it needs.

Parsing and validating each time is most of what a GraphQL request costs by default.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
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
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    parse,
    specified_rules,
    validate,
)
from graphql.execution.collect_fields import FragmentDetails, GroupedFieldSet
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from schema import limits
from schema.access import INTROSPECTION, Access, Denied, denied, rule
from schema.executor import Compiled
from schema.principal import Kind, Principal

MOST_PLANS: Final = 512
LONGEST_KEPT: Final = 20_000  # characters; longer documents are planned each time
MOST_ERRORS: Final = 5

RULES: Final = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)

Code = str


@dataclass(slots=True)
class Plan:
    """One operation of one document. With `problems`, it must not run."""

    schema: GraphQLSchema
    problems: tuple[tuple[Code, GraphQLError], ...] = ()
    operation: OperationDefinitionNode | None = None
    terms: limits.Terms = field(default_factory=dict)
    uses: dict[str, Access | None] = field(default_factory=dict)
    fragment_definitions: dict[str, FragmentDefinitionNode] = field(default_factory=dict)
    fragments: dict[str, FragmentDetails] = field(default_factory=dict)
    static: bool = False
    """Whether what is selected is the same whatever the variables."""

    root_fields: GroupedFieldSet | None = None
    subfields: dict[Any, Any] = field(default_factory=dict)
    compiled: Compiled = field(default_factory=dict)
    _verdicts: dict[tuple[Kind, frozenset[str]], Denied | None] = field(default_factory=dict)

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
        return limits.cost(self.terms, variables)

    def denied(self, principal: Principal) -> Denied | None:
        """Why this principal may not run it; None where they may."""
        key = (principal.kind, principal.scopes)
        if key not in self._verdicts:
            if len(self._verdicts) >= MOST_PLANS:
                self._verdicts.clear()
            refusals = (denied(coordinate, access, principal) for coordinate, access in self.uses.items())
            self._verdicts[key] = next((refusal for refusal in refusals if refusal), None)
        return self._verdicts[key]


class Plans:
    """The plans of one schema, the least recently used dropped first."""

    def __init__(self, schema: GraphQLSchema, *, most: int = MOST_PLANS) -> None:
        self.schema = schema
        self.most = most
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
        plan = self._make(document, operation_name, suggestions=suggestions)
        if len(document) <= LONGEST_KEPT:
            self._kept[key] = plan
            if len(self._kept) > self.most:
                self._kept.popitem(last=False)
        return plan

    def _make(self, text: str, operation_name: str | None, *, suggestions: bool) -> Plan:
        try:
            document = parse(text, max_lexical_tokens=limits.MOST_TOKENS)
        except GraphQLSyntaxError as error:
            return Plan(self.schema, (("GRAPHQL_PARSE_FAILED", error),))
        operation = _operation(document, operation_name)
        if isinstance(operation, GraphQLError):
            return Plan(self.schema, (("OPERATION_RESOLUTION_FAILURE", operation),))
        measure = limits.Measure()
        for each in document.definitions:
            if isinstance(each, OperationDefinitionNode):
                measured = limits.Measuring(self.schema, document).operation(each)
                excess = limits.excess(each, measured)
                if excess:
                    return Plan(self.schema, (("QUERY_TOO_COMPLEX", GraphQLError(excess)),))
                if each is operation:
                    measure = measured
        problems = validate(self.schema, document, RULES, max_errors=MOST_ERRORS, hide_suggestions=not suggestions)
        if problems:
            return Plan(self.schema, tuple(("GRAPHQL_VALIDATION_FAILED", error) for error in problems))
        definitions = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        return Plan(
            self.schema,
            operation=operation,
            terms=measure.terms(),
            uses=_uses(self.schema, operation, definitions),
            fragment_definitions=definitions,
            fragments={name: FragmentDetails(node, None) for name, node in definitions.items()},
            static=measure.directives == 0,
        )


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode | GraphQLError:
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
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
) -> dict[str, Access | None]:
    """The fields an operation can reach, by coordinate, with their rules."""
    uses: dict[str, Access | None] = {}
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
            return
        assert isinstance(parent, GraphQLObjectType | GraphQLInterfaceType)
        definition = parent.fields[name]
        uses[f"{parent.name}.{name}"] = rule(parent, definition)
        if node.selection_set:
            walk(node.selection_set, get_named_type(definition.type))

    walk(operation.selection_set, schema.get_root_type(operation.operation))
    return uses
