# tests/integration/test_graphql_segments.py
"""Segments are defined, listed and read, with their members."""

from datetime import timedelta
from typing import Any

import pytest

from crm.customers import service as customers
from crm.kernel.actor import Actor, Role
from crm.segmentation import given_up
from crm.segmentation import service as segmentation
from schema.node import global_id
from tests.asking import NOW, answer, as_staff, ask, codes
from tests.integration.segments_asked import LATER, caught_up, changed, defined, key_of, known
from tests.segments import LATELY, REPEAT

pytestmark = pytest.mark.usefixtures("shop", "outlets")

CREATE = """mutation ($input: SegmentCreateInput!) { segmentCreate(input: $input) {
    segment { id segmentId name kind query normalized version }
    operation { kind status }
    userErrors { code field ... on SegmentQueryError { mistake { offset nearest } } }
} }"""


def names(members: dict[str, Any]) -> list[str]:
    return [each["customer"]["firstName"] for each in members["nodes"]]


def test_a_segment_is_defined_by_a_query_and_known_at_once() -> None:
    found = ask(CREATE, {"input": {"name": "VIP", "query": "number_of_orders>=2"}})["segmentCreate"]
    segment = found["segment"]
    assert found["userErrors"] == []
    assert segment | {"id": "", "segmentId": ""} == {
        "id": "", "segmentId": "", "name": "VIP", "kind": "DYNAMIC", "query": "number_of_orders>=2",
        "normalized": "number_of_orders >= 2", "version": 1,
    }  # fmt: skip
    assert found["operation"] == {"kind": "SEGMENTS_REFRESH", "status": "QUEUED"}
    reading = "{ segments { id } segment(id: $id) { name } node(id: $id) { id } }"
    read = ask(f"query ($id: ID!) {reading}", {"id": segment["id"]})
    assert read == {"segments": [{"id": segment["id"]}], "segment": {"name": "VIP"}, "node": {"id": segment["id"]}}


def test_the_version_that_a_writer_relies_on_is_the_one_that_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    vip = defined("VIP", "number_of_orders >= 2")
    known_here = segmentation.current("demo", now=NOW)
    changed("segmentUpdate", "segment { id }", id=vip, name="Best")
    monkeypatch.setattr(segmentation, "current", lambda *_, **__: known_here)  # as in another process, for a minute
    shown = "segment(id: $id) { name version } node(id: $id) { ... on Segment { name version } }"
    stored = {"name": "Best", "version": 2}
    assert ask(f"query ($id: ID!) {{ {shown} }}", {"id": vip}) == {"segment": stored, "node": stored}


def test_each_mistake_of_a_query_is_an_error_with_its_place() -> None:
    given = {"name": "", "query": "number_of_order >= 2 AND gender = 'femal'", "pictureUrl": "http://a.at"}
    found = ask(CREATE, {"input": given})["segmentCreate"]
    assert found["segment"] is None
    assert found["userErrors"] == [
        {"code": "INVALID", "field": ["input", "name"]},
        {"code": "INVALID", "field": ["input", "pictureUrl"]},
        {
            "code": "UNKNOWN_ATTRIBUTE", "field": ["input", "query"],
            "mistake": {"offset": 0, "nearest": "number_of_orders"},
        },
        {"code": "VALUE", "field": ["input", "query"], "mistake": {"offset": 34, "nearest": "'female'"}},
    ]  # fmt: skip


def test_who_relies_on_a_version_that_was_changed_is_told_what_is_stored() -> None:
    vip = defined("VIP", "number_of_orders >= 2")
    selection = "segment { name version } userErrors { code }"
    renamed = changed("segmentUpdate", selection, id=vip, expectedVersion=1, name="Regulars")
    assert renamed == {"segment": {"name": "Regulars", "version": 2}, "userErrors": []}
    late = changed("segmentUpdate", selection, id=vip, expectedVersion=1, name="Best")
    assert late == {"segment": {"name": "Regulars", "version": 2}, "userErrors": [{"code": "VERSION_MISMATCH"}]}


def test_null_clears_what_a_segment_need_not_have() -> None:
    shown = "segment { description pictureUrl goals } userErrors { code }"
    said: dict[str, Any] = {
        "description": "Who spends.", "pictureUrl": "https://a.at/b", "goals": ["Thank them"],
    }  # fmt: skip
    nothing: dict[str, Any] = dict.fromkeys(said)
    vip = defined("VIP", "number_of_orders >= 2")
    assert changed("segmentUpdate", shown, id=vip, **said) == {"segment": said, "userErrors": []}
    cleared = changed("segmentUpdate", shown, id=vip, **nothing)
    assert cleared == {"segment": {"description": None, "pictureUrl": None, "goals": []}, "userErrors": []}


