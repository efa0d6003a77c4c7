# tests/integration/test_graphql_customer_attributes_set.py
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from crm.customers import service as customers
from crm.customers.service import MOST_AT_ONCE, AttributeFields
from crm.kernel.actor import Actor, Role
from crm.kernel.errors import InvalidInputs
from crm.shops import service as shops
from schema.node import global_id
from schema.principal import Principal
from tests.asking import NOW, STAFF, answer, as_customer, as_staff, ask, codes
from tests.shop_events import customer_of, deliver, event

VALUE = """__typename ... on TextValue { text } ... on NumberValue { number } ... on DateValue { date }
    ... on MoneyValue { money { amount currencyCode } } ... on BooleanValue { boolean }
    ... on ChoiceValue { choice { key name } }"""
ATTRIBUTES = f"attributes {{ key value {{ {VALUE} ... on ListValue {{ elements {{ {VALUE} }} }} }} }}"
SET = f"""mutation ($input: CustomerAttributesSetInput!) {{ customerAttributesSet(input: $input) {{
    customer {{ version {ATTRIBUTES} }} userErrors {{ code field }} }} }}"""
SEEN = f"query ($id: ID!) {{ customer(id: $id) {{ {ATTRIBUTES} }} }}"
DEFINED = {
    "notes": AttributeFields(name="Notes", type="text"),
    "size": AttributeFields(name="Size", type="number", customer_access="editable"),
    "limit": AttributeFields(name="Limit", type="money"),
    "since": AttributeFields(name="Since", type="date", customer_access="visible"),
    "vip": AttributeFields(name="VIP", type="boolean"),
    "club": AttributeFields(name="Club", type="choice", choices=[("gold", "Gold")]),
    "fits": AttributeFields(name="Fits", type="list", element_type="money"),
}
GIVEN: dict[str, Any] = {
    "notes": {"text": "Likes jazz."},
    "size": {"number": "42.50"},
    "limit": {"money": {"amount": "100", "currencyCode": "JPY"}},
    "since": {"date": "2020-02-29"},
    "vip": {"boolean": False},
    "club": {"choice": "gold"},
    "fits": {"list": [{"money": {"amount": "1.5", "currencyCode": "EUR"}}]},
}


@pytest.fixture
def ann(shop: shops.Shop) -> str:
    for key, fields in DEFINED.items():
        customers.define_attribute("demo", key, fields, now=NOW)
    return customers.create("demo", customers.Words(fields={"first_name": "Ann"}), now=NOW).customer_id


def put(customer_id: str, principal: Principal = STAFF, **attributes: Any) -> Any:
    given = [{"key": key, "value": value} for key, value in attributes.items()]
    variables = {"input": {"id": global_id("Customer", customer_id), "attributes": given}}
    return ask(SET, variables, principal=principal)["customerAttributesSet"]


def opened_to_customers(access: str) -> None:
    customers.define_attribute("demo", "size", AttributeFields(customer_access=access), now=NOW)


def seen(customer_id: str, principal: Principal = STAFF) -> dict[str, Any]:
    found = ask(SEEN, {"id": global_id("Customer", customer_id)}, principal=principal)["customer"]["attributes"]
    return {each["key"]: each["value"] for each in found}


def test_a_value_of_each_type_is_read_as_it_was_set(ann: str) -> None:
    answered = put(ann, **GIVEN)
    assert answered["userErrors"] == []
    assert answered["customer"]["version"] == 1
    expected = {
        "club": {"__typename": "ChoiceValue", "choice": {"key": "gold", "name": "Gold"}},
        "fits": {
            "__typename": "ListValue",
            "elements": [{"__typename": "MoneyValue", "money": {"amount": "1.50", "currencyCode": "EUR"}}],
        },
        "limit": {"__typename": "MoneyValue", "money": {"amount": "100", "currencyCode": "JPY"}},
        "notes": {"__typename": "TextValue", "text": "Likes jazz."},
        "since": {"__typename": "DateValue", "date": "2020-02-29"},
        "size": {"__typename": "NumberValue", "number": "42.5"},
        "vip": {"__typename": "BooleanValue", "boolean": False},
    }
    assert {each["key"]: each["value"] for each in answered["customer"]["attributes"]} == expected
    assert seen(ann) == expected


def test_each_mutation_of_a_document_answers_with_what_it_set(ann: str) -> None:
    query = """mutation ($first: CustomerAttributesSetInput!, $second: CustomerAttributesSetInput!) {
      first: customerAttributesSet(input: $first) { customer { attributes { key } } }
      second: customerAttributesSet(input: $second) { customer { attributes { key } } } }"""
    given = [{"key": "vip", "value": {"boolean": True}}, {"key": "notes", "value": {"text": "x"}}]
    variables = {
        name: {"id": global_id("Customer", ann), "attributes": [one]}
        for name, one in zip(("first", "second"), given, strict=True)
    }
    answered = ask(query, variables)
    keys = [[each["key"] for each in answered[name]["customer"]["attributes"]] for name in variables]
    assert keys == [["vip"], ["notes", "vip"]]


