# tests/integration/test_store_requests.py
"""How often the store is asked for what docs/access-patterns.md adds up."""

import pytest

from crm.customers import service as customers
from crm.customers.service import AttributeFields
from crm.kernel.meter import Meter, metering
from schema.node import GlobalId
from schema.principal import Principal
from tests.asking import NOW, STAFF, answer, as_customer, ask
from tests.shop_events import deliver, event, placed, refunded

PAGE = "statistics { orderCount } orders(first: 20) { nodes { orderId } }"

pytestmark = pytest.mark.usefixtures("shop", "outlets")


@pytest.fixture
def ann(shop: object) -> str:
    """A customer with two orders, by id."""
    deliver(placed("o1", customer=ANN), placed("o2", customer=ANN))
    (node,) = ask("{ customers(first: 1) { nodes { id } } }")["customers"]["nodes"]
    return str(node["id"])


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
def test_a_suppressed_address_takes_three_requests() -> None:
    said = {"channel": "email", "address": "ann@example.com", "reason": "complaint"}
    assert taken_in(event("address.suppressed", said)).requests == 3
