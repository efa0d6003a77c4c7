# tests/unit/intake/test_parsing.py
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest

from crm.intake import parsing
from crm.intake.event_types import EVENT_TYPES
from crm.intake.examples import example
from crm.intake.schemas import all_schemas
from crm.kernel.errors import InvalidInputs
from tests.shop_events import event, order, placed, refunded

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def faults(body: Any) -> dict[str, str]:
    with pytest.raises(InvalidInputs) as refusal:
        parsing.parse(body if isinstance(body, str) else json.dumps(body), now=NOW)
    return {fault.path: fault.code for fault in refusal.value.faults}


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_each_type_has_an_example_that_its_schema_and_its_parser_take(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(all_schemas()[name])
    jsonschema.validate(example(name), all_schemas()[name])
    assert parsing.parse(json.dumps(example(name)), now=NOW).type == name


def test_every_fault_of_the_form_is_reported_with_its_path() -> None:
    broken = placed(currency="EURO", lines=[{"sku": "A", "quantity": 0, "unitPrice": 9.5}, {"quantity": 1}])
    broken["occurredAt"] = "2026-03-01T10:00:00"
    assert faults(broken) == {
        "occurredAt": "INVALID",
        "data.currency": "INVALID",
        "data.lines[0].quantity": "INVALID",
        "data.lines[0].unitPrice": "INVALID",
        "data.lines[1].sku": "REQUIRED",
        "data.lines[1].unitPrice": "REQUIRED",
    }


def test_every_fault_of_the_sense_is_reported_with_its_path() -> None:
    lines = [
        {"id": "1", "sku": "A", "quantity": 1, "unitPrice": "9.999"},
        {"id": "1", "sku": "B", "quantity": 1, "unitPrice": "5", "discount": "6"},
    ]
    broken = event("order.paid", order(status="paid", lines=lines, placedAt="2026-03-10T12:10:01Z"))
    assert faults(broken) == {
        "data.placedAt": "FROM_THE_FUTURE",
        "data.lines[0].unitPrice": "INVALID",
        "data.lines[1].id": "DUPLICATE",
        "data.lines[1].discount": "INVALID",
    }


def test_no_shop_gives_its_events_ids_of_apps() -> None:
    theirs = placed(id="app.cus_1.e1", currency="EUX")
    assert faults(theirs) == {"id": "RESERVED", "data.currency": "INVALID"}
    assert parsing.parse(json.dumps(placed(id="app.cus_1.e1")), now=NOW, by_app=True).id == "app.cus_1.e1"


def test_nobody_speaks_for_rapport_but_a_file_that_is_imported() -> None:
    as_us = placed(source="rapport", currency="EUX")
    assert faults(as_us) == {"source": "RESERVED", "data.currency": "INVALID"}
    with pytest.raises(InvalidInputs):
        parsing.parse(json.dumps(placed(source="rapport")), now=NOW, by_app=True)
    assert parsing.parse(json.dumps(placed(source="rapport")), now=NOW, imported=True).source == "rapport"
    assert parsing.parse(json.dumps(placed(source="rapport-bridge")), now=NOW).source == "rapport-bridge"


def test_ten_minutes_ahead_is_a_wrong_clock_and_more_is_the_future() -> None:
    parsing.parse(json.dumps(placed(occurredAt="2026-03-10T12:10:00Z")), now=NOW)
    assert faults(placed(occurredAt="2026-03-10T12:10:00.000001Z")) == {"occurredAt": "FROM_THE_FUTURE"}


def test_an_unknown_type_or_version_is_refused() -> None:
    assert faults(event("order.lost", {})) == {"type": "UNKNOWN_TYPE"}
    assert faults(placed() | {"version": 2}) == {"version": "INVALID"}


def test_an_event_without_a_type_is_told_so_and_all_else_that_is_wrong_with_its_envelope() -> None:
    assert faults({}) == dict.fromkeys(["type", "id", "version", "shop", "source", "occurredAt", "data"], "REQUIRED")
    assert faults(placed() | {"type": None}) == {"type": "INVALID"}
    untyped = placed(id="a b", shop="Demo", occurredAt="yesterday", customer={"email": 7})
    del untyped["type"]
    told = {"id": "INVALID", "shop": "INVALID", "occurredAt": "INVALID", "customer.email": "INVALID"}
    assert faults(untyped) == told | {"type": "REQUIRED"}
    assert faults(untyped | {"type": "order.lost"}) == told | {"type": "UNKNOWN_TYPE"}


def test_an_event_about_somebody_must_say_whom() -> None:
    nobody = placed()
    del nobody["customer"]
    assert faults(nobody) == {"customer": "REQUIRED"}
    parsing.parse(json.dumps(refunded("o1", "r1") | {"customer": None}), now=NOW)


@pytest.mark.parametrize("body", ["", "{", "[1]", "nul", "[" * 100_000])
def test_what_is_no_json_object_is_refused(body: str) -> None:
    assert set(faults(body)) == {""}


def test_more_than_200_kilobytes_are_refused() -> None:
    assert faults(json.dumps(placed() | {"padding": "x" * 200_000})) == {"": "TOO_LARGE"}


def test_an_order_of_another_type_than_its_status_says_is_refused() -> None:
    assert faults(event("order.cancelled", order(status="paid"))) == {"data.status": "INVALID"}


def test_a_customers_fields_are_checked_at_the_door_by_the_senders_names() -> None:
    somebody = {"email": "ada@example", "birthDate": "2030-01-01", "firstName": " ", "zone": "Mars/Base"}
    assert set(faults(placed(customer=somebody))) == {
        "customer.email",
        "customer.birthDate",
        "customer.firstName",
        "customer.zone",
    }


def test_what_can_be_no_attribute_is_refused_at_the_door_with_its_path() -> None:
    wrong = {"size": 71.5, "club": "x" * 501, "Key": 1, "likes": [["jazz"]], "limit": {"amount": 1, "currency": "EUR"}}
    assert faults(placed(customer={"attributes": wrong})) == {
        "customer.attributes.size": "INVALID",
        "customer.attributes.club": "TOO_LONG",
        "customer.attributes": "INVALID",
        "customer.attributes.likes[0]": "INVALID",
        "customer.attributes.limit": "INVALID",
    }
    good = {"size": 71, "club": None, "likes": ["jazz", 7, True], "limit": {"amount": "1.50", "currency": "EUR"}}
    parsing.parse(json.dumps(placed(customer={"attributes": good})), now=NOW)


@pytest.mark.parametrize("field", ["occurredAt", "placedAt"])
def test_a_time_before_there_were_shops_on_the_net_is_refused(field: str) -> None:
    assert list(faults(placed(**{field: "0001-01-01T00:00:00+05:00"})).values()) == ["INVALID"]


def test_half_a_character_is_refused_and_written_so_that_a_queue_takes_it() -> None:
    broken = placed(coupon="half \ud800 and \ufffe")
    assert faults(json.dumps(broken, ensure_ascii=False)) == {"": "NOT_JSON"}
    text = parsing.written(broken)
    assert "\\ud800" in text
    assert text.encode()
    assert json.loads(text) == broken


CONTROLS = ["a\x00b", "\x0b", "\x1b[31m", "\x7f", "a\bc", "\f", "\uffff"]
LINE = {"sku": "A", "quantity": 1, "unitPrice": "1.00"}


@pytest.mark.parametrize("odd", CONTROLS, ids=ascii)
def test_control_characters_are_refused_wherever_a_text_may_be(odd: str) -> None:
    lines = [LINE, LINE | {"id": "2", "title": odd, "tags": ["good", odd]}]
    customer = {"externalId": "e", "tags": [odd], "addresses": [{"city": odd}], "attributes": {"club": odd}}
    told = faults(placed(lines=lines, coupon=odd, customer=customer))
    assert told == dict.fromkeys(
        [
            "customer.tags[0]",
            "customer.addresses[0].city",
            "customer.attributes.club",
            "data.lines[1].title",
            "data.lines[1].tags[1]",
            "data.coupon",
        ],
        "INVALID",
    )


@pytest.mark.parametrize("odd", CONTROLS, ids=ascii)
def test_so_they_are_deep_in_what_a_shop_tells_of_its_own_and_in_its_names(odd: str) -> None:
    properties = {"list": [{"of": [1, odd]}], "named": {odd: 1}, "good": "a\tb\r\nc"}
    told = faults(event("custom.recorded", {"name": "wishlist.shared", "properties": properties}))
    assert told == {"data.properties.list[0].of[1]": "INVALID", "data.properties.named": "INVALID"}


def test_they_are_told_beside_everything_else_and_of_a_name_once() -> None:
    odd = placed(coupon="\x00", customer={"externalId": "e", "firstName": "An\x00n"}, currency="XXY")
    assert faults(odd) == {"customer.firstName": "INVALID", "data.currency": "INVALID", "data.coupon": "INVALID"}


def test_no_id_holds_one() -> None:
    assert faults(placed(orderId="o\x001")) == {"data.orderId": "INVALID"}


def test_line_ends_and_what_only_looks_like_controls_are_taken() -> None:
    for fine in ("a\tb", "second\r\nline", "\\u0000", "\\b", "\u200d", "\u202e", "\u0085"):
        body = placed(coupon=fine, customer={"externalId": "e", "addresses": [{"line1": fine}]})
        assert parsing.parse(json.dumps(body), now=NOW).data.coupon == fine


def test_what_a_type_does_not_know_is_not_looked_at() -> None:
    body = placed(unheardOf="\x00", lines=[LINE | {"memo": "\x0b"}])
    assert parsing.parse(json.dumps(body), now=NOW).data.order_id == body["data"]["orderId"]


@pytest.mark.parametrize("broken", [{"id": "e1\n"}, {"id": "a b"}, {"id": "a#b"}])
def test_an_id_that_cannot_stand_in_a_key_is_refused(broken: dict[str, str]) -> None:
    assert faults(placed(**broken)) == {"id": "INVALID"}


@pytest.mark.parametrize(("currency", "price"), [("EUR", "1,234.00"), ("EUR", "\u0661\u0662"), ("JPY", "7.5")])
def test_an_amount_that_is_none_or_finer_than_its_currency_is_refused(currency: str, price: str) -> None:
    lines = [{"sku": "A", "quantity": 1, "unitPrice": price}]
    assert faults(placed(currency=currency, lines=lines)) == {"data.lines[0].unitPrice": "INVALID"}


def test_unknown_fields_are_left_alone() -> None:
    assert parsing.parse(json.dumps(placed(note="new") | {"more": {"x": 1}}), now=NOW).type == "order.updated"


def test_the_same_content_has_the_same_hash_however_it_is_written() -> None:
    assert parsing.content_hash('{"a": 1, "b": 2}') == parsing.content_hash('{"b":2,"a":1}')
    assert parsing.content_hash('{"a": 1}') != parsing.content_hash('{"a": 2}')


def test_a_text_of_another_form_is_told_what_it_must_be_and_no_expression() -> None:
    def patterns(schema: Any) -> Iterator[Any]:
        if isinstance(schema, dict):
            if "pattern" in schema:
                yield schema
            yield from (each for inner in schema.values() for each in patterns(inner))
        elif isinstance(schema, list):
            yield from (each for inner in schema for each in patterns(inner))

    assert [each for each in patterns(list(all_schemas().values())) if not each.get("x-expected")] == []
    body = json.dumps(event("order.placed", order(currency="eur")))
    with pytest.raises(InvalidInputs) as refusal:
        parsing.parse(body, now=NOW)
    assert [(fault.path, fault.message) for fault in refusal.value.faults] == [
        ("data.currency", "must be three capital letters (ISO 4217), such as EUR")
    ]


def test_what_a_customer_is_told_to_be_is_held_to_what_the_api_takes() -> None:
    told = {"locale": "zz_!!", "email": "a..b@example.com", "firstName": "\u200b", "addresses": [{"country": "UK"}]}
    assert faults(placed(customer=told)) == dict.fromkeys(
        ["customer.locale", "customer.email", "customer.firstName", "customer.addresses.0.country"], "INVALID"
    )


def test_one_of_something_is_told_in_the_singular() -> None:
    line = {"id": "1", "sku": "", "quantity": 1, "unitPrice": "1"}
    with pytest.raises(InvalidInputs) as refusal:
        parsing.parse(json.dumps(placed(lines=[line])), now=NOW)
    assert [fault.message for fault in refusal.value.faults] == ["must have at least 1 character"]
