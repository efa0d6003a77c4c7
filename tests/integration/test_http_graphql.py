# tests/integration/test_http_graphql.py
import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api.app import create_app
from crm.kernel.settings import Settings
from crm.shops.service import Shop
from schema.operations import AUDIENCES, operations
from tests.tokens import authenticator, token
from tests.web import Client

SHOP = "{ shop { name } }"
GRAPHQL_JSON = "application/graphql-response+json"


@pytest.fixture
def client() -> Client:
    return Client(create_app(authenticator=authenticator()))


def post(client: Client, body: Any, /, *, accept: str = GRAPHQL_JSON, bearer: str | None = None) -> httpx.Response:
    headers = {"authorization": f"Bearer {bearer or token()}", "accept": accept}
    return client.post("/graphql", json=body, headers=headers)


def code(response: httpx.Response) -> str:
    answer: str = response.json()["errors"][0]["extensions"]["code"]
    return answer


def test_a_query_is_answered_with_its_cost_and_capacity(client: Client, shop: Shop) -> None:
    response = post(client, {"query": SHOP})
    assert response.status_code == 200
    assert response.json()["data"] == {"shop": {"name": shop.name}}
    extensions = response.json()["extensions"]
    assert extensions["cost"] == {"requested": 1, "actual": 1}
    assert extensions["capacity"] == {"requests": 1, "readUnits": 1.0, "writeUnits": 0.0}
    assert extensions["requestId"] == response.headers["x-request-id"]


def test_a_query_can_be_asked_by_get_and_a_mutation_cannot(client: Client, shop: Shop) -> None:
    headers = {"authorization": f"Bearer {token(scope='shop:write')}"}
    query = client.get("/graphql", params={"query": SHOP}, headers=headers)
    assert query.json()["data"] == {"shop": {"name": "Demo"}}
    mutation = 'mutation { shopUpdate(input: {name: "Taken"}) { shop { name } } }'
    for method in ("GET", "HEAD"):
        refused = client.request(method, "/graphql", params={"query": mutation}, headers=headers)
        assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert client.get("/graphql", params={"query": SHOP}, headers=headers).json()["data"]["shop"]["name"] == "Demo"


@pytest.mark.parametrize("bearer", ["nonsense", token(iss="https://other.test")])
def test_whoever_cannot_say_who_they_are_is_refused(client: Client, bearer: str) -> None:
    response = post(client, {"query": SHOP}, bearer=bearer)
    assert (response.status_code, code(response)) == (401, "UNAUTHENTICATED")
    assert response.headers["www-authenticate"] == "Bearer"
    message = response.json()["errors"][0]["message"]
    assert (message[0].isupper(), message[-1]) == (True, ".")


def test_a_missing_scope_is_refused_before_anything_runs(client: Client, shop: Shop) -> None:
    response = post(client, {"query": "{ shop { name sender } }"}, bearer=token(scope=""))
    assert (response.status_code, code(response)) == (403, "FORBIDDEN")
    assert "data" not in response.json()
    assert "shop:read" in response.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"query": "{ shop {"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ shop { nothing } }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query A { shop { name } } query B { shop { name } }"}, "OPERATION_RESOLUTION_FAILURE"),
        ({"query": SHOP, "operationName": "C"}, "OPERATION_RESOLUTION_FAILURE"),
        ({"query": "query ($id: ID!) { node(id: $id) { id } }"}, "BAD_USER_INPUT"),
        ({"query": ""}, "BAD_REQUEST"),
        ({"query": 1}, "BAD_REQUEST"),
        ({"query": SHOP, "variables": []}, "BAD_REQUEST"),
        ({"query": SHOP, "operationName": {}}, "BAD_REQUEST"),
        ([{"query": SHOP}], "BAD_REQUEST"),
        ({}, "BAD_REQUEST"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_request_that_cannot_run_says_why(client: Client, body: Any, expected: str) -> None:
    response = post(client, body)
    assert (response.status_code, code(response)) == (400, expected)
    assert "data" not in response.json()
    assert response.headers["content-type"].startswith(GRAPHQL_JSON)


def test_clients_that_know_plain_json_only_get_document_errors_with_200(client: Client) -> None:
    assert post(client, {"query": "{ shop {"}, accept="application/json").status_code == 200


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        (GRAPHQL_JSON, GRAPHQL_JSON),
        (f"application/json;q=0, {GRAPHQL_JSON}", GRAPHQL_JSON),
        (f"application/json;q=0.1, {GRAPHQL_JSON}", GRAPHQL_JSON),
        (f"{GRAPHQL_JSON};q=0.1, application/json", "application/json"),
        (f"{GRAPHQL_JSON}, application/json;q=0.9", GRAPHQL_JSON),
        (f"application/json; Q=0.899; x=1, {GRAPHQL_JSON.upper()} ;q=0.9", GRAPHQL_JSON),
        (f"application/json, {GRAPHQL_JSON}", "application/json"),
        (f"{GRAPHQL_JSON}, application/json", GRAPHQL_JSON),
        (f"application/json;charset=utf-8, {GRAPHQL_JSON};q=1.0", "application/json"),
        (f"*/*;q=0.1, {GRAPHQL_JSON};q=0.2", GRAPHQL_JSON),
        (f"{GRAPHQL_JSON};q=0.1, */*", "application/json"),
        ("application/json;q=0, */*", GRAPHQL_JSON),
        (f"{GRAPHQL_JSON};q=0, application/*;q=0.001", "application/json"),
        ("text/html, */*;q=0.1", "application/json"),
        ("application/json;q=abc", "application/json"),
    ],
)
def test_the_answer_comes_in_a_form_the_client_takes(client: Client, shop: Shop, accept: str, expected: str) -> None:
    assert post(client, {"query": SHOP}, accept=accept).headers["content-type"] == f"{expected}; charset=utf-8"


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "*/*;q=0", "application/*;q=0.000, text/*"])
def test_a_client_that_takes_no_json_is_told_so(client: Client, accept: str) -> None:
    assert post(client, {"query": SHOP}, accept=accept).status_code == 406


