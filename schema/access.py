# schema/access.py
"""The rule for each field, declared once and printed in the SDL.

A field has its own rule or that of its type; a field with neither fails a test and refuses everybody. Rules about kind
and scope are checked once per plan, before execution. Which objects a caller may see (own customer, own shop) is
checked where the object is loaded.
"""

from enum import Enum
from typing import Any

import strawberry
from graphql import GraphQLField, GraphQLNamedType
from msgspec import Struct
from strawberry.schema_directive import Location

from schema.principal import Kind, Principal


@strawberry.enum(description="What a signed-in customer may do with a field.")
class CustomerAccess(Enum):
    NONE = strawberry.enum_value("NONE", description="Nothing.")
    OWN = strawberry.enum_value("OWN", description="Use it on their own record.")
    ANY = strawberry.enum_value("ANY", description="Use it wherever they can reach it.")


@strawberry.schema_directive(
    name="access",
    locations=[Location.OBJECT, Location.INTERFACE, Location.FIELD_DEFINITION],
    description="Who may use a field; on a type, the rule of each of its fields that has none of its own.",
)
class Access:
    scope: str | None = strawberry.field(
        name="scope", default=None, description="What staff and services need to hold; null: nothing."
    )
    customer: CustomerAccess = strawberry.field(
        name="customer", default=CustomerAccess.NONE, description="What a signed-in customer may do."
    )
    service: bool = strawberry.field(
        name="service", default=False, description="Whether services (event sources) may use it."
    )
    visitor: bool = strawberry.field(
        name="visitor",
        default=False,
        description="Whether visitors, whom nobody knows, may use it; values they may as customers do.",
    )


def staff(scope: str | None) -> list[object]:
    """Staff only."""
    return [Access(scope=scope)]


def own(scope: str | None) -> list[object]:
    """Staff, and customers on their own record."""
    return [Access(scope=scope, customer=CustomerAccess.OWN)]


def acting(scope: str) -> list[object]:
    """Staff and services by scope, and customers on their own record."""
    return [Access(scope=scope, customer=CustomerAccess.OWN, service=True)]


def serving(scope: str) -> list[object]:
    """Staff and services by scope."""
    return [Access(scope=scope, service=True)]


def signed_in() -> list[object]:
    """Everybody who can reach it: for values, which mean nothing without the field that leads to them."""
    return [Access(customer=CustomerAccess.ANY, service=True)]


def ingest(scope: str) -> list[object]:
    """Services and staff by scope, and apps on behalf of their own customer or visitor."""
    return [Access(scope=scope, customer=CustomerAccess.OWN, service=True, visitor=True)]


class Denied(Struct, frozen=True):
    """Why a principal may not run a plan."""

    coordinate: str
    scope: str | None

    @property
    def message(self) -> str:
        if self.scope is None:
            return f"This kind of token may not use {self.coordinate}."
        return f"{self.coordinate} needs the scope {self.scope}."


INTROSPECTION = Access(scope="schema:read")


def rule(parent: GraphQLNamedType, field: GraphQLField) -> Access | None:
    """The declared rule of a field, if it has one."""
    own_rule = _declared(field.extensions)
    return own_rule if own_rule is not None else _declared(parent.extensions)


def denied(coordinate: str, access: Access | None, principal: Principal) -> Denied | None:
    """Why this principal may not use a field with this rule; None where they may."""
    if access is None:
        return Denied(coordinate, None)
    if principal.kind is Kind.VISITOR:
        # Values mean nothing without the field that leads to them, and only one does.
        return None if access.visitor or access.customer is CustomerAccess.ANY else Denied(coordinate, None)
    if principal.kind is Kind.CUSTOMER:
        return Denied(coordinate, None) if access.customer is CustomerAccess.NONE else None
    if principal.kind is Kind.SERVICE and not access.service:
        return Denied(coordinate, None)
    if access.scope is not None and access.scope not in principal.scopes:
        return Denied(coordinate, access.scope)
    return None


def _declared(extensions: dict[str, Any]) -> Access | None:
    definition = extensions.get("strawberry-definition")
    for directive in getattr(definition, "directives", None) or ():
        if isinstance(directive, Access):
            return directive
    return None
