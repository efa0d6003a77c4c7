# tests/integration/test_http_numbers.py
"""Numbers that no computer can hold are refused at their place, at each door, before anything is asked of the store."""

import json
from urllib.parse import quote

import pytest

from api.app import create_app
from tests.asking import answer
from tests.shop_events import event, order
from tests.tokens import authenticator, token
from tests.web import Client

ENDLESS = "9" * 15_000
BOUNDLESS = ["1e999", "-1e999", ENDLESS, f"-{ENDLESS}", f"{ENDLESS}.5"]
SEND = "mutation ($v: JSON) { eventsIngest(input: {events: [$v]}) { userErrors { code } } }"
INPUTS = [
    ("query ($v: Int) { customers(first: $v) { nodes { id } } }", "first"),
    ("query ($v: Int = V) { customers(first: $v) { nodes { id } } }", "v"),
    ("query ($v: ID = V) { node(id: $v) { id } }", "v"),
    ("query ($v: Boolean!) { shop { id @include(if: $v) } }", "if"),
    ("{ customers(first: V) { nodes { id } } }", "first"),
    ("{ node(id: V) { id } }", "id"),
    ("{ shop { id @skip(if: V) } }", "if"),
    ('mutation { feedbackSubmit(input: {score: V, idempotencyKey: "k"}) { replayed } }', "input.score"),
    (
        "mutation { customerCreate(input: {addresses: [{latitude: V}]}) { userErrors { code } } }",
        "input.addresses.0.latitude",
    ),
    ("mutation { eventsIngest(input: {events: [{data: [V]}]}) { userErrors { code } } }", "input.events.0"),
    (SEND, "input.events.0"),
]
HEADERS = {"content-type": "application/json"}


@pytest.fixture
def client() -> Client:
    return Client(create_app(authenticator=authenticator()))


def refused_fields(client: Client, text: str, number: str) -> list[str]:
    body = json.dumps({"query": text.replace("V", number)})[:-1] + f', "variables": {{"v": {number}}}}}'
    response = client.post("/graphql", content=body, headers=HEADERS | {"authorization": f"Bearer {token()}"})
    assert response.status_code == 200, response.text[:500]
    assert "data" not in response.json()
    return [".".join(error["extensions"]["field"]) for error in response.json()["errors"]]


@pytest.mark.parametrize("number", BOUNDLESS, ids=lambda text: text[:6])
@pytest.mark.parametrize(("text", "field"), INPUTS, ids=[f"{text.split()[0]} {field}" for text, field in INPUTS])
def test_a_number_beyond_all_bounds_is_refused_with_the_path_of_its_input(
    client: Client, text: str, field: str, number: str
) -> None:
    assert field in refused_fields(client, text, number)


def test_so_it_is_deep_inside_json_and_in_a_get(client: Client) -> None:
    assert refused_fields(client, SEND, '{"data": {"a": [0, {"b": 1e400}]}}') == ["input.events.0"]
    query = quote("query ($v: Int) { customers(first: $v) { nodes { id } } }")
    asked = client.get(
        f"/graphql?query={query}&variables={quote(json.dumps({'v': 0}).replace('0', ENDLESS[:2000]))}",
        headers={"authorization": f"Bearer {token()}"},
    )
    assert asked.json()["errors"][0]["extensions"]["field"] == ["first"]


def test_a_number_that_computers_hold_is_judged_as_ever() -> None:
    text = "query ($v: Int) { customers(first: $v) { nodes { id } } }"
    for number in (10**300, 1e308, -(10**300)):
        assert answer(text, {"v": number}).body["errors"][0]["extensions"]["field"] == ["first"]


@pytest.mark.parametrize("where", ["query", "operationName", "extensions", "documentId"])
@pytest.mark.parametrize("number", BOUNDLESS, ids=lambda text: text[:6])
def test_nothing_else_of_a_request_can_be_such_a_number(client: Client, where: str, number: str) -> None:
    told = {"query": "{ shop { id } }", "extensions": {}} | {where: 0}
    body = json.dumps(told).replace(": 0", f": {number}")
    response = client.post("/graphql", content=body, headers=HEADERS | {"authorization": f"Bearer {token()}"})
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("number", BOUNDLESS, ids=lambda text: text[:6])
@pytest.mark.parametrize("place", ["occurredAt", "version", "data", "x"])
@pytest.mark.usefixtures("shop", "outlets")
def test_an_event_with_one_holds_up_no_other(client: Client, place: str, number: str) -> None:
    bad = json.dumps(event("order.placed", order(), id="bad") | {place: "HERE"}).replace('"HERE"', number)
    body = f"[{bad}, {json.dumps(event('order.placed', order()))}]"
    response = client.post("/v1/events", content=body, headers=HEADERS | {"authorization": f"Bearer {token()}"})
    results = response.json()["results"]
    assert (response.status_code, [each["status"] for each in results]) == (202, ["refused", "queued"])
    (fault,) = results[0]["faults"]
    assert (fault["code"], fault["message"]) == ("NOT_JSON", "holds a number that is beyond all bounds")


@pytest.mark.parametrize("body", ["NaN", '{"a": NaN}', "[Infinity, 1e999]", '{"a": 1e999', '["\\ud83d", -Infinity]'])
@pytest.mark.parametrize("path", ["/graphql", "/v1/events"])
def test_what_is_no_json_stays_refused_with_one_in_it(client: Client, path: str, body: str) -> None:
    response = client.post(path, content=body, headers=HEADERS | {"authorization": f"Bearer {token()}"})
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (400, "INVALID_JSON")


@pytest.mark.parametrize("depth", [500, 900, 950, 990, 2_000])
@pytest.mark.parametrize("inner", ["1", "1e999", '"\\ud83d"'])
@pytest.mark.parametrize("path", ["/graphql", "/v1/events"])
@pytest.mark.usefixtures("shop", "outlets")
def test_no_depth_breaks_anything(client: Client, path: str, inner: str, depth: int) -> None:
    nested = "[" * depth + inner + "]" * depth
    wrapped = {
        "/graphql": f'{{"query": "{SEND}", "variables": {{"v": {nested}}}}}',
        "/v1/events": f'[{{"id": "a", "x": {nested}}}]',
    }
    response = client.post(path, content=wrapped[path], headers=HEADERS | {"authorization": f"Bearer {token()}"})
    assert response.status_code in {200, 400, 422}, response.text


@pytest.mark.parametrize("event_id", ["%00", "%ED%A0%80", "%F0%9F", "9" * 5000, "1e999", "%C3%BC"])
@pytest.mark.usefixtures("shop")
def test_no_name_of_an_event_breaks_anything(client: Client, event_id: str) -> None:
    response = client.get(f"/v1/events/{event_id}", headers={"authorization": f"Bearer {token()}"})
    assert response.status_code == 404


@pytest.mark.parametrize("header", ["x-request-id", "content-length", "authorization", "accept", "content-type"])
@pytest.mark.parametrize("value", [ENDLESS[:4_400], "-1", "1e999", "NaN"], ids=lambda text: text[:6])
@pytest.mark.usefixtures("shop")
def test_no_header_breaks_anything(client: Client, header: str, value: str) -> None:
    headers = HEADERS | {"authorization": f"Bearer {token()}"} | {header: value}
    response = client.post("/graphql", content='{"query": "{ shop { id } }"}', headers=headers)
    assert response.status_code in {200, 401, 406, 415}, response.text
