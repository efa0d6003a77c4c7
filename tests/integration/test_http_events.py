# tests/integration/test_http_events.py
import json
from datetime import datetime
from typing import Any

import httpx
import pytest

from api.app import create_app
from crm.customers import service as customers
from crm.intake import service as intake
from crm.kernel.aws import sqs_client
from crm.kernel.settings import settings
from crm.shops.service import Shop
from tests.shop_events import deliver, event, order
from tests.tokens import authenticator, token
from tests.web import Client

QUEUE = settings().intake_queue_url


@pytest.fixture
def queue(tables: None) -> str:
    url: str = sqs_client().create_queue(QueueName=QUEUE.rpartition("/")[2])["QueueUrl"]
    return url


@pytest.fixture
def client(queue: str, shop: Shop) -> Client:
    return Client(create_app(authenticator=authenticator()))


def send(client: Client, body: Any, **claims: Any) -> httpx.Response:
    return client.post("/v1/events", json=body, headers={"authorization": f"Bearer {token(**claims)}"})


def queued(queue: str) -> list[Any]:
    messages = sqs_client().receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in messages]


def statuses(response: httpx.Response) -> list[str]:
    return [result["status"] for result in response.json()["results"]]


def as_app(customer_id: str) -> dict[str, Any]:
    return {"kind": "customer", "customer_id": customer_id, "scope": None}


def test_an_event_is_queued_as_it_came(client: Client, queue: str) -> None:
    sent = event("order.placed", order())
    response = send(client, sent)
    assert (response.status_code, statuses(response)) == (202, ["queued"])
    assert queued(queue) == [sent]


@pytest.mark.parametrize("place", [{"id": "\ud83d"}, {"note": "\ude00x"}, {"data": {"a": ["\ud83d"]}}], ids=ascii)
def test_an_event_with_half_a_character_is_refused_at_its_place(
    client: Client, queue: str, place: dict[str, Any]
) -> None:
    good = event("order.placed", order())
    body = json.dumps([good, event("order.placed", order(), id="cut") | place])
    headers = {"authorization": f"Bearer {token()}", "content-type": "application/json"}
    response = client.request("POST", "/v1/events", content=body, headers=headers)
    assert (response.status_code, statuses(response)) == (202, ["queued", "refused"])
    assert [fault["code"] for fault in response.json()["results"][1]["faults"]] == ["NOT_JSON"]
    assert queued(queue) == [good]


@pytest.mark.parametrize("body", [b'["\\ud83d", NaN]', b'[{"\\ud83d": 1}]', b'["\\ud83d"', b'["\\ud83d\\ude00",]'])
def test_what_else_is_no_json_stays_refused_with_half_a_character_in_it(client: Client, body: bytes) -> None:
    headers = {"authorization": f"Bearer {token()}", "content-type": "application/json"}
    response = client.request("POST", "/v1/events", content=body, headers=headers)
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (400, "INVALID_JSON")


@pytest.mark.parametrize(
    ("event_id", "path"),
    [
        ("gid://shopify/Order/1", "gid://shopify/Order/1"),
        ("gid://shopify/Order/1", "gid%3A%2F%2Fshopify%2FOrder%2F1"),
        ("a/", "a/"),
        ("/", "%2F"),
        ("50%", "50%25"),
        ("ü?&=", "%C3%BC%3F%26%3D"),
    ],
)
def test_what_became_of_an_event_is_told_whatever_its_id_holds(
    client: Client, queue: str, now: datetime, event_id: str, path: str
) -> None:
    sent = event("order.placed", order(), id=event_id)
    assert statuses(send(client, sent)) == ["queued"]
    intake.apply(json.dumps(sent), now=now)
    told = client.get(f"/v1/events/{path}", headers={"authorization": f"Bearer {token()}"})
    assert (told.status_code, told.json().get("eventId")) == (200, event_id)


def test_who_posts_below_the_endpoint_is_told_so(client: Client) -> None:
    refused = client.post("/v1/events/x/y", json={}, headers={"authorization": f"Bearer {token()}"})
    assert (refused.status_code, set(refused.headers["allow"].split(", "))) == (405, {"GET", "HEAD"})


def test_no_event_comes_in_the_name_of_rapport(client: Client, queue: str) -> None:
    response = send(client, event("order.placed", order(), source="rapport"))
    (refused,) = response.json()["results"]
    assert (refused["faults"][0]["path"], refused["faults"][0]["code"]) == ("source", "RESERVED")
    assert queued(queue) == []


def test_a_customers_token_is_told_that_its_kind_may_not_ask_what_became_of_events(client: Client) -> None:
    headers = {"authorization": f"Bearer {token(**as_app('cus_1'))}"}
    refused = client.get("/v1/events/x", headers=headers)
    assert (refused.status_code, refused.json()["errors"][0]["message"]) == (
        403,
        "This kind of token may not ask what became of an event.",
    )