def test_a_body_of_another_kind_or_size_is_refused(client: Client) -> None:
    headers = {"authorization": f"Bearer {token()}"}
    assert client.post("/graphql", content="{}", headers=headers).status_code == 415
    headers["content-type"] = "application/json"
    assert client.post("/graphql", content=b"{" * 300_000, headers=headers).status_code == 413
    assert client.post("/graphql", content=b"{not json", headers=headers).status_code == 400
    assert client.post("/graphql", content=b'{"query":"\xff"}', headers=headers).status_code == 400
    assert client.post("/graphql", content=b"[" * 100_000, headers=headers).status_code == 400


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_methods_are_refused_in_json(client: Client, method: str) -> None:
    response = client.request(method, "/graphql", headers={"authorization": f"Bearer {token()}"})
    assert (response.status_code, response.headers["allow"], code(response)) == (405, "GET, POST", "METHOD_NOT_ALLOWED")


def test_the_callers_request_id_runs_through(client: Client, shop: Shop) -> None:
    headers = {"authorization": f"Bearer {token()}", "x-request-id": "trace-0001"}
    response = client.post("/graphql", json={"query": SHOP}, headers=headers)
    assert response.headers["x-request-id"] == "trace-0001"
    headers["x-request-id"] = "bad id\twith spaces"
    assert client.post("/graphql", json={"query": SHOP}, headers=headers).headers["x-request-id"].startswith("req_")


