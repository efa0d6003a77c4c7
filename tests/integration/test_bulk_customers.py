# tests/integration/test_bulk_customers.py
from typing import Any

import pytest
from botocore.exceptions import ClientError

from crm.bulk import reading
from crm.customers import attribute_definitions
from crm.customers import service as customers
from crm.kernel import clock
from crm.kernel.aws import s3_client
from crm.kernel.settings import settings
from tests.asking import STAFF, answer, as_customer, as_staff, ask, codes
from tests.bulk import CLERK, LATER, asked_for, change, drain, imported, results, run, seen, stored, tasks, uploaded
from tests.shop_events import customer_of

pytestmark = pytest.mark.usefixtures("two_shops", "outlets")

HEAD = "external_id,email,first_name,consent_email_marketing,country,note\n"
FILE = HEAD + (
    "ann,ann@example.com,Ann,granted,AT,hi\n"
    "bob,no address,Bob,,Austria,\n"
    ",,Nobody,,,\n"
    "cy,cy@example.com,Cy,denied,,\n"
)  # fmt: skip


def test_an_import_takes_in_the_good_rows_and_tells_of_each() -> None:
    asked = asked_for()
    assert (asked["kind"], asked["status"], asked["resultUrl"]) == ("CUSTOMERS_IMPORT", "AWAITING_UPLOAD", None)
    done = imported(FILE)
    assert done["status"] == "DONE"
    assert done["progress"] == {
        "bytesDone": len(FILE), "bytesTotal": len(FILE), "rows": 4, "applied": 2, "waiting": 0, "refused": 2
    }  # fmt: skip
    assert (done["ignoredColumns"], done["source"], done["actor"]) == (["note"], "shopify", {"reference": "u1"})
    assert done["asOf"] == "2026-03-01T00:00:00.000000Z"
    assert done["createdAt"] < done["startedAt"] <= done["finishedAt"]
    told = results(done)
    assert [(line["row"], line["status"]) for line in told] == [
        (2, "applied"), (3, "refused"), (4, "refused"), (5, "applied")
    ]  # fmt: skip
    assert told[0]["customerId"] == customer_of("ann").customer_id
    assert [(fault["path"], fault["code"]) for fault in told[1]["faults"]] == [("country", "INVALID")]
    assert [(fault["path"], fault["code"]) for fault in told[2]["faults"]] == [("external_id", "REQUIRED")]
    assert customer_of("cy").first_name == "Cy"
    assert customers.find("demo", "external", "bob", source="shopify") is None
    assert customers.find("other", "external", "ann", source="shopify") is None


def test_a_file_imported_again_changes_nothing_and_one_row_corrected_changes_that() -> None:
    imported(FILE)
    before = customer_of("ann")
    again = imported(FILE.replace("hi", "ho"), idempotencyKey="again")
    assert (again["status"], again["progress"]["applied"]) == ("DONE", 2)
    assert (customer_of("ann").rev, customer_of("ann").version) == (before.rev, before.version)
    imported(FILE.replace("Ann,", "Anna,"), idempotencyKey="corrected", asOf="2026-03-02T00:00:00Z")
    assert customer_of("ann").first_name == "Anna"
    stale = imported(FILE.replace("Ann,", "Anne,"), idempotencyKey="stale", asOf="2026-02-01T00:00:00Z")
    assert stale["progress"]["applied"] == 2
    assert customer_of("ann").first_name == "Anna", "what an older file says comes too late"


def test_a_key_repeated_is_the_same_import_and_with_something_else_is_refused() -> None:
    first = asked_for()
    again = change("customersImport", source="shopify", asOf="2026-03-01T00:00:00Z", idempotencyKey="customersImport")
    assert (again["replayed"], again["operation"]["id"]) == (True, first["id"])
    other = change("ordersImport", source="shopify", asOf="2026-03-01T00:00:00Z", idempotencyKey="customersImport")
    assert other["userErrors"] == [{"code": "KEY_REUSED", "field": ["input", "idempotencyKey"]}]


