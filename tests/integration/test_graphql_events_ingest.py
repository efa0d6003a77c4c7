# tests/integration/test_graphql_events_ingest.py
import json
from typing import Any

import pytest

from crm.intake import service as intake
from crm.kernel.aws import sqs_client
from crm.kernel.settings import settings
from crm.shops.service import Shop
from schema.principal import Principal
from tests.asking import SERVICE, answer, as_customer, as_staff, ask, codes
from tests.shop_events import deliver, event, order

INGEST = """mutation ($input: EventsIngestInput!) { eventsIngest(input: $input) {
    results { eventId status faults { path code message } ignored } userErrors { code field } } }"""


@pytest.fixture
def queue(shop: Shop) -> str:
    name = settings().intake_queue_url.rpartition("/")[2]
    url: str = sqs_client().create_queue(QueueName=name)["QueueUrl"]
    return url


def ingest(*events: Any, principal: Principal = SERVICE) -> Any:
    return ask(INGEST, {"input": {"events": list(events)}}, principal=principal)["eventsIngest"]


def test_events_come_in_by_the_same_door_as_over_http(queue: str) -> None:
    good, bad = event("order.placed", order()), event("order.eaten", {})
    receipts = ingest(good, bad)["results"]
    assert [(receipt["eventId"], receipt["status"]) for receipt in receipts] == [
        (good["id"], "queued"),
        (bad["id"], "refused"),
    ]
    assert receipts[1]["faults"][0]["path"] == "type"
    (message,) = sqs_client().receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"]) == good


def test_more_than_a_hundred_are_refused_whole(queue: str) -> None:
    events = [event("order.placed", order()) for _ in range(101)]
    refused = answer(INGEST, {"input": {"events": events}}, principal=SERVICE)
    assert codes(refused) == ["QUERY_TOO_COMPLEX"]
    assert "Messages" not in sqs_client().receive_message(QueueUrl=queue)


def test_none_are_refused_as_over_http(queue: str) -> None:
    for principal in (SERVICE, as_customer("cus_1")):
        assert ingest(principal=principal)["userErrors"] == [{"code": "REQUIRED", "field": ["input", "events"]}]


def test_an_app_tells_of_its_own_customer_only(queue: str) -> None:
    own = event("product.viewed", {"sku": "A"}, customer={"id": "cus_1"})
    other = event("product.viewed", {"sku": "A"}, customer={"id": "cus_2"})
    receipts = ingest(own, other, principal=as_customer("cus_1"))["results"]
    assert [receipt["status"] for receipt in receipts] == ["queued", "refused"]


@pytest.mark.parametrize("principal", [SERVICE, as_customer("cus_1")])
def test_a_null_among_events_holds_up_no_other(queue: str, principal: Principal) -> None:
    good = event("product.viewed", {"sku": "A"}) | {"customer": {"id": "cus_1"}}
    receipts = ingest(None, good, principal=principal)["results"]
    assert [receipt["status"] for receipt in receipts] == ["refused", "queued"]
    assert [fault["code"] for fault in receipts[0]["faults"]] == ["INVALID"]


def test_what_nobody_reads_is_told(queue: str) -> None:
    misspelt = event("order.placed", order() | {"shiping": "1"}) | {"customer": {"emial": "ada@example.com"}}
    [receipt] = ingest(misspelt)["results"]
    assert (receipt["status"], sorted(receipt["ignored"])) == ("queued", ["customer.emial", "data.shiping"])
    deliver(misspelt)
    received = intake.status("demo", misspelt["id"])
    assert received is not None
    assert received.ignored is not None
    assert sorted(received.ignored) == ["customer.emial", "data.shiping"]


def test_staff_need_the_scope(queue: str) -> None:
    assert codes(answer(INGEST, {"input": {"events": []}}, principal=as_staff("customers:write"))) == ["FORBIDDEN"]
