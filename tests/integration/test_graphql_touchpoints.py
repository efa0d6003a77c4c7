# tests/integration/test_graphql_touchpoints.py
from typing import Any

import pytest

from schema.node import global_id
from tests.asking import answer, as_customer, as_staff, ask, codes
from tests.shop_events import event
from tests.shop_history import happened

QUERY = """query($id: ID!, $type: String, $from: DateTime, $to: DateTime, $first: Int, $after: String) {
  customer(id: $id) {
    touchpoints(type: $type, from: $from, to: $to, first: $first, after: $after) {
      nodes { type channel direction sessionId campaign { source medium } referrer properties occurredAt replayed }
      pageInfo { hasNextPage endCursor }
    }
  }
}"""
LINK = {"utm": {"source": "newsletter", "medium": "email"}, "referrer": "https://mail.example/?to=ann@example.com"}


def seen(kind: str, hour: int, **data: Any) -> str:
    return happened(kind, {"channel": "web", "sessionId": "s1"} | data, occurredAt=f"2026-03-01T{hour:02}:00:00Z")


@pytest.fixture
def ann(shop: object) -> str:
    seen("visit.started", 8, **LINK)
    seen("product.viewed", 9, sku="A", referrer="https://www.blog.example/best-of")
    seen("custom.recorded", 10, name="wishlist.shared", properties={"list": "birthday", "sizes": [1, 2.5, None]})
    return seen("product.viewed", 11, sku="B")


def touchpoints(ann: str, /, **variables: Any) -> Any:
    return ask(QUERY, {"id": global_id("Customer", ann)} | variables)["customer"]["touchpoints"]


def test_a_customers_touchpoints_tell_all_that_was_said(ann: str) -> None:
    nodes = touchpoints(ann)["nodes"]
    assert [node["type"] for node in nodes] == ["product.viewed", "wishlist.shared", "product.viewed", "visit.started"]
    assert nodes[1]["properties"] == {"list": "birthday", "sizes": [1, 2.5, None]}
    assert nodes[3] == {
        "type": "visit.started",
        "channel": "web",
        "direction": "INBOUND",
        "sessionId": "s1",
        "campaign": {"source": "newsletter", "medium": "email"},
        "referrer": "https://mail.example/",
        "properties": {},
        "occurredAt": "2026-03-01T08:00:00.000000Z",
        "replayed": False,
    }


def test_touchpoints_are_asked_for_by_type_and_time_in_pages(ann: str) -> None:
    where = {"type": "product.viewed", "from": "2026-03-01T09:00:00Z", "to": "2026-03-01T11:30:00Z", "first": 1}
    page = touchpoints(ann, **where)
    assert ([node["properties"]["sku"] for node in page["nodes"]], page["pageInfo"]["hasNextPage"]) == (["B"], True)
    rest = touchpoints(ann, **where, after=page["pageInfo"]["endCursor"])
    assert ([node["properties"]["sku"] for node in rest["nodes"]], rest["pageInfo"]["hasNextPage"]) == (["A"], False)


def test_touchpoints_of_a_time_that_ends_before_it_begins_are_refused(ann: str) -> None:
    where = {"from": "2026-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z"}
    given = answer(QUERY, {"id": global_id("Customer", ann)} | where)
    assert codes(given) == ["INVALID_INPUT"]
    assert given.body["errors"][0]["extensions"]["field"] == ["from"]


def test_a_cursor_is_of_no_use_with_another_type_or_time(ann: str) -> None:
    cursor = touchpoints(ann, first=1)["pageInfo"]["endCursor"]
    for other in ({"type": "product.viewed"}, {"from": "2026-03-01T09:00:00Z"}, {"to": "2026-03-01T09:00:00Z"}):
        given = answer(QUERY, {"id": global_id("Customer", ann), "after": cursor} | other)
        assert codes(given) == ["INVALID_INPUT"]


def test_customers_see_their_own_touchpoints_and_staff_need_the_scope(ann: str) -> None:
    query = "query($id: ID!) { customer(id: $id) { touchpoints { nodes { type } } } }"
    variables = {"id": global_id("Customer", ann)}
    assert len(ask(query, variables, principal=as_customer(ann))["customer"]["touchpoints"]["nodes"]) == 4
    assert ask(query, variables, principal=as_customer("cus_other"))["customer"] is None
    assert codes(answer(query, variables, principal=as_staff("customers:read"))) == ["FORBIDDEN"]


def test_staff_see_what_brought_a_customer_in_the_customers_one_request(ann: str) -> None:
    query = """query($id: ID!) { customer(id: $id) { acquisition {
        first { campaign { source medium } referrer channel occurredAt } last { campaign { source medium } }
    } } }"""
    given = answer(query, {"id": global_id("Customer", ann)})
    assert given.body["data"]["customer"]["acquisition"] == {
        "first": {
            "campaign": {"source": "newsletter", "medium": "email"},
            "referrer": "https://mail.example/",
            "channel": "web",
            "occurredAt": "2026-03-01T08:00:00.000000Z",
        },
        "last": {"campaign": {"source": "blog.example", "medium": "referral"}},
    }
    assert given.body["extensions"]["capacity"]["requests"] == 1


@pytest.mark.parametrize("name", ["order.eaten", "visitor.moved", "Wishlist.shared", "wishlist", "a.b.c"])
def test_a_shops_own_event_has_a_name_of_its_own(shop: object, name: str) -> None:
    from crm.intake import service as intake
    from tests.asking import NOW

    [receipt] = intake.accept("demo", [event("custom.recorded", {"name": name})], now=NOW)
    assert [fault.path for fault in receipt.faults] == ["data.name"]
