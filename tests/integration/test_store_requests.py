# tests/integration/test_store_requests.py
"""How often the store is asked for what docs/access-patterns.md adds up."""

import pytest

from crm.customers import service as customers
from crm.customers.service import AttributeFields
from crm.kernel import clock
from crm.kernel.meter import Meter, metering
from crm.notifications.service import SENT, Message
from crm.segmentation import keeping
from crm.segmentation import service as segmentation
from crm.segmentation.models import SegmentsReady
from crm.segmentation.service import SHARDS
from schema.node import GlobalId, global_id
from schema.operations import operations
from schema.principal import Principal
from tests.asking import NOW, STAFF, answer, as_customer, ask
from tests.segments import REPEAT, define, id_of
from tests.shop_events import deliver, event, placed, refunded
from tests.shop_history import recorded
from tests.visiting import identified, settled, viewed

PAGE = "statistics { orderCount } orders(first: 20) { nodes { orderId } }"

pytestmark = pytest.mark.usefixtures("shop", "outlets")


@pytest.fixture
def ann(shop: object) -> str:
    """A customer with two orders, by id."""
    deliver(placed("o1", customer=ANN), placed("o2", customer=ANN))
    (node,) = ask("{ customers(first: 1) { nodes { id } } }")["customers"]["nodes"]
    return str(node["id"])


def message(customer_id: str, message_id: str) -> Message:
    sent = Message.of("demo", customer_id, message_id, planned_at=NOW)
    sent.template, sent.channel, sent.purpose, sent.status = "thank_you", "email", "marketing", SENT
    return sent


ANN = {"externalId": "ann", "email": "ann@example.com", "emailVerified": True}


def requests_of(query: str, principal: Principal = STAFF, **variables: object) -> int:
    body = answer(query, variables, principal=principal).body
    assert "errors" not in body, body["errors"]
    return int(body["extensions"]["capacity"]["requests"])


def taken_in(body: dict[str, object]) -> Meter:
    with metering() as meter:
        deliver(body)
    return meter


def test_a_customer_with_heads_and_orders_takes_two_requests(ann: str) -> None:
    query = f"query($id: ID!) {{ customer(id: $id) {{ loyalty {{ available }} {PAGE} }} }}"
    assert requests_of(query, id=ann) == 2


def test_the_shops_own_attributes_take_one_request_more_once_their_definitions_are_known(ann: str) -> None:
    customers.define_attribute("demo", "size", AttributeFields(name="Size", type="number"), now=NOW)
    deliver(event("customer.updated", {}, customer=ANN | {"attributes": {"size": 42}}))
    value = "key value { ... on NumberValue { number } } definition { name }"
    query = f"query($id: ID!) {{ customer(id: $id) {{ attributes {{ {value} }} {PAGE} }} }}"
    assert [requests_of(query, id=ann) for _ in range(2)] == [4, 3]


def test_the_attributes_of_a_page_of_customers_take_one_request_together() -> None:
    customers.define_attribute("demo", "size", AttributeFields(name="Size", type="number"), now=NOW)
    said = [{"externalId": f"c{number}", "attributes": {"size": number}} for number in range(9)]
    deliver(*(event("customer.updated", {}, customer=each) for each in said))
    query = "{ customers(first: 9) { nodes { id FIELD } } }"
    with_attributes = query.replace("FIELD", "attributes { key value { ... on NumberValue { number } } }")
    nodes = ask(with_attributes)["customers"]["nodes"]
    assert requests_of(with_attributes) == requests_of(query.replace("FIELD", "")) + 1
    assert sorted(node["attributes"][0]["value"]["number"] for node in nodes) == [str(n) for n in range(9)]


def test_a_change_of_the_profile_takes_no_request_more_for_its_history(ann: str) -> None:
    confirmed = taken_in(event("customer.updated", {}, customer=ANN)).requests
    changed = taken_in(event("customer.updated", {}, customer=ANN | {"firstName": "Ann"})).requests
    assert changed == confirmed


