# tests/integration/test_correlation.py
"""From a request to everything it led to, through every function, with moto between them."""

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from api.app import create_app
from crm.customers.models import Customer
from crm.feedback.models import FeedbackResponse
from crm.intake import service as intake
from crm.intake.changes import PUBLISHERS
from crm.kernel import clock, correlation, timers
from crm.kernel.aws import sqs_client
from crm.kernel.errors import Fault
from crm.kernel.settings import settings
from crm.kernel.table import Item
from crm.orders.models import Order
from functions.intake import ingest, publish_changes
from functions.kpis import roll_up
from functions.loyalty import post_points
from functions.notifications import deliver_message, plan_messages
from functions.segmentation import refresh_memberships
from tests.letters import letters_in
from tests.messaging import Provider
from tests.shop_events import event, order
from tests.stream_records import record
from tests.tokens import authenticator, token
from tests.web import Client

pytestmark = pytest.mark.usefixtures("segments", "outlets")
CONSUMERS = {
    "order.recorded": (post_points, plan_messages, refresh_memberships),
    "customer.recorded": (refresh_memberships,),
    "message.planned": (deliver_message,),
    "timer.due": (plan_messages, refresh_memberships),
}
COUNTED = (Customer, Order, FeedbackResponse)
SIGNING_UP, ORDERING = "request-signing-up", "request-ordering"