def test_what_a_segment_was_stays_readable() -> None:
    vip = defined("VIP", "number_of_orders >= 2")
    changed("segmentUpdate", "segment { id }", now=LATER, id=vip, query="number_of_orders >= 3")
    asked = "query ($id: ID!, $after: String) { segment(id: $id) { versions(first: 1, after: $after) { nodes { version query at actor { kind } } pageInfo { endCursor hasNextPage } } } }"  # noqa: E501
    first = ask(asked, {"id": vip})["segment"]["versions"]
    assert first["nodes"] == [
        {
            "version": 2,
            "query": "number_of_orders >= 3",
            "at": "2026-03-10T13:00:00.000000Z",
            "actor": {"kind": "STAFF"},
        }
    ]
    second = ask(asked, {"id": vip, "after": first["pageInfo"]["endCursor"]})["segment"]["versions"]
    assert [each["version"] for each in second["nodes"]] == [1]
    assert not second["pageInfo"]["hasNextPage"]


def test_a_segment_that_others_name_is_not_given_up() -> None:
    vip = defined("VIP", "number_of_orders >= 2")
    best = defined("Best", "segment('VIP') AND amount_spent > 500")
    selection = "deleted userErrors { code ... on SegmentNamedError { segments names } }"
    refused = changed("segmentDelete", selection, id=vip)
    assert refused["userErrors"] == [{"code": "SEGMENT_NAMED", "segments": [best], "names": ["Best"]}]
    assert changed("segmentDelete", selection, id=best) == {"deleted": best, "userErrors": []}
    assert changed("segmentDelete", selection, id=vip)["deleted"] == vip
    assert ask("query ($id: ID!) { segments { id } segment(id: $id) { id } node(id: $id) { id } }", {"id": vip}) == {
        "segments": [], "segment": None, "node": None,
    }  # fmt: skip


def test_a_segment_is_defined_like_another() -> None:
    vip = defined("VIP", "number_of_orders >= 2")
    found = changed("segmentDuplicate", "segment { name query version } userErrors { code }", id=vip)
    assert found == {"segment": {"name": "VIP (2)", "query": "number_of_orders >= 2", "version": 1}, "userErrors": []}


@pytest.mark.parametrize("mutation", ["segmentUpdate", "segmentDelete", "segmentDuplicate", "segmentRecompute"])
def test_the_id_of_something_else_is_no_segment(mutation: str) -> None:
    for other in (global_id("Shop", "demo"), global_id("Segment", "seg_missing")):
        found = changed(mutation, "userErrors { code field }", id=other)
        assert found["userErrors"] == [{"code": "NOT_FOUND", "field": ["input", "id"]}]


def test_who_may_only_read_segments_changes_none() -> None:
    given = {"input": {"name": "VIP", "query": "number_of_orders >= 2"}}
    assert codes(answer(CREATE, given, principal=as_staff("segments:read"))) == ["FORBIDDEN"]


def test_members_are_listed_in_pages_the_longest_standing_first() -> None:
    for number in range(5):
        known(number, firstName=f"C{number}")
    vip = defined("All", "customer_status = 'active'")
    caught_up()
    asked = """query ($id: ID!, $after: String) { segment(id: $id) { members(first: 2, after: $after) {
        nodes { enteredAt enteredBy { kind version } leftAt customer { firstName } segment { name } }
        pageInfo { hasNextPage endCursor }
    } } }"""
    seen, after, pages = [], None, 0
    while pages < 5:
        members = ask(asked, {"id": vip, "after": after})["segment"]["members"]
        seen += names(members)
        after, pages = members["pageInfo"]["endCursor"], pages + 1
        if not members["pageInfo"]["hasNextPage"]:
            break
    assert (sorted(seen), pages) == (["C0", "C1", "C2", "C3", "C4"], 3)
    assert members["nodes"][0] == {
        "enteredAt": "2026-03-10T12:00:00.000000Z", "enteredBy": {"kind": "DEFINITION", "version": 1}, "leftAt": None,
        "customer": {"firstName": seen[-1]}, "segment": {"name": "All"},
    }  # fmt: skip


