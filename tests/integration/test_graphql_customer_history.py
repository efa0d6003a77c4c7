# tests/integration/test_graphql_customer_history.py
from typing import Any

import pytest
from msgspec.structs import replace

from crm.shops import service as shops
from schema.node import global_id
from tests.asking import NOW, STAFF, answer, as_customer, as_staff, ask, codes
from tests.shop_history import happened

CHANGES = """query ($id: ID!, $first: Int, $after: String) { customer(id: $id) { history(first: $first, after: $after) {
    nodes { actor { kind reference } source occurredAt recordedAt cause replayed
        fields { field before after added removed cut } }
    pageInfo { hasNextPage endCursor } } } }"""
PROVENANCE = """query ($id: ID!) { customer(id: $id) {
    provenance { field at source party actor { kind reference } } } }"""
UPDATE = "mutation ($input: CustomerUpdateInput!) { customerUpdate(input: $input) { userErrors { code } } }"
KIM = replace(STAFF, subject="kim")


@pytest.fixture
def bea(shop: shops.Shop) -> str:
    """A customer of whom a data broker said the family name."""
    shops.update("demo", shops.ShopFields(third_party_sources=["datahub"]))
    customer = {"externalId": "bea", "firstName": "Bea", "email": "bea@example.com", "emailVerified": True}
    bea = happened("customer.updated", {}, customer=customer)
    happened("customer.updated", {}, customer={"id": bea, "lastName": "Lee"}, source="datahub")
    return bea


def changes(customer_id: str, **page: Any) -> Any:
    variables = {"id": global_id("Customer", customer_id)} | page
    return ask(CHANGES, variables)["customer"]["history"]


def test_staff_see_who_changed_what_newest_first(bea: str) -> None:
    ask(UPDATE, {"input": {"id": global_id("Customer", bea), "birthDate": "1990-12-10"}}, principal=KIM)
    newest, *_ = changes(bea)["nodes"]
    assert newest == {
        "actor": {"kind": "STAFF", "reference": "kim"},
        "source": "rapport",
        "occurredAt": "2026-03-10T12:00:00.000000Z",
        "recordedAt": "2026-03-10T12:00:00.000000Z",
        "cause": f"customer:{bea}:update:3",
        "replayed": False,
        "fields": [
            {"field": "birthDate", "before": None, "after": "1990-12-10", "added": [], "removed": [], "cut": False}
        ],
    }


def test_values_are_written_as_the_api_writes_them(bea: str) -> None:
    said = {"status": "BLOCKED", "gender": "FEMALE", "addresses": [{"postalCode": "1010"}]}
    ask(UPDATE, {"input": {"id": global_id("Customer", bea)} | said})
    told = {each["field"]: each["after"] for each in changes(bea, first=1)["nodes"][0]["fields"]}
    assert told == {"status": "BLOCKED", "gender": "FEMALE", "addresses": '[{"postalCode": "1010"}]'}


def test_changes_come_in_pages_without_gap_or_repeat(bea: str) -> None:
    for number in range(5):
        ask(UPDATE, {"input": {"id": global_id("Customer", bea), "firstName": f"Bea {number}"}})
    whole = changes(bea)["nodes"]
    paged, after = [], None
    for _ in range(4):
        page = changes(bea, first=2, after=after)
        paged += page["nodes"]
        after = page["pageInfo"]["endCursor"]
    assert len(whole) == 7
    assert paged == whole
    assert not page["pageInfo"]["hasNextPage"]


def test_a_field_tells_where_it_comes_from_and_whose_data_it_is(bea: str) -> None:
    found = ask(PROVENANCE, {"id": global_id("Customer", bea)})["customer"]["provenance"]
    assert {each["field"]: (each["source"], each["party"]) for each in found} == {
        "email": ("shopify", "FIRST"),
        "firstName": ("shopify", "FIRST"),
        "lastName": ("datahub", "THIRD"),
    }
    assert found[0]["actor"] == {"kind": "SERVICE", "reference": "shopify"}


def test_the_history_is_for_staff_with_its_scope_only(bea: str) -> None:
    ids = {"id": global_id("Customer", bea)}
    for principal in (as_staff("customers:read"), as_customer(bea)):
        assert codes(answer(CHANGES, ids, principal=principal)) == ["FORBIDDEN"]
    assert codes(answer(PROVENANCE, ids, principal=as_customer(bea))) == ["FORBIDDEN"]


def test_a_customers_own_change_is_told_as_theirs(bea: str) -> None:
    given = {"input": {"id": global_id("Customer", bea), "firstName": "Beatrix"}}
    ask(UPDATE, given, principal=replace(as_customer(bea), subject="sub-7"), now=NOW)
    assert changes(bea, first=1)["nodes"][0]["actor"] == {"kind": "CUSTOMER", "reference": bea}
