# tests/integration/test_graphql_customer_tags.py
from datetime import timedelta
from typing import Any

from schema.node import global_id
from tests.asking import NOW, answer, as_customer, ask, codes

ADD = """mutation ($input: CustomerTagsAddInput!) { customerTagsAdd(input: $input) {
    customer { tags } userErrors { code field } } }"""
REMOVE = """mutation ($input: CustomerTagsRemoveInput!) { customerTagsRemove(input: $input) {
    customer { tags } userErrors { code field } } }"""


def given(customer_id: str, *tags: str) -> dict[str, Any]:
    return {"input": {"id": global_id("Customer", customer_id), "tags": list(tags)}}


def test_tags_are_added_to_those_that_are_there(ann: str) -> None:
    assert ask(ADD, given(ann, "new", "vip"))["customerTagsAdd"]["customer"]["tags"] == ["new", "press", "vip"]


def test_tags_are_removed_and_missing_ones_are_no_error(ann: str) -> None:
    assert ask(REMOVE, given(ann, "vip", "none"))["customerTagsRemove"]["customer"]["tags"] == ["press"]
    later = NOW + timedelta(seconds=1)
    assert ask(REMOVE, given(ann, "press"), now=later)["customerTagsRemove"]["customer"]["tags"] == []


def test_a_tag_that_is_none_is_refused(ann: str) -> None:
    refused = ask(ADD, given(ann, ""))["customerTagsAdd"]
    assert refused == {"customer": None, "userErrors": [{"code": "INVALID", "field": ["input", "tags", "0"]}]}


def test_customers_do_not_tag_themselves(ann: str) -> None:
    for mutation in (ADD, REMOVE):
        assert codes(answer(mutation, given(ann, "vip"), principal=as_customer(ann))) == ["FORBIDDEN"]
