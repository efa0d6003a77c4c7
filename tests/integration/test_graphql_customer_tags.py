# tests/integration/test_graphql_customer_tags.py
from datetime import timedelta
from typing import Any

from crm.customers import service as customers
from schema.node import global_id
from tests.asking import NOW, answer, as_customer, ask, codes
from tests.shop_events import deliver, event

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


def test_a_tag_is_one_line_with_something_to_be_seen(ann: str) -> None:
    refused = ask(ADD, given(ann, "a\nb", "good", "\u200b", "a\u2028b"))["customerTagsAdd"]["userErrors"]
    assert [(error["code"], error["field"][2]) for error in refused] == [("INVALID", place) for place in "023"]


def test_tags_from_before_that_was_a_rule_hinder_no_others(ann: str) -> None:
    stored = customers.get("demo", ann)
    stored.tags = {"a\nb"}
    stored.save()
    assert ask(ADD, given(ann, "new"))["customerTagsAdd"]["customer"]["tags"] == ["a\nb", "new"]
    later = NOW + timedelta(seconds=1)
    assert ask(REMOVE, given(ann, "a\nb"), now=later)["customerTagsRemove"]["customer"]["tags"] == ["new"]


def test_an_event_is_not_lost_for_a_tag_of_two_lines_and_one_of_which_nothing_is_seen(ann: str) -> None:
    words = {"externalId": "ann", "tags": ["a\nb", "\u200b", "c  d"]}
    assert deliver(event("customer.updated", {}, customer=words, occurredAt="2026-03-09T10:00:00Z")) == []
    assert customers.get("demo", ann).tags == {"a b", "c  d"}
