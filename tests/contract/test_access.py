# tests/contract/test_access.py
"""Every field x role x tenant, walked over the real schema. What is expected is read from the committed SDL."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
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
from msgspec.structs import replace

from api.app import create_app
from crm.customers import service as customers
from crm.feedback import service as feedback
from crm.shops.service import Shop, ShopFields, create
from schema.node import global_id
from schema.principal import Kind, Principal
from tests.asking import SERVICE, STAFF, VISITOR, answer, as_customer, as_staff, codes, execution
from tests.tokens import authenticator, token
from tests.web import Client

SDL = Path(__file__).parents[2] / "schema" / "schema.graphql"

# How the fields of Query that need something are asked.
ARGUMENTS = {
    "Customer.consent": '(asOf: "2026-03-01T00:00:00Z")',
    "ConsentMoment.permission": "(channel: EMAIL, purpose: MARKETING)",
    "Customer.permission": "(channel: EMAIL, purpose: MARKETING)",
    "Customer.suppression": "(channel: EMAIL)",
    "Query.customer": '(id: "CUSTOMER")',
    "Query.customerByIdentifier": '(identifier: {email: "ada@example.com"})',
    "Query.suppression": '(channel: EMAIL, address: "ada@example.com")',
    "Query.orderByNumber": '(orderId: "o1")',
    "Query.order": '(id: "ORDER")',
    "Query.kpi": '(name: NPS, from: "2026-03-01", to: "2026-03-02")',
    "Query.kpiFacts": '(name: NPS, day: "2026-03-01")',
    "Query.operation": '(id: "CUSTOMER")',
    "Query.node": '(id: "CUSTOMER")',
    "Query.nodes": '(ids: ["CUSTOMER"])',
}
FRAGMENTS = {"Node": "... on Customer"}


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
def leaves() -> frozenset[str]:
    named = {
        node.name.value
        for node in document().definitions
        if isinstance(node, EnumTypeDefinitionNode | ScalarTypeDefinitionNode)
    }
    return frozenset(named | {"ID", "String", "Int", "Float", "Boolean"})


@lru_cache
def members() -> dict[str, list[str]]:
    """Of each union, and each interface that lists answer with, the types that can be there."""
    found = {
        node.name.value: [member.name.value for member in node.types or ()]
        for node in document().definitions
        if isinstance(node, UnionTypeDefinitionNode)
    }
    for name, node in types().items():
        for interface in node.interfaces or ():
            if interface.name.value not in {"Node", "UserError"}:
                found.setdefault(interface.name.value, []).append(name)
    return found


@dataclass(frozen=True)
class Rule:
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


def named(field: FieldDefinitionNode) -> str:
    return print_ast(field.type).strip("[]!")


@dataclass(frozen=True)
class Way:
    """How a type is reached from a root: the selections to go through, and the rules of the fields on the way."""

    opening: str
    closing: str
    rules: tuple[Rule, ...]
    root: str


def ways(root: str) -> dict[str, Way]:
    found = {root: Way("", "", (), "")}
    waiting = [root]
    while waiting:
        name = waiting.pop(0)
        for field in types()[name].fields or ():
            way, text = found[name], field.name.value + ARGUMENTS.get(f"{name}.{field.name.value}", "")
            opening, rules = f"{way.opening} {{ {text}", (*way.rules, rule(name, field))
            kind = named(field)
            reached = {kind: (opening, f" }}{way.closing}")} if kind in types() else {}
            for member in members().get(kind, ()):
                reached[member] = (f"{opening} {{ ... on {member}", f" }} }}{way.closing}")
            for target, (before, behind) in reached.items():
                if target not in found:
                    found[target] = Way(before, behind, rules, way.root or field.name.value)
                    waiting.append(target)
    return found


def documents(root: str) -> Iterator[tuple[str, str, str, tuple[Rule, ...]]]:
    """Of each field that can be reached: coordinate, a document that asks for it, its root field, all rules met."""
    for name, way in ways(root).items():
        for field in types()[name].fields or ():
            if name == "Node":
                continue
            selection = "" if named(field) in leaves() else " { __typename }"
            text = field.name.value + ARGUMENTS.get(f"{name}.{field.name.value}", "") + selection
            root_field = way.root or field.name.value
            yield (
                f"{name}.{field.name.value}",
                f"query {way.opening} {{ {text} }}{way.closing}",
                root_field,
                (*way.rules, rule(name, field)),
            )


QUERIES = list(documents("Query"))


@pytest.fixture
def ada(shop: Shop, now: datetime) -> str:
    create("other", ShopFields(name="Other", zone="Europe/Vienna", currency="EUR", locale="de-AT"))
    words = customers.Words(fields={"email": "ada@example.com", "first_name": "Ada"})
    customers.create("other", words, now=now)
    return customers.create("demo", words, now=now).customer_id


def roles(ada: str) -> dict[str, Principal]:
    return {
        "staff with all scopes": STAFF,
        "staff without a scope": as_staff(),
        "the customer": as_customer(ada),
        "another customer": as_customer("cus_other"),
        "the same customer id in another shop": as_customer(ada, shop="other"),
        "staff of another shop": replace(STAFF, shop="other"),
        "a visitor": VISITOR,
        "a visitor who holds every scope": replace(VISITOR, scopes=STAFF.scopes),
        "a service": SERVICE,
        "a service with all scopes": replace(SERVICE, scopes=STAFF.scopes),
    }


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


def test_every_field_has_a_rule() -> None:
    assert ruleless(document()) == []


def test_a_new_field_without_a_rule_is_found() -> None:
    sdl = "type Ruled @access { a: Int } type Query { old: Int @access new: Int ruled: Ruled @access }"
    assert ruleless(parse(sdl)) == ["Query.new"]


def test_every_type_can_be_reached_by_a_query_or_a_mutation() -> None:
    abstract = {name for name, node in types().items() if isinstance(node, InterfaceTypeDefinitionNode)}
    errors = {name for name in types() if name.endswith("Error")}
    assert set(types()) - set(ways("Query")) - set(ways("Mutation")) - abstract - errors == set()


def wrong_cells(ada: str) -> list[tuple[str, str, Any]]:
    """Of all fields and roles: (role, field, answer) where somebody was let in, or kept out, against the rule."""
    ids = {"CUSTOMER": global_id("Customer", ada), "ORDER": global_id("Order", "none")}
    wrong = []
    for role, principal in roles(ada).items():
        for coordinate, text, root, rules in QUERIES:
            given = answer(
                text.replace("CUSTOMER", ids["CUSTOMER"]).replace("ORDER", ids["ORDER"]), principal=principal
            )
            allowed = all(each.allows(principal) for each in rules)
            if given.status != (200 if allowed else 403):
                wrong.append((role, coordinate, given.body))
                continue
            foreign = role in {"another customer", "the same customer id in another shop", "staff of another shop"}
            about_ada = root in {"customer", "node", "viewer"}
            if allowed and foreign and about_ada and given.body["data"][root] is not None:
                wrong.append((role, coordinate, given.body))
    return wrong


def test_every_field_is_open_to_those_it_names_and_to_nobody_else(ada: str) -> None:
    assert wrong_cells(ada) == []
    assert len(QUERIES) * len(roles(ada)) > 1000


def test_visitors_may_tell_what_they_do_and_ask_for_nothing(ada: str) -> None:
    assert [coordinate for coordinate, _, _, rules in QUERIES if all(rule.allows(VISITOR) for rule in rules)] == []
    mutations = types()["Mutation"].fields or ()
    assert [each.name.value for each in mutations if rule("Mutation", each).allows(VISITOR)] == ["eventsIngest"]


def test_without_a_token_nothing_is_answered(ada: str) -> None:
    client = Client(create_app(authenticator=authenticator()))
    for name in {root for _, _, root, _ in QUERIES} | {"__schema"}:
        for headers in ({}, {"authorization": "Bearer"}, {"authorization": f"Bearer {token(exp=1)}"}):
            refused = client.post("/graphql", json={"query": f"{{ {name} {{ __typename }} }}"}, headers=headers)
            assert (refused.status_code, "data" in refused.json()) == (401, False)


def test_introspection_is_open_to_those_with_its_scope_only(ada: str) -> None:
    query = '{ __schema { types { name } } __type(name: "Customer") { name } }'
    assert answer(query, principal=as_staff("schema:read")).status == 200
    for principal in (as_staff("customers:read"), as_customer(ada), SERVICE):
        assert answer(query, principal=principal).status == 403


def test_mutations_are_open_to_those_they_name_and_to_nobody_else(ada: str) -> None:
    inputs = {field.name.value: "(input: $input)" for field in types()["Mutation"].fields or ()}
    wrong = []
    for role, principal in roles(ada).items():
        for field in types()["Mutation"].fields or ():
            name = field.name.value
            kind = f"{name[0].upper()}{name[1:]}Input!"
            plan = execution.plans.plan(
                f"mutation ($input: {kind}) {{ {name}{inputs[name]} {{ userErrors {{ code }} }} }}"
            )
            assert plan.problems == (), plan.errors()
            if (not plan.denied(principal)) != rule("Mutation", field).allows(principal):
                wrong.append((role, name))
    assert wrong == []


def test_missing_and_foreign_ids_answer_alike(ada: str, now: datetime) -> None:
    given = feedback.FeedbackGiven(score=9)
    response, _ = feedback.submit("demo", ada, given, idempotency_key="k", now=now)
    ids = {
        "customer": global_id("Customer", ada),
        "answer": global_id("FeedbackResponse", ada, response.response_id),
        "of nobody": global_id("Customer", "cus_nobody"),
        "of no order": global_id("Order", "nothing"),
        "of no answer": global_id("FeedbackResponse", ada, "nothing"),
        "of the other shop": global_id("Shop", "other"),
        "of an unknown kind": global_id("Ghost", "x"),
    }
    no_ids = ["???", base64.b64encode(b"Customer:x").decode(), "", ada, "o1"]
    texts = [
        "query ($id: ID!) { customer(id: $id) { id } }",
        "query ($id: ID!) { order(id: $id) { id } }",
        "query ($id: ID!) { node(id: $id) { id } }",
        "query ($id: ID!) { nodes(ids: [$id]) { id } }",
    ]
    for principal in (as_customer("cus_other"), as_customer(ada, shop="third"), replace(STAFF, shop="third")):
        for text in texts:
            answers = {name: answer(text, {"id": id_}, principal=principal).body for name, id_ in ids.items()}
            assert len({str((body["data"], body.get("errors"))) for body in answers.values()}) == 1, text
            refused = [answer(text, {"id": id_}, principal=principal) for id_ in no_ids]
            assert [codes(each) for each in refused] == [["INVALID_INPUT"]] * len(no_ids)
            assert {str(each.body["errors"]) for each in refused} == {str(refused[0].body["errors"])}


def test_changing_a_foreign_customer_answers_as_changing_a_missing_one(ada: str) -> None:
    texts = [
        'mutation ($id: ID!) { customerUpdate(input: {id: $id, firstName: "X"}) { userErrors { code field } } }',
        """mutation ($id: ID!) { feedbackSubmit(input: {customer: $id, score: 9, idempotencyKey: "k"}) {
            userErrors { code field } } }""",
    ]
    for text in texts:
        for principal in (as_customer("cus_other"), replace(STAFF, shop="third")):
            answers = [
                answer(text, {"id": id_}, principal=principal).body["data"]
                for id_ in (global_id("Customer", ada), global_id("Customer", "cus_nobody"))
            ]
            assert answers[0] == answers[1]
            assert "NOT_FOUND" in str(answers[0])
    assert customers.get("demo", ada).first_name == "Ada"


def test_a_page_of_customers_never_crosses_shops(ada: str) -> None:
    given = answer("{ customers { nodes { customerId } } }", principal=replace(STAFF, shop="other"))
    assert [node["customerId"] for node in given.body["data"]["customers"]["nodes"]] != [ada]
