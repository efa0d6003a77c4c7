# tests/integration/test_graphql_nodes.py


from crm.customers import service as customers
from schema.node import global_id
from tests.asking import NOW, answer


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


def test_what_is_no_id_is_refused_in_its_place_and_the_others_are_answered(ann: str) -> None:
    given = answer("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": [global_id("Customer", ann), ann]})
    assert given.body["data"]["nodes"] == [{"id": global_id("Customer", ann)}, None]
    (error,) = given.body["errors"]
    assert (error["path"], error["extensions"]["field"]) == (["nodes", 1], ["ids", "1"])
