# tests/integration/test_graphql_customer_by_identifier.py
from typing import Any

import pytest

from tests.asking import answer, ask, codes


@pytest.mark.parametrize(
    "identifier",
    [{"email": "ANN@EXAMPLE.com"}, {"external": {"source": "shopify", "value": "ann"}}],
)
def test_a_customer_is_found_by_what_they_are_known_by(ann: str, identifier: dict[str, Any]) -> None:
    query = "query ($i: CustomerIdentifierInput!) { customerByIdentifier(identifier: $i) { customerId } }"
    assert ask(query, {"i": identifier}) == {"customerByIdentifier": {"customerId": ann}}


def test_nobody_is_found_by_what_nobody_has(ann: str) -> None:
    query = "query ($i: CustomerIdentifierInput!) { customerByIdentifier(identifier: $i) { customerId } }"
    assert ask(query, {"i": {"email": "bob@example.com"}}) == {"customerByIdentifier": None}


@pytest.mark.parametrize(
    ("identifier", "field"),
    [
        ({"email": "nobody"}, ["email"]),
        ({"email": "test@test.com"}, ["email"]),
        ({"phone": "0660"}, ["phone"]),
        ({"external": {"source": "My Shop", "value": "1"}}, ["external"]),
        ({"external": {"source": "", "value": "1"}}, ["external", "source"]),
    ],
)
def test_what_can_identify_nobody_is_refused(ann: str, identifier: dict[str, Any], field: list[str]) -> None:
    query = "query ($i: CustomerIdentifierInput!) { customerByIdentifier(identifier: $i) { customerId } }"
    refused = answer(query, {"i": identifier})
    assert (codes(refused), refused.body["data"]) == (["INVALID_INPUT"], {"customerByIdentifier": None})
    assert refused.body["errors"][0]["extensions"]["field"] == ["identifier", *field]


@pytest.mark.parametrize("identifier", [{}, {"email": None}, {"email": "a@b.cd", "phone": "+431234567"}])
def test_exactly_one_identifier_is_taken(ann: str, identifier: dict[str, Any]) -> None:
    query = "query ($i: CustomerIdentifierInput!) { customerByIdentifier(identifier: $i) { customerId } }"
    assert codes(answer(query, {"i": identifier})) == ["BAD_USER_INPUT"]