def test_a_bad_event_holds_up_no_other(client: Client, queue: str) -> None:
    good, bad = event("order.placed", order()), event("order.eaten", {})
    response = send(client, {"events": [bad, good]})
    assert (response.status_code, statuses(response)) == (202, ["refused", "queued"])
    refused = response.json()["results"][0]
    assert refused["eventId"] == bad["id"]
    assert [(fault["path"], fault["code"]) for fault in refused["faults"]] == [("type", "UNKNOWN_TYPE")]
    assert queued(queue) == [good]


def test_where_nothing_can_be_taken_the_answer_is_422(client: Client) -> None:
    response = send(client, [event("order.eaten", {})])
    assert (response.status_code, statuses(response)) == (422, ["refused"])


def test_what_the_queue_does_not_take_is_to_be_sent_again(client: Client, queue: str) -> None:
    sqs_client().delete_queue(QueueUrl=queue)
    response = send(client, [event("order.placed", order())])
    assert (response.status_code, statuses(response)) == (503, ["retry"])


@pytest.mark.parametrize("body", [[], "text", 7, [{}] * 101], ids=lambda body: str(body)[:8])
def test_a_body_that_is_no_list_of_events_is_refused(client: Client, body: Any) -> None:
    assert send(client, body).status_code == 422


def test_a_body_beyond_the_limit_is_refused(client: Client) -> None:
    assert send(client, "x" * 5_000_001).status_code == 413


def test_events_of_another_shop_are_refused(client: Client) -> None:
    response = send(client, event("order.placed", order(), shop="other"))
    assert response.status_code == 422
    assert response.json()["results"][0]["faults"][0]["path"] == "shop"


@pytest.mark.parametrize(
    "who", [{}, {"kind": "customer", "customer_id": "cus_1", "scope": None}], ids=["service", "app"]
)
def test_nothing_is_queued_for_a_shop_that_does_not_exist(client: Client, queue: str, who: dict[str, Any]) -> None:
    seen = event("product.viewed", {"sku": "A"}, shop="nosuch", customer=None)
    response = send(client, seen, shop="nosuch", **who)
    assert response.status_code == 404
    assert response.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    assert queued(queue) == []


def test_sending_needs_a_token_and_its_scope(client: Client) -> None:
    assert client.post("/v1/events", json=[]).status_code == 401
    assert send(client, event("order.placed", order()), scope="orders:read").status_code == 403


def test_an_app_tells_of_its_own_customer_whatever_it_says(client: Client, queue: str) -> None:
    seen = event("product.viewed", {"sku": "A"})
    del seen["customer"]
    response = send(client, seen, **as_app("cus_1"))
    assert (response.status_code, statuses(response)) == (202, ["queued"])
    assert queued(queue)[0]["customer"] == {"id": "cus_1"}


def test_an_app_cannot_take_the_ids_of_the_shops_own_events(client: Client, queue: str, now: datetime) -> None:
    seen = event("product.viewed", {"sku": "A"}, id="shopify-order-1001-1", customer=None)
    bought = event("order.placed", order(), id="shopify-order-1001-1")
    known = [event("customer.updated", {}, customer={"externalId": name}) for name in ("ann", "bob")]
    ann, bob = (str(intake.apply(json.dumps(body), now=now).customer_id) for body in known)
    for customer_id in (ann, bob):
        response = send(client, seen, **as_app(customer_id))
        assert response.json()["results"][0]["eventId"] == "shopify-order-1001-1"
    outcomes = [intake.apply(json.dumps(body), now=now, by_app=True) for body in queued(queue)]
    outcomes += [intake.apply(json.dumps(bought), now=now)]
    assert [(outcome.status, outcome.repeated) for outcome in outcomes] == [("applied", False)] * 3
    headers = {"authorization": f"Bearer {token()}"}
    told = client.get(f"/v1/events/app.{ann}.shopify-order-1001-1", headers=headers).json()
    assert (told["type"], told["customerId"]) == ("product.viewed", ann)


@pytest.mark.parametrize("event_id", ["", "x" * 100, "a b", 7, None])
def test_an_app_cannot_leave_its_namespace_by_an_odd_id(client: Client, queue: str, event_id: Any) -> None:
    response = send(
        client, event("product.viewed", {"sku": "A"}, id=event_id, customer=None), **as_app("cus_" + "1" * 26)
    )
    assert (response.status_code, queued(queue)) == (422, [])
    assert {fault["path"] for fault in response.json()["results"][0]["faults"]} == {"id"}


