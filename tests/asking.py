# tests/asking.py
"""Asking the schema as a client would, without HTTP."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from schema.execution import Answer, Execution, GraphQLRequest
from schema.principal import SCOPES, Kind, Principal
from schema.schema import schema

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
STAFF = Principal(Kind.STAFF, "demo", None, SCOPES)
SERVICE = Principal(Kind.SERVICE, "demo", None, frozenset({"events:write"}))
VISITOR = Principal(Kind.VISITOR, "demo", visitor_id="vis_00000000000000000000000001")

execution = Execution(schema.core)


def as_customer(customer_id: str, shop: str = "demo") -> Principal:
    return Principal(Kind.CUSTOMER, shop, customer_id)


def as_staff(*scopes: str, shop: str = "demo") -> Principal:
    return Principal(Kind.STAFF, shop, None, frozenset(scopes))


def answer(
    query: str, variables: dict[str, Any] | None = None, *, principal: Principal = STAFF, now: datetime = NOW
) -> Answer:
    request = GraphQLRequest(query, None, variables or {})
    return asyncio.run(execution.answer(request, principal, now=now, request_id="req_test"))


def ask(
    query: str, variables: dict[str, Any] | None = None, *, principal: Principal = STAFF, now: datetime = NOW
) -> Any:
    """The data of an answer that must have no errors."""
    given = answer(query, variables, principal=principal, now=now)
    assert "errors" not in given.body, given.body["errors"]
    return given.body["data"]


def codes(given: Answer) -> list[str]:
    return [error["extensions"]["code"] for error in given.body.get("errors", [])]
