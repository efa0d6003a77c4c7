# tests/integration/test_graphql_timeline.py
from datetime import timedelta
from typing import Any

import pytest

from crm.customers import service as customers
from schema.node import global_id
from schema.principal import Principal
from tests.asking import NOW, STAFF, answer, as_customer, as_staff, ask, codes
from tests.shop_events import event, order
from tests.shop_history import happened, recorded
from tests.usual_segments import REPEAT

TIMELINE = """query ($id: ID!, $kinds: [TimelineKind!], $first: Int, $after: String) { customer(id: $id) {
  timeline(kinds: $kinds, first: $first, after: $after) { pageInfo { hasNextPage endCursor } nodes { kind at
    ... on OrderPlaced { order { orderId } }
    ... on RefundGiven { refundId order { orderId } }
    ... on TouchpointSeen { touchpoint { type } }
    ... on ConsentSaid { consent { channel state } }
    ... on PointsPosted { entry { points } }
    ... on FeedbackGiven { response { score } }
  } } } }"""
STAFF_ONLY = "... on SegmentEntered { segment { name } cause } ... on SegmentLeft { segment { name } }"
DAY = "2026-03-0{}T10:00:00Z"


@pytest.fixture
def ann(segments: None) -> str:
    """Sees a product, orders twice, says yes, gives one order back, and answers: a day each. Leaves a segment."""
    about = {"externalId": "ann", "firstName": "Ann"}
    happened("product.viewed", {"sku": "A"}, occurredAt=DAY.format(1))
    happened("order.placed", order("o1", placedAt=DAY.format(2)), occurredAt=DAY.format(2))
    recorded("o1")
    happened("order.placed", order("o2", placedAt=DAY.format(3)), occurredAt=DAY.format(3))
    recorded("o2")
    yes = {"consents": [{"channel": "email", "purpose": "marketing", "state": "granted"}]}
    happened("customer.updated", yes, customer=about, occurredAt=DAY.format(4))
    refund = {"refundId": "r1", "orderId": "o2", "currency": "EUR", "lines": [{"lineId": "1", "quantity": 1}]}
    happened("refund.created", refund, occurredAt=DAY.format(5))
    recorded("o2")
    happened("order.cancelled", order("o2", 2, status="cancelled", placedAt=DAY.format(3)), occurredAt=DAY.format(6))
    recorded("o2")
    return happened("feedback.received", {"survey": "nps", "score": 9}, occurredAt=DAY.format(7))


def timeline(customer_id: str, principal: Principal = STAFF, **page: Any) -> Any:
    variables = {"id": global_id("Customer", customer_id), **page}
    return ask(TIMELINE, variables, principal=principal)["customer"]["timeline"]


def test_all_that_happened_comes_in_one_list_newest_first(ann: str) -> None:
    nodes = timeline(ann, first=50)["nodes"]
    assert [node["at"] for node in nodes] == sorted((node["at"] for node in nodes), reverse=True)
    told = [(node["kind"], node["at"][8:10]) for node in nodes if "SEGMENT" not in node["kind"]]
    assert sorted(told) == [
        ("CONSENT", "04"),
        ("FEEDBACK", "07"),
        ("ORDER", "02"),
        ("ORDER", "03"),
        ("POINTS", "02"),
        ("POINTS", "03"),
        ("POINTS", "05"),
        ("POINTS", "06"),
        ("REFUND", "05"),
        ("TOUCHPOINT", "01"),
    ]
    (refund,) = [node for node in nodes if node["kind"] == "REFUND"]
    assert (refund["refundId"], refund["order"]) == ("r1", {"orderId": "o2"})


