# tests/e2e/test_bulk.py
"""A shop moves in by file, again, and on into another shop: through the gateway, the bucket and the queue."""

import json
from functools import partial
from typing import Any, Final

import httpx
import pytest

from tests.local_system import LocalSystem, eventually
from tests.moving import SEEN, START, Mover

FIRST, SECOND = "movers", "movers-second"
PEOPLE: Final = 8
PADDING: Final = "x" * 120_000
"""Of a column that nothing is read from: four rows are a step."""
SHOWN: Final = """query ($value: String!) {
  customerByIdentifier(identifier: {external: {source: "moved", value: $value}}) {
    version email firstName locale tags addresses { city country } consents { channel purpose state occurredAt }
    attributes { key value { ... on NumberValue { number } ... on TextValue { text } } }
    statistics { orderCount totals { gross { amount } refunded { amount } net { amount } } }
    orders { nodes { orderId status placedAt net { amount currencyCode } } }
  } }"""
DEFINE: Final = """mutation ($input: AttributeDefineInput!) {
  attributeDefine(input: $input) { userErrors { code field } } }"""
HEAD: Final = (
    "external_id,email,first_name,tags,city,country,consent_email_marketing,attribute_shoe,attribute_note,padding\n"
)
CUSTOMERS: Final = HEAD + "".join(
    f'c{number},c{number}@movers.example.com,\'=Ann {number},vip|new,Wien,AT,granted,{number}.5,"a, ""b""",{PADDING}\n'
    for number in range(PEOPLE)
)
NOBODY: Final = ",,Nobody,,,,,,,\n"
ORDERS: Final = (
    "order_id,status,currency,placed_at,sku,quantity,unit_price,line_id,external_id,refund_id,refunded_at\n"
    + "".join(
        f"o{number},delivered,EUR,2026-01-0{number + 1}T10:00:00Z,A,2,10.00,1,c{number},,\n"
        f"o{number},,EUR,,B,1,5.00,2,,,\n"
        f"o{number},,EUR,,,1,,1,,r{number},2026-02-01T10:00:00Z\n"
        for number in range(3)
    )
)


@pytest.fixture(scope="module")
def first(system: LocalSystem) -> Mover:
    return _founded(system, FIRST)


@pytest.fixture(scope="module")
def second(system: LocalSystem) -> Mover:
    return _founded(system, SECOND)


def _founded(system: LocalSystem, shop: str) -> Mover:
    system.found_shop(shop)
    system.instance.announce()
    for key, kind in (("shoe", "NUMBER"), ("note", "TEXT")):
        asked = {"key": key, "name": key, "type": kind}
        assert system.ask(DEFINE, shop=shop, input=asked)["attributeDefine"]["userErrors"] == []
    return Mover(system, shop)


def moved(mover: Mover, name: str, key: str, text: str, **given: Any) -> dict[str, Any]:
    """An import, to its end."""
    operation_id = mover.started(name, key, text, **given)
    eventually(partial(mover.is_over, operation_id), f"{name} is over", seconds=90)
    return mover.seen(operation_id)


def shown(mover: Mover) -> list[dict[str, Any]]:
    return [
        mover.system.ask(SHOWN, shop=mover.shop, value=f"c{number}")["customerByIdentifier"] for number in range(PEOPLE)
    ]


