# tests/integration/test_bulk_exports.py
import csv
import json
from typing import Any

import pytest

from crm.bulk import exporting
from crm.customers import service as customers
from crm.customers.service import AttributeFields
from crm.kernel.aws import s3_client
from crm.kernel.settings import settings
from tests.asking import NOW, STAFF, answer, as_customer, as_staff, ask, codes
from tests.bulk import CLERK, asked_for, change, drain, imported, objects, results, run, seen, stored, tasks, text_of
from tests.shop_events import customer_of, order, refunded, statistics_of
from tests.shop_history import happened

pytestmark = pytest.mark.usefixtures("two_shops", "outlets")

ANN = {
    "externalId": "ann", "email": "Ann@example.com", "emailVerified": True, "phone": "+43 660 1234567",
    "firstName": "Ann", "lastName": "Ö", "birthDate": "1990-12-10", "tags": ["vip", "press"], "locale": "de-AT",
    "addresses": [{"city": "Wien", "country": "AT", "latitude": 48.2, "longitude": 16.4}],
}  # fmt: skip
CONSENTS = [
    {"channel": "email", "purpose": "marketing", "state": "granted", "occurredAt": "2025-01-01T00:00:00Z"},
    {"channel": "email", "purpose": "marketing", "topic": "jazz", "state": "denied", "textVersion": "v1"},
]
OTHER = as_staff(*STAFF.scopes, shop="other")


def known() -> None:
    happened("customer.updated", {"consents": CONSENTS}, customer=ANN)
    happened("customer.updated", {}, customer={"externalId": "77", "email": "ann@example.com"}, source="erp")
    happened("customer.updated", {}, customer={"externalId": "bob", "firstName": "Bob", "test": True})
    customers.create("demo", customers.Words(fields={"first_name": "Nobody"}), now=NOW)


def exported(name: str, **given: Any) -> list[dict[str, Any]]:
    operation = asked_for(name, **given)
    assert operation["status"] == "QUEUED"
    drain()
    done = seen(operation["id"])
    assert done["status"] == "DONE"
    found = results(done)
    assert done["progress"]["rows"] == len(found)
    return found


def moved(name: str, lines: list[dict[str, Any]]) -> None:
    """Imported into the other shop."""
    given = {"format": "JSONL", "principal": OTHER, "idempotencyKey": name}
    done = imported("\n".join(map(json.dumps, lines)), name, **given)
    assert (done["progress"]["refused"], done["progress"]["rows"]) == (0, len(lines)), results(done)


def as_shown(external_id: str, shop: str) -> Any:
    """A customer as staff see them, without what each shop names and times itself."""
    query = """query ($value: String!) {
        customerByIdentifier(identifier: {external: {source: "shopify", value: $value}}) {
            email phone firstName lastName birthDate locale tags test addresses { city country latitude }
            identities { kind value verified conflicting }
            attributes {
                key value { ... on NumberValue { number } ... on MoneyValue { money { amount currencyCode } }
                    ... on TextValue { text } }
            }
            consents { channel purpose topic state textVersion occurredAt }
        } }"""
    return ask(query, {"value": external_id}, principal=as_staff(*STAFF.scopes, shop=shop))["customerByIdentifier"]


def test_customers_who_are_exported_can_be_imported_into_another_shop() -> None:
    known()
    lines = exported("customersExport")
    assert {line["source"] for line in lines} == {"shopify", "erp", "rapport"}
    assert all("shop" not in line for line in lines)
    moved("customersImport", lines)
    for external_id in ("ann", "bob"):
        assert as_shown(external_id, "other") == as_shown(external_id, "demo")
    assert as_shown("ann", "other")["consents"], "with their own times"
    nobody = next(line["customer"]["externalId"] for line in lines if line["source"] == "rapport")
    assert customers.find("other", "external", nobody, source="rapport") is not None


@pytest.mark.parametrize("format_", ["CSV", "JSONL"])
def test_what_is_exported_comes_back_to_the_same_customers(format_: str) -> None:
    known()
    customers.create("demo", customers.Words(fields={"first_name": "Vera", "email": "vera@example.com"}), now=NOW)
    before = {each.customer_id: each.first_name for each in everybody()}
    operation = asked_for("customersExport", format=format_)
    drain()
    changed = text_of(seen(operation["id"])).replace("Vera", "Wera")
    done = imported(changed, "customersImport", format=format_, idempotencyKey="back")
    assert done["progress"]["refused"] == 0
    after = {each.customer_id: each.first_name for each in everybody()}
    assert after == {customer: "Wera" if name == "Vera" else name for customer, name in before.items()}
    assert not [claim for each in everybody() for claim in each.identities if claim.kind == "external:rapport"]


