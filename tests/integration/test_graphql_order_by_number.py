# tests/integration/test_graphql_order_by_number.py
from typing import Any

import pytest

from schema.principal import Principal
from tests.asking import STAFF, as_customer, as_staff, ask
from tests.shop_events import order
from tests.shop_history import happened

BY_NUMBER = "query ($number: String!) { orderByNumber(orderId: $number) { orderId } }"


def found(number: str, principal: Principal = STAFF) -> Any:
    return ask(BY_NUMBER, {"number": number}, principal=principal)["orderByNumber"]


def test_staff_and_its_owner_find_an_order_by_the_shops_number(ann: str) -> None:
    for principal in (STAFF, as_customer(ann)):
        assert found("o1", principal) == {"orderId": "o1"}


@pytest.mark.parametrize("number", ["o3", "nothing", "", "x" * 3_000])
def test_missing_and_foreign_numbers_answer_alike(ann: str, number: str) -> None:
    happened("order.placed", order("o3"), customer={"externalId": "bob"})
    assert found(number, as_customer(ann)) is None
    assert found("o1", as_staff("orders:read", shop="other")) is None
