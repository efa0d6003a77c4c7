# tests/integration/test_http_visitors.py
import json
import time
from typing import Any

import httpx
import jwt
import pytest

from api.app import create_app
from api.authentication import Authenticator, KeySet
from api.visitor_tokens import LIFETIME_SECONDS, TOKEN_SECONDS, VisitorTokens
from crm.kernel.aws import sqs_client
from crm.kernel.settings import settings
from schema.budget import _key
from tests.shop_events import event
from tests.tokens import ISSUER, jwks, token
from tests.web import Client

DAY = 86400
TOKENS = VisitorTokens(settings().visitor_secret)
VISITOR, OTHER = "vis_00000000000000000000000001", "vis_00000000000000000000000002"


@pytest.fixture
def client(shop: object, outlets: None) -> Client:
    authenticator = Authenticator(ISSUER, KeySet(ISSUER.keys, fetch=jwks), visitors=TOKENS)
    return Client(create_app(authenticator=authenticator))


def ask(client: Client, shop: Any = "demo", *, bearer: str | None = None) -> httpx.Response:
    headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
    return client.post("/v1/visitors", json={"shop": shop}, headers=headers)


def send(client: Client, bearer: str, *events: Any) -> list[dict[str, Any]]:
    answer = client.post("/v1/events", json=list(events), headers={"authorization": f"Bearer {bearer}"})
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def queued() -> list[Any]:
    answer = sqs_client().receive_message(QueueUrl=settings().intake_queue_url, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def view(who: Any, event_id: str = "e1") -> dict[str, Any]:
    told = event("product.viewed", {"sku": "A"}, id=event_id)
    return {name: value for name, value in (told | {"customer": who}).items() if value is not None}


def signed(secret: str = settings().visitor_secret, algorithm: str = "HS256", **claims: Any) -> str:
    now = int(time.time())
    standard = {"iss": "rapport", "aud": "visitors", "sub": VISITOR, "shop": "demo", "born": now, "exp": now + 60}
    told = {name: value for name, value in (standard | claims).items() if value is not None}
    return jwt.encode(told, secret, algorithm=algorithm)


def test_anybody_is_given_a_token_for_a_shop_and_may_tell_what_they_do(client: Client) -> None:
    given = ask(client)
    assert given.status_code == 201
    assert given.headers["cache-control"] == "no-store"
    visitor_id = given.json()["visitorId"]
    assert [result["status"] for result in send(client, given.json()["token"], view(None))] == ["queued"]
    [stored] = queued()
    assert stored["customer"] == {"anonymousId": visitor_id}
    assert stored["id"] == f"app.{visitor_id}.e1"


def test_a_shop_that_is_not_there_has_no_visitors(client: Client) -> None:
    assert [ask(client, shop).status_code for shop in ("nowhere", "", 7, None)] == [404, 422, 422, 422]


@pytest.mark.parametrize(
    "who", [{"anonymousId": OTHER}, {"externalId": "ann"}, {"id": "cus_1", "anonymousId": VISITOR}, [], "ann"], ids=str
)
def test_a_visitor_speaks_for_nobody_else(client: Client, who: Any) -> None:
    [result] = send(client, signed(), view(who))
    assert (result["status"], [fault["code"] for fault in result["faults"]]) == ("refused", ["FORBIDDEN"])


@pytest.mark.parametrize("kind", ["order.placed", "feedback.received", "customer.updated", "refund.created"])
def test_a_visitor_tells_what_they_do_and_nothing_else(client: Client, kind: str) -> None:
    [result] = send(client, signed(), event(kind, {}) | {"customer": None})
    assert [fault["path"] for fault in result["faults"]] == ["type"]


def test_a_visitor_may_ask_for_nothing(client: Client) -> None:
    headers = {"authorization": f"Bearer {signed()}"}
    assert client.get("/v1/events/e1", headers=headers).status_code == 403
    assert client.post("/graphql", json={"query": "{ viewer { id } }"}, headers=headers).status_code == 403


@pytest.mark.parametrize(
    "forged",
    [
        signed(secret="another secret of 32 bytes, for tests"),
        signed(aud="rapport"),
        signed(iss="https://issuer.test"),
        signed(exp=1),
        signed(shop=None),
        signed(born=None),
        token(kind="visitor"),
    ],
)
def test_nobody_but_the_gateway_makes_visitors_tokens(client: Client, forged: str) -> None:
    headers = {"authorization": f"Bearer {forged}"}
    assert client.post("/v1/events", json=[view(None)], headers=headers).status_code == 401
    assert ask(client, bearer=forged).status_code == 401


def test_a_token_is_renewed_for_the_same_visitor_of_the_same_shop(client: Client) -> None:
    given = ask(client).json()
    again = ask(client, bearer=given["token"])
    assert (again.status_code, again.json()["visitorId"]) == (201, given["visitorId"])
    assert ask(client, bearer=signed(shop="other")).status_code == 401


def test_a_token_ends_after_thirty_days_and_its_visitor_after_ninety() -> None:
    now = [0.0]
    tokens = VisitorTokens(settings().visitor_secret, elapsed=lambda: now[0])
    given, ends = tokens.issue("demo", VISITOR)
    assert ends == TOKEN_SECONDS
    for day in (29, 58, 87):
        now[0] = day * DAY
        given, ends = tokens.issue("demo", VISITOR, born=tokens.read(given)["born"])
    assert ends == LIFETIME_SECONDS


def test_a_customers_app_may_say_which_visitor_they_were(client: Client) -> None:
    bearer = token(kind="customer", customer_id="cus_1", scope=None)
    told = [{"anonymousId": VISITOR}, {"id": "cus_1", "anonymousId": VISITOR}]
    guessed = [{"anonymousId": "17"}, {"id": "cus_2", "anonymousId": VISITOR}, {"anonymousId": VISITOR, "email": "x"}]
    results = send(client, bearer, *(view(who, f"e{number}") for number, who in enumerate(told + guessed)))
    assert [result["status"] for result in results] == ["queued"] * 2 + ["refused"] * 3
    assert [each["customer"] for each in queued()] == [{"id": "cus_1", "anonymousId": VISITOR}] * 2


def test_each_visitor_has_a_budget_of_their_own() -> None:
    keys = {_key(TOKENS.principal(signed(sub=visitor_id))[1]) for visitor_id in (VISITOR, OTHER)}
    assert len(keys) == 2


@pytest.mark.parametrize("visitor_id", ["x", "vis_1", 7, f"{VISITOR}0"])
def test_a_visitors_id_of_another_form_is_what_is_wrong(client: Client, visitor_id: Any) -> None:
    bearer = token(kind="customer", customer_id="cus_1", scope=None)
    [result] = send(client, bearer, view({"anonymousId": visitor_id}))
    assert [(fault["path"], fault["code"]) for fault in result["faults"]] == [("customer.anonymousId", "INVALID")]


@pytest.mark.parametrize("kind", ["visitor", "customer"])
def test_an_app_is_told_all_that_is_wrong_with_an_event_of_no_type(client: Client, kind: str) -> None:
    bearer = signed() if kind == "visitor" else token(kind="customer", customer_id="cus_1", scope=None)
    bare, unknown, nothing = send(client, bearer, {}, {"id": "e1", "type": "product.veiwed"}, None)
    assert ("type", "REQUIRED") in {(fault["path"], fault["code"]) for fault in bare["faults"]}
    assert {fault["path"] for fault in bare["faults"]} >= {"id", "shop", "source", "occurredAt", "data"}
    assert ("type", "UNKNOWN_TYPE") in {(fault["path"], fault["code"]) for fault in unknown["faults"]}
    assert [fault["code"] for fault in nothing["faults"]] == ["INVALID"]