def everybody() -> list[customers.Customer]:
    query = "{ customers(first: 50) { nodes { customerId } } }"
    return [customers.get("demo", each["customerId"]) for each in ask(query, principal=STAFF)["customers"]["nodes"]]


def test_orders_that_are_exported_can_be_imported_into_another_shop() -> None:
    known()
    for order_id in ("o1", "o2"):
        happened("order.placed", order(order_id, shipping="4.90", coupon="X"), customer={"externalId": "ann"})
    happened("refund.created", refunded("o1", "r1", amount="3.00")["data"], occurredAt="2026-03-05T10:00:00Z")
    lines = exported("ordersExport")
    assert sorted(line["type"] for line in lines) == ["order.updated", "order.updated", "refund.created"]
    moved("customersImport", exported("customersExport"))
    moved("ordersImport", lines)
    assert statistics_of("ann", shop="other") == statistics_of("ann")


def attributes_defined() -> None:
    for shop in ("demo", "other"):
        for key, kind in (("shoe", "number"), ("limit", "money"), ("old", "text")):
            customers.define_attribute(shop, key, AttributeFields(name=key, type=kind), now=NOW)


def in_csv(name: str) -> str:
    operation = asked_for(name, format="CSV", idempotencyKey=f"{name} as CSV")
    drain()
    return text_of(seen(operation["id"]))


ATTRIBUTES = {"shoe": "-42.5", "limit": {"amount": "12.90", "currency": "EUR"}, "old": "=x"}


def test_what_is_exported_as_csv_can_be_imported_into_another_shop() -> None:
    attributes_defined()
    known()
    happened("customer.updated", {}, customer={"externalId": "ann", "attributes": ATTRIBUTES})
    customers.retire_attribute("demo", "old", now=NOW)
    happened("order.placed", order("o1", shipping="4.90", coupon="=X"), customer={"externalId": "ann"})
    happened("refund.created", refunded("o1", "r1", amount="3.00")["data"], occurredAt="2026-03-05T10:00:00Z")
    people, purchases = in_csv("customersExport"), in_csv("ordersExport")
    assert people.partition("\r\n")[0].endswith(",updated_at,attribute_limit,attribute_old,attribute_shoe")
    assert {row["status"] for row in csv.DictReader(people.splitlines())} == {"active"}
    for name, text, ignored in (
        ("customersImport", people, ["customer_id", "status"]),
        ("ordersImport", purchases, ["customer_id"]),
    ):
        done = imported(text, name, principal=OTHER, source="elsewhere")
        assert done["progress"]["refused"] == 0, results(done)
        assert done["ignoredColumns"] == ignored
    for external_id in ("ann", "bob"):
        assert as_shown(external_id, "other") == as_shown(external_id, "demo")
    assert as_shown("ann", "other")["attributes"] == [
        {"key": "limit", "value": {"money": {"amount": "12.90", "currencyCode": "EUR"}}},
        {"key": "old", "value": {"text": "=x"}},
        {"key": "shoe", "value": {"number": "-42.5"}},
    ]
    own = imported(people, source="elsewhere", idempotencyKey="into their own")
    assert own["ignoredColumns"] == ["customer_id", "status", "attribute_old"], "which takes no values any more"
    assert own["progress"]["refused"] == 0
    assert statistics_of("ann", shop="other") == statistics_of("ann")


def test_a_shop_without_customers_is_exported_as_the_names_of_columns() -> None:
    [head, rest] = in_csv("customersExport").split("\r\n")
    assert (head.startswith("\ufeffsource,customer_id,"), rest) == (True, "")


def test_a_customer_with_more_orders_than_a_step_takes_is_told_of_in_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "ORDERS_AT_ONCE", 2)
    monkeypatch.setattr(exporting, "STEP_CHARACTERS", 1)
    for number in range(5):
        happened("order.placed", order(f"o{number}"), customer={"externalId": "ann"})
    happened("order.placed", order("o5"), customer={"externalId": "bob"})
    lines = exported("ordersExport")
    assert sorted(line["data"]["orderId"] for line in lines) == [f"o{number}" for number in range(6)]


