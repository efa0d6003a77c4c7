# tests/integration/test_http_local.py
import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from api import local
from api.app import create_app
from crm.customers import service as customers
from crm.kernel import clock
from crm.kernel.settings import settings
from crm.shops.service import Shop
from schema.principal import SCOPES
from tests.web import Client


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    key, public = tmp_path / "key.pem", tmp_path / "jwks.json"
    local.make_keys(key, public)
    monkeypatch.setenv("CRM_LOCAL", "1")
    monkeypatch.setenv("CRM_LOCAL_KEY", str(key))
    monkeypatch.setenv("CRM_CLOCK_FILE", str(tmp_path / "clock"))
    monkeypatch.setenv("JWT_JWKS", str(public))
    settings.cache_clear()
    yield Client(create_app())
    monkeypatch.undo()
    settings.cache_clear()


def bearer(client: Client, **asked: Any) -> dict[str, str]:
    response = client.post("/_local/token", json=asked)
    assert response.status_code == 200, response.text
    return {"authorization": f"Bearer {response.json()['token']}"}


def test_a_token_made_here_is_taken_here(client: Client, shop: Shop) -> None:
    headers = bearer(client, kind="staff", shop="demo")
    response = client.post("/graphql", json={"query": "{ shop { name sender } }"}, headers=headers)
    assert response.json()["data"] == {"shop": {"name": "Demo", "sender": "shop@example.com"}}


def test_scopes_can_be_named(client: Client, shop: Shop) -> None:
    headers = bearer(client, kind="staff", shop="demo", scopes=["orders:read"])
    response = client.post("/graphql", json={"query": "{ shop { sender } }"}, headers=headers)
    assert response.status_code == 403


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"kind": "staff"},
        {"kind": "boss", "shop": "demo"},
        {"kind": "customer", "shop": "demo"},
        [],
        {"scopes": [1]},
        {"kind": "staff", "shop": "demo", "scopes": ["orders:write"]},
        {"kind": "staff", "shop": "demo", "scopes": "orders:read"},
        *(
            {"kind": "staff", "shop": "demo", "expiresIn": seconds}
            for seconds in (0, -1, 43_201, 1.5, True, "60", None)
        ),
    ],
    ids=json.dumps,
)
def test_a_token_without_a_meaning_is_not_made(client: Client, asked: Any) -> None:
    assert client.post("/_local/token", json=asked).status_code == 422


def test_a_scope_that_is_not_there_is_told_with_those_that_are(client: Client, shop: Shop) -> None:
    asked = {"kind": "staff", "shop": "demo", "scopes": ["orders:read", "orders:write"]}
    (error,) = client.post("/_local/token", json=asked).json()["errors"]
    assert error["message"].startswith("There is no scope orders:write; there are ")
    assert all(scope in error["message"] for scope in SCOPES)


def test_whoever_asks_for_a_visitors_token_is_told_who_makes_them(client: Client) -> None:
    refused = client.post("/_local/token", json={"kind": "visitor", "shop": "demo"})
    assert refused.status_code == 422
    assert "POST /v1/visitors" in refused.json()["errors"][0]["message"]


def test_a_token_ends_when_it_was_asked_to(client: Client, shop: Shop) -> None:
    made = client.post("/_local/token", json={"kind": "staff", "shop": "demo", "expiresIn": 60}).json()
    claims = jwt.decode(made["token"], options={"verify_signature": False})
    assert (made["expiresIn"], claims["exp"] - claims["iat"]) == (60, 60)


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1:5173", "http://localhost"])
def test_a_front_end_on_the_laptop_may_ask_its_gateway(client: Client, origin: str) -> None:
    asking = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
    preflight = client.request("OPTIONS", "/graphql", headers={"origin": origin, **asking})
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, origin)


@pytest.mark.parametrize(
    "origin", ["http://localhost.evil.example:3000", "https://evil.example", "http://evil@localhost"]
)
def test_no_other_page_may(client: Client, origin: str) -> None:
    preflight = client.request(
        "OPTIONS", "/graphql", headers={"origin": origin, "access-control-request-method": "POST"}
    )
    assert preflight.status_code == 400
    assert "access-control-allow-origin" not in preflight.headers


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "staff", "shop": "nowhere"},
        {"kind": "customer", "shop": "demo", "customerId": "cus_nobody"},
        {"kind": "customer", "shop": "other", "customerId": "cus_of_demo"},
    ],
    ids=json.dumps,
)
def test_a_token_for_a_shop_or_customer_that_is_not_there_is_not_made(
    client: Client, two_shops: None, now: datetime, asked: dict[str, Any]
) -> None:
    ann = customers.create("demo", customers.Words(fields={"first_name": "Ann"}), now=now).customer_id
    bearer(client, kind="customer", shop="demo", customerId=ann)
    asked |= {"customerId": ann} if asked.get("customerId") == "cus_of_demo" else {}
    response = client.post("/_local/token", json=asked)
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (404, "NOT_FOUND")


def test_who_moves_the_clock_is_not_signed_out_by_it(client: Client, shop: Shop) -> None:
    headers = bearer(client, kind="staff", shop="demo")
    client.post("/_local/clock", json={"forward": "P30D"})
    for bearing in (headers, bearer(client, kind="staff", shop="demo")):
        response = client.post("/graphql", json={"query": "{ shop { name } }"}, headers=bearing)
        assert response.json()["data"] == {"shop": {"name": "Demo"}}


def test_what_was_sent_can_be_read_newest_first(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    told = [
        {"MessageId": f"m{at}", "Source": "a@b.c", "To": ["ann@b.c"], "Subject": "Hi", "BodyText": "t", "Timestamp": at}
        for at in (1, 2)
    ]
    asked: list[str] = []

    def emulator(url: str, **_: Any) -> Any:
        asked.append(url)
        return io.BytesIO(json.dumps({"messages": {"000000000000": told}}).encode())

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    monkeypatch.setattr("urllib.request.urlopen", emulator)
    newest, oldest = client.get("/_local/messages").json()["messages"]
    assert asked == ["http://127.0.0.1:4566/_ministack/ses/messages"]
    assert (newest["messageId"], oldest["messageId"]) == ("m2", "m1")
    assert (newest["from"], newest["to"], newest["text"]) == ("a@b.c", ["ann@b.c"], "t")
    assert newest["sentAt"] == "1970-01-01T00:00:02.000000Z"


def test_the_key_is_its_owners_only_and_is_kept(tmp_path: Path) -> None:
    key, public = tmp_path / "key.pem", tmp_path / "jwks.json"
    local.make_keys(key, public)
    before = key.read_bytes()
    local.make_keys(key, public)
    assert key.read_bytes() == before
    assert key.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("forward", "seconds"), [(90, 90), ("PT90S", 90), ("P30D", 30 * 86400), ("P1DT2H", 93600)])
def test_the_clock_moves_forward(client: Client, forward: Any, seconds: int) -> None:
    before = clock.now()
    response = client.post("/_local/clock", json={"forward": forward})
    assert response.json()["offset"] == seconds
    moved = datetime.fromisoformat(response.json()["now"]) - before
    assert timedelta(seconds=seconds) <= moved < timedelta(seconds=seconds + 30)
    assert client.post("/_local/clock", json={"forward": forward}).json()["offset"] == 2 * seconds


@pytest.mark.parametrize("forward", [-1, "P", "", "tomorrow", None, True, "P9999D", 1e300, []])
def test_the_clock_moves_no_other_way(client: Client, forward: Any) -> None:
    assert client.post("/_local/clock", json={"forward": forward}).status_code == 422