def test_who_were_members_is_known_of_any_past_moment() -> None:
    for number in range(3):
        known(number, firstName=f"C{number}", tags=["new"] if number else ["old"])
    new = defined("New", "customer_tags CONTAINS 'new'")
    caught_up()
    changed("segmentUpdate", "segment { id }", now=LATER, id=new, query="customer_tags CONTAINS 'old'")
    caught_up(now=LATER)
    asked = """query ($id: ID!, $at: DateTime, $after: String) { segment(id: $id) {
        members(first: 1, asOf: $at, after: $after) {
            nodes { leftAt leftBy { kind } customer { firstName } } pageInfo { endCursor hasNextPage }
        }
    } }"""

    def at(moment: str | None) -> list[str]:
        found: list[str] = []
        after = None
        for _ in range(4):
            page = ask(asked, {"id": new, "at": moment, "after": after}, now=LATER)["segment"]["members"]
            found, after = found + names(page), page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        return sorted(found)

    assert at("2026-03-10T11:00:00Z") == []
    assert at("2026-03-10T12:30:00Z") == ["C1", "C2"]
    assert at("2026-03-10T13:00:00Z") == at(None) == ["C0"]
    assert codes(answer(asked, {"id": new, "at": "2027-01-01T00:00:00Z"}, now=LATER)) == ["INVALID_INPUT"]


def test_a_customer_has_segments_and_a_history_of_them() -> None:
    customer = known(1, tags=["new"])
    new, buyers = defined("New", "customer_tags CONTAINS 'new'"), defined("Buyers", "number_of_orders > 0")
    caught_up()
    changed("segmentUpdate", "segment { id }", now=LATER, id=new, query="customer_tags CONTAINS 'old'")
    asked = """query ($id: ID!, $segment: ID) { customer(id: $id) {
        segmentsAsOf
        segments { segment { id name } enteredAt cause { kind version } flipsAt stale asOf }
        segmentHistory(segment: $segment) { nodes { segment { name } enteredAt leftAt leftBy { kind version } } }
    } }"""
    given = {"id": global_id("Customer", customer)}
    segmentation.current("demo", now=LATER)
    stale = ask(asked, given, now=LATER)["customer"]
    assert stale["segments"] == [
        {
            "segment": {"id": new, "name": "New"}, "enteredAt": "2026-03-10T12:00:00.000000Z",
            "cause": {"kind": "DEFINITION", "version": 1}, "flipsAt": None, "stale": True,
            "asOf": "2026-03-10T13:00:00.000000Z",
        }
    ]  # fmt: skip
    assert stale["segmentsAsOf"] == "2026-03-10T13:00:00.000000Z"
    caught_up(now=LATER)
    # Nobody is looked at for one whose members are set by hand: that there is one makes nothing old.
    changed("segmentCreate", "segment { id }", now=LATER, name="Staff", kind="STATIC")
    segmentation.current("demo", now=LATER, anew=True)
    after = ask(asked, given, now=LATER + timedelta(hours=1))["customer"]
    assert (after["segments"], after["segmentsAsOf"]) == ([], "2026-03-10T14:00:00.000000Z")
    assert after["segmentHistory"]["nodes"] == [
        {
            "segment": {"name": "New"}, "enteredAt": "2026-03-10T12:00:00.000000Z",
            "leftAt": "2026-03-10T13:00:00.000000Z", "leftBy": {"kind": "DEFINITION", "version": 2},
        }
    ]  # fmt: skip
    assert ask(asked, given | {"segment": buyers})["customer"]["segmentHistory"]["nodes"] == []
    assert len(ask(asked, given | {"segment": new})["customer"]["segmentHistory"]["nodes"]) == 1


def test_a_deleted_segment_keeps_its_name_in_histories() -> None:
    customer = known(1)
    gone = defined("Everybody", "customer_status = 'active'")
    caught_up()
    changed("segmentDelete", "deleted", now=LATER, id=gone)
    caught_up(now=LATER)
    asked = "query ($id: ID!) { customer(id: $id) { segments { stale } segmentHistory { nodes { segment { name deletedAt } } } } }"  # noqa: E501
    for _ in ("while it may have members", "after that"):
        found = ask(asked, {"id": global_id("Customer", customer)}, now=LATER)["customer"]
        assert found["segments"] == []
        assert found["segmentHistory"]["nodes"] == [
            {"segment": {"name": "Everybody", "deletedAt": "2026-03-10T13:00:00.000000Z"}}
        ]
        given_up.put_away("demo", key_of(gone), now=LATER)


def test_how_far_segments_have_the_same_members_is_counted() -> None:
    for number, tags in enumerate((["a"], ["a", "b"], ["a", "b", "c"], ["c"], [])):
        known(number, tags=tags)
    ids = [defined(each, f"customer_tags CONTAINS '{each}'") for each in "abc"]
    caught_up()
    asked = (
        "query ($ids: [ID!]!) { segmentOverlap(ids: $ids) { exact either regions { segments { name } count only } } }"
    )
    found = ask(asked, {"ids": ids})["segmentOverlap"]
    regions = {"".join(each["name"] for each in region["segments"]): region for region in found["regions"]}
    assert (found["exact"], found["either"]) == (True, 4)
    assert {name: (region["count"], region["only"]) for name, region in regions.items()} == {
        "a": (3, 1), "b": (2, 0), "c": (2, 1), "ab": (2, 1), "ac": (1, 0), "bc": (1, 0), "abc": (1, 1),
    }  # fmt: skip
    assert codes(answer(asked, {"ids": ids[:1] * 2})) == ["INVALID_INPUT"]
    assert ask(asked, {"ids": [ids[0], global_id("Segment", "seg_missing")]})["segmentOverlap"] is None


