# tests/unit/bulk/test_sheets.py
"""An export as CSV is read as the events that it was written from."""

import csv
from typing import Any

import msgspec
import pytest

from crm.bulk import columns, reading, rows, sheets
from crm.bulk.columns import Told
from crm.bulk.lines import Line
from crm.bulk.reading import CSV, Place
from crm.bulk.rows import CUSTOMERS, ORDERS
from crm.customers.service import AttributeRule
from crm.intake import parsing
from tests.asking import NOW

RULES = {
    rule.key: rule
    for rule in (
        AttributeRule("a_text", "text"), AttributeRule("a_number", "number"), AttributeRule("money", "money"),
        AttributeRule("flag", "boolean"), AttributeRule("day", "date"), AttributeRule("texts", "list", element="text"),
        AttributeRule("flags", "list", element="boolean"), AttributeRule("sums", "list", element="money"),
        AttributeRule("choice", "choice", choices=["a"]),
    )
}  # fmt: skip
TOLD = Told("demo", "elsewhere", "2026-03-01T00:00:00Z", RULES)
AT = "2026-02-01T10:00:00.000001Z"
CONSENTS = [
    {"channel": "email", "purpose": "marketing", "state": "granted", "source": "form", "optInLevel": "double",
     "textVersion": "v1", "legalBasis": "consent", "occurredAt": "2025-01-01T00:00:00Z"},
    {"channel": "email", "purpose": "marketing", "topic": "jazz", "state": "denied", "source": "form",
     "optInLevel": "unknown", "occurredAt": "2025-01-02T00:00:00Z"},
]  # fmt: skip
ANN = {
    "externalId": "=ann", "email": "+ann@example.com", "emailVerified": True, "phone": "+436601234567",
    "firstName": '@"Ann", the first', "lastName": "'Ö'", "locale": "de-AT", "zone": "Europe/Vienna",
    "birthDate": "1990-12-10", "gender": "female", "tags": ["a|b", "vip"], "test": True,
    "addresses": [
        {"line1": "-1", "postalCode": "0100", "city": "Wien", "country": "AT", "latitude": 0.00001, "longitude": -16.0},
        {"line1": "Am Hof; =1", "city": "Graz"},
    ],
    "attributes": {
        "a_text": "- x,\r\ny", "a_number": "-5.25", "money": {"amount": "-12.90", "currency": "EUR"}, "flag": False,
        "day": "2026-01-31", "texts": ["=a", "b|c"], "flags": [True, False], "choice": "a",
        "sums": [{"amount": "1", "currency": "EUR"}, {"amount": "2", "currency": "JPY"}],
    },
}  # fmt: skip
ORDER = {
    "orderId": "o-1", "version": 3, "status": "paid", "currency": "EUR", "placedAt": "2026-01-01T00:00:00Z",
    "shipping": "4.90", "channel": "@web", "coupon": "-10%", "cartId": "c1", "pointsSpent": 7,
    "lines": [
        {"id": "1", "sku": "=A", "quantity": 2, "unitPrice": "9.90", "discount": "0.10", "tax": "1.65",
         "title": ' 7" single, red ', "category": "vinyl", "tags": ["new", "x|y"], "giftCard": False},
        {"id": "2", "sku": "B", "quantity": 1, "unitPrice": "50.00", "discount": "0.00", "tax": "0.00", "tags": [],
         "giftCard": True},
    ],
}  # fmt: skip
REFUND = {
    "refundId": "r1", "orderId": "o-1", "currency": "EUR", "reason": "=broken",
    "lines": [{"lineId": "1", "quantity": 1, "amount": "3.00"}, {"lineId": "2", "quantity": 1}],
}  # fmt: skip


def said(kind: str, who: dict[str, Any] | None, data: dict[str, Any], source: str = "shopify") -> dict[str, Any]:
    event = {"type": kind, "version": 1, "source": source, "occurredAt": AT, "data": data}
    return event | ({"customer": who} if who is not None else {})


def written(events: list[dict[str, Any]], what: str) -> str:
    sheet = sheets.Sheet(what, sorted(RULES), CSV)
    text, count = sheet.body([Line("cus_1", event) for event in events])
    assert count == sum(len(event["data"].get("lines", [event])) for event in events)
    return sheet.head() + text


def again(text: str, what: str) -> list[Any]:
    """The events of an import, as their types read them."""
    together = columns.TOGETHER if what == ORDERS else ()
    found = reading.read(text.encode(), Place(), CSV, together=together, last=True)
    judged = [one for group in found.groups if (one := rows.judge(group, what, TOLD))]
    assert [one.faults for one in judged] == [{}] * len(judged)
    return [meant(one.event or {}) for one in judged]


def meant(event: dict[str, Any]) -> Any:
    envelope = parsing.parse(parsing.written({"id": "x"} | event | {"shop": "demo"}), now=NOW)
    return msgspec.structs.replace(envelope, id="x")


CUSTOMERS_TOLD = [
    said("customer.updated", ANN, {"consents": CONSENTS}),
    said("customer.updated", {"externalId": "77", "email": "+ann@example.com"}, {}, "erp"),
    said("customer.updated", {"externalId": "bob"}, {"consents": []}),
]
ORDERS_TOLD = [
    said("order.updated", {"externalId": "=ann", "email": "ann@example.com"}, ORDER),
    said("refund.created", None, REFUND),
    said("refund.created", None, REFUND | {"refundId": "r2"}),
    said("order.updated", {"externalId": "bob"}, ORDER | {"orderId": "o-2"}),
]


@pytest.mark.parametrize(("what", "events"), [(CUSTOMERS, CUSTOMERS_TOLD), (ORDERS, ORDERS_TOLD)])
def test_what_is_exported_as_csv_is_read_as_it_was(what: str, events: list[dict[str, Any]]) -> None:
    assert again(written(events, what), what) == [meant(event) for event in events]


def test_no_cell_begins_as_a_formula() -> None:
    for what, events in ((CUSTOMERS, CUSTOMERS_TOLD), (ORDERS, ORDERS_TOLD)):
        found = csv.reader(written(events, what).removeprefix("\ufeff").splitlines(keepends=True))
        cells = [cell for row in found for cell in row if cell[:1] in {"=", "+", "-", "@"}]
        assert [cell for cell in cells if not cell[1:].replace(".", "").isdigit()] == []


def test_an_import_takes_no_notice_of_what_is_for_readers() -> None:
    told = {what: text.partition("\r\n")[0].removeprefix("\ufeff").split(",") for what, text in FILES.items()}
    assert columns.unknown(told[CUSTOMERS], TOLD, orders=False) == ["customer_id", "status"]
    assert columns.unknown(told[ORDERS], TOLD, orders=True) == ["customer_id"]
    assert columns.header_faults(told[CUSTOMERS], orders=False) == []
    assert columns.header_faults(told[ORDERS], orders=True) == []


FILES = {CUSTOMERS: written(CUSTOMERS_TOLD, CUSTOMERS), ORDERS: written(ORDERS_TOLD, ORDERS)}


def test_what_is_added_up_of_an_order_stands_once() -> None:
    table = list(csv.DictReader(FILES[ORDERS].removeprefix("\ufeff").splitlines(keepends=True)))
    first = [row for row in table if row["order_id"] == "o-1" and not row["refund_id"]]
    assert [(row["shipping"], row["points_spent"]) for row in first] == [("4.90", "7"), ("", "")]
    assert [(row["status"], row["customer_id"], row["placed_at"]) for row in first] == [
        ("paid", "cus_1", "2026-01-01T00:00:00Z")
    ] * 2
