# tests/integration/test_graphql_customer_update.py
from typing import Any

import pytest

from crm.customers import service as customers
from schema.node import global_id
from schema.principal import Principal
from tests.asking import STAFF, as_customer, ask
from tests.shop_events import deliver, event

UPDATE = """mutation ($input: CustomerUpdateInput!) { customerUpdate(input: $input) {
    customer { firstName lastName email phone version status statistics { orderCount } }
    userErrors { __typename code field ... on VersionMismatchError { expected actual }
        ... on IdentifierTakenError { holder } } } }"""


def update(customer_id: str, principal: Principal = STAFF, **given: Any) -> Any:
    given["id"] = global_id("Customer", customer_id)
    return ask(UPDATE, {"input": given}, principal=principal)["customerUpdate"]


def test_what_is_left_out_stays_and_null_clears(ann: str) -> None:
    changed = update(ann, lastName="Lee")["customer"]
    assert (changed["firstName"], changed["lastName"]) == ("Ann", "Lee")
    cleared = update(ann, firstName=None)["customer"]
    assert (cleared["firstName"], cleared["lastName"]) == (None, "Lee")


def test_the_answer_holds_the_other_heads_too(ann: str) -> None:
    assert update(ann, lastName="Lee")["customer"]["statistics"] == {"orderCount": 2}


def test_a_version_that_is_not_the_stored_one_is_refused_with_both(ann: str) -> None:
    version = update(ann, lastName="Lee")["customer"]["version"]
    assert update(ann, lastName="Low", expectedVersion=version - 1)["userErrors"] == [
        {
            "__typename": "VersionMismatchError",
            "code": "VERSION_MISMATCH",
            "field": ["input", "expectedVersion"],
            "expected": version - 1,
            "actual": version,
        }
    ]
    for principal in (STAFF, as_customer(ann)):
        present = update(ann, principal, lastName="Low", expectedVersion=version - 1)["customer"]
        assert (present["lastName"], present["version"], present["statistics"]) == ("Lee", version, {"orderCount": 2})
    assert update("cus_nobody", expectedVersion=9)["customer"] is None
    assert update(ann, lastName="Low", expectedVersion=version)["customer"]["lastName"] == "Low"


def test_null_is_refused_where_nothing_can_be_cleared(ann: str) -> None:
    for literal in ("status: null, test: null", ""):
        given = {} if literal else {"status": None, "test": None}
        text = UPDATE.replace("input: $input", f'input: {{id: "{global_id("Customer", ann)}", {literal}}}')
        text = text.replace("($input: CustomerUpdateInput!) ", "") if literal else UPDATE
        variables = {} if literal else {"input": {"id": global_id("Customer", ann), **given}}
        assert ask(text.replace("code field", "code message field"), variables)["customerUpdate"] == {
            "customer": None,
            "userErrors": [
                {
                    "__typename": "PlainError",
                    "code": "REQUIRED",
                    "message": "may not be null",
                    "field": ["input", name],
                }
                for name in ("status", "test")
            ],
        }


def test_what_people_type_is_refused_with_everything_else_that_is_wrong(ann: str) -> None:
    for principal in (STAFF, as_customer(ann)):
        refused = update(
            ann,
            principal,
            email="nobody",
            phone="0660",
            firstName=" ",
            addresses=[{}, {"latitude": 91}, {"city": "  "}],
        )
        assert {(error["code"], *error["field"]) for error in refused["userErrors"]} == {
            ("INVALID", "input", "email"),
            ("INVALID", "input", "phone"),
            ("INVALID", "input", "firstName"),
            ("INVALID", "input", "addresses", "0"),
            ("INVALID", "input", "addresses", "1", "latitude"),
            ("REQUIRED", "input", "addresses", "1", "longitude"),
            ("INVALID", "input", "addresses", "2"),
        }


@pytest.mark.parametrize("locale", ["de_AT", "zz_!!", "German", "\U0001f389"])
def test_a_locale_is_one_of_bcp_47(ann: str, locale: str) -> None:
    assert update(ann, locale=locale)["userErrors"][0]["field"] == ["input", "locale"]


@pytest.mark.parametrize("name", ["A\nB", "\u200b\u200d", "A\u2028B"])
def test_a_name_is_one_line_with_something_to_be_seen(ann: str, name: str) -> None:
    assert update(ann, firstName=name)["userErrors"][0]["code"] == "INVALID"


def test_what_is_typed_is_kept_without_what_surrounds_it(ann: str) -> None:
    changed = update(ann, firstName=" Anna ", email="  Pad@Example.com ")["customer"]
    assert (changed["firstName"], changed["email"]) == ("Anna", "Pad@Example.com")


def test_a_text_beyond_its_limit_is_too_long(ann: str) -> None:
    refused = update(ann, firstName="x" * 201, addresses=[{"city": "x" * 201}])["userErrors"]
    assert [error["code"] for error in refused] == ["TOO_LONG", "TOO_LONG"]


