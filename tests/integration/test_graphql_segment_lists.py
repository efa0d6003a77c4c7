# tests/integration/test_graphql_segment_lists.py
"""What the screens of a segment list beside its members: who was put in or taken out, who left, and how it grew."""

from typing import Any

import pytest

from crm.kernel.clock import local_day
from schema.node import global_id
from tests.asking import NOW, answer, as_staff, ask, codes
from tests.integration.segments_asked import LATER, caught_up, changed, defined, known

pytestmark = pytest.mark.usefixtures("shop", "outlets")

BY_HAND = """query ($id: ID!, $first: Int, $after: String) { segment(id: $id) { byHand(first: $first, after: $after) {
    nodes { hand at actor { kind } customer { firstName } } pageInfo { hasNextPage endCursor }
} } }"""
LEFT = """query ($id: ID!, $first: Int, $after: String, $from: Date, $to: Date) { segment(id: $id) {
    left(first: $first, after: $after, from: $from, to: $to) {
        nodes { leftAt leftBy { kind } customer { firstName } } pageInfo { hasNextPage endCursor }
    }
} }"""
GROWTH = """query ($id: ID!, $from: Date!, $to: Date!) { segment(id: $id) {
    name growth(from: $from, to: $to) { periods { end members } }
} }"""


def paged(query: str, field: str, *, now: Any = LATER, **given: Any) -> list[dict[str, Any]]:
    """All of a list, two at a time."""
    found, after = [], None
    for _ in range(10):
        page = ask(query, given | {"first": 2, "after": after}, now=now)["segment"][field]
        found += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found
    raise AssertionError("the pages do not end")


def test_whom_people_took_out_of_a_segment_is_listed_until_it_is_taken_back() -> None:
    ids = {f"C{number}": global_id("Customer", known(number, firstName=f"C{number}")) for number in range(5)}
    everybody = defined("Everybody", "customer_status = 'active'")
    changed("segmentMembersRemove", "userErrors { code }", id=everybody, customers=[*ids.values()][:4])
    changed("segmentMembersRemove", "userErrors { code }", now=LATER, id=everybody, customers=[ids["C4"]])
    changed("segmentMembersAdd", "userErrors { code }", now=LATER, id=everybody, customers=[ids["C0"]])
    listed = paged(BY_HAND, "byHand", id=everybody)
    assert listed[0] == {
        "hand": "EXCLUDED", "at": "2026-03-10T13:00:00.000000Z", "actor": {"kind": "STAFF"},
        "customer": {"firstName": "C4"},
    }  # fmt: skip
    assert sorted(each["customer"]["firstName"] for each in listed) == ["C1", "C2", "C3", "C4"]


def test_whom_people_put_into_a_segment_is_listed_with_who_did_it() -> None:
    ann = global_id("Customer", known(1, firstName="Ann"))
    guests = changed("segmentCreate", "segment { id }", name="Guests", kind="STATIC")["segment"]["id"]
    assert paged(BY_HAND, "byHand", id=guests) == []
    for now in (NOW, LATER):  # said again, it is as it was
        changed("segmentMembersAdd", "userErrors { code }", now=now, id=guests, customers=[ann])
    assert [(each["hand"], each["at"]) for each in paged(BY_HAND, "byHand", id=guests)] == [
        ("ADDED", "2026-03-10T12:00:00.000000Z")
    ]
    few = answer(BY_HAND, {"id": guests}, principal=as_staff("segments:read"))
    assert codes(few) == ["FORBIDDEN"]


def test_who_left_a_segment_is_listed_the_last_first_by_the_shops_days() -> None:
    ids = {f"C{number}": global_id("Customer", known(number, firstName=f"C{number}")) for number in range(4)}
    guests = changed("segmentCreate", "segment { id }", name="Guests", kind="STATIC")["segment"]["id"]
    changed("segmentMembersAdd", "userErrors { code }", id=guests, customers=[*ids.values()])
    days = [NOW.replace(day=day, hour=hour) for day, hour in ((11, 12), (11, 23), (12, 12))]  # 23 is midnight in Vienna
    for now, name in zip(days, ids, strict=False):
        changed("segmentMembersRemove", "userErrors { code }", now=now, id=guests, customers=[ids[name]])

    def left(**days: str) -> list[str]:
        return [each["customer"]["firstName"] for each in paged(LEFT, "left", now=days_after, id=guests, **days)]

    days_after = NOW.replace(day=20)
    assert left() == ["C2", "C1", "C0"]
    assert left(to="2026-03-11") == ["C0"]
    assert left(**{"from": "2026-03-12", "to": "2026-03-12"}) == ["C2", "C1"]
    assert left(**{"from": "0001-01-01", "to": "9999-12-31"}) == ["C2", "C1", "C0"]
    wrong = answer(LEFT, {"id": guests, "from": "2026-03-12", "to": "2026-03-11"})
    assert wrong.body["data"] == {"segment": {"left": None}}
    assert (codes(wrong), wrong.body["errors"][0]["path"]) == (["INVALID_INPUT"], ["segment", "left"])


def test_days_that_are_refused_leave_the_rest_of_the_segment_and_days_to_come_are_left_out() -> None:
    known(1)
    everybody = defined("Everybody", "customer_status = 'active'")
    wrong = answer(GROWTH, {"id": everybody, "from": "2026-03-12", "to": "2026-03-01"})
    assert wrong.body["data"] == {"segment": {"name": "Everybody", "growth": None}}
    assert (codes(wrong), wrong.body["errors"][0]["path"]) == (["INVALID_INPUT"], ["segment", "growth"])
    found = ask(GROWTH, {"id": everybody, "from": "2026-03-09", "to": "2026-12-31"})["segment"]["growth"]["periods"]
    today = local_day(NOW, "Europe/Vienna").isoformat()
    assert [each["end"] for each in found] == ["2026-03-09", today]


def test_a_segment_that_is_being_computed_leads_to_what_computes_it() -> None:
    for name, now in (("One", NOW), ("Two", LATER)):
        defined(name, "customer_status = 'active'", now=now)
    asked = "{ segments { name status operation { id kind status progress { rows } } } operations { nodes { id } } }"
    found = ask(asked, now=LATER)
    newest = found["operations"]["nodes"][0]["id"]
    shown = {"id": newest, "kind": "SEGMENTS_REFRESH", "status": "QUEUED", "progress": {"rows": 0}}
    assert [each["operation"] for each in found["segments"]] == [shown, shown]  # it does what the older one had left
    guests = changed("segmentCreate", "segment { status operation { id } }", name="Guests", kind="STATIC")["segment"]
    assert guests == {"status": "READY", "operation": None}


def test_an_edit_that_changes_nothing_says_so() -> None:
    vip = defined("VIP", "number_of_orders >= 2")
    caught_up()
    shown = "changed segment { version } operation { id } userErrors { code }"
    same = changed("segmentUpdate", shown, id=vip, name="VIP", query="number_of_orders >= 2")
    assert same == {"changed": False, "segment": {"version": 1}, "operation": None, "userErrors": []}
    assert changed("segmentUpdate", "changed segment { version }", id=vip, name="Best") == {
        "changed": True, "segment": {"version": 2},
    }  # fmt: skip
    refused = changed("segmentUpdate", "changed userErrors { code }", id=vip, name="")
    assert refused == {"changed": False, "userErrors": [{"code": "INVALID"}]}
