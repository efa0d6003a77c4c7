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
    ("identifier", "wrong"),
    [
        ({"email": "nobody"}, {"email": "INVALID"}),
        ({"email": "test@test.com"}, {"email": "BLOCKED"}),
        ({"phone": "0660"}, {"phone": "INVALID"}),
        ({"phone": "+10000000000"}, {"phone": "BLOCKED"}),
        ({"external": {"source": "My Shop", "value": "1"}}, {"external.source": "INVALID"}),
        ({"external": {"source": "", "value": "1"}}, {"external.source": "INVALID"}),
        ({"external": {"source": "shopify", "value": "null"}}, {"external.value": "BLOCKED"}),
        ({"external": {"source": "shopify", "value": " "}}, {"external.value": "INVALID"}),
        ({"external": {"source": "Shopify", "value": ""}}, {"external.source": "INVALID", "external.value": "INVALID"}),
    ],
)
def test_what_can_identify_nobody_is_refused_as_by_mutations(
    ann: str, identifier: dict[str, Any], wrong: dict[str, str]
) -> None:
    query = "query ($i: CustomerIdentifierInput!) { customerByIdentifier(identifier: $i) { customerId } }"
    refused = answer(query, {"i": identifier})
    assert (codes(refused), refused.body["data"]) == (["INVALID_INPUT"], {"customerByIdentifier": None})
    faults = refused.body["errors"][0]["extensions"]["faults"]
    assert {".".join(fault["field"][1:]): fault["code"] for fault in faults} == wrong


@pytest.mark.parametrize("identifier", [{}, {"email": None}, {"email": "a@b.cd", "phone": "+431234567"}])
def test_exactly_one_identifier_is_taken(ann: str, identifier: dict[str, Any]) -> None:
    query = "query ($i: CustomerIdentifierInput!) { customerByIdentifier(identifier: $i) { customerId } }"
    assert codes(answer(query, {"i": identifier})) == ["BAD_USER_INPUT"]