def test_a_phone_number_is_understood_as_it_is_written(ann: str) -> None:
    assert update(ann, phone="0043 (660) 123-4567")["customer"]["phone"] == "0043 (660) 123-4567"
    assert customers.find("demo", "phone", "+436601234567") == ann


def test_customers_change_their_own_record(ann: str) -> None:
    assert update(ann, as_customer(ann), firstName="Anna")["customer"]["firstName"] == "Anna"


def test_customers_cannot_change_what_is_for_staff(ann: str) -> None:
    refused = update(ann, as_customer(ann), status="BLOCKED", test=True, lastName="Lee")
    assert {(error["code"], *error["field"]) for error in refused["userErrors"]} == {
        ("FORBIDDEN", "input", "status"),
        ("FORBIDDEN", "input", "test"),
    }
    assert update(ann, status="BLOCKED")["customer"] == update(ann)["customer"]


def test_what_is_for_staff_is_told_with_everything_else_that_is_wrong(ann: str) -> None:
    wrong = {"email": "nope", "phone": "12", "firstName": "x" * 500, "addresses": [{"latitude": 99, "longitude": 1}]}
    refused = update(ann, as_customer(ann), **wrong, status=None, test=True, emailVerified=True)["userErrors"]
    assert {(error["code"], *error["field"][1:]) for error in refused} == {
        ("FORBIDDEN", "status"),
        ("FORBIDDEN", "test"),
        ("FORBIDDEN", "emailVerified"),
        ("INVALID", "email"),
        ("INVALID", "phone"),
        ("TOO_LONG", "firstName"),
        ("INVALID", "addresses", "0", "latitude"),
    }
    assert len(refused) == 7


def test_whether_an_address_is_verified_is_not_null_and_goes_with_the_address(ann: str) -> None:
    for principal, given, code, field in (
        (STAFF, None, "REQUIRED", "emailVerified"),
        (STAFF, True, "REQUIRED", "email"),
        (as_customer(ann), True, "FORBIDDEN", "emailVerified"),
    ):
        [refused] = update(ann, principal, emailVerified=given)["userErrors"]
        assert (refused["code"], refused["field"]) == (code, ["input", field])


def test_what_customers_say_of_themselves_takes_nobodys_address_and_tells_nobody_whose_it_is(ann: str) -> None:
    other = ask('mutation { customerCreate(input: {email: "bob@example.com"}) { customer { customerId } } }')[
        "customerCreate"
    ]["customer"]["customerId"]
    assert update(ann, as_customer(ann), email="bob@example.com")["userErrors"] == []
    assert customers.find("demo", "email", "bob@example.com") == other


def test_there_is_no_version_below_0_and_it_is_told_with_everything_else(ann: str) -> None:
    refused = update(ann, expectedVersion=-1, email="nobody")
    assert [(error["code"], error["field"][1]) for error in refused["userErrors"]] == [
        ("INVALID", "expectedVersion"),
        ("INVALID", "email"),
    ]
    assert refused["customer"] is None


def test_a_form_is_saved_with_what_an_event_wrote_of_which_a_form_takes_nothing_new(ann: str) -> None:
    words = {"externalId": "ann", "phone": "0170 555"}
    assert deliver(event("customer.updated", {}, customer=words, occurredAt="2026-03-09T10:00:00Z")) == []
    form = {"email": "Ann@example.com", "phone": "0170 555", "firstName": "Anna"}
    for principal in (as_customer(ann), STAFF):
        saved = update(ann, principal, **form)
        assert saved["userErrors"] == []
        assert (saved["customer"]["firstName"], saved["customer"]["phone"]) == ("Anna", "0170 555")
    assert [error["field"][1] for error in update(ann, STAFF, **form | {"phone": "0170 556"})["userErrors"]] == [
        "phone"
    ]
    twice = update(ann, STAFF, **form | {"lastName": " "})["userErrors"]
    assert [error["field"][1] for error in twice] == ["lastName"]


def test_what_is_on_record_of_one_customer_is_no_excuse_for_another(ann: str) -> None:
    words = {"externalId": "bob", "phone": "0170 555"}
    assert deliver(event("customer.updated", {}, customer=words)) == []
    bob = customers.find("demo", "external", "bob", source="shopify")
    assert bob is not None
    for asked, principal in ((ann, STAFF), (bob, as_customer(ann))):
        assert [error["code"] for error in update(asked, principal, phone="0170 555")["userErrors"]] == ["INVALID"]


def test_a_form_is_saved_with_an_address_that_an_event_wrote_and_another_customer_holds(ann: str) -> None:
    words = {"externalId": "bob", "email": "ann@example.com"}
    assert deliver(event("customer.updated", {}, customer=words)) == []
    bob = customers.find("demo", "external", "bob", source="shopify")
    assert bob is not None
    assert update(bob, email="ann@example.com", firstName="Bob")["customer"]["firstName"] == "Bob"
    assert customers.find("demo", "email", "ann@example.com") == ann
    vouched = update(bob, email="ann@example.com", emailVerified=True)["userErrors"]
    assert [error["code"] for error in vouched] == ["IDENTIFIER_TAKEN"]