def test_what_is_asked_for_wrongly_is_refused_at_once() -> None:
    def refused(**given: Any) -> list[tuple[str, str]]:
        standard = {"source": "shopify", "asOf": "2026-03-01T00:00:00Z", "idempotencyKey": "k"}
        errors = change("customersImport", **standard | given)["userErrors"]
        return [(error["code"], ".".join(error["field"][1:])) for error in errors]

    assert refused(source="Shop ify", asOf="2026-03-11T00:00:00Z") == [
        ("INVALID", "source"),
        ("FROM_THE_FUTURE", "asOf"),
    ]
    assert refused(asOf="1969-01-01T00:00:00Z") == [("INVALID", "asOf")]
    assert refused(idempotencyKey="") == [("INVALID", "idempotencyKey")]


def test_an_import_begins_when_its_file_is_there_and_once() -> None:
    asked = asked_for()
    missing = change("importStart", id=asked["id"])
    assert missing["userErrors"] == [{"code": "UPLOAD_MISSING", "field": ["input", "id"]}]
    uploaded(FILE)
    started = [change("importStart", id=asked["id"])["operation"]["status"] for _ in range(3)]
    assert started == ["QUEUED"] * 3
    drain()
    assert change("importStart", id=asked["id"])["operation"]["status"] == "DONE"
    assert tasks() == []
    assert seen(asked["id"])["progress"]["rows"] == 4


@pytest.mark.parametrize(
    ("file", "fault"),
    [
        ("first_name\nAnn\n", ("external_id", "REQUIRED")),
        ("email,email\n", ("email", "DUPLICATE")),
        ("\n", ("", "INVALID")),
        ("x" * 40_000 + "\n", ("", "TOO_LARGE")),
    ],
)
def test_a_file_that_is_none_fails_as_a_whole_and_says_why(file: str, fault: tuple[str, str]) -> None:
    failed = imported(file)
    assert (failed["status"], failed["resultUrl"]) == ("FAILED", None)
    assert [(one["path"], one["code"]) for one in failed["faults"]] == [fault]


def test_a_file_that_is_changed_after_the_start_is_read_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SLICE_ROWS", 5)
    operation_id = uploaded("email\n" + "".join(f"c{number}@example.com\n" for number in range(7)))
    change("importStart", id=operation_id)
    [first] = tasks()
    run(first)
    key = next(iter(_uploads()))
    s3_client().put_object(Bucket=settings().archive_bucket, Key=key, Body=b"email\nmallory@example.com\n")
    drain()
    failed = seen(operation_id)
    assert (failed["status"], [one["code"] for one in failed["faults"]]) == ("FAILED", ["UPLOAD_CHANGED"])
    assert len(results(failed)) == failed["progress"]["applied"] == 5, "what was done is told"


def test_a_file_that_is_not_there_any_more_fails_the_import_and_another_can_be_begun() -> None:
    operation_id = uploaded(FILE)
    change("importStart", id=operation_id)
    [upload] = _uploads()
    s3_client().delete_object(Bucket=settings().archive_bucket, Key=upload)
    drain()
    failed = seen(operation_id)
    assert (failed["status"], [one["code"] for one in failed["faults"]]) == ("FAILED", ["UPLOAD_CHANGED"])
    assert imported(FILE, idempotencyKey="once more")["status"] == "DONE"