def test_a_customer_by_email_address_takes_one_more(ann: str) -> None:
    query = f'{{ customerByIdentifier(identifier: {{ email: "ann@example.com" }}) {{ {PAGE} }} }}'
    assert requests_of(query) == 3


NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"


def nodes_of(kind: str, connection: str, most: int) -> list[str]:
    """The ids of what hangs on customers, a hundred of them at most."""
    found = ask(f"{{ customers(first: 20) {{ nodes {{ {connection}(first: {most}) {{ nodes {{ id }} }} }} }} }}")
    ids = [node["id"] for customer in found["customers"]["nodes"] for node in customer[connection]["nodes"]]
    parsed = [GlobalId.parse(each) for each in ids]
    assert {each.kind for each in parsed if each} == {kind}
    return ids


def test_any_number_of_orders_by_their_ids_take_two_requests() -> None:
    deliver(*(placed(f"o{number}", customer={"externalId": f"c{number % 4}"}) for number in range(24)))
    ids = nodes_of("Order", "orders", 20)
    assert len(ids) == 24
    assert requests_of(NODES, ids=[*ids, *ids[:9], str(global_id("Order", "missing"))]) == 2


def test_any_number_of_answers_by_their_ids_take_two_requests() -> None:
    for number in range(12):
        deliver(event("feedback.received", {"score": 9}, customer={"externalId": f"c{number % 4}"}))
    ids = nodes_of("FeedbackResponse", "feedback", 20)
    assert len(ids) == 12
    assert requests_of(NODES, ids=[*ids, *ids]) == 2


def test_any_number_of_messages_by_their_ids_take_two_requests() -> None:
    deliver(*(placed(f"o{number}", customer={"externalId": f"c{number}"}) for number in range(4)))
    customer_ids = [node["customerId"] for node in ask("{ customers { nodes { customerId } } }")["customers"]["nodes"]]
    with Message.batch_write() as batch:
        for customer_id in customer_ids:
            for number in range(5):
                batch.save(message(customer_id, f"m{number}"))
    ids = nodes_of("Message", "messages", 5)
    assert len(ids) == 20
    assert requests_of(NODES, ids=[*ids, *ids]) == 2


def test_any_number_of_imports_by_their_ids_take_one_request() -> None:
    given = '{source: "erp", asOf: "2026-03-01T00:00:00Z", idempotencyKey: $key}'
    asked = f"mutation ($key: String!) {{ customersImport(input: {given}) {{ operation {{ id }} }} }}"
    ids = [ask(asked, {"key": f"k{number}"})["customersImport"]["operation"]["id"] for number in range(5)]
    assert requests_of(NODES, ids=[*ids, *ids]) == 1


def test_objects_of_all_kinds_by_their_ids_take_no_more_than_each_kind_alone(ann: str) -> None:
    deliver(event("feedback.received", {"score": 9}, customer=ANN))
    kinds = [ann, *nodes_of("Order", "orders", 20), *nodes_of("FeedbackResponse", "feedback", 20)]
    assert requests_of(NODES, ids=kinds) == 1 + 2 + 1


def test_an_order_takes_two_requests(ann: str) -> None:
    found = ask(f"query($id: ID!) {{ customer(id: $id) {{ {PAGE.replace('orderId', 'id')} }} }}", {"id": ann})
    query = "query($id: ID!) { order(id: $id) { orderId } }"
    assert requests_of(query, id=found["customer"]["orders"]["nodes"][0]["id"]) == 2


def test_an_order_by_its_number_takes_two_requests(ann: str) -> None:
    assert requests_of('{ orderByNumber(orderId: "o1") { orderId } }') == 2


@pytest.mark.parametrize("number", ["o1", "foreign", "missing"])
def test_so_does_a_customers_whether_it_is_theirs_anothers_or_not_there(ann: str, number: str) -> None:
    deliver(placed("foreign", customer={"externalId": "bob"}))
    found = GlobalId.parse(ann)
    assert found is not None
    asked = f'{{ orderByNumber(orderId: "{number}") {{ orderId }} }}'
    assert requests_of(asked, as_customer(found.parts[0])) == 2


