# tests/integration/test_graphql_shop_update.py
from typing import Any

from msgspec.structs import replace

from crm.shops import service as shops
from crm.shops.service import Shop
from schema.principal import Principal
from tests.asking import STAFF, answer, as_staff, ask, codes

UPDATE = """mutation ($input: ShopUpdateInput!) { shopUpdate(input: $input) {
    shop { shopId name zone currency locale sender version } userErrors { __typename code field } } }"""


def update(principal: Principal = STAFF, **given: Any) -> Any:
    return ask(UPDATE, {"input": given}, principal=principal)["shopUpdate"]


def test_what_is_left_out_stays(shop: Shop) -> None:
    changed = update(name="Demo & Co")
    assert changed["userErrors"] == []
    assert changed["shop"] == {
        "shopId": "demo",
        "name": "Demo & Co",
        "zone": "Europe/Vienna",
        "currency": "EUR",
        "locale": "de-AT",
        "sender": "shop@example.com",
        "version": 2,
    }


def test_a_version_that_is_not_the_stored_one_is_refused(shop: Shop) -> None:
    assert update(name="Other", expectedVersion=7)["userErrors"] == [
        {"__typename": "VersionMismatchError", "code": "VERSION_MISMATCH", "field": ["input", "expectedVersion"]}
    ]


def test_a_shop_that_is_not_there_yet_is_founded(tables: None) -> None:
    founder = replace(STAFF, shop="new-shop")
    refused = update(founder, name="New")
    assert {error["field"][1] for error in refused["userErrors"]} == {"zone", "currency", "locale"}
    founded = update(founder, name="New", zone="Europe/Berlin", currency="EUR", locale="de-DE")
    assert founded["shop"]["version"] == 1
    assert shops.get("new-shop").name == "New"


def test_null_is_refused_where_nothing_can_be_cleared(shop: Shop) -> None:
    names = ("name", "zone", "currency", "locale")
    nulls: Any = dict.fromkeys(names)
    refused = update(**nulls)
    assert [(error["code"], *error["field"]) for error in refused["userErrors"]] == [
        ("REQUIRED", "input", name) for name in names
    ]
    assert shops.get("demo").name == "Demo"


def test_a_shop_names_the_sources_that_are_not_its_own(shop: Shop) -> None:
    text = """mutation ($input: ShopUpdateInput!) { shopUpdate(input: $input) {
        shop { thirdPartySources } userErrors { code field } } }"""
    named = ask(text, {"input": {"thirdPartySources": ["datahub", "ads"]}})["shopUpdate"]
    assert named == {"shop": {"thirdPartySources": ["ads", "datahub"]}, "userErrors": []}
    refused = ask(text, {"input": {"thirdPartySources": ["ok", "Not a source"]}})["shopUpdate"]
    assert refused["userErrors"] == [{"code": "INVALID", "field": ["input", "thirdPartySources", "1"]}]
    assert ask(text, {"input": {"thirdPartySources": []}})["shopUpdate"]["shop"] == {"thirdPartySources": []}


def test_a_change_that_changes_nothing_leaves_the_version(shop: Shop) -> None:
    assert update()["shop"]["version"] == 1
    assert update(name="Demo", sender="shop@example.com")["shop"]["version"] == 1
    assert update(name="Other")["shop"]["version"] == 2


def test_null_takes_the_sender_away(shop: Shop) -> None:
    assert update(name="Demo")["shop"]["sender"] == "shop@example.com"
    assert update(sender=None)["shop"]["sender"] is None
    assert shops.get("demo").sender is None


def test_what_people_type_is_refused_with_everything_else_that_is_wrong(shop: Shop) -> None:
    refused = update(sender="nobody", locale="German", name=" ")
    assert [(error["code"], *error["field"]) for error in refused["userErrors"]] == [
        ("INVALID", "input", "name"),
        ("INVALID", "input", "locale"),
        ("INVALID", "input", "sender"),
    ]


def test_changing_the_shop_needs_its_scope(shop: Shop) -> None:
    assert codes(answer(UPDATE, {"input": {}}, principal=as_staff("shop:read"))) == ["FORBIDDEN"]