def test_staff_see_segments_come_and_go_and_customers_do_not(ann: str) -> None:
    segments = TIMELINE.replace("kind at", f"kind at {STAFF_ONLY}")
    variables = {"id": global_id("Customer", ann), "kinds": ["SEGMENT_ENTERED", "SEGMENT_LEFT"]}
    nodes = ask(segments, variables)["customer"]["timeline"]["nodes"]
    repeat = [node["kind"] for node in nodes if node["segment"]["name"] == REPEAT]
    assert repeat == ["SEGMENT_LEFT", "SEGMENT_ENTERED"]
    whole = timeline(ann, as_customer(ann), first=50)["nodes"]
    assert len(whole) == 10
    assert not [node for node in whole if "SEGMENT" in node["kind"]]
    assert timeline(ann, as_customer(ann), kinds=["SEGMENT_LEFT"])["nodes"] == []
    assert answer(segments, variables, principal=as_customer(ann)).status == 403


@pytest.mark.parametrize("kinds", [None, ["ORDER", "POINTS"], ["REFUND"], ["ORDER", "REFUND", "CONSENT", "FEEDBACK"]])
@pytest.mark.parametrize("customer", [True, False])
def test_pages_of_any_kinds_come_without_gap_or_repeat(ann: str, *, kinds: list[str] | None, customer: bool) -> None:
    asker = as_customer(ann) if customer else STAFF
    whole = timeline(ann, asker, kinds=kinds, first=50)["nodes"]
    if kinds:
        assert {node["kind"] for node in whole} == set(kinds)
    paged: list[Any] = []
    after = None
    while True:
        page = timeline(ann, asker, kinds=kinds, first=2, after=after)
        paged += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert paged == whole


def test_staff_learn_of_the_kinds_that_their_scopes_name(ann: str) -> None:
    bare = "query ($id: ID!) { customer(id: $id) { timeline(first: 50) { nodes { kind } } } }"
    variables = {"id": global_id("Customer", ann)}

    def kinds(*scopes: str) -> set[str]:
        found = ask(bare, variables, principal=as_staff("customers:read", *scopes))["customer"]["timeline"]
        return {node["kind"] for node in found["nodes"]}

    assert kinds() == set()
    assert kinds("orders:read") == {"ORDER", "REFUND"}
    assert kinds("loyalty:read", "feedback:read") == {"POINTS", "FEEDBACK"}


def test_a_cursor_is_of_use_for_the_same_kinds_only(ann: str) -> None:
    cursor = timeline(ann, kinds=["ORDER"], first=1)["pageInfo"]["endCursor"]
    variables = {"id": global_id("Customer", ann), "kinds": ["POINTS"], "after": cursor}
    assert codes(answer(TIMELINE, variables)) == ["INVALID_INPUT"]


def test_a_page_of_the_timeline_takes_two_requests(ann: str) -> None:
    def requests(query: str, **variables: Any) -> int:
        body = answer(query, {"id": global_id("Customer", ann), **variables}).body
        assert "errors" not in body
        return int(body["extensions"]["capacity"]["requests"])

    assert requests(TIMELINE.replace("... on RefundGiven { refundId order { orderId } }", "")) == 2
    assert requests(TIMELINE) == 3  # the orders of all refunds of the page, in one batch
    assert requests(TIMELINE, kinds=["ORDER", "CONSENT"]) == 3


def test_staff_who_may_see_little_cost_a_query_a_kind_however_much_there_is_besides(shop: object) -> None:
    about = {"externalId": "bea"}
    said = {"consents": [{"channel": "email", "purpose": "marketing", "state": "granted"}]}
    bea = happened("customer.updated", said, customer=about)
    for number in range(60):
        happened("product.viewed", {"sku": f"S{number}"}, customer=about, occurredAt=f"2026-03-02T10:{number:02}:00Z")
    query = "query ($id: ID!) { customer(id: $id) { timeline(first: 5) { nodes { kind } } } }"
    body = answer(query, {"id": global_id("Customer", bea)}, principal=as_staff("customers:read", "consents:read")).body
    assert body["data"]["customer"]["timeline"]["nodes"] == [{"kind": "CONSENT"}]
    assert body["extensions"]["capacity"]["requests"] == 2


