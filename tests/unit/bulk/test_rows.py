# tests/unit/bulk/test_rows.py
import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from crm.bulk import columns, reading, rows
from crm.bulk.columns import Told
from crm.bulk.reading import CSV, JSONL, Group, Place
from crm.bulk.rows import CUSTOMERS, ORDERS, Judged
from crm.customers.service import AttributeRule
from crm.intake import parsing
from crm.kernel.errors import Fault, KeyReused
from tests.asking import NOW

TOLD = Told("demo", "shopify", "2026-03-01T00:00:00.000000Z")
ATTRIBUTES = {
    rule.key: rule
    for rule in (
        AttributeRule("shoe", "number"), AttributeRule("vip", "boolean"), AttributeRule("limit", "money"),
        AttributeRule("likes", "list", element="text"),
    )
}  # fmt: skip
ORDER = "order_id,currency,placed_at,sku,quantity,unit_price,email,status\n"


def judged(text: str, what: str = CUSTOMERS, form: str = CSV) -> list[Judged]:
    together = columns.TOGETHER if (what, form) == (ORDERS, CSV) else ()
    found = reading.read(text.encode(), Place(), form, together=together, last=True)
    return [each for group in found.groups if (each := rows.judge(group, what, TOLD))]


def read(text: str) -> Sequence[Group]:
    return reading.read(text.encode(), Place(), CSV, last=True).groups


def event(text: str, what: str = CUSTOMERS, form: str = CSV) -> dict[str, Any]:
    [one] = judged(text, what, form)
    assert one.faults == {}
    assert one.event is not None
    return one.event


def faults(text: str, what: str = CUSTOMERS, form: str = CSV) -> list[tuple[int, str, str]]:
    return [
        (each.rows[place].number, fault.path, fault.code)
        for each in judged(text, what, form)
        for place, some in sorted(each.faults.items())
        for fault in some
    ]


def test_a_row_of_a_customer_is_an_event_as_a_source_would_send_it() -> None:
    head = "external_id,email,email_verified,tags,city,country,consent_email_marketing,consent_at,updated_at,note\n"
    row = "4711,ann@example.com,Yes,vip| press,Wien,AT,Granted,2025-01-01T00:00:00Z,2026-02-01T00:00:00Z,x\n"
    found = event(head + row)
    assert found.pop("id").startswith("import.")
    assert found == {
        "type": "customer.updated",
        "version": 1,
        "shop": "demo",
        "source": "shopify",
        "occurredAt": "2026-02-01T00:00:00Z",
        "customer": {
            "externalId": "4711",
            "email": "ann@example.com",
            "emailVerified": True,
            "tags": ["vip", "press"],
            "addresses": [{"city": "Wien", "country": "AT"}],
        },
        "data": {
            "consents": [
                {
                    "channel": "email",
                    "purpose": "marketing",
                    "state": "granted",
                    "occurredAt": "2025-01-01T00:00:00Z",
                }
            ]
        },
    }


def test_an_empty_cell_says_nothing_and_a_row_without_a_time_is_of_the_imports() -> None:
    found = event("email,first_name,tags\nann@example.com,,\n")
    assert found["customer"] == {"email": "ann@example.com"}
    assert found["occurredAt"] == TOLD.as_of


def test_the_same_row_is_the_same_event_wherever_it_stands_and_another_row_is_another() -> None:
    first, second, third = (
        event(text)["id"]
        for text in (
            "email,first_name\na@example.com,Ann\n",
            "first_name,nothing,email\n\n\nAnn,x,a@example.com\n",
            "email,first_name\na@example.com,Anna\n",
        )
    )
    assert first == second != third