def test_the_orders_that_a_page_of_answers_is_about_take_one_request_together(ann: str) -> None:
    for order_id in ("o1", "o2", "o1", "unheard-of"):
        deliver(event("feedback.received", {"score": 9, "orderId": order_id}, customer=ANN))
    query = "query($id: ID!) { customer(id: $id) { feedback { nodes { score FIELD } } } }"
    with_orders = query.replace("FIELD", "order { orderId }")
    assert requests_of(with_orders, id=ann) == requests_of(query.replace("FIELD", ""), id=ann) + 1
    nodes = ask(with_orders, {"id": ann})["customer"]["feedback"]["nodes"]
    found = [node["order"] and node["order"]["orderId"] for node in nodes]
    assert sorted(found, key=str) == [None, "o1", "o1", "o2"]


def test_a_list_takes_a_request_a_shard_one_for_the_heads_and_one_a_customer() -> None:
    deliver(*(placed(f"o{number}", customer={"externalId": f"c{number}"}) for number in range(9)))
    assert requests_of(f"{{ customers(first: 9) {{ nodes {{ {PAGE} }} }} }}") == 4 + 1 + 9


TIMELINE = """query($id: ID!, $kinds: [TimelineKind!]) { customer(id: $id) { timeline(kinds: $kinds) { nodes { kind
  ... on OrderPlaced { order { orderId } } ... on TouchpointSeen { touchpoint { type } }
  ... on RefundGiven { refundId MORE } ... on PointsPosted { entry { points MORE } } } } } }"""


@pytest.fixture
def busy(ann: str) -> str:
    """Ann, who has looked at something, too, was given points for both orders, and gave one of them back."""
    deliver(event("product.viewed", {"sku": "A"}, customer=ANN), refunded("o1", "r1"))
    for order_id in ("o1", "o2"):
        recorded(order_id)
    return ann


@pytest.mark.parametrize(
    ("kinds", "takes"),
    [(None, 2), (["ORDER"], 2), (["ORDER", "POINTS"], 3), (["ORDER", "POINTS", "REFUND"], 4)],
    ids=str,
)
def test_a_page_of_the_timeline_takes_two_requests_and_of_some_kinds_one_for_each(
    busy: str, kinds: list[str] | None, takes: int
) -> None:
    query = TIMELINE.replace("MORE", "")
    found = ask(query, {"id": busy, "kinds": kinds})["customer"]["timeline"]["nodes"]
    assert set(kinds or ["ORDER", "POINTS", "REFUND", "TOUCHPOINT"]) <= {node["kind"] for node in found}
    assert requests_of(query, id=busy, kinds=kinds) == takes


def test_the_orders_that_a_page_of_the_timeline_is_about_take_one_request_together(busy: str) -> None:
    assert requests_of(TIMELINE.replace("MORE", "order { orderId }"), id=busy) == 2 + 1


def test_what_changed_about_a_customer_takes_two_requests(busy: str) -> None:
    query = """query($id: ID!) { customer(id: $id) { changes { nodes { __typename
      ... on Customer { statistics { orderCount } loyalty { available } } ... on Order { orderId } } } } }"""
    found = ask(query, {"id": busy})["customer"]["changes"]["nodes"]
    assert {"Customer", "Order", "LedgerEntry"} <= {node["__typename"] for node in found}
    assert requests_of(query, id=busy) == 2


def test_a_cart_takes_three_requests_and_one_more_where_there_is_one(ann: str) -> None:
    query = "query($id: ID!) { customer(id: $id) { cart { cartId } } }"
    assert requests_of(query, id=ann) == 3
    cart = {"cartId": "c1", "lines": [{"sku": "A", "quantity": 1}], "currency": "EUR", "total": "10.00"}
    deliver(event("cart.updated", cart, customer=ANN))
    assert requests_of(query, id=ann) == 4


