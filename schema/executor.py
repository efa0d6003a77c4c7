# schema/executor.py
"""Runs one operation of a plan: graphql-core's executor with a short way for fields that need nothing but their parent.

Most fields of an answer are attributes or argument-free methods of an object that is there already. graphql-core builds
a resolve info, an argument dict and a path for each, and asks its type what it is; here all that is worked out once per
plan. Everything else, and every error, takes graphql-core's own way.
"""

from collections.abc import Awaitable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Never, cast

from graphql import (
    ExecutionResult,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLLeafType,
    GraphQLList,
    GraphQLObjectType,
    OperationType,
    default_field_resolver,
    default_type_resolver,
    get_nullable_type,
    is_leaf_type,
    is_non_null_type,
    located_error,
)
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet, collect_fields
from graphql.execution.executor import Executor, to_nodes
from graphql.execution.values import VariableValues
from graphql.pyutils import Path, Undefined, gather_with_cancel
from strawberry.types.field import StrawberryField

from schema.plan import Plan
from schema.selections import Compiled, Entry, Note, Read, ResolveInfo, Selection

if TYPE_CHECKING:
    from schema.context import Context


class PlannedExecutor(Executor[None]):
    """One execution of a plan's operation. Counts the objects it completes: they are the actual cost."""

    def __init__(self, plan: Plan, variables: VariableValues, context: "Context", *, suggestions: bool = False) -> None:
        assert plan.operation is not None
        super().__init__(
            plan.schema,
            plan.fragment_definitions,
            plan.fragments,
            None,
            context,
            plan.operation,
            variables,
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
            hide_suggestions=not suggestions,
        )
        self.plan = plan
        self.objects = 0
        self._compiled: Compiled = {}
        if plan.static:
            # What is selected does not depend on variables, so it is worked out once for all requests.
            self._compiled = plan.compiled
            self._relevant_sub_fields = plan.subfields

    async def answer(self) -> ExecutionResult:
        root_type = self.plan.root_type
        serially = self.operation.operation is OperationType.MUTATION
        data: dict[str, Any] | None
        try:
            fields = self._root_fields(root_type)
            answered = self.execute_root_grouped_field_set(root_type, None, fields, serially, None)
            data = await answered if self.is_awaitable(answered) else cast("dict[str, Any]", answered)
        except GraphQLError as error:
            self.collected_errors.add(error, None)
            data = None
        return cast("ExecutionResult", self.build_response(data))

    def _root_fields(self, root_type: GraphQLObjectType) -> GroupedFieldSet:
        fields = self.plan.root_fields
        if fields is None:
            fields = collect_fields(
                self.schema, self.fragments, self.variable_values, root_type, self.operation, self.hide_suggestions
            ).grouped_field_set
            if self.plan.static:
                self.plan.root_fields = fields
        return fields

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: None,  # noqa: ARG002  the signature is graphql-core's
    ) -> Any:
        return self._select(self._selection(parent_type, grouped_field_set), parent_type, source_value, path)

    def _selection(self, parent_type: GraphQLObjectType, fields: GroupedFieldSet) -> Selection:
        known = self._compiled.get(id(fields))
        if known is None:
            selection = tuple(_entry(self, parent_type, name, details) for name, details in fields.items())
            # The fields are kept with their selection, so that their id stays their own.
            known = self._compiled[id(fields)] = (fields, selection)
        return known[1]

    def _select(self, selection: Selection, parent_type: GraphQLObjectType, source: Any, path: Path | None) -> Any:
        results: dict[str, Any] = {}
        awaited: list[str] = []
        try:
            for entry in selection:
                if entry.read is None:
                    field_path = Path(path, entry.name, entry.parent)
                    result = self.execute_field(parent_type, source, entry.details, field_path, None)
                    if result is Undefined:
                        continue
                elif entry.write is not None:
                    results[entry.name] = self._leaf(entry, entry.read, entry.write, source, path)
                    continue
                else:
                    result = self._below(entry, entry.read, source, Path(path, entry.name, entry.parent))
                results[entry.name] = result
                if result.__class__ is not dict and self.is_awaitable(result):
                    awaited.append(entry.name)
        except Exception:
            if awaited:
                self.settle_in_background([results[name] for name in awaited])
            raise
        return self._gathered(results, awaited) if awaited else results

    async def _gathered(self, results: dict[str, Any], awaited: list[str]) -> dict[str, Any]:
        if len(awaited) == 1:
            results[awaited[0]] = await results[awaited[0]]
        else:
            values = await gather_with_cancel(*(results[name] for name in awaited))
            results.update(zip(awaited, values, strict=True))
        return results

    def _leaf(self, entry: Entry, read: Read, write: Read, source: Any, path: Path | None) -> Any:
        try:
            value = read(source)
            if value is not None:
                return write(value)
            if entry.required:
                _refuse_null(entry)
        except Exception as error:  # noqa: BLE001  a field's failure is its own: located, reported, and masked above
            self.handle_field_error(error, entry.type, entry.details, Path(path, entry.name, entry.parent))
        return None

    def _below(self, entry: Entry, read: Read, source: Any, path: Path) -> Any:
        try:
            value = read(source)
            if value is None and entry.required:
                _refuse_null(entry)
            if entry.object is None or value is None:
                completed = self.complete_value(entry.type, entry.details, entry.note, path, value, None)
            elif entry.many:
                completed = self._objects(entry, entry.object, value, path)
            else:
                completed = self._object(entry, entry.object, value, path)
            if completed.__class__ is dict or not self.is_awaitable(completed):
                return completed
            return self._settled(entry, completed, path)
        except Exception as error:  # noqa: BLE001  as above
            self.handle_field_error(error, entry.type, entry.details, path)
            return None

    def _object(self, entry: Entry, kind: GraphQLObjectType, value: Any, path: Path) -> Any:
        self.objects += 1
        selection = entry.below
        if selection is None:
            fields = self.collect_subfields(kind, entry.details).grouped_field_set
            selection = entry.below = self._selection(kind, fields)
        return self._select(selection, kind, value, path)

    def _objects(self, entry: Entry, kind: GraphQLObjectType, values: Any, path: Path) -> Any:
        """Of a list whose items cannot be null: the failure of one is the failure of the list."""
        results: list[Any] = []
        awaited: list[int] = []
        try:
            for index, value in enumerate(values):
                if value is None:
                    _refuse_null_item(entry, path, index)
                result = self._object(entry, kind, value, Path(path, index, None))
                results.append(result)
                if result.__class__ is not dict and self.is_awaitable(result):
                    awaited.append(index)
        except Exception:
            if awaited:
                self.settle_in_background([results[index] for index in awaited])
            raise
        return self._all_of(results, awaited) if awaited else results

    async def _all_of(self, results: list[Any], awaited: list[int]) -> list[Any]:
        values = await gather_with_cancel(*(results[index] for index in awaited))
        for index, value in zip(awaited, values, strict=True):
            results[index] = value
        return results

    async def _settled(self, entry: Entry, completed: Awaitable[Any], path: Path) -> Any:
        try:
            return await completed
        except Exception as error:  # noqa: BLE001  as above
            self.handle_field_error(error, entry.type, entry.details, path)
            return None

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_details_list: FieldDetailsList,
        info: ResolveInfo,  # noqa: ARG002  as above
        path: Path,
        result: Any,
        position_context: None,
    ) -> Any:
        # Without `is_type_of`: the type checker has seen to it that resolvers return what they declare.
        self.objects += 1
        return self.collect_and_execute_subfields(return_type, field_details_list, path, result, position_context)


