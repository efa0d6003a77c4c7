# tests/integration/test_graphql_customers.py
from datetime import timedelta

from crm.customers import service as customers
from crm.shops.service import Shop
from tests.asking import NOW, answer, ask
from tests.shop_events import order
from tests.shop_history import happened


def test_a_page_of_customers_is_read_by_index_and_by_exact_keys(ann: str) -> None:
    for number in range(4):
        happened("order.placed", order(f"p{number}"), customer={"externalId": f"p{number}"})
    query = """{ customers(first: 3) { nodes { customerId statistics { orderCount } loyalty { available }
        orders(first: 2) { nodes { orderId } } } pageInfo { hasNextPage endCursor } } }"""
    given = answer(query)
    assert given.body.get("errors") is None
    page = given.body["data"]["customers"]
    assert all(node["statistics"]["orderCount"] == len(node["orders"]["nodes"]) > 0 for node in page["nodes"])
    assert page["pageInfo"]["hasNextPage"]
    # Four shards of the index, one batch of heads, and one Query for each customer's orders.
    assert given.body["extensions"]["capacity"]["requests"] == 4 + 1 + 3


def test_profiles_alone_need_the_index_only(ann: str) -> None:
    given = answer("{ customers { nodes { firstName } } }")
    assert given.body["data"]["customers"]["nodes"] == [{"firstName": "Ann"}]
    assert given.body["extensions"]["capacity"]["requests"] == 4


def test_pages_of_customers_hold_each_of_them_once(shop: Shop) -> None:
    made = [
        customers.create(
            "demo", customers.Words(fields={"first_name": str(number)}), now=NOW + timedelta(seconds=number)
        )
        for number in range(7)
    ]
    query = """query ($after: String) { customers(first: 3, after: $after) {
        nodes { customerId } pageInfo { hasNextPage endCursor } } }"""
    found, after = [], None
    for _ in range(3):
        page = ask(query, {"after": after})["customers"]
        found += [node["customerId"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert found == [customer.customer_id for customer in reversed(made)]
    assert not page["pageInfo"]["hasNextPage"]