@pytest.mark.parametrize("code", ["404", "403"])
def test_a_file_is_missing_also_where_s3_tells_nobody_what_is_not_there(
    code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may not list a bucket is answered 403."""

    def absent(**_: Any) -> None:
        raise ClientError({"Error": {"Code": code}}, "HeadObject")

    asked = asked_for()
    monkeypatch.setattr(s3_client(), "head_object", absent)
    assert [error["code"] for error in change("importStart", id=asked["id"])["userErrors"]] == ["UPLOAD_MISSING"]


def test_a_file_with_nothing_in_it_is_none() -> None:
    operation_id = uploaded("")
    missing = change("importStart", id=operation_id)
    assert missing["userErrors"] == [{"code": "UPLOAD_MISSING", "field": ["input", "id"]}]


def test_an_attribute_is_known_as_soon_as_it_is_defined() -> None:
    fields = customers.AttributeFields(name="Shoe", type="number")
    attribute_definitions.define("demo", "shoe", fields, now=LATER)
    attribute_definitions._cache["demo"] = (clock.now(), {})  # as another process has it
    done = imported("external_id,attribute_shoe\nann,42\n")
    assert (done["ignoredColumns"], done["progress"]["applied"]) == ([], 1)
    refused = imported("external_id,attribute_shoe\nann,large\n", idempotencyKey="large")
    assert [fault["path"] for fault in results(refused)[0]["faults"]] == ["attribute_shoe"]


def _uploads() -> list[str]:
    listed = s3_client().list_objects_v2(Bucket=settings().archive_bucket, Prefix="operations/")["Contents"]
    return [one["Key"] for one in listed if one["Key"].endswith("/upload")]


def test_another_shops_operation_is_not_there() -> None:
    operation_id = uploaded(FILE)
    stranger = as_staff(*STAFF.scopes, shop="other")
    assert seen(operation_id, principal=stranger) is None
    assert ask("query ($id: ID!) { node(id: $id) { id } }", {"id": operation_id}, principal=stranger)["node"] is None
    for name in ("importStart", "operationCancel"):
        refused = change(name, id=operation_id, principal=stranger)
        assert refused["userErrors"] == [{"code": "NOT_FOUND", "field": ["input", "id"]}]
    assert ask("{ operations { nodes { id } } }", principal=stranger)["operations"]["nodes"] == []
    assert stored(operation_id).status == "awaiting_upload"


def test_who_may_not_import_sees_no_import_and_asks_for_none() -> None:
    operation_id = uploaded(FILE)
    exporter = as_staff("exports:read")
    assert seen(operation_id, principal=exporter) is None
    assert ask("{ operations { nodes { id } } }", principal=exporter)["operations"]["nodes"] == []
    refused = change("operationCancel", id=operation_id, principal=exporter)
    assert refused["userErrors"] == [{"code": "NOT_FOUND", "field": ["input", "id"]}]
    text = """mutation { customersImport(input: {source: "s", asOf: "2026-03-01T00:00:00Z", idempotencyKey: "k"}) {
        replayed } }"""
    for principal in (exporter, as_customer("cus_1")):
        assert codes(answer(text, principal=principal)) == ["FORBIDDEN"]
    assert codes(answer("{ operations { nodes { id } } }", principal=as_customer("cus_1"))) == ["FORBIDDEN"]


def test_operations_are_listed_newest_first_page_by_page() -> None:
    ids = [asked_for(name, idempotencyKey=str(n))["id"] for n, name in enumerate(["customersImport", "ordersImport"])]
    ids.append(asked_for("customersExport")["id"])
    text = "query ($after: String) { operations(first: 2, after: $after) { nodes { id } pageInfo { endCursor } } }"
    first = ask(text, principal=CLERK)["operations"]
    second = ask(text, {"after": first["pageInfo"]["endCursor"]}, principal=CLERK)["operations"]
    assert sorted(node["id"] for node in first["nodes"] + second["nodes"]) == sorted(ids)


def test_a_cancelled_import_is_not_started_and_says_so() -> None:
    operation_id = uploaded(FILE)
    change("operationCancel", id=operation_id)
    refused = change("importStart", id=operation_id)
    assert [error["code"] for error in refused["userErrors"]] == ["CANCELLED"]
    assert refused["operation"] is None


def test_a_cancelled_import_does_no_further_step() -> None:
    operation_id = uploaded(FILE)
    change("importStart", id=operation_id)
    assert change("operationCancel", id=operation_id)["operation"]["status"] == "CANCELLED"
    assert drain() == 1
    after = seen(operation_id)
    assert (after["status"], after["progress"]["rows"]) == ("CANCELLED", 0)
    assert change("operationCancel", id=operation_id)["operation"]["finishedAt"] == after["finishedAt"]