def _entry(executor: PlannedExecutor, parent: GraphQLObjectType, name: str, details: FieldDetailsList) -> Entry:
    field_name = details[0].node.name.value
    definition = executor.schema.get_field(parent, field_name)
    assert definition is not None, f"{parent.name}.{field_name} is not in the schema"
    kind = get_nullable_type(definition.type)
    entry = Entry(
        name=name,
        parent=parent.name,
        details=details,
        type=definition.type,
        required=is_non_null_type(definition.type),
        note=cast("ResolveInfo", Note(parent, field_name)),
        read=reader(parent, field_name, definition),
    )
    if is_leaf_type(kind):
        entry.write = writer(kind)
    elif isinstance(kind, GraphQLObjectType):
        entry.object = kind
    elif isinstance(kind, GraphQLList) and is_non_null_type(kind.of_type):
        item = get_nullable_type(kind.of_type)
        if isinstance(item, GraphQLObjectType):
            entry.object, entry.many = item, True
    if entry.write is None and entry.object is None and not _is_list_of_leaves(kind):
        entry.read = None  # an interface's type resolver wants a whole resolve info
    return entry


SELF: Final = "self"


def reader(parent: GraphQLObjectType, name: str, definition: GraphQLField) -> Read | None:
    """What reads a field from its parent alone: an attribute, or a plain method of `self`. None for everything else."""
    if name == "__typename":
        return lambda _source: parent.name
    field = definition.extensions.get("strawberry-definition")
    if not isinstance(field, StrawberryField) or field.extensions or definition.args:
        return None
    if field.base_resolver is None:
        return attrgetter(field.python_name)
    resolver = field.base_resolver
    if resolver.is_async or list(resolver.signature.parameters) != [SELF]:
        return None
    return cast("Read", resolver.wrapped_func)


def writer(kind: GraphQLLeafType) -> Read:
    """What writes a leaf. Strawberry's enums look for a member's name each time; here it is looked up."""
    write: Read = kind.coerce_output_value
    if isinstance(kind, GraphQLEnumType) and hasattr(kind, "wrapped_cls"):
        names = {value.value: name for name, value in kind.values.items()}
        return lambda member: names[member.value]
    return write


def _is_list_of_leaves(kind: Any) -> bool:
    return isinstance(kind, GraphQLList) and is_leaf_type(get_nullable_type(kind.of_type))


def _null_message(entry: Entry) -> str:
    return f"Cannot return null for non-nullable field {entry.note.parent_type}.{entry.note.field_name}."


def _refuse_null(entry: Entry) -> Never:
    raise TypeError(_null_message(entry))


def _refuse_null_item(entry: Entry, path: Path, index: int) -> Never:
    raise located_error(TypeError(_null_message(entry)), to_nodes(entry.details), [*path.as_list(), index])