def test_the_home_screen_takes_four_requests_and_one_more_where_there_is_a_cart(
    ann: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = next(operation for operation in operations() if operation.name == "HomeQuery").text
    key = GlobalId.parse(ann)
    assert key is not None
    themselves = as_customer(key.parts[0])
    monkeypatch.setattr(clock, "now", lambda: NOW)  # so that the shop, once read, is known for all of it
    requests_of(home, themselves)
    assert requests_of(home, themselves) == 4
    deliver(event("cart.updated", {"cartId": "c1", "lines": [{"sku": "A", "quantity": 1}]}, customer=ANN))
    assert requests_of(home, themselves) == 5
    assert ask(home, principal=themselves)["viewer"]["cart"]["lines"] == [{"sku": "A", "quantity": 1}]


def test_a_new_order_of_a_known_customer_takes_five_requests(ann: str) -> None:
    assert taken_in(placed("o3", customer=ANN)).requests == 5


def test_another_version_of_an_order_takes_six_requests(ann: str) -> None:
    assert taken_in(placed("o2", 2, customer=ANN)).requests == 6


def test_a_refund_takes_five_requests(ann: str) -> None:
    assert taken_in(refunded("o2", "r1")).requests == 5


def test_an_external_id_that_might_join_somebody_takes_one_more(ann: str) -> None:
    known = taken_in(event("customer.updated", {}, customer=ANN)).requests
    assert taken_in(event("customer.updated", {}, customer=ANN, source="till")).requests == known + 1


def test_a_consent_of_a_known_customer_takes_five_requests(ann: str) -> None:
    said = {"consents": [{"channel": "email", "purpose": "marketing", "topic": "news", "state": "granted"}]}
    assert taken_in(event("consent.updated", said, customer=ANN)).requests == 5


def test_what_a_customer_agreed_to_and_permits_takes_no_request_of_its_own(ann: str) -> None:
    asked = "consents { state } permission(channel: EMAIL, purpose: MARKETING) { allowed }"
    assert requests_of(f"query($id: ID!) {{ customer(id: $id) {{ {asked} }} }}", id=ann) == 1


@pytest.mark.usefixtures("ann")
@pytest.mark.parametrize(("source", "takes"), [({}, 4), ({"utm": {"source": "letter"}}, 5)], ids=str)
def test_a_touchpoint_takes_four_requests_and_one_more_with_a_source(source: dict[str, object], takes: int) -> None:
    assert taken_in(event("product.viewed", {"sku": "A"} | source, customer=ANN)).requests == takes


@pytest.mark.usefixtures("ann")
def test_a_visitor_costs_three_requests_an_event_and_being_identified_two_more_once() -> None:
    assert [taken_in(viewed("v1", minute)).requests for minute in (1, 2)] == [3, 3]
    known = taken_in(event("customer.updated", {}, customer=ANN)).requests
    news, again = (taken_in(identified("v1", "ann", minute)).requests for minute in (3, 4))
    assert (news, again) == (known + 2, known + 1)


@pytest.mark.usefixtures("ann")
def test_thirty_touchpoints_of_a_visitor_join_the_customer_in_three_requests() -> None:
    deliver(*(viewed("v1", minute) for minute in range(30)), identified("v1", "ann", 31))
    with metering() as meter:
        assert settled("v1", now=NOW) == 30
    assert meter.requests == 3
    assert taken_in(viewed("v1", 40)).requests == 4
    assert taken_in(event("product.viewed", {"sku": "A"}, customer={"anonymousId": "v1"})).requests == 3


@pytest.mark.usefixtures("ann")
def test_a_suppressed_address_takes_three_requests() -> None:
    said = {"channel": "email", "address": "ann@example.com", "reason": "complaint"}
    assert taken_in(event("address.suppressed", said)).requests == 3


def test_a_list_of_segments_with_counts_takes_four_requests_however_many_there_are(segments: None) -> None:
    """Their definitions, their counts, what is in force (by its version), and how far customers were looked at."""
    query = "{ segments { name memberCount status asOf } }"
    ask(query)
    assert requests_of(query) == 4
    define("Once", "number_of_orders = 1", now=NOW)
    ask(query)
    assert requests_of(query) == 4


def test_what_computes_the_segments_of_a_list_is_one_request_more_for_all_and_none_once_they_are_ready(
    segments: None,
) -> None:
    query = "{ segments { name memberCount status operation { status progress { rows } } } }"
    ask(query)
    assert requests_of(query) == 4 + 1
    ready = SegmentsReady.of("demo")
    ready.ready_in, ready.ready_at = 100, NOW
    ready.save()
    assert requests_of(query) == 4


def test_who_left_and_who_is_in_by_hand_takes_one_request_a_shard(member: str) -> None:
    left = "left(first: 20) { nodes { leftAt } } byHand(first: 20) { nodes { at } }"
    query = f"query ($id: ID!) {{ segment(id: $id) {{ {left} }} }}"
    assert requests_of(query, id=global_id("Segment", id_of(REPEAT))) == 1 + 2 * SHARDS


def test_how_segments_grew_takes_two_requests_for_each_and_is_paid_for_however_many_there_are(segments: None) -> None:
    grown = 'growth(from: "2026-03-01", to: "2026-03-02") { periods { members } }'
    query = f"{{ segments {{ here: {grown} there: {grown} }} }}"
    body = answer(f"{{ segments {{ {grown} }} }}").body
    count = len(body["data"]["segments"])
    assert count > 1
    assert requests_of(query) == 1 + 2 * count
    assert body["extensions"]["cost"]["requested"] >= 2 * segmentation.MOST_SEGMENTS + 20 * (1 + 31)


@pytest.mark.parametrize(
    ("listed", "of_each"),
    [
        ("members { nodes { enteredAt } }", SHARDS),
        ('members(asOf: "2026-03-01T00:00:00Z") { nodes { enteredAt } }', 2 * SHARDS),
        ("byHand { nodes { at } }", SHARDS),
        ("left { nodes { leftAt } }", SHARDS),
        ("versions { nodes { name } }", 1),
    ],
)
def test_what_lists_of_segments_take_is_paid_for_however_many_segments_there_are(
    segments: None, listed: str, of_each: int
) -> None:
    body = answer(f"{{ segments {{ {listed} }} }}").body
    assert body["extensions"]["capacity"]["requests"] == 1 + of_each * len(body["data"]["segments"])
    assert 1 + of_each * segmentation.MOST_SEGMENTS <= body["extensions"]["cost"]["requested"] < 12_000


def test_whoever_asks_of_a_past_moment_pays_for_the_lists_of_those_who_left(segments: None) -> None:
    now, past = (
        answer(f"{{ segments {{ members{given} {{ nodes {{ enteredAt }} }} }} }}").body["extensions"]["cost"]
        for given in ("", '(asOf: "2026-03-01T00:00:00Z")')
    )
    of_those_who_left = SHARDS * len(segmentation.PAGES_OF_LEFT) * segmentation.MOST_SEGMENTS
    assert past["requested"] - now["requested"] == of_those_who_left


@pytest.fixture
def member(segments: None, ann: str) -> str:
    """Ann by her id, in her segments."""
    deliver(placed("o3", customer={"externalId": "bob"}), placed("o4", customer={"externalId": "bob"}))
    in_force = segmentation.current("demo", now=NOW)
    for node in ask("{ customers { nodes { customerId } } }")["customers"]["nodes"]:
        keeping.bring_up(customers.take_snapshot("demo", node["customerId"]), in_force, now=NOW)
    return ann


def test_a_page_of_members_takes_one_request_a_shard_and_one_for_the_customers(member: str) -> None:
    query = (
        "query ($id: ID!) { segment(id: $id) { members(first: 20) { nodes { enteredAt customer { firstName } } } } }"
    )
    assert requests_of(query, id=global_id("Segment", id_of(REPEAT))) == 1 + SHARDS + 1


def test_a_customer_with_segments_takes_no_request_more_once_those_in_force_are_known(member: str) -> None:
    shown = "segmentsAsOf segments { segment { id name kind version } enteredAt cause { kind } flipsAt stale asOf }"
    query = f"query ($id: ID!) {{ customer(id: $id) {{ {shown} statistics {{ orderCount }} }} }}"
    ask(query, {"id": member})
    assert requests_of(query, id=member) == 1
    history = "segmentHistory(first: 20) { nodes { enteredAt leftAt segment { name } } }"
    assert requests_of(query.replace("statistics", f"{history} statistics"), id=member) == 2


def test_what_else_is_asked_of_a_customers_segments_takes_one_request_for_all(member: str) -> None:
    query = "query ($id: ID!) { customer(id: $id) { segments { segment { name query goals memberCount } } } }"
    ask(query, {"id": member})
    assert requests_of(query, id=member) == 1 + 1 + 1


GIVE = "mutation ($input: LoyaltyPointsAdjustInput!) { loyaltyPointsAdjust(input: $input) { replayed } }"
HOLD = "mutation($key: String!) { loyaltyPointsHold(input: {points: 1, idempotencyKey: $key}) { hold { id } MORE } }"
CREDITS = "entries(first: 20) { nodes { points MORE } }"


@pytest.fixture
def saving(ann: str) -> str:
    """Ann, whom staff gave points four times, and took some twice."""
    for number, points in enumerate((40, 30, 20, 10, -5, -6)):
        given = {"customer": ann, "points": points, "reason": "x", "idempotencyKey": f"k{number}"}
        ask(
            "mutation ($input: LoyaltyPointsAdjustInput!) { loyaltyPointsAdjust(input: $input) { replayed } }",
            {"input": given},
        )
    return ann


def test_what_is_left_of_a_page_of_credits_who_did_it_why_and_what_undid_it_take_one_request_each(saving: str) -> None:
    query = f"query($id: ID!) {{ customer(id: $id) {{ loyalty {{ {CREDITS} }} }} }}"
    assert requests_of(query.replace("MORE", ""), id=saving) == 2
    assert requests_of(query.replace("MORE", "credits { remaining }"), id=saving) == 3
    assert requests_of(query.replace("MORE", "credits { remaining } reason actor { kind }"), id=saving) == 4
    assert requests_of(query.replace("MORE", "reversible reversedBy { id }"), id=saving) == 3


def test_the_points_screen_takes_five_requests(saving: str) -> None:
    screen = next(operation for operation in operations() if operation.name == "PointsQuery").text
    key = GlobalId.parse(saving)
    assert key is not None
    # The record; what is pending; what expires; the entries; and what is left of them.
    assert requests_of(screen, as_customer(key.parts[0])) == 5


def test_any_number_of_entries_by_their_ids_take_two_requests(saving: str) -> None:
    query = "query($id: ID!) { customer(id: $id) { loyalty { entries { nodes { id } } } } }"
    ids = [node["id"] for node in ask(query, {"id": saving})["customer"]["loyalty"]["entries"]["nodes"]]
    assert len(ids) == 6
    assert requests_of(NODES, ids=[*ids, *ids]) == 2


def test_points_held_by_their_owner_take_six_requests_and_one_for_the_account_then(saving: str) -> None:
    key = GlobalId.parse(saving)
    assert key is not None
    themselves = as_customer(key.parts[0])
    assert requests_of(HOLD.replace("MORE", ""), themselves, key="a") == 6
    assert requests_of(HOLD.replace("MORE", "account { available }"), themselves, key="b") == 7
    hold = ask(HOLD.replace("MORE", ""), {"key": "a"}, principal=themselves)["loyaltyPointsHold"]["hold"]["id"]
    released = "mutation($hold: ID!) { loyaltyPointsRelease(input: {hold: $hold}) { replayed } }"
    assert requests_of(released, themselves, hold=hold) == 7
    assert requests_of(released, themselves, hold=hold) == 3
