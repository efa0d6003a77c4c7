# tests/unit/schema/test_executor.py
"""The short way must answer as graphql-core's own way does."""

import asyncio
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult, GraphQLError, execute, parse
from graphql.execution.values import VariableValues, get_variable_values

from crm.kernel.meter import Meter
from schema.context import Context
from schema.executor import PlannedExecutor
from schema.plan import Plans
from schema.principal import Kind, Principal

CONTEXT = Context(Principal(Kind.STAFF, "demo"), datetime(2026, 1, 1, tzinfo=UTC), "req_1", Meter())


@strawberry.enum
class Size(Enum):
    SMALL = "small-value"
    LARGE = "large-value"


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Leaf(Named):
    size: int = 1

    @strawberry.field
    def doubled(self) -> int:
        return self.size * 2

    @strawberry.field
    def times(self, factor: int) -> int:
        return self.size * factor

    @strawberry.field
    def broken(self) -> int | None:
        raise ValueError("broken")

    @strawberry.field
    def broken_hard(self) -> int:
        raise ValueError("broken")

    @strawberry.field
    def nothing(self) -> int:
        return None  # type: ignore[return-value]

    @strawberry.field
    def kind(self) -> Size:
        return Size.SMALL

    @strawberry.field
    def children(self) -> "list[Leaf]":
        return [Leaf(name="x"), Leaf(name="y")]

    @strawberry.field
    def gaps(self) -> "list[Leaf]":
        return [Leaf(name="x"), None]  # type: ignore[list-item]

    @strawberry.field
    def children_broken(self) -> "list[Leaf] | None":
        raise ValueError("broken")

    @strawberry.field
    def inner(self) -> "Leaf | None":
        return Leaf(name="inner") if self.name != "inner" else None

    @strawberry.field
    async def later(self) -> str:
        await asyncio.sleep(0)
        return "later"

    @strawberry.field
    async def later_broken(self) -> str:
        raise ValueError("broken")


@strawberry.type
class Query:
    @strawberry.field
    def leaf(self) -> Leaf | None:
        return Leaf(name="a", size=3)

    @strawberry.field
    async def leaves(self) -> list[Leaf]:
        return [Leaf(name="a", size=1), Leaf(name="b", size=2)]

    @strawberry.field
    async def maybe(self) -> list[Leaf | None]:
        return [Leaf(name="a", size=1), None]

    @strawberry.field
    def holes(self) -> list[Leaf]:
        return [Leaf(name="a"), None]  # type: ignore[list-item]

    @strawberry.field
    def sizes(self) -> list[int]:
        return [1, 2]

    @strawberry.field
    def nested(self) -> list[list[Leaf]]:
        return [[Leaf(name="a")], []]

    @strawberry.field
    def anything(self) -> list[Named]:
        return [Leaf(name="c", size=5)]


schema = strawberry.Schema(Query)._schema
plans = Plans(schema)


def own_way(text: str, variables: dict[str, Any]) -> tuple[ExecutionResult, int]:
    plan = plans.plan(text)
    assert plan.problems == (), plan.errors()
    assert plan.operation is not None
    values = get_variable_values(schema, plan.operation.variable_definitions or (), variables)
    assert isinstance(values, VariableValues)
    executor = PlannedExecutor(plan, values, CONTEXT)
    return asyncio.run(executor.answer()), executor.objects


def core_way(text: str, variables: dict[str, Any]) -> ExecutionResult:
    async def run() -> ExecutionResult:
        found = execute(schema, parse(text), context_value=CONTEXT, variable_values=variables)
        return found if isinstance(found, ExecutionResult) else await found

    return asyncio.run(run())


def told(errors: list[GraphQLError] | None) -> list[dict[str, Any]]:
    return sorted((dict(error.formatted) for error in errors or ()), key=str)


@pytest.mark.parametrize(
    "text",
    [
        "{ leaf { name size doubled __typename } }",
        "{ leaf { a: name b: name ...F } } fragment F on Leaf { name times(factor: 4) }",
        "{ leaves { name later doubled } maybe { name } }",
        "{ anything { __typename name ... on Leaf { size later } } }",
        "{ leaf { broken name } leaves { broken later } }",
        "{ leaf { brokenHard name } leaves { name } }",
        "{ leaf { nothing } }",
        "{ leaf { name } holes { name } }",
        "{ sizes nested { name later } }",
        "{ leaf { children { name later } inner { name size inner { name } } kind } }",
        "{ leaf { gaps { name } childrenBroken { name } } }",
        "{ leaves { brokenHard } }",
        "{ maybe { brokenHard } }",
        "{ leaf { laterBroken name later } leaves { name } }",
        "{ maybe { laterBroken later } }",
        "query ($yes: Boolean = true) { leaf { name @skip(if: $yes) size @include(if: $yes) } }",
        "query ($f: Int!) { leaf { times(factor: $f) } }",
        "{ __typename __schema { queryType { name } } }",
    ],
)
def test_the_short_way_answers_as_the_long_way(text: str) -> None:
    for variables in ({"f": 2, "yes": True}, {"f": 3, "yes": False}):
        found, _ = own_way(text, variables)
        wanted = core_way(text, variables)
        assert found.data == wanted.data
        assert list(found.data or ()) == list(wanted.data or ())
        assert told(found.errors) == told(wanted.errors)


def test_what_is_selected_is_worked_out_once_for_all_requests() -> None:
    text = "{ leaf { name doubled } }"
    own_way(text, {})
    plan = plans.plan(text)
    compiled = dict(plan.compiled)
    own_way(text, {})
    assert compiled
    assert plan.compiled == compiled


def test_what_depends_on_variables_is_worked_out_each_time() -> None:
    text = "query ($yes: Boolean!) { leaf { name @skip(if: $yes) size } }"
    first, _ = own_way(text, {"yes": True})
    second, _ = own_way(text, {"yes": False})
    assert (first.data, second.data) == ({"leaf": {"size": 3}}, {"leaf": {"name": "a", "size": 3}})
    assert plans.plan(text).compiled == {}


def test_the_actual_cost_is_the_number_of_objects() -> None:
    assert own_way("{ leaf { name } leaves { name } maybe { name } }", {})[1] == 4
