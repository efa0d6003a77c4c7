# schema/execution.py
"""One GraphQL request, from its text to the body of its answer; it knows nothing of HTTP but status codes."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import Any

from graphql import ExecutionResult, FieldNode, GraphQLError, GraphQLSchema
from graphql.execution.values import VariableValues, get_variable_values
from msgspec import Struct, field

from crm.kernel.errors import CrmError, InvalidInput, InvalidInputs, without_words
from crm.kernel.meter import Meter, metering
from schema import limits
from schema.access import Denied
from schema.budget import Budgets
from schema.coercion import errors_of_variables
from schema.context import Context
from schema.errors import path_of
from schema.executor import PlannedExecutor
from schema.plan import MOST_ERRORS, Plan, Plans
from schema.principal import Principal

logger = logging.getLogger(__name__)

MASKED = "Something went wrong here. Quote the request id."


class GraphQLRequest(Struct, frozen=True):
    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)


class Answer(Struct, frozen=True):
    """`refused` says that nothing was executed: the document, its variables or the caller's rights were at fault."""

    status: int
    body: dict[str, Any]

    @property
    def refused(self) -> bool:
        return "data" not in self.body


class Execution:
    """Answers requests against one schema, with its plans."""

    def __init__(self, schema: GraphQLSchema, budgets: Budgets | None = None) -> None:
        self.schema = schema
        self.plans = Plans(schema)
        self.budgets = budgets

    async def answer(
        self,
        request: GraphQLRequest,
        principal: Principal,
        *,
        now: datetime,
        request_id: str,
        queries_only: bool = False,
    ) -> Answer:
        suggestions = "schema:read" in principal.scopes
        plan = self.plans.plan(request.query, request.operation_name, suggestions=suggestions)
        refused = _refusal(plan, request, principal, request_id, queries_only=queries_only)
        if refused is not None:
            return refused
        variables = self._variables(plan, request, suggestions=suggestions)
        if isinstance(variables, list):
            errors = [_formatted(error, "BAD_USER_INPUT") for error in variables]
            return Answer(400, {"errors": errors, "extensions": {"requestId": request_id}})
        cost = plan.cost(request.variables)
        charge = await self.budgets.charge(principal, cost, now=now) if self.budgets else None
        if self.budgets and charge is not None and charge.wait > 0:
            wait, message = self.budgets.told_to_wait(principal, cost, charge)
            told = {"cost": {"requested": cost}, "budget": self.budgets.shown(principal, charge)}
            return _refused(429, "THROTTLED", message, request_id, {"retryAfter": wait}, **told)
        with metering() as meter:
            context = Context(principal, now, request_id, meter, plan.uses)
            executor = PlannedExecutor(plan, variables, context, suggestions=suggestions)
            result = await executor.answer()
        # What was asked for and not there has cost the store as much.
        used = max(executor.objects, meter.requests, ceil(meter.read_units))
        body = _body(result, cost, used, meter, request_id)
        if self.budgets and charge is not None:
            # The price of a mutation is for what it does, not for what it answers.
            self.budgets.settle(principal, charge, used, gives_back=not plan.is_mutation)
            body["extensions"]["budget"] = self.budgets.shown(principal, charge)
        return Answer(200, body)

    def _variables(
        self, plan: Plan, request: GraphQLRequest, *, suggestions: bool
    ) -> VariableValues | list[GraphQLError]:
        assert plan.operation is not None
        given = dict(request.variables)
        wrong = errors_of_variables(self.schema, plan.document, given, named=suggestions, most=MOST_ERRORS)
        definitions = plan.operation.variable_definitions or ()
        return wrong or get_variable_values(self.schema, definitions, given, hide_suggestions=not suggestions)


def _refusal(
    plan: Plan, request: GraphQLRequest, principal: Principal, request_id: str, *, queries_only: bool
) -> Answer | None:
    """Why this is not executed; None where it may be."""
    if plan.problems:
        return Answer(400, {"errors": plan.errors(), "extensions": {"requestId": request_id}})
    if queries_only and plan.is_mutation:
        return _refused(405, "METHOD_NOT_ALLOWED", "A mutation needs POST.", request_id)
    denied = plan.denied(principal)
    if denied:
        return _forbidden(denied, plan.places, request_id)
    excess = plan.excess(request.variables)
    if excess:
        cost = {"requested": plan.cost(request.variables)}
        return _refused(400, "QUERY_TOO_COMPLEX", excess.message, request_id, excess.extensions, cost=cost)
    if limits.too_nested(request.variables):
        message = f"Variables may be nested {limits.MOST_NESTING} deep."
        return _refused(400, "BAD_USER_INPUT", message, request_id)
    return None


def _forbidden(denied: Sequence[Denied], places: Mapping[str, FieldNode], request_id: str) -> Answer:
    """One error for all of it, with the place of each field in the document."""
    fields = [each.coordinate for each in denied]
    error = GraphQLError(" ".join(each.message for each in denied), nodes=[places[each] for each in fields])
    body = {"errors": [_formatted(error, "FORBIDDEN", fields=fields)], "extensions": {"requestId": request_id}}
    return Answer(403, body)


def shown(error: GraphQLError, request_id: str) -> dict[str, Any]:
    """An error as the client sees it: what we refuse by its code; what broke without its words."""
    cause = error.original_error
    if isinstance(cause, CrmError):
        return _of_domain(error, cause)
    if cause is None or isinstance(cause, GraphQLError):
        return _formatted(error, "BAD_USER_INPUT")
    # Its type and place only: an exception's words may hold what a person wrote.
    logger.error("%s failed in request %s: %s", error.path, request_id, without_words(cause))
    masked = GraphQLError(MASKED, nodes=error.nodes, path=error.path)
    return _formatted(masked, "INTERNAL_ERROR", requestId=request_id)


def _of_domain(error: GraphQLError, cause: CrmError) -> dict[str, Any]:
    """With the path of the argument at fault; of inputs that are invalid, with each of their faults."""
    field = path_of(cause.field)
    if not isinstance(cause, InvalidInput | InvalidInputs):
        return _formatted(error, cause.code, **({"field": field} if field else {}))
    faults = [{"field": path_of(fault.path), "code": fault.code, "message": fault.message} for fault in cause.faults]
    said = "; ".join(f"{'.'.join(path_of(fault.path))}: {fault.message}" for fault in cause.faults)
    invalid = GraphQLError(said, nodes=error.nodes, path=error.path)
    return _formatted(invalid, cause.code, field=field, faults=faults)


def _body(result: ExecutionResult, cost: int, used: int, meter: Meter, request_id: str) -> dict[str, Any]:
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [shown(error, request_id) for error in result.errors[:MOST_ERRORS]]
    body["extensions"] = {
        "requestId": request_id,
        "cost": {"requested": cost, "actual": used},
        "capacity": {
            "requests": meter.requests,
            "readUnits": meter.read_units,
            "writeUnits": meter.write_units,
        },
    }
    return body


def _formatted(error: GraphQLError, code: str, **more: Any) -> dict[str, Any]:
    extensions = {"code": code, **(error.extensions or {}), **more}
    return {**error.formatted, "extensions": extensions}


def _refused(
    status: int, code: str, message: str, request_id: str, said: Mapping[str, Any] | None = None, **more: Any
) -> Answer:
    """`said` stands in the error's extensions, `more` in those of the answer."""
    error = {"message": message, "extensions": {"code": code, **(said or {})}}
    return Answer(status, {"errors": [error], "extensions": {"requestId": request_id, **more}})
