# tests/integration/test_graphql_feedback_submit.py
from typing import Any

import pytest

from crm.customers import service as customers
from crm.feedback import service as feedback
from schema.node import global_id
from schema.principal import Principal
from tests.asking import STAFF, as_customer, ask
from tests.conftest import NOW

SUBMIT = """mutation ($input: FeedbackSubmitInput!) { feedbackSubmit(input: $input) {
    response { id score group comment orderId } replayed userErrors { code field } } }"""


def submit(principal: Principal, **given: Any) -> Any:
    return ask(SUBMIT, {"input": {"score": 9, "idempotencyKey": "k1", **given}}, principal=principal)["feedbackSubmit"]


def test_a_customer_answers_for_themselves(ann: str) -> None:
    given = submit(as_customer(ann), comment="Lovely", order=global_id("Order", "o1"))
    assert given["userErrors"] == []
    assert (given["response"]["score"], given["response"]["group"], given["replayed"]) == (9, "PROMOTER", False)
    assert (given["response"]["comment"], given["response"]["orderId"]) == ("Lovely", "o1")


def test_a_retry_is_answered_alike_and_marked(ann: str) -> None:
    first, second = submit(as_customer(ann)), submit(as_customer(ann))
    assert second["response"] == first["response"]
    assert (first["replayed"], second["replayed"]) == (False, True)


def test_a_key_that_comes_with_another_answer_is_refused(ann: str) -> None:
    submit(as_customer(ann))
    assert submit(as_customer(ann), score=3)["userErrors"] == [
        {"code": "KEY_REUSED", "field": ["input", "idempotencyKey"]}
    ]


@pytest.mark.parametrize("given", [{"score": 11}, {"score": -1}, {"comment": "x" * 2001}, {"idempotencyKey": ""}])
def test_an_answer_that_is_none_is_refused(ann: str, given: dict[str, Any]) -> None:
    refused = submit(as_customer(ann), **given)
    assert refused["response"] is None
    assert [error["field"][1] for error in refused["userErrors"]] == list(given)


def test_staff_say_whose_answer_it_is(ann: str) -> None:
    assert submit(STAFF)["userErrors"] == [{"code": "REQUIRED", "field": ["input", "customer"]}]
    assert submit(STAFF, customer=global_id("Customer", ann))["response"]["score"] == 9


@pytest.mark.parametrize("by_themselves", [True, False])
def test_nobody_answers_for_a_deleted_customer_and_nothing_is_written(ann: str, by_themselves: bool) -> None:
    customers.delete("demo", ann, now=NOW)
    principal, given = (as_customer(ann), {}) if by_themselves else (STAFF, {"customer": global_id("Customer", ann)})
    refused = submit(principal, **given)
    assert (refused["response"], refused["userErrors"]) == (
        None,
        [
            {"code": "CUSTOMER_BLOCKED", "field": []}
            if by_themselves
            else {"code": "NOT_FOUND", "field": ["input", "customer"]}
        ],
    )
    assert feedback.responses("demo", ann, limit=1) == []


def test_who_is_blocked_answers_nothing_themselves_and_may_have_told_the_shop(ann: str) -> None:
    customers.update("demo", ann, customers.Words(fields={"status": "blocked"}), now=NOW)
    assert submit(as_customer(ann))["userErrors"] == [{"code": "CUSTOMER_BLOCKED", "field": []}]
    assert feedback.responses("demo", ann, limit=1) == []
    assert submit(STAFF, customer=global_id("Customer", ann))["userErrors"] == []


def test_an_order_of_nobody_or_of_somebody_else_is_refused(ann: str) -> None:
    assert submit(as_customer(ann), order=global_id("Order", "nothing"))["userErrors"] == [
        {"code": "NOT_FOUND", "field": ["input", "order"]}
    ]


def test_an_id_that_the_shop_uses_is_told_from_the_id_of_an_object(ann: str) -> None:
    for given in ({"order": "o1"}, {"customer": ann}):
        assert submit(STAFF if "customer" in given else as_customer(ann), **given)["userErrors"] == [
            {"code": "INVALID", "field": ["input", *given]}
        ]