def test_null_clears_a_value_and_the_others_stay(ann: str) -> None:
    put(ann, **GIVEN)
    put(ann, size=None, fits={"list": []})
    assert sorted(seen(ann)) == ["club", "limit", "notes", "since", "vip"]


def test_one_wrong_value_refuses_all_with_their_places(ann: str) -> None:
    wrong: dict[str, Any] = {
        "notes": {"text": "x"},
        "size": {"text": "42"},
        "nothing": {"text": "x"},
        "fits": {"list": [{"money": {"amount": "1", "currencyCode": "EUR"}}, {"text": "1"}]},
    }
    assert put(ann, **wrong)["userErrors"] == [
        {"code": "INVALID", "field": ["input", "attributes", "1", "value", "text"]},
        {"code": "UNKNOWN", "field": ["input", "attributes", "2", "key"]},
        {"code": "INVALID", "field": ["input", "attributes", "3", "value", "list", "1"]},
    ]
    assert seen(ann) == {}


def test_what_is_retired_is_told_at_its_key(ann: str) -> None:
    customers.retire_attribute("demo", "vip", now=NOW)
    for value in ({"boolean": True}, None):
        refused = put(ann, vip=value)["userErrors"]
        assert refused == [{"code": "RETIRED", "field": ["input", "attributes", "0", "key"]}]


def test_an_attribute_is_said_once_and_no_more_than_there_can_be(ann: str) -> None:
    twice = [{"key": "vip", "value": {"boolean": True}}] * 2
    many = [{"key": f"k{number}", "value": None} for number in range(91)]
    found = []
    for given in (twice, many):
        variables = {"input": {"id": global_id("Customer", ann), "attributes": given}}
        found.append(ask(SET, variables)["customerAttributesSet"]["userErrors"])
    assert found == [
        [{"code": "DUPLICATE", "field": ["input", "attributes", "1", "key"]}],
        [{"code": "TOO_MANY", "field": ["input", "attributes"]}],
    ]


def test_customers_set_what_the_shop_lets_them_and_see_what_it_shows(ann: str) -> None:
    put(ann, **GIVEN)
    herself = as_customer(ann)
    assert sorted(seen(ann, herself)) == ["since", "size"]
    assert put(ann, herself, size={"number": "44"})["customer"]["attributes"] == [
        {"key": "since", "value": {"__typename": "DateValue", "date": "2020-02-29"}},
        {"key": "size", "value": {"__typename": "NumberValue", "number": "44"}},
    ]
    refused = put(ann, herself, since=None, vip={"boolean": True})["userErrors"]
    assert [(each["code"], *each["field"][2:]) for each in refused] == [
        ("FORBIDDEN", "0", "key"),
        ("UNKNOWN", "1", "key"),
    ]
    assert put(ann, as_customer("cus_other"), size=None)["userErrors"] == [
        {"code": "NOT_FOUND", "field": ["input", "id"]}
    ]


def test_what_a_person_sets_is_not_lost_to_a_clock_that_runs_ahead(ann: str) -> None:
    customers.set_attributes("demo", ann, {"size": 42}, now=NOW + timedelta(minutes=9))
    put(ann, size={"number": "43"})
    assert seen(ann)["size"]["number"] == "43"


def test_two_who_set_at_once_both_do(ann: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from crm.customers import snapshot

    real = snapshot.read
    rivals = [{"vip": True}]

    def racing(shop: str, customer_id: str) -> Any:
        read = real(shop, customer_id)
        if rivals:
            customers.set_attributes(shop, customer_id, rivals.pop(), now=NOW)
        return read

    monkeypatch.setattr(snapshot, "read", racing)
    customers.set_attributes("demo", ann, {"size": 42}, now=NOW)
    assert sorted(seen(ann)) == ["size", "vip"]


@pytest.mark.parametrize(
    ("meanwhile", "refused"),
    [
        (lambda: customers.retire_attribute("demo", "size", now=NOW), "RETIRED"),
        (lambda: opened_to_customers("hidden"), "UNKNOWN"),
        (lambda: opened_to_customers("visible"), "FORBIDDEN"),
    ],
    ids=["retired", "hidden", "for staff only"],
)
def test_an_attribute_is_judged_by_its_definition_at_the_moment_of_the_write(
    ann: str, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], Any], refused: str
) -> None:
    from crm.customers import snapshot

    real = snapshot.read

    def racing(shop: str, customer_id: str) -> Any:
        monkeypatch.setattr(snapshot, "read", real)
        meanwhile()
        return real(shop, customer_id)

    monkeypatch.setattr(snapshot, "read", racing)
    with pytest.raises(InvalidInputs) as told:
        customers.set_attributes("demo", ann, {"size": 42}, now=NOW, by=Actor(Role.CUSTOMER, ann))
    assert [fault.code for fault in told.value.faults] == [refused]
    assert seen(ann) == {}


