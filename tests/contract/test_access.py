# tests/contract/test_access.py
"""Who may ask for what at all, by the rules of the committed SDL; what each is told: test_access_matrix.py."""

import base64
from datetime import datetime

import pytest
from graphql import InterfaceTypeDefinitionNode, parse
from msgspec.structs import replace

from api.app import create_app
from crm.customers import service as customers
from crm.feedback import service as feedback
from crm.shops.service import Shop, ShopFields, create
from schema.node import global_id
from tests.access_matrix import EDGES, ROLES, document, rule, ruleless, types, ways
from tests.asking import SERVICE, STAFF, VISITOR, answer, as_customer, as_staff, codes, execution
from tests.tokens import authenticator, token
from tests.web import Client


@pytest.fixture
def ada(shop: Shop, now: datetime) -> str:
    create("other", ShopFields(name="Other", zone="Europe/Vienna", currency="EUR", locale="de-AT"))
    words = customers.Words(fields={"email": "ada@example.com", "first_name": "Ada"})
    customers.create("other", words, now=now)
    return customers.create("demo", words, now=now).customer_id


def test_every_field_has_a_rule() -> None:
    assert ruleless(document()) == []


def test_a_new_field_without_a_rule_is_found() -> None:
    sdl = "type Ruled @access { a: Int } type Query { old: Int @access new: Int ruled: Ruled @access }"
    assert ruleless(parse(sdl)) == ["Query.new"]


def test_every_type_can_be_reached_by_a_query_or_a_mutation() -> None:
    abstract = {name for name, node in types().items() if isinstance(node, InterfaceTypeDefinitionNode)}
    errors = {name for name in types() if name.endswith("Error")}
    assert set(types()) - set(ways("Query")) - set(ways("Mutation")) - abstract - errors == set()
    assert {edge.target for edge in EDGES} == set(ways("Query")) - {"Query"}


def test_visitors_may_tell_what_they_do_and_ask_for_nothing(ada: str) -> None:
    assert [edge.coordinate for edge in EDGES if edge.allows(VISITOR)] == []
    mutations = types()["Mutation"].fields or ()
    assert [each.name.value for each in mutations if rule("Mutation", each).allows(VISITOR)] == ["eventsIngest"]


def test_without_a_token_nothing_is_answered(ada: str) -> None:
    client = Client(create_app(authenticator=authenticator()))
    for name in [field.name.value for field in types()["Query"].fields or ()] + ["__schema"]:
        for headers in ({}, {"authorization": "Bearer"}, {"authorization": f"Bearer {token(exp=1)}"}):
            refused = client.post("/graphql", json={"query": f"{{ {name} {{ __typename }} }}"}, headers=headers)
            assert (refused.status_code, "data" in refused.json()) == (401, False)


def test_introspection_is_open_to_those_with_its_scope_only(ada: str) -> None:
    query = '{ __schema { types { name } } __type(name: "Customer") { name } }'
    assert answer(query, principal=as_staff("schema:read")).status == 200
    for principal in (as_staff("customers:read"), as_customer(ada), SERVICE):
        assert answer(query, principal=principal).status == 403


def test_mutations_are_open_to_those_they_name_and_to_nobody_else() -> None:
    inputs = {field.name.value: "(input: $input)" for field in types()["Mutation"].fields or ()}
    wrong = []
    for role, principal in ((name, each.principal) for name, each in ROLES.items()):
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
