# tests/integration/test_graphql_nodes.py
"""Objects by their ids, several at once."""

from typing import Any

import pytest

from crm.customers import service as customers
from crm.kernel import batch_reads
from crm.kernel.meter import metering
from crm.kernel.settings import settings
from crm.kernel.table import client
from crm.shops.service import Shop
from schema.node import global_id
from tests.asking import NOW, answer, as_customer


def test_customers_asked_for_together_are_read_together(ann: str) -> None:
    other = customers.create("demo", customers.Words(fields={"first_name": "Bob"}), now=NOW)
    ids = [global_id("Customer", customer_id) for customer_id in (ann, other.customer_id, "cus_nobody")]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Customer { firstName statistics { orderCount } } } }"
    given = answer(query, {"ids": ids})
    assert given.body["data"]["nodes"] == [
        {"firstName": "Ann", "statistics": {"orderCount": 2}},
        {"firstName": "Bob", "statistics": {"orderCount": 0}},
        None,
    ]
    assert given.body["extensions"]["capacity"]["requests"] == 1


def test_what_is_asked_for_by_id_comes_in_the_order_asked_for_and_as_often(ann: str) -> None:
    orders = [global_id("Order", name) for name in ("o2", "missing", "o1", "o2")]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Order { orderId } } }"
    found = answer(query, {"ids": orders}).body["data"]["nodes"]
    assert [node and node["orderId"] for node in found] == ["o2", None, "o1", "o2"]
    theirs = answer(query, {"ids": orders}, principal=as_customer(ann)).body["data"]["nodes"]
    assert theirs == found
    assert answer(query, {"ids": orders}, principal=as_customer("cus_nobody")).body["data"]["nodes"] == [None] * 4


def test_a_key_that_is_left_over_is_asked_for_again(ann: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_reads, "wait_before", lambda _: None)
    call, asked = client().batch_get_item, []

    def partly(**request: Any) -> Any:
        ((table, wanted),) = request["RequestItems"].items()
        first, *rest = wanted["Keys"]
        asked.append(len(wanted["Keys"]))
        answered = call(RequestItems={table: wanted | {"Keys": [first]}})
        return answered | {"UnprocessedKeys": {table: {"Keys": rest}} if rest else {}}

    monkeypatch.setattr(client(), "batch_get_item", partly)
    ids = [global_id("Order", name) for name in ("o1", "o2")]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Order { orderId } } }"
    found = answer(query, {"ids": ids}).body["data"]["nodes"]
    assert [node["orderId"] for node in found] == ["o1", "o2"]
    assert asked == [2, 1, 2, 1]


def test_a_key_given_twice_is_asked_for_once_and_more_than_a_hundred_in_several_requests(shop: Shop) -> None:
    keys = [(f"SHOP#demo#ORDERREF#o{number}", "ORDERREF") for number in range(150)]
    with metering() as meter:
        assert list(batch_reads.read(settings().crm_table, [*keys, *keys])) == []
    assert meter.requests == 2


def test_what_is_no_id_is_refused_in_its_place_and_the_others_are_answered(ann: str) -> None:
    given = answer("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": [global_id("Customer", ann), ann]})
    assert given.body["data"]["nodes"] == [{"id": global_id("Customer", ann)}, None]
    (error,) = given.body["errors"]
    assert (error["path"], error["extensions"]["field"]) == (["nodes", 1], ["ids", "1"])
