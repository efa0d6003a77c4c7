# tests/unit/schema/test_coercion.py
"""What does not fit the schema is told at once, with the path to it, however it was sent."""

from typing import Any

import pytest

from schema.principal import Principal
from tests.asking import STAFF, answer, as_staff, codes

CREATE = "mutation ($input: CustomerCreateInput!) { customerCreate(input: $input) { userErrors { code } } }"
LITERAL = "mutation { customerCreate(input: {%s}) { userErrors { code } } }"
ADDRESSES = [{"country": "DE"}, {"country": "Germany"}]


def wrong(text: str, variables: dict[str, Any] | None = None, principal: Principal = STAFF) -> list[tuple[str, str]]:
    """Code and path of each error of a request that was not served."""
    refused = answer(text, variables, principal=principal)
    assert (refused.status, refused.refused) == (400, True)
    errors = refused.body["errors"]
    assert all(error["locations"] for error in errors)
    return [(error["extensions"]["code"], ".".join(error["extensions"]["field"])) for error in errors]


def messages(text: str, variables: dict[str, Any] | None = None, principal: Principal = STAFF) -> list[str]:
    return [error["message"] for error in answer(text, variables, principal=principal).body["errors"]]


def test_everything_that_does_not_fit_is_told_at_once() -> None:
    given = {"birthDate": "10.12.1990", "zone": "CEST", "addresses": ADDRESSES, "tags": ["a", 1], "shoes": 44}
    fields = ["input.zone", "input.birthDate", "input.tags.1", "input.addresses.1.country", "input.shoes"]
    assert wrong(CREATE, {"input": given}) == [("BAD_USER_INPUT", field) for field in fields]
    literal = (
        'birthDate: "10.12.1990", zone: "CEST", addresses: [{country: "DE"}, {country: "Germany"}], '
        'tags: ["a", 1], shoes: 44'
    )
    assert wrong(LITERAL % literal) == [("GRAPHQL_VALIDATION_FAILED", field) for field in fields]
    assert messages(LITERAL % literal) == messages(CREATE, {"input": given})


def test_at_most_five_are_told() -> None:
    tags = {"tags": list(range(9))}
    assert len(wrong(CREATE, {"input": tags})) == 5


def test_a_message_says_what_is_wanted_and_not_what_was_sent() -> None:
    given = {"input": {"firstName": {"secret": 1}, "gender": "secret", "addresses": ["secret"], "birthDate": "secret"}}
    assert messages(CREATE, given) == [
        "input.firstName: must be a string",
        "input.birthDate: must be a calendar day such as 2026-01-31",
        "input.gender: must be one of FEMALE, MALE, OTHER, UNDISCLOSED",
        "input.addresses.0: must be an object",
    ]
    assert "input.gender: must be a value of Gender" in messages(CREATE, given, as_staff("customers:write"))


def test_the_path_is_that_of_the_input_wherever_its_value_came_from() -> None:
    text = """mutation ($data: Date, $country: CountryCode) {
        customerCreate(input: {birthDate: $data, addresses: [{city: "Wien"}, {country: $country}]}) {
            userErrors { code } } }"""
    assert [field for _, field in wrong(text, {"data": "x", "country": "y"})] == [
        "input.birthDate",
        "input.addresses.1.country",
    ]


def test_what_is_required_is_told_where_it_is_missing() -> None:
    text = "mutation ($input: FeedbackSubmitInput!) { feedbackSubmit(input: $input) { replayed } }"
    assert [field for _, field in wrong(text, {"input": {"score": None}})] == ["input.score", "input.idempotencyKey"]
    assert wrong(text, {}) == [("BAD_USER_INPUT", "input")]
    assert wrong(text, {"input": None}) == [("BAD_USER_INPUT", "input")]
    assert [field for _, field in wrong("mutation { feedbackSubmit(input: {score: null}) { replayed } }")] == [
        "input.score",
        "input.idempotencyKey",
    ]


def test_a_default_that_does_not_fit_is_told_as_a_literal() -> None:
    text = 'query ($day: Date! = "soon") { kpi(name: NPS, from: $day, to: $day) { name } }'
    assert wrong(text) == [("GRAPHQL_VALIDATION_FAILED", "day")]


@pytest.mark.parametrize("identifier", ["{}", "{email: null}", '{email: "a@b.cd", phone: "+431234567"}'])
def test_exactly_one_is_taken_of_a_choice_also_in_a_literal(identifier: str) -> None:
    text = f"{{ customerByIdentifier(identifier: {identifier}) {{ id }} }}"
    assert wrong(text) == [("GRAPHQL_VALIDATION_FAILED", "identifier")]


def test_a_variable_that_is_null_is_no_choice() -> None:
    text = "query ($email: EmailAddress) { customerByIdentifier(identifier: {email: $email}) { id } }"
    assert codes(answer(text, {"email": None})) == ["BAD_USER_INPUT"]