def test_rows_of_an_order_make_one_event() -> None:
    row = "o1,EUR,2026-01-02T10:00:00+01:00,{},{},9.90,{},{}\n"
    found = event(ORDER + row.format("A", 2, "a@example.com", "delivered") + row.format("B", 1, "", ""), ORDERS)
    assert (found["type"], found["occurredAt"]) == ("order.updated", "2026-01-02T10:00:00+01:00")
    assert found["customer"] == {"email": "a@example.com"}
    assert found["data"] == {
        "version": 1,
        "status": "delivered",
        "orderId": "o1",
        "currency": "EUR",
        "placedAt": "2026-01-02T10:00:00+01:00",
        "lines": [{"sku": "A", "quantity": 2, "unitPrice": "9.90"}, {"sku": "B", "quantity": 1, "unitPrice": "9.90"}],
    }


def test_another_content_of_an_orders_version_comes_under_the_id_of_the_first() -> None:
    row = "o1,EUR,2026-01-02T10:00:00Z,{},1,9.90,a@example.com,\n"
    first, second = (event(ORDER + row.format(sku), ORDERS) for sku in "AB")
    assert first["id"] == second["id"]
    assert first["data"] != second["data"]


def test_every_row_of_a_refused_order_is_refused_and_the_one_at_fault_says_why() -> None:
    row = "o1,EUR,2026-01-02T10:00:00Z,A,{},9.90,{},{}\n"
    text = ORDER + row.format(1, "a@example.com", "paid") + row.format(1, "", "") + row.format(1, "b@example.com", "")
    assert faults(text, ORDERS) == [(2, "", "INVALID"), (3, "", "INVALID"), (4, "email", "INVALID")]


def test_who_is_meant_must_be_said() -> None:
    assert faults("email,first_name\n,Ann\n") == [(2, "external_id", "REQUIRED")]
    assert faults(ORDER + "o1,EUR,2026-01-02T10:00:00Z,A,1,9.90,,\n", ORDERS) == [(2, "external_id", "REQUIRED")]
    row = ",EUR,2026-01-02T10:00:00Z,A,1,9.90,a@example.com,\n"
    assert faults(ORDER + row, ORDERS) == [(2, "order_id", "REQUIRED")]


@pytest.mark.parametrize(
    ("path", "row", "column"),
    [
        ("data.lines[1].unitPrice", 3, "unit_price"),
        ("data.currency", 2, "currency"),
        ("customer.email", 2, "email"),
        ("occurredAt", 2, "placed_at"),
        ("data.lines[1].tags[0]", 3, "line_tags"),
        ("data.lines", 2, "data.lines"),
    ],
)
def test_a_fault_of_the_event_is_told_of_the_column_it_comes_from(path: str, row: int, column: str) -> None:
    line = "o1,EUR,2026-01-02T10:00:00Z,A,1,9.90,a@example.com,\n"
    [one] = judged(ORDER + line + line, ORDERS)
    one.refuse([Fault(path, "X", "is wrong")])
    told = [(one.rows[at].number, fault.path) for at, some in one.faults.items() for fault in some if fault.code == "X"]
    assert told == [(row, column)]
    assert set(one.faults) == {0, 1}


def test_faults_of_addresses_and_consents_are_told_of_their_columns() -> None:
    [one] = judged("email,country,consent_sms_marketing,consent_at\na@example.com,Austria,maybe,yesterday\n")
    paths = ("customer.addresses[0].country", "data.consents[0].state", "data.consents[0].occurredAt")
    one.refuse([Fault(path, "X", "is wrong") for path in paths])
    assert [fault.path for fault in one.faults[0]] == ["country", "consent_sms_marketing", "consent_at"]