@pytest.mark.parametrize(
    ("kind", "most"), [("product.viewed", 5_000), ("custom.recorded", 5_000), ("cart.updated", 12_000)]
)
def test_what_an_app_tells_at_once_is_no_more_than_its_kind_needs(
    client: Client, queue: str, kind: str, most: int
) -> None:
    needed = {"sku": "A", "name": "wish.made", "cartId": "c1", "lines": [], "note": ""}
    free = most - len(json.dumps(needed, separators=(",", ":")))
    sent = [event(kind, needed | {"note": note}, customer=None) for note in ("ü" * (free // 2), "ü" * (free // 2 + 1))]
    response = send(client, sent, **as_app("cus_1"))
    assert statuses(response) == ["queued", "refused"]
    [fault] = response.json()["results"][1]["faults"]
    assert (fault["path"], fault["code"]) == ("data", "TOO_LARGE")
    assert fault["message"].startswith(f"must have {most:,} bytes")
    assert statuses(send(client, sent[1] | {"customer": {"externalId": "ann"}})) == ["queued"]  # from the shop


def test_the_longest_answer_and_the_longest_cart_of_an_app_are_taken(client: Client, queue: str) -> None:
    lines = [{"sku": f"SKU-{number:06}", "quantity": 10, "unitPrice": "129.90"} for number in range(200)]
    told = [
        event("feedback.received", {"score": 9, "comment": "😀" * 2000}, customer=None),
        event("checkout.started", {"cartId": "c1", "lines": lines, "currency": "EUR"}, customer=None),
    ]
    assert statuses(send(client, told, **as_app("cus_1"))) == ["queued"] * 2


def test_no_shops_event_passes_for_an_apps(client: Client, queue: str, outlets: None) -> None:
    seen = event("product.viewed", {"sku": "A"}, id="app.cus_1.e1")
    response = send(client, seen)
    assert (response.status_code, queued(queue)) == (422, [])
    [fault] = response.json()["results"][0]["faults"]
    assert (fault["path"], fault["code"]) == ("id", "RESERVED")
    deliver({"detail-type": "product.viewed", "source": "shop", "detail": seen})  # from the bus, which checks nothing
    headers = {"authorization": f"Bearer {token()}"}
    told = client.get("/v1/events/app.cus_1.e1", headers=headers).json()
    assert (told["status"], [reason["path"] for reason in told["reasons"]]) == ("dead_lettered", ["id"])


def test_what_an_app_sent_is_an_apps_event_for_whoever_takes_it_from_the_queue(client: Client, queue: str) -> None:
    seen = event("product.viewed", {"sku": "A"}, customer=None)
    send(client, seen, **as_app("cus_1"))
    send(client, event("product.viewed", {"sku": "A"}))
    messages = sqs_client().receive_message(QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    marks = [message["MessageAttributes"].get("app", {}).get("StringValue") for message in messages["Messages"]]
    assert marks == ["true", None]


def test_an_app_tells_of_nobody_else_and_of_no_orders(client: Client, queue: str) -> None:
    others = event("product.viewed", {"sku": "A"}, customer={"id": "cus_2"})
    bought = event("order.placed", order())
    response = send(client, [others, bought], **as_app("cus_1"))
    assert (response.status_code, statuses(response)) == (422, ["refused", "refused"])
    assert [result["faults"][0]["path"] for result in response.json()["results"]] == ["customer", "type"]
    assert queued(queue) == []


def test_what_became_of_an_event_can_be_asked(client: Client, now: datetime) -> None:
    sent = event("order.placed", order())
    headers = {"authorization": f"Bearer {token()}"}
    assert client.get(f"/v1/events/{sent['id']}", headers=headers).status_code == 404
    outcome = intake.apply(json.dumps(sent), now=now)
    answer = client.get(f"/v1/events/{sent['id']}", headers=headers).json()
    assert (answer["status"], answer["type"], answer["customerId"]) == ("applied", "order.placed", outcome.customer_id)
    assert answer["conflicts"] == {"count": 0, "rejectedAt": None, "reasons": []}
    foreign = {"authorization": f"Bearer {token(shop='other')}"}
    assert client.get(f"/v1/events/{sent['id']}", headers=foreign).status_code == 404


def test_what_another_event_under_its_id_was_refused_for_can_be_asked(
    client: Client, outlets: None, now: datetime
) -> None:
    first, second = event("order.placed", order(), id="same"), event("order.placed", order("o2"), id="same")
    intake.apply(json.dumps(first), now=now)
    assert send(client, second).json()["results"][0]["faults"][0]["code"] == "KEY_REUSED"
    deliver(second)
    answer = client.get("/v1/events/same", headers={"authorization": f"Bearer {token()}"}).json()
    assert (answer["status"], answer["reasons"], answer["conflicts"]["count"]) == ("applied", [], 1)
    assert [reason["code"] for reason in answer["conflicts"]["reasons"]] == ["KEY_REUSED"]


def test_a_customer_may_not_read_events(client: Client) -> None:
    headers = {"authorization": f"Bearer {token(**as_app('cus_1'))}"}
    assert client.get("/v1/events/e1", headers=headers).status_code == 403


def test_customers_are_there_when_their_events_are_applied(client: Client, now: datetime) -> None:
    intake.apply(json.dumps(event("order.placed", order())), now=now)
    assert customers.find("demo", "external", "ann", source="shopify") is not None