def test_whoever_is_deleted_in_the_midst_of_their_orders_keeps_nobody_elses_from_being_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exporting, "ORDERS_AT_ONCE", 1)
    monkeypatch.setattr(exporting, "STEP_CHARACTERS", 1)
    for name in ("ann", "bob", "cy"):
        for number in range(2):
            happened("order.placed", order(f"{name}{number}"), customer={"externalId": name})
    operation = asked_for("ordersExport")
    while not (some := told_so_far(operation)):
        [task] = tasks()
        assert run(task)
    gone = some[0]["customer"]["externalId"]
    customers.delete("demo", customer_of(gone).customer_id, now=NOW)
    drain()
    left = [line["data"]["orderId"] for line in results(seen(operation["id"]))]
    assert sorted(left[1:]) == sorted(
        f"{name}{number}" for name in {"ann", "bob", "cy"} - {gone} for number in range(2)
    )


def told_so_far(operation: dict[str, Any]) -> list[dict[str, Any]]:
    parts = [key for key in objects() if f"/{stored(operation['id']).operation_id}/parts/" in key]
    texts = [s3_client().get_object(Bucket=settings().archive_bucket, Key=key)["Body"].read() for key in parts]
    return [json.loads(line) for text in texts for line in text.splitlines()]


def test_an_export_imported_into_its_own_shop_changes_nothing() -> None:
    happened("customer.updated", {"consents": CONSENTS}, customer=ANN)
    before = as_shown("ann", "demo")
    lines = exported("customersExport")
    done = imported("\n".join(map(json.dumps, lines)), format="JSONL")
    assert done["progress"]["applied"] == len(lines)
    assert as_shown("ann", "demo") == before


def test_an_export_has_everybody_once_page_by_page_and_nobody_who_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PAGE", 2)
    for number in range(15):
        happened("customer.updated", {}, customer={"externalId": f"c{number}"})
    customers.delete("demo", customer_of("c3").customer_id, now=NOW)
    asked = asked_for("customersExport")
    [task] = tasks()
    assert run(task)
    customers.delete("demo", customer_of("c4").customer_id, now=NOW)
    drain()
    ids = [line["customer"]["externalId"] for line in results(seen(asked["id"]))]
    assert len(ids) == len(set(ids))
    assert set(ids) - {"c4"} == {f"c{number}" for number in range(15)} - {"c3", "c4"}


def test_an_export_is_of_its_own_shop() -> None:
    known()
    operation = asked_for("customersExport", principal=OTHER)
    drain()
    done = seen(operation["id"], principal=OTHER)
    assert (done["status"], done["progress"]["rows"], done["resultUrl"]) == ("DONE", 0, None)


def test_an_export_asked_for_again_is_the_same_and_is_sent_on() -> None:
    first = asked_for("customersExport")
    assert len(tasks()) == 1, "which is lost"
    again = change("customersExport", idempotencyKey="customersExport")
    assert (again["replayed"], again["operation"]["id"]) == (True, first["id"])
    drain()
    assert seen(first["id"])["status"] == "DONE"


def test_who_may_not_export_asks_for_none_and_sees_none() -> None:
    operation = asked_for("customersExport")
    importer = as_staff("imports:write", "customers:read")
    assert seen(operation["id"], principal=importer) is None
    text = 'mutation { ordersExport(input: {idempotencyKey: "k"}) { replayed } }'
    for principal in (importer, as_customer("cus_1")):
        assert codes(answer(text, principal=principal)) == ["FORBIDDEN"]
    started = change("importStart", id=operation["id"])
    assert started["userErrors"] == [{"code": "NOT_FOUND", "field": ["input", "id"]}]


def test_an_identifier_that_is_somebody_elses_is_not_exported_as_ones_own() -> None:
    happened("customer.updated", {}, customer=ANN)
    happened("customer.updated", {}, customer={"externalId": "eve", "email": "ann@example.com"})
    lines = {line["customer"]["externalId"]: line["customer"] for line in exported("customersExport")}
    assert "email" in lines["ann"]
    assert "email" not in lines["eve"]


def test_a_result_is_there_for_a_week() -> None:
    known()
    operation = asked_for("customersExport")
    drain()
    late = NOW.replace(year=NOW.year + 1)
    query = "query ($id: ID!) { operation(id: $id) { status resultUrl } }"
    found = ask(query, {"id": operation["id"]}, principal=CLERK, now=late)["operation"]
    assert found == {"status": "DONE", "resultUrl": None}
