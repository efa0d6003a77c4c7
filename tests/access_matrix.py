# tests/access_matrix.py
"""Every field x role x tenant, walked over the real schema. What is expected is read from the committed SDL.

A document is asked for each field that leads to an object, with all of that object's plain fields that the role may
see; and one for each field that it may not. So each type is asked for in all the ways that lead to it.
"""

import asyncio
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from unittest import mock

from botocore.client import BaseClient
from graphql import (
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    UnionTypeDefinitionNode,
    parse,
    print_ast,
)
from msgspec import Struct
from msgspec.structs import replace

from schema.execution import Answer, GraphQLRequest
from schema.principal import Kind, Principal
from tests.asking import NOW, SERVICE, STAFF, VISITOR, as_customer, as_staff, execution
from tests.two_shops import MARKS, OF_A_PERSON, customer_id, ids, mark

SDL: Final = Path(__file__).parents[1] / "schema" / "schema.graphql"
ARGUMENTS: Final = {
    "Customer.timeline": "(first: 40)",
    "Customer.consent": '(asOf: "2026-03-09T00:00:00Z")',
    "ConsentMoment.permission": "(channel: EMAIL, purpose: MARKETING)",
    "Customer.permission": "(channel: EMAIL, purpose: MARKETING)",
    "Customer.suppression": "(channel: EMAIL)",
    "Query.customer": "(id: $Customer)",
    "Query.customerByIdentifier": "(identifier: {email: $email})",
    "Query.suppression": "(channel: EMAIL, address: $address)",
    "Query.orderByNumber": "(orderId: $number)",
    "Query.order": "(id: $Order)",
    "Query.segmentFilterSuggestions": '(query: "attributes.t")',
    "Query.segment": "(id: $Segment)",
    "Query.segmentExplain": "(segment: {id: $Segment}, customer: $Customer)",
    "Query.segmentOverlap": "(ids: [$Segment, $Lately])",
    "Query.loyaltyRewardPreview": "(customer: $Customer, id: $RewardDefinition, reward: {price: 99999})",
    "Query.loyaltyVoucher": "(code: $code)",
    "Query.segmentPreview": '(query: "number_of_orders >= 0")',
    "Segment.growth": '(from: "2026-03-01", to: "2026-03-02")',
    "Query.segmentValueSuggestions": '(query: "gender = ")',
    "Query.kpi": '(name: AVERAGE_ORDER_VALUE, from: "2026-03-01", to: "2026-03-02")',
    "Query.kpiFacts": '(name: AVERAGE_ORDER_VALUE, day: "2026-03-01")',
    "Query.loyaltyEarnPreview": '(order: {currencyCode: "EUR", lines: [{sku: "s", quantity: 1, unitPrice: "9.00"}]})',
    "Query.loyaltyProgrammePreview": "(changes: [{programmeUpdate: {graceDays: 1}}], customer: $Customer, "
    'order: {currencyCode: "EUR", lines: [{sku: "s", quantity: 1, unitPrice: "9.00"}]})',
    "Query.operation": "(id: $Operation)",
    "Query.node": "(id: $NODE)",
    "Query.nodes": "(ids: [$NODE])",
}
"""How the fields that need something are asked."""

OF_KIND: Final = {"address": "String", "code": "String", "email": "EmailAddress", "number": "String"}
VARIABLE: Final = re.compile(r"\$(\w+)")
NO_WAY: Final = frozenset({"viewer"})
"""Root fields that lead nowhere for staff: asked themselves, but nothing else is reached through them."""


@lru_cache
def document() -> DocumentNode:
    return parse(SDL.read_text())


@lru_cache
def types() -> dict[str, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode]:
    return {
        node.name.value: node
        for node in document().definitions
        if isinstance(node, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode)
    }


@lru_cache
def plain() -> frozenset[str]:
    """The types without fields."""
    named = {
        node.name.value
        for node in document().definitions
        if isinstance(node, EnumTypeDefinitionNode | ScalarTypeDefinitionNode)
    }
    return frozenset(named | {"ID", "String", "Int", "Float", "Boolean"})


@lru_cache
def members() -> dict[str, list[str]]:
    """Of each union and interface, the types that can be there."""
    found = {
        node.name.value: [member.name.value for member in node.types or ()]
        for node in document().definitions
        if isinstance(node, UnionTypeDefinitionNode)
    }
    for name, node in types().items():
        for interface in node.interfaces or ():
            found.setdefault(interface.name.value, []).append(name)
    return found


class Rule(Struct, frozen=True):
    scope: str | None = None
    customer: str = "NONE"
    service: bool = False
    visitor: bool = False

    def allows(self, principal: Principal) -> bool:
        if principal.kind is Kind.VISITOR:
            return self.visitor or self.customer == "ANY"
        if principal.kind is Kind.CUSTOMER:
            return self.customer != "NONE"
        if principal.kind is Kind.SERVICE and not self.service:
            return False
        return self.scope is None or self.scope in principal.scopes