def test_nobody_is_told_of_another_shops_segments(two_shops: None) -> None:
    vip = defined("VIP", "number_of_orders >= 2")
    other = as_staff("segments:read", "segments:write", shop="other")
    read = "query ($id: ID!) { segments { id } segment(id: $id) { id } node(id: $id) { id } }"
    assert ask(read, {"id": vip}, principal=other) == {"segments": [], "segment": None, "node": None}
    deleting = "mutation ($id: ID!) { segmentDelete(input: {id: $id}) { userErrors { code } } }"
    assert ask(deleting, {"id": vip}, principal=other)["segmentDelete"]["userErrors"] == [{"code": "NOT_FOUND"}]


def test_a_page_of_customers_shows_the_segments_of_each(ann: str) -> None:
    found = ask("{ customers { nodes { firstName segments { segment { name } } } } }")["customers"]["nodes"]
    names = {each["firstName"]: {stay["segment"]["name"] for stay in each["segments"]} for each in found}
    assert names == {"Ann": {LATELY, REPEAT}}


def test_people_put_customers_into_a_segment_and_take_them_out() -> None:
    ann, bob = (global_id("Customer", known(number)) for number in (1, 2))
    made = changed("segmentCreate", "segment { id query }", name="Guests", kind="STATIC")["segment"]
    guests, nobody = made["id"], global_id("Customer", "cus_missing")
    selection = "segment { kind } results { customer changed code } userErrors { code field }"
    said = changed("segmentMembersAdd", selection, id=guests, customers=[ann, nobody, bob])
    assert said == {
        "segment": {"kind": "STATIC"}, "userErrors": [],
        "results": [
            {"customer": ann, "changed": True, "code": None},
            {"customer": nobody, "changed": False, "code": "NOT_FOUND"},
            {"customer": bob, "changed": True, "code": None},
        ],
    }  # fmt: skip
    again = changed("segmentMembersAdd", selection, id=guests, customers=[ann])
    assert again["results"] == [{"customer": ann, "changed": False, "code": None}]
    explaining = """query ($id: ID!, $customer: ID!) {
        segmentExplain(segment: {id: $id}, customer: $customer) { member byHand parts { text } }
    }"""
    told = ask(explaining, {"id": guests, "customer": ann})["segmentExplain"]
    assert told == {"member": True, "byHand": "ADDED", "parts": []}
    assert changed("segmentMembersRemove", selection, now=LATER, id=guests, customers=[ann])["results"][0]["changed"]
    asked = "query ($id: ID!) { segment(id: $id) { members { nodes { customer { id } enteredBy { kind } } } } }"
    members = ask(asked, {"id": guests}, now=LATER)["segment"]["members"]["nodes"]
    assert members == [{"customer": {"id": bob}, "enteredBy": {"kind": "MANUAL"}}]


def test_who_is_taken_out_of_a_segment_with_a_query_stays_out_whatever_it_says() -> None:
    ann = global_id("Customer", known(1))
    everybody = defined("Everybody", "customer_status = 'active'")
    caught_up()
    assert changed("segmentMembersRemove", "userErrors { code }", now=LATER, id=everybody, customers=[ann]) == {
        "userErrors": []
    }
    asked = """query ($id: ID!, $customer: ID!) { segmentExplain(segment: {id: $id}, customer: $customer) {
        member byHand parts { truth }
    } }"""
    told = ask(asked, {"id": everybody, "customer": ann}, now=LATER)["segmentExplain"]
    assert told == {"member": False, "byHand": "EXCLUDED", "parts": [{"truth": "TRUE"}]}


def test_that_a_customer_is_deleted_is_told_to_those_only_who_may_see_them() -> None:
    key = known(1)
    guests = changed("segmentCreate", "segment { id }", name="Guests", kind="STATIC")["segment"]["id"]
    customers.delete("demo", key, now=NOW, by=Actor(Role.STAFF, "clerk"))
    asked = "mutation ($input: SegmentMembersAddInput!) { segmentMembersAdd(input: $input) { results { code } } }"
    given = {"input": {"id": guests, "customers": [global_id("Customer", key)]}}
    few = as_staff("segments:write", "segments:read")
    assert ask(asked, given, principal=few)["segmentMembersAdd"]["results"] == [{"code": "NOT_FOUND"}]
    assert ask(asked, given)["segmentMembersAdd"]["results"] == [{"code": "CUSTOMER_DELETED"}]
