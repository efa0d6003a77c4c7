# tests/integration/test_graphql_customer_create.py
from typing import Any

import pytest

from crm.customers import service as customers
from crm.shops.service import Shop
from tests.asking import NOW, answer, as_customer, as_staff, ask, codes

CREATE = """mutation ($input: CustomerCreateInput!) { customerCreate(input: $input) {
    customer { id customerId email firstName tags version test gender birthDate addresses { city } }
    userErrors { __typename code field ... on IdentifierTakenError { kind holder } } } }"""
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
                "holder": first["id"],
            }
        ],
    }


def test_that_the_holder_is_deleted_is_told_only_to_those_who_may_restore_them(shop: Shop) -> None:
    gone = create(email="ada@example.com", phone="+4366012345678")["customer"]
    here = create(externalIds=[{"source": "till", "value": "7"}])["customer"]
    customers.delete("demo", gone["customerId"], now=NOW)
    given = {"email": "ada@example.com", "externalIds": [{"source": "till", "value": "7"}]}

    def holders(*scopes: str) -> dict[str, str | None]:
        principal = as_staff("customers:write", "customers:read", *scopes)
        refused = ask(CREATE, {"input": given}, principal=principal)["customerCreate"]["userErrors"]
        return {error["kind"]: error["holder"] for error in refused}

    assert holders() == {"email": None, "external id": here["id"]}
    assert holders("customers:delete") == {"email": gone["id"], "external id": here["id"]}


def test_everything_wrong_is_told_at_once(shop: Shop) -> None:
    payload = create(email="test@test.com", birthDate="2999-01-01", firstName="  ")
    assert {(error["code"], *error["field"]) for error in payload["userErrors"]} == {
        ("BLOCKED", "input", "email"),
        ("INVALID", "input", "birthDate"),
        ("INVALID", "input", "firstName"),
    }


@pytest.mark.parametrize("given", [{"zone": "CEST"}, {"birthDate": "10.12.1990"}, {"gender": "F"}])
def test_what_programs_supply_is_refused_before_anything_runs(shop: Shop, given: dict[str, str]) -> None:
    refused = answer(CREATE, {"input": {"email": "nobody", **given}}, principal=WRITER)
    assert (refused.status, codes(refused)) == (400, ["BAD_USER_INPUT"])
    assert [error["extensions"]["field"] for error in refused.body["errors"]] == [["input", *given]]
    assert refused.refused


def test_each_tag_and_each_part_of_an_address_is_named_that_is_wrong(shop: Shop) -> None:
    refused = create(
        tags=["vip", " ", "x" * 201, "vip"], addresses=[{"city": "Wien"}, {"latitude": 90.5, "longitude": -181}]
    )
    assert {(error["code"], *error["field"]) for error in refused["userErrors"]} == {
        ("INVALID", "input", "tags", "1"),
        ("TOO_LONG", "input", "tags", "2"),
        ("INVALID", "input", "addresses", "1", "latitude"),
        ("INVALID", "input", "addresses", "1", "longitude"),
        ("REQUIRED", "input"),
    }


def test_tags_are_trimmed_and_kept_once(shop: Shop) -> None:
    assert create(firstName="Ada", tags=[" vip", "vip", "press "])["customer"]["tags"] == ["press", "vip"]


def test_a_customer_of_whom_nothing_is_said_is_not_founded(shop: Shop) -> None:
    assert create()["userErrors"] == [{"__typename": "PlainError", "code": "REQUIRED", "field": ["input"]}]
    assert create(externalIds=[{"source": "web", "value": "1"}])["userErrors"] == []
    assert create(lastName="Lee")["userErrors"] == []


def test_what_is_wrong_with_an_external_id_is_told_by_its_place_and_not_by_its_value(shop: Shop) -> None:
    ids = [("my shop", "4711"), ("web", "null"), ("app", " "), ("till", "x" * 201)]
    text = CREATE.replace("code field", "code message field")
    given = {"input": {"externalIds": [{"source": source, "value": value} for source, value in ids]}}
    refused = ask(text, given, principal=WRITER)["customerCreate"]["userErrors"]
    assert [(error["code"], *error["field"][2:]) for error in refused] == [
        ("INVALID", "0", "source"),
        ("BLOCKED", "1", "value"),
        ("INVALID", "2", "value"),
        ("TOO_LONG", "3", "value"),
    ]
    assert "4711" not in str(refused)
    assert "my shop" not in str(refused)


def test_two_ids_of_one_system_are_not_one_customers(shop: Shop) -> None:
    refused = create(externalIds=[{"source": "web", "value": "1"}, {"source": "web", "value": "2"}])
    assert [(error["code"], *error["field"]) for error in refused["userErrors"]] == [
        ("DUPLICATE", "input", "externalIds", "1", "source")
    ]


def test_an_id_said_twice_is_told_with_everything_else_that_is_wrong(shop: Shop) -> None:
    ids = [{"source": "web", "value": "1"}, {"source": "web", "value": "2"}, {"source": "No Name", "value": "3"}]
    refused = create(externalIds=ids, email="nope", firstName="x" * 201)
    assert {(error["code"], *error["field"][1:]) for error in refused["userErrors"]} == {
        ("DUPLICATE", "externalIds", "1", "source"),
        ("INVALID", "externalIds", "2", "source"),
        ("INVALID", "email"),
        ("TOO_LONG", "firstName"),
    }


def test_every_identifier_that_is_taken_is_told(shop: Shop) -> None:
    ada = create(email="ada@example.com")["customer"]["id"]
    bob = create(externalIds=[{"source": "web", "value": "1"}])["customer"]["id"]
    refused = create(
        email="ada@example.com", externalIds=[{"source": "new", "value": "1"}, {"source": "web", "value": "1"}]
    )
    assert {(error["kind"], error["holder"], *error["field"]) for error in refused["userErrors"]} == {
        ("email", ada, "input", "email"),
        ("external id", bob, "input", "externalIds", "1"),
    }


def test_customers_may_not_found_customers(shop: Shop) -> None:
    assert codes(answer(CREATE, {"input": {}}, principal=as_customer("cus_1"))) == ["FORBIDDEN"]