def test_ninety_are_set_at_once_and_another_definition_disturbs_nobody(
    ann: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crm.customers import attribute_definitions, snapshot

    many = {f"k{number}": number for number in range(MOST_AT_ONCE)}
    for key in many:
        customers.define_attribute("demo", key, AttributeFields(name=key, type="number"), now=NOW)
    reads, real, plain = [], snapshot.read, attribute_definitions.fresh

    def racing(shop: str, customer_id: str) -> Any:
        customers.retire_attribute("demo", "vip", now=NOW)
        return real(shop, customer_id)

    def counted(shop: str, *, now: datetime) -> Any:
        reads.append(shop)
        return plain(shop, now=now)

    monkeypatch.setattr(snapshot, "read", racing)
    monkeypatch.setattr(attribute_definitions, "fresh", counted)
    customers.set_attributes("demo", ann, many, now=NOW)
    assert reads == ["demo"]
    monkeypatch.undo()
    assert len(seen(ann)) == MOST_AT_ONCE


def test_an_attribute_tells_where_it_comes_from_and_whose_data_it_is(shop: shops.Shop) -> None:
    shops.update("demo", shops.ShopFields(third_party_sources=["datahub"]))
    for key, party in (("a", "first"), ("b", "first"), ("c", "third")):
        customers.define_attribute("demo", key, AttributeFields(name=key, type="text", party=party), now=NOW)
    deliver(event("customer.updated", {}, customer={"externalId": "ann", "attributes": {"a": "x", "c": "x"}}))
    ann = customer_of().customer_id
    deliver(event("customer.updated", {}, customer={"id": ann, "attributes": {"b": "x"}}, source="datahub"))
    customers.set_attributes("demo", ann, {"a": "y"}, now=NOW, by=replace(STAFF, subject="kim").actor)
    text = """query ($id: ID!) { customer(id: $id) { attributes(keys: ["a", "b", "c", "d"]) {
        provenance { field source party actor { kind reference } } } } }"""
    found = ask(text, {"id": global_id("Customer", ann)})["customer"]["attributes"]
    assert [tuple(each["provenance"].values())[:3] for each in found] == [
        ("attributes.a", "rapport", "FIRST"),
        ("attributes.b", "datahub", "THIRD"),
        ("attributes.c", "shopify", "THIRD"),
    ]
    assert found[0]["provenance"]["actor"] == {"kind": "STAFF", "reference": "kim"}
    assert codes(answer(text, {"id": global_id("Customer", ann)}, principal=as_customer(ann))) == ["FORBIDDEN"]


def test_some_attributes_are_read_by_their_keys(ann: str) -> None:
    put(ann, **GIVEN)
    text = 'query ($id: ID!) { customer(id: $id) { attributes(keys: ["vip", "nothing"]) { key definition { name } } } }'
    found = ask(text, {"id": global_id("Customer", ann)})["customer"]["attributes"]
    assert found == [{"key": "vip", "definition": {"name": "VIP"}}]


def test_a_choice_that_is_gone_is_shown_by_its_key_and_taken_no_more(ann: str) -> None:
    put(ann, club={"choice": "gold"})
    customers.define_attribute("demo", "club", AttributeFields(choices=[("blue", "Blue")]), now=NOW)
    assert seen(ann)["club"]["choice"] == {"key": "gold", "name": "gold"}
    assert put(ann, club={"choice": "gold"})["userErrors"][0]["code"] == "INVALID"


def test_setting_needs_its_scope_and_a_customer_of_the_shop(ann: str) -> None:
    given = {"input": {"id": global_id("Customer", ann), "attributes": []}}
    assert codes(answer(SET, given, principal=as_staff("customers:read"))) == ["FORBIDDEN"]
    elsewhere = as_staff("customers:write", "customers:read", shop="other")
    assert put(ann, elsewhere)["userErrors"] == [{"code": "NOT_FOUND", "field": ["input", "id"]}]


def test_who_is_blocked_sets_nothing_and_who_is_deleted_is_not_there(ann: str) -> None:
    customers.update("demo", ann, customers.Words(fields={"status": "blocked"}), now=NOW)
    assert put(ann, as_customer(ann), size=None)["userErrors"] == [{"code": "CUSTOMER_BLOCKED", "field": []}]
    assert put(ann, size={"number": "42"})["userErrors"] == []
    customers.delete("demo", ann, now=NOW)
    assert put(ann, size=None)["userErrors"] == [{"code": "NOT_FOUND", "field": ["input", "id"]}]
    assert put(ann, as_customer(ann), size=None)["userErrors"] == [{"code": "CUSTOMER_BLOCKED", "field": []}]


def test_a_customer_who_is_blocked_between_the_door_and_the_write_sets_nothing(ann: str) -> None:
    customers.update("demo", ann, customers.Words(fields={"status": "blocked"}), now=NOW)
    with pytest.raises(customers.CustomerBlocked):
        customers.set_attributes("demo", ann, {"size": 42}, now=NOW, by=as_customer(ann).actor)
