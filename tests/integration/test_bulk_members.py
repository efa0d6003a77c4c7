# tests/integration/test_bulk_members.py
"""A segment's members from a file."""

import json
from datetime import datetime
from typing import Any

import pytest
import requests

from crm.bulk import service as bulk
from crm.kernel.errors import InvalidInputs, NotFound
from crm.kernel.operations import Operation
from crm.segmentation import service
from crm.segmentation.service import STATIC, SegmentFields
from schema.node import global_id
from tests.bulk import change, drain, seen
from tests.integration.memberships import members
from tests.segments import ANNA, id_of
from tests.shop_events import customer_of, deliver, event

pytestmark = pytest.mark.usefixtures("segments", "outlets")
GUESTS = "Guests"


@pytest.fixture
def guests(segments: None, now: datetime) -> str:
    for name in ("ann", "bob"):
        who = {"externalId": name, "email": f"{name}@example.com", "emailVerified": True}
        assert deliver(event("customer.updated", {}, customer=who)) == []
    return service.create("demo", STATIC, SegmentFields(GUESTS), actor=ANNA, now=now).definition.segment_id


def asked_for(segment_id: str, key: str, *, now: datetime, remove: bool = False, form: str = bulk.CSV) -> Operation:
    return bulk.import_members(
        "demo", segment_id, source="shopify", form=form, remove=remove, actor=ANNA, idempotency_key=key, now=now
    )[0]


def imported(text: str, key: str = "k", *, now: datetime, remove: bool = False, form: str = bulk.CSV) -> Operation:
    operation = asked_for(id_of(GUESTS), key, now=now, remove=remove, form=form)
    requests.put(bulk.upload_url(operation), data=text.encode(), timeout=5)
    bulk.start("demo", operation.operation_id, now=now)
    drain()
    return bulk.find_many("demo", [operation.operation_id])[operation.operation_id]


def told(operation: Operation, *, now: datetime) -> list[tuple[int, str, str | None]]:
    url = bulk.result_url(operation, now=now)
    assert url is not None
    lines = [json.loads(line) for line in requests.get(url, timeout=5).content.splitlines()]
    return [(line["row"], line["status"], (line.get("faults") or [{}])[0].get("code")) for line in lines]


FILE = "external_id,email,note\nann,,hi\n,bob@example.com,\nzoe,,\n,no address,\n,,\nann,,again\n"


@pytest.mark.usefixtures("guests")
def test_who_a_file_names_is_put_in_and_each_row_is_told_of(now: datetime) -> None:
    done = imported(FILE, now=now)
    assert (done.status, int(done.row_count), int(done.applied_count), int(done.refused_count)) == ("done", 5, 3, 2)
    assert told(done, now=done.finished_at or now) == [
        (2, "applied", None), (3, "applied", None), (4, "refused", "NOT_FOUND"), (5, "refused", "INVALID"),
        (7, "applied", None),
    ]  # fmt: skip
    assert bulk.ignored_columns(done) == ["note"]
    assert members(GUESTS) == sorted(customer_of(name).customer_id for name in ("ann", "bob"))


@pytest.mark.usefixtures("guests")
def test_the_same_file_takes_them_out_again_by_their_own_ids_too(now: datetime) -> None:
    imported(FILE, now=now)
    line = f'{{"customer_id": "{customer_of("ann").customer_id}"}}\n'
    done = imported(line, "out", now=now, remove=True, form=bulk.JSONL)
    assert int(done.applied_count) == 1
    assert members(GUESTS) == [customer_of("bob").customer_id]


@pytest.mark.usefixtures("guests")
def test_a_file_that_names_nobody_and_a_segment_that_is_gone_are_told(now: datetime) -> None:
    assert [fault.code for fault in imported("name\nAnn\n", now=now).faults] == ["REQUIRED"]
    with pytest.raises(NotFound):
        asked_for("seg_none", "none", now=now)
    with pytest.raises(InvalidInputs):
        bulk.import_members(
            "demo", id_of(GUESTS), source="Shop ify", form="csv", remove=False, actor=ANNA, idempotency_key="", now=now
        )


def test_what_is_stored_of_an_import_says_what_was_asked_for(guests: str, now: datetime) -> None:
    operation = asked_for(guests, "k", now=now)
    assert operation.arguments == {"segmentId": guests, "source": "shopify", "format": "csv", "remove": False}


@pytest.mark.usefixtures("guests")
def test_staff_ask_for_it_over_graphql(now: datetime) -> None:
    given: dict[str, Any] = {"id": global_id("Segment", id_of(GUESTS)), "source": "shopify", "idempotencyKey": "k"}
    asked = change("segmentMembersImport", **given)
    assert asked["userErrors"] == []
    assert asked["operation"]["kind"] == "SEGMENT_MEMBERS_IMPORT"
    requests.put(asked["operation"]["uploadUrl"], data=FILE.encode(), timeout=5)
    assert change("importStart", id=asked["operation"]["id"])["userErrors"] == []
    drain()
    done = seen(asked["operation"]["id"])
    assert (done["status"], done["progress"]["applied"], done["progress"]["refused"]) == ("DONE", 3, 2)
    assert len(members(GUESTS)) == 2
    assert change("segmentMembersImport", **given | {"remove": True})["userErrors"] == [
        {"code": "KEY_REUSED", "field": ["input", "idempotencyKey"]}
    ]