def declared(node: Any) -> Rule | None:
    for directive in node.directives or ():
        if directive.name.value == "access":
            said = {argument.name.value: print_ast(argument.value).strip('"') for argument in directive.arguments or ()}
            is_open = {kind: said.get(kind) == "true" for kind in ("service", "visitor")}
            return Rule(said.get("scope"), said.get("customer", "NONE"), **is_open)
    return None


def rule(type_name: str, field: FieldDefinitionNode) -> Rule:
    found = declared(field) or declared(types()[type_name])
    assert found is not None, f"{type_name}.{field.name.value} has no rule"
    return found


def ruleless(of: DocumentNode) -> list[str]:
    """The fields for which neither they nor their types say who may use them."""
    nodes = [
        node for node in of.definitions if isinstance(node, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode)
    ]
    return [
        f"{node.name.value}.{field.name.value}"
        for node in nodes
        for field in node.fields or ()
        if declared(field) is None and declared(node) is None
    ]


def named(field: FieldDefinitionNode) -> str:
    return print_ast(field.type).strip("[]!")


class Part(Struct, frozen=True):
    """A plain field of an object, and its rule."""

    coordinate: str
    name: str
    text: str
    rule: Rule


class Way(Struct, frozen=True):
    """What is asked before and behind what is asked of a type, and all rules met on the way."""

    opening: str
    closing: str
    rules: tuple[Rule, ...]

    def through(self, owner: str, field: FieldDefinitionNode, target: str) -> "Way":
        coordinate = f"{owner}.{field.name.value}"
        arguments = ARGUMENTS.get(coordinate, "").replace("$NODE", f"${target}")
        opening, closing = f"{self.opening} {{ {field.name.value}{arguments}", f" }}{self.closing}"
        if target != named(field):
            opening, closing = f"{opening} {{ __typename ... on {target}", f" }}{closing}"
        return Way(opening, closing, (*self.rules, rule(owner, field)))


class Edge(Struct, frozen=True):
    """A field that leads to an object of a type, with all that can be asked of that at once."""

    coordinate: str
    target: str
    way: Way
    parts: tuple[Part, ...]

    def allows(self, principal: Principal) -> bool:
        return all(each.allows(principal) for each in self.way.rules)

    def document(self, parts: Iterable[Part] = ()) -> str:
        body = f"{self.way.opening} {{ __typename {' '.join(part.text for part in parts)} }}{self.way.closing}"
        taken = ", ".join(f"${name}: {OF_KIND.get(name, 'ID')}!" for name in self.variables)
        return f"query ({taken}) {body}" if taken else f"query {body}"

    @property
    def variables(self) -> list[str]:
        return sorted(set(VARIABLE.findall(self.way.opening)))


def targets(kind: str) -> list[str]:
    """The types that stand behind a named one; of a union, or an interface, all that can be there."""
    own = [kind] if kind in types() and kind != "Node" else []
    return own + members().get(kind, [])


def ways(root: str) -> dict[str, Way]:
    """How each type is first reached."""
    found = {root: Way("", "", ())}
    waiting = [root]
    while waiting:
        name = waiting.pop(0)
        for field in types()[name].fields or ():
            if named(field) == "Node" or (name == root and field.name.value in NO_WAY):
                continue
            for target in targets(named(field)):
                if target not in found:
                    found[target] = found[name].through(name, field, target)
                    waiting.append(target)
    return found


def parts(kind: str) -> Iterator[Part]:
    for field in types()[kind].fields or ():
        if named(field) in plain():
            coordinate = f"{kind}.{field.name.value}"
            text = field.name.value + ARGUMENTS.get(coordinate, "")
            yield Part(coordinate, field.name.value, text, rule(kind, field))


def edges() -> Iterator[Edge]:
    for name, way in ways("Query").items():
        for field in types()[name].fields or ():
            for target in targets(named(field)):
                yield Edge(f"{name}.{field.name.value}", target, way.through(name, field, target), tuple(parts(target)))


EDGES: Final = tuple(edges())
FIELDS: Final = frozenset(each.coordinate for each in EDGES) | {
    part.coordinate for each in EDGES for part in each.parts
}


class Role(Struct, frozen=True):
    """Who asks, whose records they ask for, whose marks they may see, and whose records are not there for them."""

    principal: Principal
    asks_for: str = "ada"
    sees: frozenset[str] = frozenset()
    stranger: str | None = None


def _role(principal: Principal, *people: str, asks_for: str = "ada", stranger: str | None = None) -> Role:
    seen = frozenset(mark(person, principal.shop) for person in ("shop", *people))
    return Role(principal, asks_for, seen, stranger)