class Flow:
    """What streams and buses do between the functions: hands on what is new, until nothing is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._seen: dict[tuple[str, str], Item] = {}
        self._put: list[dict[str, Any]] = []
        self.told: list[tuple[str, str | None]] = []
        monkeypatch.setattr("crm.kernel.publishing.events_client", lambda: self)

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803  boto's own name
        self._put += Entries
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in Entries]}

    def run(self) -> None:
        self._ingest()
        while changed := self._changed():
            published = [one for one in changed if isinstance(one[0], tuple(PUBLISHERS))]
            self._hand(publish_changes.handler, [record(*one) for one in published])
            self._hand(roll_up.handler, [record(*one) for one in changed if isinstance(one[0], COUNTED)])
            self.consume()

    def consume(self) -> None:
        entries, self._put = self._put, []
        for number, entry in enumerate(entries):
            detail = json.loads(entry["Detail"])
            self.told.append((entry["DetailType"], detail.get("correlationId")))
            body = {"id": "of-the-bus", "source": entry["Source"], "detail-type": entry["DetailType"], "detail": detail}
            for consumer in CONSUMERS.get(entry["DetailType"], ()):
                message = {"messageId": f"m{number}", "eventSource": "aws:sqs", "body": json.dumps(body)}
                self._hand(consumer.handler, [message])

    def _ingest(self) -> None:
        url = settings().intake_queue_url
        for message in letters_in(url):
            self._hand(ingest.handler, [sqs_record(message)])
            sqs_client().delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def _changed(self) -> list[tuple[Item, Item | None]]:
        items = {(item.pk, item.sk): item for item in Item.scan()}
        stored = {key: item for key, item in items.items() if not self._same(self._seen.get(key), item)}
        changed = [(item, self._seen.get(key)) for key, item in stored.items()]
        self._seen = items
        return changed

    @staticmethod
    def _same(before: Item | None, after: Item) -> bool:
        return before is not None and before.to_dynamodb_dict() == after.to_dynamodb_dict()

    @staticmethod
    def _hand(handler: Callable[..., Any], records: list[dict[str, Any]]) -> None:
        if records:
            assert handler({"Records": records}, None) == {"batchItemFailures": []}


def sqs_record(message: dict[str, Any]) -> dict[str, Any]:
    attributes = {
        name: {"stringValue": value["StringValue"], "dataType": "String"}
        for name, value in message.get("MessageAttributes", {}).items()
    }
    return {
        "messageId": "m0",
        "eventSource": "aws:sqs",
        "body": message["Body"],
        "messageAttributes": attributes,
    }


@pytest.fixture
def flow(monkeypatch: pytest.MonkeyPatch) -> Flow:
    Provider()
    return Flow(monkeypatch)


@pytest.fixture
def client() -> Client:
    return Client(create_app(authenticator=authenticator()))


def post(client: Client, body: dict[str, Any], request_id: str) -> None:
    headers = {"authorization": f"Bearer {token()}", "x-request-id": request_id}
    assert client.post("/v1/events", json=body, headers=headers).status_code == 202


def ordering(client: Client, flow: Flow) -> dict[str, Any]:
    """A customer signs up by one request and orders by another; what was ordered."""
    consent = {"channel": "email", "purpose": "marketing", "state": "granted"}
    who = {"externalId": "ann", "email": "ann@example.com", "emailVerified": True}
    at = clock.text(clock.now())
    post(client, event("customer.updated", {"consents": [consent]}, customer=who, occurredAt=at), SIGNING_UP)
    flow.run()
    ordered = event("order.placed", order(placedAt=at), customer={"externalId": "ann"}, occurredAt=at)
    post(client, ordered, ORDERING)
    return ordered


def test_the_id_of_a_request_runs_through_all_that_it_led_to(
    client: Client, flow: Flow, caplog: pytest.LogCaptureFixture
) -> None:
    ordered = ordering(client, flow)
    caplog.set_level(logging.INFO)
    caplog.clear()
    flow.told.clear()
    flow.run()
    written = {type(item).__name__ for item in Item.scan() if getattr(item, "correlation_id", None) == ORDERING}
    assert written >= {
        "ReceivedEvent", "Order", "LedgerEntry", "LoyaltyAccount", "OrderEarning", "SegmentMembership", "Message",
        "Timer",
    }  # fmt: skip
    assert {kind for kind, _ in flow.told} >= {"order.recorded", "points.posted", "segment.entered", "message.planned"}
    assert {told for _, told in flow.told} == {ORDERING}
    logged = {entry.message: vars(entry) for entry in caplog.records}
    for said in ("event", "points posted", "message decided", "message delivered", "segment entered"):
        assert logged[said]["correlation_id"] == ORDERING
    assert logged["changes published"]["correlation_ids"] == [ORDERING]
    assert logged["facts rolled up"]["correlation_ids"] == [ORDERING]
    answer = client.get(f"/v1/events/{ordered['id']}", headers={"authorization": f"Bearer {token()}"}).json()
    assert answer["correlationId"] == ORDERING


def test_what_time_brings_is_still_for_the_request_that_set_the_timer(client: Client, flow: Flow) -> None:
    ordering(client, flow)
    flow.run()
    flow.told.clear()
    for shard in range(timers.SHARDS):
        timers.fire(shard, holder="one", now=clock.now() + timedelta(days=31))
    flow.consume()
    assert set(flow.told) == {("timer.due", ORDERING)}


def test_an_event_from_the_bus_is_for_the_buss_own_id_of_it_whatever_it_says_itself(flow: Flow) -> None:
    envelope = event("order.placed", order(), correlationId="forged-1", id="e-bus")
    body = {"id": "of-the-bus", "source": "shop", "detail-type": "order.placed", "detail": envelope}
    ingest.handler({"Records": [sqs_record({"Body": json.dumps(body)})]}, None)  # type: ignore[arg-type]
    told = intake.status("demo", "e-bus")
    assert told is not None
    assert told.correlation_id == "of-the-bus"


def test_an_event_put_on_the_queue_by_hand_is_for_its_message() -> None:
    sent = event("order.placed", order(), id="e-hand")
    ingest.handler({"Records": [sqs_record({"Body": json.dumps(sent)})]}, None)  # type: ignore[arg-type]
    told = intake.status("demo", "e-hand")
    assert told is not None
    assert told.correlation_id == "m0"


def test_a_dead_letter_keeps_what_it_was_for_and_its_receipt_says_it() -> None:
    with correlation.bound(ORDERING):
        intake.bury(json.dumps(event("order.placed", {}, id="bad")), [Fault("", "INVALID", "no")], now=clock.now())
    (letter,) = letters_in(settings().intake_dead_letters_url)
    assert letter["MessageAttributes"]["correlation"]["StringValue"] == ORDERING
    told = intake.status("demo", "bad")
    assert told is not None
    assert told.correlation_id == ORDERING


def test_a_mutation_is_for_its_request(client: Client) -> None:
    asked = 'mutation { customerCreate(input: {firstName: "Ada"}) { customer { customerId } userErrors { code } } }'
    headers = {"authorization": f"Bearer {token(scope='customers:write customers:read')}", "x-request-id": ORDERING}
    body = client.post("/graphql", json={"query": asked}, headers=headers).json()
    assert body["data"]["customerCreate"]["userErrors"] == []
    written = {type(item).__name__ for item in Item.scan() if getattr(item, "correlation_id", None) == ORDERING}
    assert "Customer" in written