def test_a_refund_stands_in_rows_of_its_own_behind_its_order() -> None:
    head = ORDER.strip() + ",line_id,refund_id,refunded_at,refund_amount,refund_reason\n"
    order = "o1,EUR,2026-01-02T10:00:00Z,A,2,9.90,a@example.com,,1,,,,\n"
    back = "o1,EUR,,,1,,,,{},{},2026-01-05T10:00:00Z,{},broken\n"
    text = head + order + back.format(1, "r1", "3.00") + back.format(2, "r1", "") + back.format(1, "r2", "")
    placed, first, second = (one.event for one in judged(text, ORDERS))
    assert placed is not None
    assert len(placed["data"]["lines"]) == 1
    assert first is not None
    assert (first["type"], first["occurredAt"]) == ("refund.created", "2026-01-05T10:00:00Z")
    assert "customer" not in first
    assert first["data"] == {
        "refundId": "r1",
        "orderId": "o1",
        "currency": "EUR",
        "reason": "broken",
        "lines": [{"lineId": "1", "quantity": 1, "amount": "3.00"}, {"lineId": "2", "quantity": 1}],
    }
    assert second is not None
    assert second["data"]["refundId"] == "r2"
    assert first["id"] != second["id"]
    of_no_order = head + order + ",EUR,,,1,,,,1,r1,2026-01-05T10:00:00Z,,\n"
    assert [row for row, _, _ in faults(of_no_order, ORDERS)] == [2, 3], (
        "nobody can say whether it belongs to the order"
    )


def test_attributes_are_read_as_their_definitions_say_and_none_is_lost_in_silence() -> None:
    told = replace(TOLD, attributes=ATTRIBUTES)
    head = "email,attribute_shoe,attribute_vip,attribute_limit,attribute_likes,attribute_unknown\n"
    [row] = read(head + "a@example.com,42.5,Yes,12.90 EUR,jazz|pop,x\n")
    found = rows.judge(row, CUSTOMERS, told)
    assert found is not None
    assert found.event is not None
    assert found.event["customer"]["attributes"] == {
        "shoe": "42.5", "vip": True, "limit": {"amount": "12.90", "currency": "EUR"}, "likes": ["jazz", "pop"]
    }  # fmt: skip
    assert columns.unknown(tuple(head.strip().split(",")), told, orders=False) == ["attribute_unknown"]
    [row] = read(head + "a@example.com,large,perhaps,12.90,,x\n")
    refused = rows.judge(row, CUSTOMERS, told)
    assert refused is not None
    assert refused.event is None
    assert [fault.path for fault in refused.faults[0]] == ["attribute_shoe", "attribute_vip", "attribute_limit"]


def test_what_evidence_says_is_not_said_twice_and_not_otherwise() -> None:
    said = [{"channel": "email", "purpose": "marketing", "state": "granted", "occurredAt": "2025-01-01T00:00:00Z"}]
    cell = json.dumps(said).replace('"', '""')
    head = "email,consent_email_marketing,consent_sms_marketing,consents\n"
    assert event(f'{head}a@example.com,granted,,"{cell}"\n')["data"] == {"consents": said}
    more = event(f'{head}a@example.com,granted,denied,"{cell}"\n')["data"]["consents"]
    assert more == [{"channel": "sms", "purpose": "marketing", "state": "denied"}, *said]
    assert faults(f'{head}a@example.com,denied,,"{cell}"\n') == [(2, "consent_email_marketing", "INVALID")]


def test_a_row_says_which_system_it_comes_from_where_that_is_another() -> None:
    found = event("source,external_id\nerp,77\n")
    assert found["source"] == "erp"
    [one] = judged("source,external_id\nE R P,77\n")
    one.refuse([Fault("source", "INVALID", "is wrong")])
    assert [fault.path for fault in one.faults[0]] == ["source"]


def test_more_addresses_stand_behind_the_first() -> None:
    head = "email,city,country,more_addresses\n"
    row = 'a@example.com,Wien,AT,"[{""city"":""Graz"",""country"":""Austria""}]"\n'
    [one] = judged(head + row)
    assert one.event is not None
    assert [address["city"] for address in one.event["customer"]["addresses"]] == ["Wien", "Graz"]
    one.refuse([Fault(f"customer.addresses[{place}].country", "X", "is wrong") for place in (0, 1)])
    assert [fault.path for fault in one.faults[0]] == ["country", "more_addresses"]


@pytest.mark.parametrize("depth", [900, 980, 985, 990, 995, 1_000, 10_000])
def test_a_line_that_is_nested_too_deeply_is_refused_and_no_more(depth: int) -> None:
    [one] = judged('{"data": ' + "[" * depth + "]" * depth + "}", CUSTOMERS, JSONL)
    assert one.event is None or depth < 1_000


