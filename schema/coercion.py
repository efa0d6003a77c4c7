# schema/coercion.py
"""What of a request does not fit the schema: all of it, each with the path to it, in variables and in literals alike.

graphql-core stops at the words it has for its own developers, which quote what was sent; these name the input and say
what is wanted. Whatever people type is no matter of coercion: services judge it (docs/decisions/0043).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from math import isfinite
from typing import Any, Final, NamedTuple, Protocol, cast

from graphql import (
    ArgumentNode,
    DocumentNode,
    FloatValueNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLLeafType,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    Node,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    Undefined,
    ValueNode,
    ValuesOfCorrectTypeRule,
    VariableDefinitionNode,
    VariableNode,
    VisitorAction,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
    type_from_ast,
)
from graphql.language import SKIP, Visitor, visit

from crm.kernel.texts import MUST_BE_PRINTABLE, UNPRINTABLE

BOUNDLESS: Final = "must hold no number beyond 10^308"
"""JSON's numbers and GraphQL's have no end; those of computers do, and Python reads no integer of 4,300 digits."""

MOST_DIGITS: Final = 308
WANTED: Final = {
    "Boolean": "must be true or false",
    "Float": "must be a number",
    "ID": "must be a string",
    "Int": "must be a whole number between -2^31 and 2^31 - 1",
    "String": "must be a string",
}

InputPath = tuple[str, ...]


class Misfit(NamedTuple):
    """One input that does not fit."""

    path: InputPath
    message: str
    node: Node | None = None

    def error(self, node: Node | None = None) -> GraphQLError:
        message = f"{'.'.join(self.path)}: {self.message}"
        return GraphQLError(message, self.node or node, extensions={"field": list(self.path)})


class Form(Protocol):
    """How an input is written: as JSON, or as a literal of a document."""

    def is_open(self, given: Any) -> bool: ...
    def is_null(self, given: Any) -> bool: ...
    def items(self, given: Any) -> Sequence[Any] | None: ...
    def fields(self, given: Any) -> Mapping[str, Any] | None: ...
    def is_bounded(self, given: Any) -> bool: ...
    def leaf(self, kind: GraphQLLeafType, given: Any) -> Any: ...
    def node(self, given: Any) -> Node | None: ...


class Values:
    """Values of variables, as JSON has them."""

    def is_open(self, given: Any) -> bool:  # noqa: ARG002  JSON has no variables
        return False

    def is_null(self, given: Any) -> bool:
        return given is None

    def items(self, given: Any) -> Sequence[Any] | None:
        return given if isinstance(given, list) else None

    def fields(self, given: Any) -> Mapping[str, Any] | None:
        return given if isinstance(given, Mapping) else None

    def is_bounded(self, given: Any) -> bool:
        return is_bounded(given)

    def leaf(self, kind: GraphQLLeafType, given: Any) -> Any:
        return kind.coerce_input_value(given)

    def node(self, given: Any) -> Node | None:  # noqa: ARG002  as above
        return None


class Literals:
    """Values in a document. What a variable will say is judged with the variables."""

    def is_open(self, given: Any) -> bool:
        return isinstance(given, VariableNode)

    def is_null(self, given: Any) -> bool:
        return isinstance(given, NullValueNode)

    def items(self, given: Any) -> Sequence[Any] | None:
        return given.values if isinstance(given, ListValueNode) else None

    def fields(self, given: Any) -> Mapping[str, Any] | None:
        return {field.name.value: field.value for field in given.fields} if isinstance(given, ObjectValueNode) else None

    def is_bounded(self, given: Any) -> bool:
        match given:
            case IntValueNode():
                return len(given.value) <= MOST_DIGITS
            case FloatValueNode():
                return isfinite(float(given.value))
            case ListValueNode():
                return all(map(self.is_bounded, given.values))
            case ObjectValueNode():
                return all(self.is_bounded(field.value) for field in given.fields)
        return True

    def leaf(self, kind: GraphQLLeafType, given: Any) -> Any:
        if kind.coerce_input_literal is not None:
            return kind.coerce_input_literal(given)
        return kind.parse_literal(given, None)

    def node(self, given: Any) -> Node | None:
        return cast("Node", given)


def misfits(kind: GraphQLInputType, given: Any, path: InputPath, form: Form, *, named: bool) -> Iterator[Misfit]:
    """Everything that does not fit; `named`: whether messages may name what the schema knows."""
    if form.is_open(given):
        return
    if is_non_null_type(kind):
        if form.is_null(given):
            yield Misfit(path, "may not be null", form.node(given))
            return
        kind = kind.of_type
    if form.is_null(given):
        return
    if is_list_type(kind):
        items = form.items(given)
        if items is None:  # a list of one, by the specification
            yield from misfits(kind.of_type, given, path, form, named=named)
        for index, item in enumerate(items or ()):
            yield from misfits(kind.of_type, item, (*path, str(index)), form, named=named)
    elif is_input_object_type(kind):
        yield from _of_object(kind, given, path, form, named=named)
    else:
        wrong = _of_leaf(cast("GraphQLLeafType", kind), given, form, named=named)
        if wrong:
            yield Misfit(path, wrong, form.node(given))


def _of_object(
    kind: GraphQLInputObjectType, given: Any, path: InputPath, form: Form, *, named: bool
) -> Iterator[Misfit]:
    fields = form.fields(given)
    if fields is None:
        yield Misfit(path, "must be an object", form.node(given))
        return
    known: Mapping[str, GraphQLInputField] = kind.fields
    for name, field in known.items():
        if name in fields:
            yield from misfits(field.type, fields[name], (*path, name), form, named=named)
        elif is_required_input_field(field):
            yield Misfit((*path, name), "is required", form.node(given))
    for name in fields:
        if name not in known:
            yield Misfit((*path, name), "is not known here", form.node(fields[name]))
    if kind.is_one_of:
        told = [name for name in fields if name in known]
        if len(told) != 1 or form.is_null(fields[told[0]]):
            choice = f"one of {', '.join(known)}" if named else "one field"
            yield Misfit(path, f"must have exactly {choice}, and not null", form.node(given))


def is_bounded(value: Any) -> bool:
    """Whether each number in what was JSON is one: api/answers.py reads those beyond all bounds as infinite."""
    if isinstance(value, Mapping | list):
        try:
            json.dumps(value, allow_nan=False)  # sooner than a walk of ours
        except ValueError:
            return False
    return not isinstance(value, float) or isfinite(value)


def _of_leaf(kind: GraphQLLeafType, given: Any, form: Form, *, named: bool) -> str | None:
    if not form.is_bounded(given):
        return WANTED.get(kind.name, BOUNDLESS)
    try:
        value = form.leaf(kind, given)
    except GraphQLError as error:
        value, said = Undefined, error.message
    else:
        said = ""
    if value is Undefined:
        if isinstance(kind, GraphQLEnumType):
            return f"must be one of {', '.join(kind.values)}" if named else f"must be a value of {kind.name}"
        return WANTED.get(kind.name) or said or f"must be a {kind.name}"
    if isinstance(value, str) and not isinstance(kind, GraphQLEnumType) and UNPRINTABLE.search(value):
        return MUST_BE_PRINTABLE
    return None


def errors_of_variables(
    schema: GraphQLSchema, document: DocumentNode, given: Mapping[str, Any], *, named: bool, most: int
) -> list[GraphQLError]:
    """What is wrong with the values of variables, with the path of the input that each is given to. Of `document` the
    operation comes first.
    """
    return list(islice(_errors_of_variables(schema, document, given, named=named), most))


def _errors_of_variables(
    schema: GraphQLSchema, document: DocumentNode, given: Mapping[str, Any], *, named: bool
) -> Iterator[GraphQLError]:
    operation, form = cast("OperationDefinitionNode", document.definitions[0]), Values()
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        kind = cast("GraphQLInputType", type_from_ast(schema, definition.type))
        if name in given:
            found = misfits(kind, given[name], (), form, named=named)
        elif is_non_null_type(kind) and definition.default_value is None:
            found = iter([Misfit((), "is required")])
        else:
            continue
        place: InputPath = ()
        for misfit in found:
            place = place or places(document).get(name, (name,))
            yield misfit._replace(path=(*place, *misfit.path)).error(definition)


def places(document: DocumentNode) -> dict[str, InputPath]:
    """Where each variable is used first, as the path of an input."""
    found: dict[str, InputPath] = {}

    class Uses(Visitor):
        def enter_argument(self, node: ArgumentNode, *_: Any) -> VisitorAction:
            self._walk(node.value, (node.name.value,))
            return SKIP

        def _walk(self, node: ValueNode, path: InputPath) -> None:
            if isinstance(node, VariableNode):
                found.setdefault(node.name.value, path)
            elif isinstance(node, ListValueNode):
                for index, item in enumerate(node.values):
                    self._walk(item, (*path, str(index)))
            elif isinstance(node, ObjectValueNode):
                for field in node.fields:
                    self._walk(field.value, (*path, field.name.value))

    visit(document, Uses())
    return found


class LiteralsRule(ValuesOfCorrectTypeRule):
    """Values in a document fit; as graphql-core's rule, with our words and the path."""

    root: str = ""

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        self.root = node.name.value

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: Any) -> None:
        self.root = node.variable.name.value

    def is_valid_value_node(self, node: ValueNode, input_type: GraphQLInputType | None) -> VisitorAction:
        if input_type:
            named = not self.context.hide_suggestions
            for misfit in misfits(input_type, node, (self.root,), Literals(), named=named):
                self.report_error(misfit.error())
        return SKIP
