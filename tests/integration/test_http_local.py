# tests/integration/test_http_local.py
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api import local
from api.app import create_app
from crm.kernel import clock
from crm.kernel.settings import settings
from crm.shops.service import Shop
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
    ],
    ids=json.dumps,
)
def test_a_token_without_a_meaning_is_not_made(client: Client, asked: Any) -> None:
    assert client.post("/_local/token", json=asked).status_code == 422


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
