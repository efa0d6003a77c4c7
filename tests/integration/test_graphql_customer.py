# tests/integration/test_graphql_customer.py
from datetime import datetime, timedelta

from msgspec.structs import replace

from crm.consent import service as consent
from crm.feedback import service as feedback
from crm.kernel.actor import SYSTEM
from crm.kernel.change import Change
from crm.notifications import service as notifications
from crm.orders import service as orders
from crm.orders.events import OrderRecorded
from crm.segmentation import service as segmentation
from schema.node import global_id
from tests.asking import NOW, answer, as_customer, ask, codes
from tests.usual_segments import LATELY, REPEAT

PAGE = """query ($id: ID!) { customer(id: $id) {
  id firstName email tags version status birthDate addresses { city country latitude }
  identities { kind value verified conflicting }
  statistics { orderCount lastOrderAt totals { net { amount currencyCode } average { amount } } }
  segments { segment { segmentId name } enteredAt flipsAt }
  loyalty { available lifetimeEarned }
  orders(first: 20) { nodes { orderId status net { amount currencyCode } } pageInfo { hasNextPage } }
} }"""


def test_a_customer_page_takes_two_requests_to_the_store(ann: str) -> None:
    segmentation.current("demo", now=NOW)  # as a process knows them for a minute
    given = answer(PAGE, {"id": global_id("Customer", ann)})
    assert given.body.get("errors") is None
    page = given.body["data"]["customer"]
    assert page["firstName"] == "Ann"
    assert page["email"] == "Ann@example.com"
    assert page["tags"] == ["press", "vip"]
    assert page["birthDate"] == "1990-12-10"
    assert page["addresses"] == [{"city": "Wien", "country": "AT", "latitude": 48.2}]
    assert {claim["kind"] for claim in page["identities"]} == {"email", "external:shopify"}
    assert page["statistics"]["orderCount"] == 2
    assert page["statistics"]["totals"] == [
        {"net": {"amount": "30.00", "currencyCode": "EUR"}, "average": {"amount": "15.00"}}
    ]
    assert {stay["segment"]["name"] for stay in page["segments"]} == {LATELY, REPEAT}
    assert page["loyalty"] == {"available": 30, "lifetimeEarned": 30}
    assert [(node["orderId"], node["net"]["amount"]) for node in page["orders"]["nodes"]] == [
        ("o2", "20.00"),
        ("o1", "10.00"),
    ]
    assert given.body["extensions"]["capacity"]["requests"] == 2


def test_lists_of_what_happened_are_paged_newest_first(ann: str) -> None:
    query = """query ($id: ID!, $after: String) { customer(id: $id) { orders(first: 1, after: $after) {
        edges { cursor node { orderId } } pageInfo { hasNextPage hasPreviousPage endCursor } } } }"""
    first = ask(query, {"id": global_id("Customer", ann)})["customer"]["orders"]
    cursor = first["pageInfo"]["endCursor"]
    second = ask(query, {"id": global_id("Customer", ann), "after": cursor})["customer"]["orders"]
    assert [edge["node"]["orderId"] for page in (first, second) for edge in page["edges"]] == ["o2", "o1"]
    assert first["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "endCursor": first["edges"][0]["cursor"],
    }
    assert (second["pageInfo"]["hasNextPage"], second["pageInfo"]["hasPreviousPage"]) == (False, True)


def test_a_wrong_cursor_blanks_its_list_and_not_the_page(ann: str) -> None:
    query = '{ viewer { firstName orders(after: "nonsense") { nodes { id } } } }'
    given = answer(query, principal=as_customer(ann))
    assert codes(given) == ["INVALID_INPUT"]
    assert given.body["data"] == {"viewer": {"firstName": "Ann", "orders": None}}


def test_the_page_size_is_bounded(ann: str) -> None:
    for first in (0, 101, -5):
        query = f"{{ viewer {{ orders(first: {first}) {{ nodes {{ id }} }} }} }}"
        assert codes(answer(query, principal=as_customer(ann))) == ["INVALID_INPUT"]


def test_one_list_asked_for_twice_is_read_once(ann: str) -> None:
    query = "{ viewer { a: orders { nodes { id } } b: orders { nodes { orderId } } } }"
    given = answer(query, principal=as_customer(ann))
    assert given.body["extensions"]["capacity"]["requests"] == 2


def test_points_messages_and_answers_hang_on_the_customer(ann: str, now: datetime) -> None:
    said = consent.ConsentGiven("email", "marketing", "granted", "checkout")
    change = Change(NOW)
    consent.record(
        change, "demo", ann, [said], actor=SYSTEM, cause="event:c1", occurred_at=now, now=now, replayed=False
    )
    change.commit()
    told = replace(OrderRecorded.of(orders.get("demo", "o1")), rev=1)
    notifications.plan_thank_you(told, now=told.placed_at + timedelta(hours=1))
    feedback.submit("demo", ann, feedback.FeedbackGiven(score=9, comment="Lovely"), idempotency_key="k", now=now)
    found = ask(
        """{ viewer {
            loyalty { entries { nodes { number movement points balanceAfter orderId } } }
            messages { nodes { id template channel status orderId plannedAt } }
            feedback { nodes { id score group comment answeredAt } }
        } }""",
        principal=as_customer(ann),
    )["viewer"]
    assert [(entry["orderId"], entry["points"]) for entry in found["loyalty"]["entries"]["nodes"]] == [
        ("o2", 20),
        ("o1", 10),
    ]
    assert [message["status"] for message in found["messages"]["nodes"]] == ["PLANNED"]
    assert [(one["score"], one["group"], one["comment"]) for one in found["feedback"]["nodes"]] == [
        (9, "PROMOTER", "Lovely")
    ]
    for node in (*found["messages"]["nodes"], *found["feedback"]["nodes"]):
        again = ask(
            "query ($id: ID!) { node(id: $id) { id __typename } }", {"id": node["id"]}, principal=as_customer(ann)
        )
        assert again["node"]["id"] == node["id"]
        stranger = as_customer("cus_other")
        assert ask("query ($id: ID!) { node(id: $id) { id } }", {"id": node["id"]}, principal=stranger)["node"] is None


def test_segments_that_time_has_ended_are_not_shown(ann: str) -> None:
    query = "query ($id: ID!) { customer(id: $id) { segments { segment { name } } } }"
    later = answer(query, {"id": global_id("Customer", ann)}, now=NOW + timedelta(days=40))
    stays = later.body["data"]["customer"]["segments"]
    assert [stay["segment"]["name"] for stay in stays] == [REPEAT]