def test_staff_learn_of_no_change_that_their_scopes_do_not_name(ann: str) -> None:
    query = "query ($id: ID!) { customer(id: $id) { changes { nodes { __typename } } } }"

    def told(*scopes: str) -> set[str]:
        principal = as_staff("customers:read", *scopes)
        found = ask(query, {"id": global_id("Customer", ann)}, principal=principal)["customer"]["changes"]["nodes"]
        return {node["__typename"] for node in found}

    assert told() == {"Customer"}
    assert told("orders:read") == {"Customer", "Order"}
    assert told("loyalty:read", "feedback:read") == {"Customer", "LedgerEntry", "FeedbackResponse"}


CHANGES = """query ($since: String, $first: Int) { viewer { changes(since: $since, first: $first) { cursor hasMore
  nodes { __typename
    ... on Customer { firstName statistics { orderCount } loyalty { available } }
    ... on Order { orderId status } ... on LedgerEntry { points } ... on FeedbackResponse { score }
  } } } }"""


def changes(customer_id: str, since: str | None = None, *, minutes: float = 0, **page: Any) -> Any:
    told = answer(
        CHANGES, {"since": since, **page}, principal=as_customer(customer_id), now=NOW + timedelta(minutes=minutes)
    )
    assert "errors" not in told.body, told.body["errors"]
    return told.body["data"]["viewer"]["changes"]


def test_an_app_keeps_a_copy_by_asking_what_changed(ann: str) -> None:
    first = changes(ann, minutes=3)
    assert not first["hasMore"]
    assert sorted(node["__typename"] for node in first["nodes"]) == [
        "Customer",
        "FeedbackResponse",
        *["LedgerEntry"] * 4,
        "Order",
        "Order",
    ]
    (itself,) = [node for node in first["nodes"] if node["__typename"] == "Customer"]
    assert (itself["firstName"], itself["statistics"], itself["loyalty"]) == (
        "Ann",
        {"orderCount": 1},
        {"available": 20},
    )
    assert changes(ann, first["cursor"], minutes=3)["nodes"] == []
    happened_later(ann)
    second = changes(ann, first["cursor"], minutes=7)
    assert {(node["__typename"], node.get("orderId"), node.get("status")) for node in second["nodes"]} == {
        ("Customer", None, None),
        ("Order", "o1", "PAID"),
    }


def happened_later(customer_id: str) -> None:
    from json import dumps

    from crm.intake import service as intake

    paid = event("order.paid", order("o1", 2, status="paid", placedAt=DAY.format(2)))
    assert intake.apply(dumps(paid), now=NOW + timedelta(minutes=5)).customer_id == customer_id


def test_changes_come_in_pages_until_there_are_no_more(ann: str) -> None:
    told: list[Any] = []
    since, more = None, True
    while more:
        page = changes(ann, since, first=3)
        assert len(page["nodes"]) <= 3
        told += page["nodes"]
        since, more = page["cursor"], page["hasMore"]
    assert {node["orderId"] for node in told if node["__typename"] == "Order"} == {"o1", "o2"}
    assert any(node["__typename"] == "Customer" for node in told)


def test_the_last_minutes_are_told_once_more_for_what_was_committed_late(ann: str) -> None:
    first = changes(ann)
    assert changes(ann, first["cursor"])["nodes"] == first["nodes"]


def test_attributes_that_change_tell_an_app_of_their_customer(ann: str) -> None:
    customers.define_attribute("demo", "size", customers.AttributeFields(name="Size", type="number"), now=NOW)
    first = changes(ann, minutes=3)
    customers.set_attributes("demo", ann, {"size": 42}, now=NOW + timedelta(minutes=4))
    told = changes(ann, first["cursor"], minutes=7)["nodes"]
    assert [node["__typename"] for node in told] == ["Customer"]


def test_a_cursor_of_another_list_says_nothing_of_changes(ann: str) -> None:
    cursor = timeline(ann, kinds=["ORDER"], first=1)["pageInfo"]["endCursor"]
    given = answer(CHANGES, {"since": cursor}, principal=as_customer(ann))
    assert codes(given) == ["INVALID_INPUT"]
    assert given.body["errors"][0]["extensions"]["field"] == ["since"]


def test_what_changed_takes_two_requests(ann: str) -> None:
    body = answer(CHANGES, principal=as_customer(ann)).body
    assert body["extensions"]["capacity"]["requests"] == 2
