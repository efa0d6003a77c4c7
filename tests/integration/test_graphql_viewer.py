# tests/integration/test_graphql_viewer.py


from tests.asking import as_customer, ask


def test_the_viewer_is_the_signed_in_customer_and_nobody_else(ann: str) -> None:
    assert ask("{ viewer { customerId } }", principal=as_customer(ann)) == {"viewer": {"customerId": ann}}
    assert ask("{ viewer { customerId } }") == {"viewer": None}
    assert ask("{ viewer { customerId } }", principal=as_customer("cus_gone")) == {"viewer": None}