def test_a_file_of_customers_is_taken_in_step_by_step_and_each_row_is_told_of(first: Mover) -> None:
    operation_id = first.started("customersImport", "first", CUSTOMERS + NOBODY)
    progress: list[int] = []

    def over() -> bool:
        progress.append(first.seen(operation_id)["progress"]["rows"])
        return first.is_over(operation_id)

    eventually(over, "it is over", seconds=90)
    done = first.seen(operation_id)
    assert (done["status"], done["ignoredColumns"], done["uploadUrl"]) == ("DONE", ["padding"], None)
    counts = {"rows": PEOPLE + 1, "applied": PEOPLE, "waiting": 0, "refused": 1}
    assert done["progress"] == {"bytesDone": len(CUSTOMERS + NOBODY), "bytesTotal": len(CUSTOMERS + NOBODY)} | counts
    assert progress == sorted(progress)
    assert set(progress) & set(range(1, PEOPLE)), f"it is seen to go on: {progress}"
    told = [json.loads(line) for line in first.result(operation_id).splitlines()]
    assert [(line["row"], line["status"]) for line in told] == [
        *((row, "applied") for row in range(2, PEOPLE + 2)), (PEOPLE + 2, "refused")
    ]  # fmt: skip
    assert [(fault["path"], fault["code"]) for fault in told[-1]["faults"]] == [("external_id", "REQUIRED")]
    ann = shown(first)[1]
    assert (ann["firstName"], ann["email"], sorted(ann["tags"])) == ("=Ann 1", "c1@movers.example.com", ["new", "vip"])
    assert ann["attributes"] == [
        {"key": "note", "value": {"text": 'a, "b"'}}, {"key": "shoe", "value": {"number": "1.5"}}
    ]  # fmt: skip
    assert [consent["state"] for consent in ann["consents"]] == ["GRANTED"]


def test_orders_and_refunds_are_taken_in_behind_them(first: Mover) -> None:
    done = moved(first, "ordersImport", "orders", ORDERS)
    assert (done["status"], done["progress"]["applied"], done["progress"]["refused"]) == ("DONE", 9, 0)
    bought = [ann["orders"]["nodes"] for ann in shown(first)[:3]]
    assert [(one["orderId"], one["net"]["amount"]) for (one,) in bought] == [(f"o{n}", "15.00") for n in range(3)]


def test_the_same_files_again_change_nothing(first: Mover) -> None:
    eventually(first.system.settled, "nothing waits any more", seconds=60)
    before = shown(first)
    again = [
        moved(first, "customersImport", "first again", CUSTOMERS + NOBODY),
        moved(first, "ordersImport", "orders again", ORDERS),
    ]
    assert [(one["status"], one["progress"]["applied"]) for one in again] == [("DONE", PEOPLE), ("DONE", 9)]
    eventually(first.system.settled, "nothing waits any more", seconds=60)
    assert shown(first) == before


@pytest.mark.parametrize("form", ["CSV", "JSONL"])
def test_what_is_exported_makes_another_shop_the_same(first: Mover, second: Mover, form: str) -> None:
    """The second time, in the other form, it changes nothing there."""
    for name in ("customers", "orders"):
        asked = first.asked_for(f"{name}Export", f"{name} as {form}", format=form)
        eventually(partial(first.is_over, asked["id"]), "the export is over", seconds=60)
        text = first.result(asked["id"])
        done = moved(second, f"{name}Import", f"{name} as {form}", text, source="elsewhere", format=form)
        assert (done["status"], done["progress"]["refused"]) == ("DONE", 0), second.result(done["id"])
        assert done["progress"]["rows"] == first.seen(asked["id"])["progress"]["rows"]
    assert [_lasting(ann) for ann in shown(second)] == [_lasting(ann) for ann in shown(first)]


def _lasting(customer: dict[str, Any]) -> dict[str, Any]:
    return customer | {"version": None}


def test_an_address_serves_what_it_was_signed_for_only(first: Mover, second: Mover) -> None:
    mine, theirs = first.asked_for("customersImport", "mine"), second.asked_for("customersImport", "theirs")
    assert second.system.ask(SEEN, shop=SECOND, id=mine["id"]) == {"operation": None}
    elsewhere = mine["uploadUrl"].replace(_path(mine), _path(theirs))
    for address, status in ((elsewhere, httpx.codes.FORBIDDEN), (mine["uploadUrl"], httpx.codes.OK)):
        assert first.system.http.put(address, content=b"email\n").status_code == status
    payload = second.system.ask(START, shop=SECOND, input={"id": theirs["id"]})["importStart"]
    assert payload["userErrors"] == [{"code": "UPLOAD_MISSING"}]


def _path(operation: dict[str, Any]) -> str:
    return httpx.URL(operation["uploadUrl"]).path
