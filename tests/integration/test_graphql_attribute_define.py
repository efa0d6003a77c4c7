# tests/integration/test_graphql_attribute_define.py
from typing import Any

import pytest

from crm.customers import service as customers
from schema.node import global_id
from schema.principal import Principal
from tests.asking import NOW, SERVICE, STAFF, answer, as_customer, as_staff, ask, codes

pytestmark = pytest.mark.usefixtures("shop")

FIELDS = """id key name description type elementType choices { key name } currency party customerAccess
    retiredAt version"""
DEFINE = f"""mutation ($input: AttributeDefineInput!) {{ attributeDefine(input: $input) {{
    definition {{ {FIELDS} }} userErrors {{ __typename code field }} }} }}"""
RETIRE = """mutation ($input: AttributeRetireInput!) { attributeRetire(input: $input) {
    definition { key retiredAt version } userErrors { __typename code field } } }"""
CLUB: dict[str, Any] = {"key": "club", "name": "Club", "type": "CHOICE", "choices": [{"key": "gold", "name": "Gold"}]}


def define(principal: Principal = STAFF, **given: Any) -> Any:
    return ask(DEFINE, {"input": given}, principal=principal)["attributeDefine"]


def retire(**given: Any) -> Any:
    return ask(RETIRE, {"input": given})["attributeRetire"]


def listed(principal: Principal = STAFF, *, retired: bool = False) -> list[str]:
    query = f"{{ attributeDefinitions(includeRetired: {str(retired).lower()}) {{ key }} }}"
    return [each["key"] for each in ask(query, principal=principal)["attributeDefinitions"]]


def test_staff_define_an_attribute_and_change_what_is_given() -> None:
    assert define(**CLUB) == {
        "definition": {
            "id": global_id("AttributeDefinition", "club"),
            "key": "club",
            "name": "Club",
            "description": None,
            "type": "CHOICE",
            "elementType": None,
            "choices": [{"key": "gold", "name": "Gold"}],
            "currency": None,
            "party": "FIRST",
            "customerAccess": "HIDDEN",
            "retiredAt": None,
            "version": 1,
        },
        "userErrors": [],
    }
    changed = define(key="club", description="Of the shop.", customerAccess="EDITABLE", party="THIRD")["definition"]
    assert (changed["name"], changed["description"], changed["version"]) == ("Club", "Of the shop.", 2)
    assert define(key="club", description=None)["definition"]["description"] is None


def test_what_is_wrong_is_told_at_its_place() -> None:
    refused = define(key="likes", name="Likes", type="LIST", elementType="LIST")
    assert refused["userErrors"] == [{"__typename": "PlainError", "code": "INVALID", "field": ["input", "elementType"]}]
    define(**CLUB)
    assert define(key="club", type="TEXT")["userErrors"][0]["code"] == "FIXED"
    stale = define(key="club", name="Clubs", expectedVersion=2)["userErrors"]
    assert stale == [
        {"__typename": "VersionMismatchError", "code": "VERSION_MISMATCH", "field": ["input", "expectedVersion"]}
    ]


def test_a_shop_that_has_all_it_may_have_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm.customers.repository.MOST_DEFINITIONS", 1)
    define(**CLUB)
    refused = define(key="size", name="Size", type="NUMBER")["userErrors"]
    assert refused == [{"__typename": "PlainError", "code": "TOO_MANY_ATTRIBUTES", "field": ["input", "key"]}]


def test_a_retired_attribute_is_listed_where_it_is_asked_for() -> None:
    define(**CLUB)
    define(key="size", name="Size", type="NUMBER")
    assert retire(key="club")["definition"] == {
        "key": "club",
        "retiredAt": "2026-03-10T12:00:00.000000Z",
        "version": 2,
    }
    assert (listed(), listed(retired=True)) == (["size"], ["club", "size"])
    assert retire(key="nothing")["userErrors"] == [
        {"__typename": "PlainError", "code": "NOT_FOUND", "field": ["input", "key"]}
    ]


def test_customers_see_the_definitions_that_are_theirs_to_see() -> None:
    for key, access in (("a", "HIDDEN"), ("b", "VISIBLE"), ("c", "EDITABLE")):
        define(key=key, name=key, type="TEXT", customerAccess=access)
    assert listed(as_customer("cus_1")) == ["b", "c"]
    text = "query ($id: ID!) { node(id: $id) { ... on AttributeDefinition { key } } }"
    for principal, expected in ((as_customer("cus_1"), None), (STAFF, {"key": "a"})):
        variables = {"id": global_id("AttributeDefinition", "a")}
        assert ask(text, variables, principal=principal)["node"] == expected


def test_defining_needs_the_scope_of_the_shops_settings() -> None:
    for principal in (as_staff("customers:write"), as_customer("cus_1"), SERVICE):
        assert codes(answer(DEFINE, {"input": CLUB}, principal=principal)) == ["FORBIDDEN"]
        assert codes(answer(RETIRE, {"input": {"key": "club"}}, principal=principal)) == ["FORBIDDEN"]
    assert customers.attribute_definitions_of("demo", now=NOW) == {}


def test_what_is_missing_is_required_and_types_are_named_as_they_are_said() -> None:
    for type_, missing in (("LIST", "elementType"), ("CHOICE", "choices")):
        refused = define(key="likes", name="Likes", type=type_)["userErrors"]
        assert [(each["code"], each["field"][1]) for each in refused] == [("REQUIRED", missing)]
    of_choices = define(key="likes", name="Likes", type="LIST", elementType="CHOICE", choices=[])["userErrors"]
    assert [(each["code"], each["field"][1]) for each in of_choices] == [("REQUIRED", "choices")]
    text = DEFINE.replace("code field", "code message field")
    given = {"key": "likes", "name": "Likes", "type": "LIST", "elementType": "LIST"}
    [told] = ask(text, {"input": given})["attributeDefine"]["userErrors"]
    assert told["message"] == "must be one of TEXT, NUMBER, MONEY, DATE, BOOLEAN, CHOICE"


def test_of_a_key_that_none_can_have_everything_is_told() -> None:
    for given, wrong in (({"name": "", "type": "TEXT"}, {"key", "name"}), ({}, {"key", "name", "type"})):
        assert {each["field"][1] for each in define(STAFF, key="Shoe Size", **given)["userErrors"]} == wrong


def test_what_people_read_is_one_line_with_something_to_be_seen() -> None:
    for odd in ("Club\nof shoes", "\u200b"):
        refused = define(key="club", name=odd, type="CHOICE", choices=[{"key": "a", "name": odd}])["userErrors"]
        assert {(each["code"], each["field"][1]) for each in refused} == {("INVALID", "name"), ("INVALID", "choices")}
