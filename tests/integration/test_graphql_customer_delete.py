# tests/integration/test_graphql_customer_delete.py
"""Deleting hides and bars; restoring undoes it."""

from typing import Any

import pytest

from crm.customers import service as customers
from crm.customers.models import Customer
from schema.node import global_id
from schema.principal import SCOPES, Principal
from tests.asking import STAFF, answer, as_staff, ask, codes

WITHOUT = as_staff(*(SCOPES - {"customers:delete"}))
DELETE = """mutation ($input: CustomerDeleteInput!) { customerDelete(input: $input) {
    customer { status version } userErrors { __typename code field } } }"""
RESTORE = """mutation ($input: CustomerRestoreInput!) { customerRestore(input: $input) {
    customer { status version } userErrors { __typename code field } } }"""
FINDING = {
    "customer": "query ($id: ID!) { found: customer(id: $id) { status } }",
    "node": "query ($id: ID!) { found: node(id: $id) { ... on Customer { status } } }",
    "identifier": """query ($id: ID!) { found: customerByIdentifier(identifier: {email: "ann@example.com"}) { status }
        node(id: $id) { id } }""",
    "order": 'query ($id: ID!) { node(id: $id) { id } order(id: "ORDER") { customer { status } } }',
}


def run(mutation: str, customer_id: str, principal: Principal = STAFF, **given: Any) -> Any:
    given["id"] = global_id("Customer", customer_id)
    (payload,) = ask(mutation, {"input": given}, principal=principal).values()
    return payload


def found(way: str, customer_id: str, principal: Principal = STAFF) -> Any:
    text = FINDING[way].replace("ORDER", global_id("Order", "o1"))
    given = ask(text, {"id": global_id("Customer", customer_id)}, principal=principal)
    return given["order"]["customer"] if way == "order" else given["found"]


def listed() -> list[str]:
    return [node["customerId"] for node in ask("{ customers { nodes { customerId } } }")["customers"]["nodes"]]


def test_a_deleted_customer_is_in_no_list_until_restored(ann: str) -> None:
    assert listed() == [ann]
    assert run(DELETE, ann)["customer"]["status"] == "DELETED"
    assert listed() == []
    assert run(RESTORE, ann)["customer"]["status"] == "ACTIVE"
    assert listed() == [ann]


@pytest.mark.parametrize("way", FINDING)
def test_a_deleted_customer_is_found_by_those_only_who_may_restore_them(ann: str, way: str) -> None:
    assert found(way, ann, WITHOUT) == {"status": "ACTIVE"}
    run(DELETE, ann)
    assert found(way, ann, WITHOUT) is None
    assert found(way, ann) == {"status": "DELETED"}


def test_the_orders_of_a_deleted_customer_stay_the_shops(ann: str) -> None:
    run(DELETE, ann)
    query = f'{{ order(id: "{global_id("Order", "o1")}") {{ orderId }} }}'
    assert ask(query, principal=WITHOUT) == {"order": {"orderId": "o1"}}


def test_what_is_deleted_or_restored_twice_is_left_as_it_is(ann: str) -> None:
    first = run(DELETE, ann)
    assert run(DELETE, ann) == first
    restored = run(RESTORE, ann)
    assert run(RESTORE, ann) == restored
    assert restored["customer"]["version"] == first["customer"]["version"] + 1


def test_who_was_blocked_before_is_blocked_again(ann: str) -> None:
    customers.update(
        "demo", ann, customers.Words(fields={"status": "blocked"}), now=customers.get("demo", ann).created_at
    )
    run(DELETE, ann)
    assert run(RESTORE, ann)["customer"]["status"] == "BLOCKED"


def test_a_version_that_is_not_the_stored_one_deletes_nobody(ann: str) -> None:
    (error,) = run(DELETE, ann, expectedVersion=99)["userErrors"]
    assert error == {
        "__typename": "VersionMismatchError",
        "code": "VERSION_MISMATCH",
        "field": ["input", "expectedVersion"],
    }
    assert listed() == [ann]


def test_deleting_needs_a_scope_of_its_own(ann: str) -> None:
    for mutation in (DELETE, RESTORE):
        assert codes(answer(mutation, {"input": {"id": "x"}}, principal=WITHOUT)) == ["FORBIDDEN"]


EVERYTHING_ELSE = pytest.mark.parametrize(
    "mutation",
    [
        'customerUpdate(input: {id: "ID", firstName: "X", expectedVersion: 99})',
        'customerTagsAdd(input: {id: "ID", tags: ["x"]})',
        'customerTagsRemove(input: {id: "ID", tags: ["vip"]})',
        """consentUpdate(input: {id: "ID", idempotencyKey: "k",
            consents: [{channel: EMAIL, purpose: MARKETING, state: GRANTED}]})""",
        'feedbackSubmit(input: {customer: "ID", score: 9, idempotencyKey: "k"})',
        'customerAttributesSet(input: {id: "ID", attributes: []})',
    ],
)


@EVERYTHING_ELSE
def test_to_everything_else_a_deleted_customer_is_as_unknown_as_nobody(ann: str, mutation: str) -> None:
    run(DELETE, ann)
    refusals = []
    for customer_id in (ann, "cus_nobody"):
        text = mutation.replace("ID", global_id("Customer", customer_id), 1)
        asked = f"mutation {{ {text} {{ userErrors {{ code message field }} }} }}"
        refusals.append(ask(asked, principal=WITHOUT))
    assert refusals[0] == refusals[1]
    assert "NOT_FOUND" in str(refusals[0])


@EVERYTHING_ELSE
def test_who_may_restore_a_customer_is_told_that_they_are_deleted(ann: str, mutation: str) -> None:
    run(DELETE, ann)
    text = mutation.replace("ID", global_id("Customer", ann), 1)
    (payload,) = ask(f"mutation {{ {text} {{ userErrors {{ code message }} }} }}").values()
    assert payload["userErrors"] == [{"code": "NOT_FOUND", "message": "This customer is deleted: restore them first."}]


def test_an_update_cannot_delete_and_says_what_can(ann: str) -> None:
    mutation = (
        "mutation ($id: ID!) { customerUpdate(input: {id: $id, status: DELETED}) { userErrors { field message } } }"
    )
    (error,) = ask(mutation, {"id": global_id("Customer", ann)})["customerUpdate"]["userErrors"]
    assert error["field"] == ["input", "status"]
    assert "customerDelete" in error["message"]
    assert Customer.get(f"SHOP#demo#CUSTOMER#{ann}", Customer.SK).status == "active"
