# tests/integration/test_graphql_standing.py
"""What customers who take no part can still do with their token: nothing, at any door, but say no."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from graphql import ObjectTypeDefinitionNode, parse, print_ast
from msgspec.structs import replace

from api.app import create_app
from crm.consent import service as consent
from crm.consent.service import ConsentHead
from crm.customers import service as customers
from crm.customers import standing
from crm.customers.models import Customer
from crm.feedback import service as feedback
from crm.kernel.actor import SYSTEM
from crm.kernel.change import Change
from crm.kernel.settings import settings
from crm.loyalty import service as loyalty
from crm.notifications.models import Message
from schema.node import global_id
from tests.asking import NOW, as_customer, as_staff, ask
from tests.shop_events import event
from tests.tokens import authenticator, token
from tests.web import Client

SDL = Path(__file__).parents[2] / "schema" / "schema.graphql"

QUERIES = {
    "viewer": "{ viewer { id } }",
    "loyaltyEarnPreview": """{ loyaltyEarnPreview(order: {
        currencyCode: "EUR", lines: [{sku: "a", quantity: 1, unitPrice: "1"}]
    }) { points } }""",
    "customer": 'query { customer(id: "CUSTOMER") { id } }',
    "order": 'query { order(id: "ORDER") { id } }',
    "orderByNumber": '{ orderByNumber(orderId: "o1") { id } }',
    "node": 'query { node(id: "CUSTOMER") { id } }',
    "nodes": 'query { nodes(ids: ["CUSTOMER", "ORDER", "MESSAGE", "ANSWER", "ENTRY", "HOLD"]) { id } }',
}
"""How each field of Query that leads to a customer is asked with their own token."""
OF_NOBODY = {"attributeDefinitions", "loyaltyTiers", "shop"}
MUTATIONS = {
    "consentUpdate": '{consents: [{channel: EMAIL, purpose: MARKETING, state: GRANTED}], idempotencyKey: "k2"}',
    "customerAttributesSet": '{id: "CUSTOMER", attributes: []}',
    "customerUpdate": '{id: "CUSTOMER", firstName: "X"}',
    "feedbackSubmit": '{score: 1, idempotencyKey: "k2"}',
    "eventsIngest": '{events: [{id: "e"}]}',
    "loyaltyEnroll": "{}",
    "loyaltyPointsHold": '{points: 1, idempotencyKey: "k2"}',
    "loyaltyPointsCapture": '{hold: "HOLD"}',
    "loyaltyPointsRelease": '{hold: "HOLD"}',
    "loyaltyRewardRedeem": '{rewardId: "REWARD", idempotencyKey: "k2"}',
    "loyaltyRedemptionCancel": '{redemption: "REDEMPTION"}',
}

Bar = Callable[[str], None]


def block(customer_id: str) -> None:
    customers.update("demo", customer_id, customers.Words(fields={"status": "blocked"}), now=NOW + timedelta(days=1))


def delete(customer_id: str) -> None:
    customers.delete("demo", customer_id, now=NOW)


def merge(customer_id: str) -> None:
    customer = Customer.get(customers.get("demo", customer_id).pk, Customer.SK)
    customer.merged_into = "cus_survivor"
    change = Change(NOW)
    change.revise(customer)
    change.commit()


BARRED = pytest.mark.parametrize("bar", [block, delete, merge])


@pytest.fixture
def ids(ann: str) -> dict[str, str]:
    """The global ids of a customer and of what hangs on them."""
    given = feedback.FeedbackGiven(score=9)
    answer, _ = feedback.submit("demo", ann, given, idempotency_key="k", now=NOW)
    message = Message.of("demo", ann, "m1", planned_at=NOW)
    message.template, message.channel, message.purpose, message.status = "thank_you", "email", "marketing", "sent"
    message.rev = 1
    message.save()
    held = loyalty.hold("demo", ann, 1, lasts=timedelta(days=1), actor=SYSTEM, idempotency_key="h", now=NOW)
    return {
        "CUSTOMER": global_id("Customer", ann),
        "ORDER": global_id("Order", "o1"),
        "MESSAGE": global_id("Message", ann, "m1"),
        "ANSWER": global_id("FeedbackResponse", ann, answer.response_id),
        "ENTRY": global_id("LedgerEntry", ann, held.given.entry.cause or ""),
        "HOLD": global_id("PointsHold", ann, held.hold.hold_id),
    }


def filled(text: str, ids: dict[str, str]) -> str:
    for name, id_ in ids.items():
        text = text.replace(f'"{name}"', f'"{id_}"')
    return text


def open_to_customers(root: str) -> set[str]:
    """The fields of a root that the committed SDL opens to customers."""
    (node,) = (
        each
        for each in parse(SDL.read_text()).definitions
        if isinstance(each, ObjectTypeDefinitionNode) and each.name.value == root
    )
    return {
        field.name.value
        for field in node.fields or ()
        if any("customer: OWN" in print_ast(directive) for directive in field.directives or ())
    }


def test_every_door_of_customers_is_tried_here() -> None:
    assert open_to_customers("Query") == QUERIES.keys() | OF_NOBODY
    assert open_to_customers("Mutation") == MUTATIONS.keys()


@BARRED
@pytest.mark.parametrize("field", QUERIES)
def test_who_takes_no_part_sees_nothing_of_themselves(bar: Bar, field: str, ann: str, ids: dict[str, str]) -> None:
    query = filled(QUERIES[field], ids)
    seen = ask(query, principal=as_customer(ann))[field]
    assert None not in (seen if isinstance(seen, list) else [seen])
    bar(ann)
    barred = ask(query, principal=as_customer(ann))[field]
    assert set(barred if isinstance(barred, list) else [barred]) == {None}


@BARRED
@pytest.mark.parametrize("name", MUTATIONS)
def test_who_takes_no_part_changes_and_tells_nothing(bar: Bar, name: str, ann: str, ids: dict[str, str]) -> None:
    bar(ann)
    before = Customer.get(f"SHOP#demo#CUSTOMER#{ann}", Customer.SK).rev
    mutation = f"mutation {{ {name}(input: {filled(MUTATIONS[name], ids)}) {{ userErrors {{ code field }} }} }}"
    refused = ask(mutation, principal=as_customer(ann))[name]["userErrors"]
    assert refused == [{"code": "CUSTOMER_BLOCKED", "field": []}]
    assert Customer.get(f"SHOP#demo#CUSTOMER#{ann}", Customer.SK).rev == before
    assert len(feedback.responses("demo", ann, limit=9)) == 1


WITHDRAWAL = """mutation ($consents: [ConsentInput!]!) {
    consentUpdate(input: {consents: $consents, idempotencyKey: "no"}) { customer { id } userErrors { code } } }"""
NO = {"channel": "EMAIL", "purpose": "MARKETING", "state": "DENIED"}


def said(ann: str, *consents: dict[str, str]) -> list[str]:
    told = ask(WITHDRAWAL, {"consents": list(consents)}, principal=as_customer(ann))["consentUpdate"]
    assert told["customer"] is None
    return [error["code"] for error in told["userErrors"]]


def permitted(ann: str) -> bool:
    return consent.allows(customers.take_snapshot("demo", ann).head(ConsentHead), "email", "marketing") is None


def agree(ann: str) -> None:
    change = Change(NOW)
    yes = [consent.ConsentGiven("email", "marketing", "granted", "checkout")]
    consent.record(change, "demo", ann, yes, actor=SYSTEM, cause="e:yes", occurred_at=NOW, now=NOW, replayed=False)
    change.commit()


@pytest.mark.parametrize("bar", [block, delete])
def test_who_is_blocked_or_deleted_takes_back_what_they_agreed_to_and_it_holds_when_they_are_back(
    bar: Bar, ann: str
) -> None:
    agree(ann)
    bar(ann)
    assert said(ann, NO) == []
    assert said(ann, NO) == [], "a repeat is the same call"
    if bar is delete:
        customers.restore("demo", ann, now=NOW)
    assert not permitted(ann)


@pytest.mark.parametrize("bar", [block, delete])
@pytest.mark.parametrize("state", ["GRANTED", "PENDING"])
def test_who_is_barred_agrees_to_nothing_also_beside_a_no(bar: Bar, state: str, ann: str) -> None:
    agree(ann)
    bar(ann)
    assert said(ann, NO, NO | {"channel": "SMS", "state": state}) == ["CUSTOMER_BLOCKED"]
    assert permitted(ann)


def test_who_was_absorbed_takes_nothing_back_from_a_record_that_is_theirs_no_more(ann: str) -> None:
    merge(ann)
    assert said(ann, NO) == ["CUSTOMER_BLOCKED"]


def test_staff_record_nothing_of_one_who_is_deleted(ann: str, ids: dict[str, str]) -> None:
    delete(ann)
    mutation = f"""mutation {{ consentUpdate(input: {{id: "{ids["CUSTOMER"]}", idempotencyKey: "k",
        consents: [{{channel: EMAIL, purpose: MARKETING, state: DENIED}}]}}) {{ userErrors {{ code }} }} }}"""
    told = ask(mutation, principal=as_staff("consents:write", "customers:read"))["consentUpdate"]
    assert told["userErrors"] == [{"code": "NOT_FOUND"}]


@BARRED
def test_who_takes_no_part_sends_no_events_over_http(bar: Bar, ann: str) -> None:
    bar(ann)
    client = Client(create_app(authenticator=authenticator()))
    bearer = token(kind="customer", customer_id=ann, scope=None)
    sent = client.post(
        "/v1/events",
        json=event("product.viewed", {"sku": "A"}, customer=None),
        headers={"authorization": f"Bearer {bearer}"},
    )
    assert (sent.status_code, sent.json()["errors"][0]["extensions"]["code"]) == (403, "CUSTOMER_BLOCKED")


def test_whether_somebody_takes_part_is_asked_for_those_who_have_points(ann: str) -> None:
    block(ann)
    budgets = "customer=10/1 visitor=1/1 staff=1/1 service=1/1"
    client = Client(create_app(replace(settings(), point_budgets=budgets), authenticator=authenticator()))
    headers = {"authorization": f"Bearer {token(kind='customer', customer_id=ann, scope=None)}"}
    sent = [client.post("/v1/events", json=event("product.viewed", {"sku": "A"}), headers=headers) for _ in range(2)]
    assert [each.json()["errors"][0]["extensions"]["code"] for each in sent] == ["CUSTOMER_BLOCKED", "THROTTLED"]


def test_who_is_blocked_between_the_check_and_the_write_changes_nothing(
    ann: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = standing.refuse_barred
    blocks = [block]

    def overtaken(customer: Customer) -> None:
        real(customer)
        if blocks:
            blocks.pop()(ann)

    monkeypatch.setattr(standing, "refuse_barred", overtaken)
    words = customers.Words(vouched=False, fields={"first_name": "X"})
    with pytest.raises(customers.CustomerBlocked):
        customers.update("demo", ann, words, now=NOW)
    assert customers.get("demo", ann).first_name == "Ann"


def test_staff_see_and_change_a_blocked_customer_and_unblock_them(ann: str, ids: dict[str, str]) -> None:
    block(ann)
    principal = as_staff("customers:read", "customers:write", "orders:read")
    found = ask(
        filled('{ customer(id: "CUSTOMER") { status orders { nodes { orderId } } } }', ids), principal=principal
    )
    assert found["customer"] == {"status": "BLOCKED", "orders": {"nodes": [{"orderId": "o2"}, {"orderId": "o1"}]}}
    mutation = 'mutation { customerUpdate(input: {id: "CUSTOMER", status: ACTIVE}) { userErrors { code } } }'
    later = NOW + timedelta(days=2)
    assert ask(filled(mutation, ids), principal=principal, now=later)["customerUpdate"]["userErrors"] == []
    assert ask("{ viewer { status } }", principal=as_customer(ann)) == {"viewer": {"status": "ACTIVE"}}