def test_a_failure_of_ours_is_masked_and_carries_the_request_id(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("ada@example.com is in the way")

    monkeypatch.setattr("crm.shops.service.current", broken)
    response = post(client, {"query": SHOP})
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL_ERROR"
    assert error["extensions"]["requestId"] == response.headers["x-request-id"]
    assert response.json()["data"] == {"shop": None}
    assert "ada" not in response.text + caplog.text
    assert response.headers["x-request-id"] in caplog.text


def test_every_answer_carries_security_headers(client: Client) -> None:
    for path in ("/healthz", "/graphql", "/graphiql", "/nowhere"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe-eval" not in headers["content-security-policy"]


def test_cors_answers_the_configured_origins_only(shop: Shop) -> None:
    configured = Settings(cors_origins="https://app.example.com", visitor_secret="s" * 32)
    client = Client(create_app(configured, authenticator=authenticator()))
    asking = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    known = client.request("OPTIONS", "/graphql", headers={"origin": "https://app.example.com", **asking})
    assert known.headers["access-control-allow-origin"] == "https://app.example.com"
    given = client.get("/healthz", headers={"origin": "https://app.example.com"})
    assert given.headers["access-control-expose-headers"] == "date, retry-after, x-request-id"
    other = client.request("OPTIONS", "/graphql", headers={"origin": "https://evil.example.com", **asking})
    assert "access-control-allow-origin" not in other.headers
    assert other.status_code == 400


def test_half_a_character_is_refused_with_the_field_it_stands_in(client: Client) -> None:
    headers = {"authorization": f"Bearer {token()}", "content-type": "application/json"}
    asked = {"query": "query ($id: ID!) { customer(id: $id) { id } }", "variables": {"id": "\ud83d"}}
    (error,) = client.request("POST", "/graphql", content=json.dumps(asked), headers=headers).json()["errors"]
    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("BAD_USER_INPUT", ["id"])
    for where in ("query", "operationName", "extensions"):
        answer = client.request("POST", "/graphql", content=json.dumps(asked | {where: "\ud83d"}), headers=headers)
        assert (answer.status_code, code(answer)) == (400, "BAD_REQUEST")


def test_each_field_that_is_forbidden_is_named_with_where_it_first_stands(client: Client) -> None:
    headers = {"authorization": f"Bearer {token(scope='orders:read')}"}
    query = "{ customers { nodes { customerId } } segments { name } }"
    (error,) = client.post("/graphql", json={"query": query}, headers=headers).json()["errors"]
    assert {"Query.customers", "Query.segments"} <= set(error["extensions"]["fields"])
    where = dict(zip(error["extensions"]["fields"], error["locations"], strict=True))
    assert where["Query.segments"] == {"line": 1, "column": query.index("segments") + 1}
    twice = {"query": "{ shop { name }\n  a: segments { name }\n  b: segments { id } }"}
    (error,) = client.post("/graphql", json=twice, headers=headers).json()["errors"]
    where = dict(zip(error["extensions"]["fields"], error["locations"], strict=True))
    assert where["Query.segments"] == {"line": 2, "column": 3}


def test_a_page_from_a_laptop_may_not_ask_a_gateway_that_is_none(client: Client) -> None:
    asking = {"origin": "http://localhost:3000", "access-control-request-method": "POST"}
    preflight = client.request("OPTIONS", "/graphql", headers=asking)
    assert preflight.status_code == 400
    assert "access-control-allow-origin" not in preflight.headers


def test_graphiql_and_its_assets_come_from_the_gateway_itself(client: Client) -> None:
    page = client.get("/").text
    names = [part.split('"')[0] for part in page.split("/graphiql/")[1:]]
    assert len(names) == 6
    for name in names:
        asset = client.get(f"/graphiql/{name}")
        assert asset.status_code == 200
        assert asset.headers["content-type"].startswith(("text/javascript", "text/css"))
    assert client.get("/graphiql/graphiql.html").status_code == 404


def test_graphiql_is_given_the_example_operations(client: Client) -> None:
    served = client.get("/graphiql/operations.json").json()
    assert [each["name"] for each in served] == [operation.name for operation in operations()]
    assert all(each["text"] and each["audience"] in AUDIENCES for each in served)


def test_a_browser_that_comes_to_the_endpoint_is_led_to_graphiql(client: Client) -> None:
    browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    assert client.get("/graphql", headers=browser).url.path == "/graphiql"


def test_an_unknown_path_is_answered_in_json(client: Client) -> None:
    response = client.get("/nowhere")
    assert (response.status_code, code(response)) == (404, "NOT_FOUND")


def test_health_says_nothing_but_that_it_is_there(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_the_local_doors_are_closed_elsewhere(client: Client) -> None:
    for path in ("/_local/token", "/_local/clock", "/_local/messages"):
        assert client.post(path, json={}).status_code == 404


@pytest.fixture
def own_loop() -> Iterator[None]:
    """The loop that Mangum finds and keeps, or it would make one that nobody closes."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.mark.usefixtures("own_loop")
def test_lambda_answers_as_uvicorn_does(shop: Shop) -> None:
    from mangum import Mangum

    handler = Mangum(create_app(authenticator=authenticator()), lifespan="off")
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/graphql",
        "rawQueryString": "",
        "headers": {"authorization": f"Bearer {token()}", "content-type": "application/json", "host": "x"},
        "requestContext": {"http": {"method": "POST", "path": "/graphql", "sourceIp": "127.0.0.1", "protocol": "HTTP"}},
        "body": json.dumps({"query": SHOP}),
        "isBase64Encoded": False,
    }
    context: Any = None
    first, second = handler(event, context), handler(event, context)
    assert first["statusCode"] == second["statusCode"] == 200
    assert json.loads(first["body"])["data"] == json.loads(second["body"])["data"] == {"shop": {"name": "Demo"}}
