# tests/integration/test_graphql_customer_create.py
from typing import Any

import pytest

from crm.customers import service as customers
from crm.shops.service import Shop
from tests.asking import answer, as_customer, as_staff, ask, codes

CREATE = """mutation ($input: CustomerCreateInput!) { customerCreate(input: $input) {
    customer { id customerId email firstName tags version test gender birthDate addresses { city } }
    userErrors { __typename code field ... on IdentifierTakenError { kind customerId } } } }"""
WRITER = as_staff("customers:write", "customers:read")


def create(**given: Any) -> Any:
    return ask(CREATE, {"input": given}, principal=WRITER)["customerCreate"]


def test_a_customer_is_founded_with_what_is_known(shop: Shop) -> None:
    payload = create(
        email="Ada@example.com",
        firstName="Ada",
        birthDate="1990-12-10",
        gender="FEMALE",
        tags=["vip"],
        addresses=[{"city": "Wien", "country": "AT"}],
        externalIds=[{"source": "webshop", "value": "4711"}],
    )
    assert payload["userErrors"] == []
    made = payload["customer"]
    assert (made["email"], made["firstName"], made["tags"], made["version"]) == ("Ada@example.com", "Ada", ["vip"], 1)
    assert (made["gender"], made["birthDate"], made["test"]) == ("FEMALE", "1990-12-10", False)
    assert made["addresses"] == [{"city": "Wien"}]
    assert customers.find("demo", "external", "4711", source="webshop") == made["customerId"]


def test_an_identifier_that_somebody_holds_is_refused_and_staff_learn_whose_it_is(shop: Shop) -> None:
    first = create(email="ada@example.com")["customer"]
    assert create(email="ADA@example.com") == {
        "customer": None,
        "userErrors": [
            {
                "__typename": "IdentifierTakenError",
                "code": "IDENTIFIER_TAKEN",
                "field": ["input", "email"],
                "kind": "email",
                "customerId": first["id"],
            }
        ],
    }


def test_everything_wrong_is_told_at_once(shop: Shop) -> None:
    payload = create(email="test@test.com", birthDate="2999-01-01", firstName="  ")
    assert {(error["code"], *error["field"]) for error in payload["userErrors"]} == {
        ("BLOCKED", "input", "email"),
        ("INVALID", "input", "birthDate"),
        ("INVALID", "input", "firstName"),
    }


@pytest.mark.parametrize("given", [{"email": "ada"}, {"phone": "0660"}, {"zone": "CEST"}, {"birthDate": "10.12.1990"}])
def test_a_value_that_is_nearly_right_is_refused_before_anything_runs(shop: Shop, given: dict[str, str]) -> None:
    refused = answer(CREATE, {"input": given}, principal=WRITER)
    assert (refused.status, codes(refused)) == (400, ["BAD_USER_INPUT"])
    assert refused.refused


def test_customers_may_not_found_customers(shop: Shop) -> None:
    assert codes(answer(CREATE, {"input": {}}, principal=as_customer("cus_1"))) == ["FORBIDDEN"]