ROLES: Final = {
    "staff with all scopes": _role(STAFF, "ada", "bob", "blocked", "deleted"),
    "staff without a scope": _role(as_staff()),
    "the customer": _role(as_customer(customer_id("ada")), "ada", stranger="bob"),
    "another customer": _role(as_customer(customer_id("bob")), "bob", asks_for="bob", stranger="ada"),
    "a customer who is blocked": _role(as_customer(customer_id("blocked")), asks_for="blocked", stranger="ada"),
    "a customer who is deleted": _role(as_customer(customer_id("deleted")), asks_for="deleted", stranger="ada"),
    "the same customer id in another shop": _role(as_customer(customer_id("ada"), "other"), "ada", stranger="bob"),
    "staff of another shop": _role(replace(STAFF, shop="other"), "ada", stranger="bob"),
    "a visitor": _role(VISITOR),
    "a visitor who holds every scope": _role(replace(VISITOR, scopes=STAFF.scopes)),
    "a service": _role(SERVICE),
    "a service with all scopes": _role(replace(SERVICE, scopes=STAFF.scopes)),
}
CELLS: Final = len(FIELDS) * len(ROLES)

Wrong = tuple[str, str, str]


@contextmanager
def asking() -> Iterator["Asker"]:
    """The store stands still while it is asked, so what it answers is remembered: moto takes 60 ms for a snapshot."""
    client: Any = BaseClient
    plain: Callable[..., Any] = client._make_api_call
    known: dict[str, Any] = {}

    def remembered(by: BaseClient, name: str, asked: Any) -> Any:
        assert name in {"BatchGetItem", "GetItem", "Query"}, f"{name} is no way to ask"
        key = f"{name} {json.dumps(asked, sort_keys=True, default=str)}"
        if key not in known:
            known[key] = plain(by, name, asked)
        return deepcopy(known[key])

    with mock.patch.object(client, "_make_api_call", remembered), asyncio.Runner() as runner:
        yield Asker(runner)


class Asker(Struct, frozen=True):
    """Asks one document after another on one loop: a loop and threads for each would take longer than the answers."""

    runner: asyncio.Runner

    def ask(self, edge: Edge, parts: Iterable[Part], principal: Principal, person: str) -> Answer:
        """`person`: whose records are asked for, where the document names any."""
        known = ids(person)
        request = GraphQLRequest(edge.document(parts), None, {name: known[name] for name in edge.variables})
        return self.runner.run(execution.answer(request, principal, now=NOW, request_id="req_test"))

    def wrong(self, edge: Edge, role: Role) -> Iterator[tuple[str, str]]:
        who = role.principal
        if not edge.allows(who):
            yield from self.let_in(edge.coordinate, edge, [], role)
            return
        allowed = [part for part in edge.parts if part.rule.allows(who)]
        for part in edge.parts:
            if part not in allowed:
                yield from self.let_in(part.coordinate, edge, [part], role)
        given = self.ask(edge, allowed, who, role.asks_for)
        if given.status != 200:
            yield edge.coordinate, f"is kept out: {given.body}"
            return
        foreign = sorted(each for each in MARKS - role.sees if each in str(given.body))
        if foreign:
            yield edge.coordinate, f"is told of {', '.join(foreign)}"
        if role.stranger and OF_A_PERSON & set(edge.variables):
            body = self.ask(edge, allowed, who, role.stranger).body
            if "errors" in body or any(value not in (None, [None]) for value in body["data"].values()):
                yield edge.coordinate, f"learns that there is {role.stranger}"

    def let_in(self, coordinate: str, edge: Edge, parts: list[Part], role: Role) -> Iterator[tuple[str, str]]:
        given = self.ask(edge, parts, role.principal, role.asks_for)
        if given.status != 403 or "data" in given.body:
            yield coordinate, f"is let in: {given.status}"


def wrong_cells(among: Iterable[Edge] = EDGES, roles: Iterable[str] = ROLES) -> list[Wrong]:
    """(role, field, why) wherever somebody is let in, kept out, or told what is another's, against the rule. Both shops
    are furnished.
    """
    chosen = tuple(roles)
    with asking() as asker:
        return [
            (name, coordinate, why)
            for edge in among
            for name in chosen
            for coordinate, why in asker.wrong(edge, ROLES[name])
        ]


def told(role: str) -> dict[Edge, Any]:
    """What somebody who may see everything is told by each document."""
    who = ROLES[role]
    with asking() as asker:
        return {edge: asker.ask(edge, edge.parts, who.principal, who.asks_for).body["data"] for edge in EDGES}


def values(name: str, answered: Any) -> Iterator[Any]:
    """What stands under a name in an answer, however deep, where it is anything at all."""
    if isinstance(answered, dict):
        yield from (value for key, value in answered.items() if key == name and value not in (None, [], {}))
        for value in answered.values():
            yield from values(name, value)
    elif isinstance(answered, list):
        for value in answered:
            yield from values(name, value)
