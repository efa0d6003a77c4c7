# tests/integration/test_graphql_order.py


from schema.node import global_id
from tests.asking import as_customer, ask


def test_an_order_is_found_by_its_id_and_leads_back_to_its_customer(ann: str) -> None:
    query = """query ($id: ID!) { order(id: $id) { orderId gross { amount } refunded { amount } net { amount }
        placedAt placedOn lines { sku quantity unitPrice { amount } } refunds { refundId lines { quantity } }
        customer { customerId } } }"""
    found = ask(query, {"id": global_id("Order", "o1")}, principal=as_customer(ann))["order"]
    assert (found["gross"]["amount"], found["refunded"]["amount"], found["net"]["amount"]) == (
        "20.00",
        "10.00",
        "10.00",
    )
    assert found["placedAt"].startswith("2026-03-01T10:00:00")
    assert found["placedOn"] == "2026-03-01"
    assert found["lines"] == [{"sku": "A", "quantity": 2, "unitPrice": {"amount": "10.00"}}]
    assert found["refunds"] == [{"refundId": "r1", "lines": [{"quantity": 1}]}]
    assert found["customer"] == {"customerId": ann}
    assert ask(query, {"id": global_id("Order", "o1")}, principal=as_customer("cus_other")) == {"order": None}