def test_an_order_that_came_otherwise_before_says_so_at_its_number() -> None:
    [one] = judged(ORDER + "o1,EUR,2026-01-02T10:00:00Z,A,1,9.90,a@example.com,\n", ORDERS)
    one.refuse(KeyReused("x", field="id").faults)
    assert [(fault.path, fault.code, fault.message) for fault in one.faults[0]] == [
        ("order_id", "KEY_REUSED", rows.ANOTHER)
    ]


def test_a_line_of_json_is_an_event_and_keeps_what_it_says() -> None:
    line = {"customer": {"email": "a@example.com"}, "occurredAt": "2026-02-01T00:00:00Z", "source": "erp", "id": "e1"}
    assert event(json.dumps(line), CUSTOMERS, JSONL) == line | {
        "type": "customer.updated",
        "version": 1,
        "shop": "demo",
        "data": {},
    }
    without = event('{"customer": {"email": "a@example.com"}}', CUSTOMERS, JSONL)
    assert (without["source"], without["occurredAt"]) == (TOLD.source, TOLD.as_of)
    assert without["id"].startswith("import.")


def test_a_line_of_json_is_of_this_shop_and_of_a_type_that_is_imported() -> None:
    assert faults('{"shop": "other"}', CUSTOMERS, JSONL) == [(1, "shop", "FORBIDDEN")]
    assert faults('{"type": "order.placed"}', CUSTOMERS, JSONL) == [(1, "type", "FORBIDDEN")]
    assert faults('{"type": ["a"]}', ORDERS, JSONL) == [(1, "type", "FORBIDDEN")]
    assert faults('{"type": "refund.created"}', ORDERS, JSONL) == []


def test_a_file_has_the_columns_without_which_no_row_can_be_taken_and_others_are_named() -> None:
    assert [fault.path for fault in columns.header_faults(("sku", "email"), orders=True)] == [
        "order_id", "currency", "placed_at", "quantity", "unit_price"
    ]  # fmt: skip
    assert [fault.path for fault in columns.header_faults(("first_name",), orders=False)] == ["external_id"]
    assert columns.unknown(("email", "e-mail", "sku"), TOLD, orders=False) == ["e-mail", "sku"]


def test_every_column_is_a_field_of_an_event() -> None:
    everything = dict.fromkeys(columns.OF_CUSTOMERS, "x") | {
        "email": "a@example.com", "email_verified": "true", "tags": "vip", "test": "no", "gender": "female",
        "birth_date": "1990-01-01", "country": "AT", "zone": "Europe/Vienna", "consent_at": "2026-01-01T00:00:00Z",
        "locale": "de-AT", "updated_at": "2026-01-01T00:00:00Z", "phone": "+436601234567", "latitude": "48.2",
        "longitude": "16", "more_addresses": '[{"city": "Graz"}]', "source": "erp",
        "consents": '[{"channel": "sms", "purpose": "marketing", "topic": "jazz", "state": "granted"}]',
    } | dict.fromkeys(columns.CONSENTS, "denied")  # fmt: skip
    line = dict.fromkeys(columns.OF_ORDERS, "x") | {
        "email": "a@example.com", "email_verified": "1", "version": "3", "status": "paid", "currency": "EUR",
        "placed_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "shipping": "1", "points_spent": "4",
        "quantity": "1", "unit_price": "2.50", "discount": "0.5", "line_tax": "1", "gift_card": "1",
        "phone": "+436601234567", "source": "erp", "refunded_at": "2026-01-03T00:00:00Z", "refund_amount": "2.50",
    }  # fmt: skip
    drafts = (columns.customer(everything, TOLD), columns.order([line], TOLD), columns.refund([line], TOLD))
    for draft in drafts:
        read = msgspec.to_builtins(parsing.parse(parsing.written(draft.event), now=NOW))
        assert set(paths(draft.event)) - set(paths(read)) == set()


def paths(value: Any, at: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths(inner, f"{at}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, f"{at}[]")
    else:
        yield at
