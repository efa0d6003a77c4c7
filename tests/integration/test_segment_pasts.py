# tests/integration/test_segment_pasts.py
"""Who was a segment's member at a past moment is found in few requests, however many came and went since."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest

from crm.kernel.meter import metering
from crm.segmentation import repository, service
from crm.segmentation.service import SegmentMembership
from schema.node import global_id
from tests.asking import NOW, answer, ask
from tests.segments import define

pytestmark = pytest.mark.usefixtures("shop")

AT = NOW - timedelta(days=30)
ASKED = """query ($id: ID!, $at: DateTime, $after: String) { segment(id: $id) {
    members(first: 2, asOf: $at, after: $after) { nodes { enteredAt leftAt } pageInfo { endCursor hasNextPage } }
} }"""


@pytest.fixture
def segment() -> str:
    segment_id = define("All", "number_of_orders >= 0", now=AT - timedelta(days=1)).segment_id
    ask("query ($id: ID!) { segment(id: $id) { name } }", {"id": global_id("Segment", segment_id)})  # known from now on
    return segment_id


def store(segment: str, stays: Iterable[tuple[str, datetime, datetime]]) -> None:
    """Of these customers, from when, and until when."""
    with SegmentMembership.batch_write() as batch:
        for number, (customer, entered, left) in enumerate(stays):
            stay = SegmentMembership.of("demo", customer, segment, entered, "event:in", begun_in=number + 1)
            stay.end(left, "event:out", 1)
            stay.rev, stay.cause = 2, "event:out"
            batch.save(stay)


def later(count: int, customers: int = 1) -> list[tuple[str, datetime, datetime]]:
    """Stays that began after the moment."""
    starts = (AT + timedelta(minutes=1 + number) for number in range(count))
    return [
        (f"cus_late{number % customers}", start, start + timedelta(seconds=30)) for number, start in enumerate(starts)
    ]


def pages(segment: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    given = {"id": global_id("Segment", segment), "at": AT.isoformat(), "after": None}
    while not found or found[-1]["pageInfo"]["hasNextPage"]:
        assert len(found) < 50
        found.append(ask(ASKED, given)["segment"]["members"])
        given["after"] = found[-1]["pageInfo"]["endCursor"]
    return found


def test_hundreds_of_later_stays_are_passed_over_in_two_requests_of_their_shard(segment: str) -> None:
    store(segment, later(600))
    with metering() as meter:
        (page,) = pages(segment)
    assert page["nodes"] == []
    assert dict(meter.operations) == {"BatchGetItem": 1, "Query": 2 * service.SHARDS + 1}


def test_a_page_takes_no_more_than_it_pays_for_and_the_next_goes_on_from_there(
    segment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "PAGES_OF_LEFT", (2, 5, 5))
    middle, end = AT + timedelta(minutes=40, seconds=5), AT + timedelta(days=2)
    lefts = [AT + timedelta(seconds=5), middle, middle, *([end] * 4)]
    stays = [(f"cus_{number}", AT - timedelta(hours=1), left) for number, left in enumerate(lefts)]
    store(segment, [*later(100, customers=7), *stays])
    given = {"id": global_id("Segment", segment), "at": AT.isoformat()}
    body = answer(ASKED, given).body
    most = 1 + service.SHARDS * (1 + len(repository.PAGES_OF_LEFT))
    assert body["extensions"]["capacity"]["requests"] <= most <= body["extensions"]["cost"]["requested"]
    found = pages(segment)
    assert any(len(page["nodes"]) < 2 and page["pageInfo"]["hasNextPage"] for page in found)
    assert [each["leftAt"] for page in found for each in page["nodes"]] == [
        left.strftime("%Y-%m-%dT%H:%M:%S.%fZ") for left in lefts
    ]
