# tests/integration/test_http_any_body.py
"""Whatever is sent, the gateway answers in JSON, and never that it broke."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from api.app import create_app
from crm.shops.service import Shop
from tests.tokens import authenticator, token

Send = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]

HEADERS = {"authorization": f"Bearer {token()}", "content-type": "application/json"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
WORDS = st.sampled_from(
    ["{", "}", "(", ")", ":", "$", "@", "!", "...", "query", "shop", "name", "a", '"', "1", "#", " "]
)
DOCUMENTS = st.lists(WORDS, max_size=15).map(" ".join)
REQUESTS = st.fixed_dictionaries(
    {"query": DOCUMENTS | JSON}, optional={"variables": JSON, "operationName": JSON, "extensions": JSON, "id": JSON}
)
TEXTS = st.sampled_from(["query", "variables", "operationName", "extensions", "x"])

exhaustively = settings(
    max_examples=100,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def judged(shop: Shop) -> Callable[[Send], None]:
    transport = httpx.ASGITransport(create_app(authenticator=authenticator()), raise_app_exceptions=False)

    def judge(send: Send) -> None:
        async def sent() -> httpx.Response:
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
                return await send(client)

        answer = asyncio.run(sent())
        assert answer.status_code < 500, answer.text
        assert answer.headers["content-type"].endswith("json; charset=utf-8"), answer.headers
        body: Any = answer.json()
        assert not [e for e in body.get("errors", ()) if e["extensions"]["code"] == "INTERNAL_ERROR"], body

    return judge


@pytest.mark.parametrize("path", ["/graphql", "/v1/events"])
@given(body=st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
@exhaustively
@pytest.mark.usefixtures("outlets")
def test_any_body_is_answered(judged: Callable[[Send], None], path: str, body: bytes) -> None:
    judged(lambda client: client.post(path, content=body, headers=HEADERS))


@given(body=REQUESTS)
@exhaustively
def test_any_graphql_request_is_answered(judged: Callable[[Send], None], body: Any) -> None:
    judged(lambda client: client.post("/graphql", content=json.dumps(body).encode(), headers=HEADERS))


@given(parameters=st.dictionaries(TEXTS, DOCUMENTS | st.text(max_size=20), min_size=1))
@exhaustively
def test_any_parameters_of_a_get_are_answered(judged: Callable[[Send], None], parameters: dict[str, str]) -> None:
    judged(lambda client: client.get("/graphql", params=parameters, headers=HEADERS))
