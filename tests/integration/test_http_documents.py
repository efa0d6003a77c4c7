# tests/integration/test_http_documents.py
"""Documents that are asked for by their hash."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from api.app import create_app
from api.documents import Documents
from crm.kernel import clock, documents
from crm.kernel.documents import hash_of
from crm.kernel.meter import metering
from crm.kernel.settings import settings
from schema.operations import MANIFEST
from schema.principal import Principal
from tests.asking import SERVICE, STAFF, VISITOR, as_customer
from tests.tokens import authenticator, token
from tests.web import Client

SHOP = "{ shop { name } }"
NAMED = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash_of(SHOP)}}}
NEW_MEDIA_TYPE = "application/graphql-response+json"

pytestmark = pytest.mark.usefixtures("shop")


def gateway(**settled: str) -> Client:
    return Client(create_app(replace(settings(), **settled), authenticator=authenticator()))


def post(by: Client, body: Any, /, *, accept: str = NEW_MEDIA_TYPE, **claims: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {token(**claims)}", "accept": accept}
    return by.post("/graphql", json=body, headers=headers)


def code(response: httpx.Response) -> str:
    found: str = response.json()["errors"][0]["extensions"]["code"]
    return found


def test_an_app_registers_a_document_once_and_names_it_from_then_on() -> None:
    by = gateway()
    unknown = post(by, NAMED)
    assert (unknown.status_code, code(unknown)) == (400, "PERSISTED_QUERY_NOT_FOUND")
    assert unknown.json()["errors"][0]["message"] == "PersistedQueryNotFound"  # what Apollo's clients look for
    assert post(by, {"query": SHOP, **NAMED}).json()["data"] == {"shop": {"name": "Demo"}}
    for other in (by, gateway()):  # and so does every other container
        assert post(other, NAMED).json()["data"] == {"shop": {"name": "Demo"}}
        assert post(other, {"documentId": f"sha256:{hash_of(SHOP)}"}).json()["data"] == {"shop": {"name": "Demo"}}


def test_a_client_that_knows_plain_json_only_is_asked_for_the_document_with_200() -> None:
    unknown = post(gateway(), NAMED, accept="application/json")
    assert (unknown.status_code, code(unknown)) == (200, "PERSISTED_QUERY_NOT_FOUND")


def test_a_query_is_asked_by_get_with_its_hash() -> None:
    by = gateway()
    post(by, {"query": SHOP, **NAMED})
    headers = {"authorization": f"Bearer {token()}"}
    for parameters in ({"extensions": json.dumps(NAMED["extensions"])}, {"documentId": f"sha256:{hash_of(SHOP)}"}):
        assert by.get("/graphql", params=parameters, headers=headers).json()["data"] == {"shop": {"name": "Demo"}}


def test_a_document_registered_in_one_shop_is_unknown_in_another() -> None:
    by = gateway()
    post(by, {"query": SHOP, **NAMED})
    assert code(post(by, NAMED, shop="other")) == "PERSISTED_QUERY_NOT_FOUND"


def test_nobody_registers_a_document_under_the_hash_of_another() -> None:
    by = gateway()
    assert code(post(by, {"query": "{ shop { id } }", **NAMED})) == "BAD_REQUEST"
    assert code(post(by, NAMED)) == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize(
    "text", ["{ nothing }", "{ shop {", "{ shop { name sender } }", "{ shop { " + "id " * 600 + "} }"]
)
def test_what_does_not_run_is_not_registered(text: str) -> None:
    by, named = gateway(), {"documentId": f"sha256:{hash_of(text)}"}
    assert "data" not in post(by, {"query": text, **named}, scope="").json()
    assert code(post(by, named, scope="")) == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize(
    "named",
    [
        {"documentId": "sha256:abc"},
        {"documentId": hash_of(SHOP).upper()},
        {"documentId": 7},
        {"documentId": ["a"]},
        {"documentId": "../../manifest"},
        {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": hash_of(SHOP)}}},
        {"extensions": {"persistedQuery": {"version": 1}}},
        {"extensions": {"persistedQuery": []}},
        {"documentId": hash_of("other"), **NAMED},
    ],
    ids=str,
)
def test_what_is_no_hash_names_no_document(named: dict[str, Any]) -> None:
    refused = post(gateway(), named)
    assert (refused.status_code, code(refused)) == (400, "BAD_REQUEST")


def test_a_document_that_nobody_uses_for_a_month_is_forgotten() -> None:
    documents.keep("demo", SHOP, now=clock.now())
    assert documents.read("demo", hash_of(SHOP), now=clock.now() + timedelta(days=31)) is None
    documents.keep("demo", SHOP, now=clock.now())
    assert documents.read("demo", hash_of(SHOP), now=clock.now() + timedelta(days=29)) == SHOP


def test_a_document_that_is_used_is_never_forgotten() -> None:
    documents.keep("demo", SHOP, now=clock.now())
    day = timedelta(days=1)
    for number in range(60):
        assert documents.read("demo", hash_of(SHOP), now=clock.now() + number * day) == SHOP


def test_that_a_document_is_used_is_written_once_a_day() -> None:
    documents.keep("demo", SHOP, now=clock.now())
    writes = []
    for hours in (0, 1, 23, 25, 26, 48, 50):
        with metering() as meter:
            documents.read("demo", hash_of(SHOP), now=clock.now() + timedelta(hours=hours))
        writes.append(meter.requests - 1)
    assert writes == [0, 0, 0, 1, 0, 0, 1]


def test_a_process_that_has_a_document_in_memory_asks_the_store_for_it_once_a_day(now: datetime) -> None:
    documents.keep("demo", SHOP, now=now)
    known = Documents()
    asked = []
    for hours in (0, 1, 23, 25, 26):
        with metering() as meter:
            at = now + timedelta(hours=hours)
            assert asyncio.run(known.text(hash_of(SHOP), None, STAFF, now=at)) == SHOP
        asked.append(meter.requests)
    assert asked == [1, 0, 0, 2, 0]  # read, and written down that it is used


def test_a_document_that_is_sent_whole_every_day_is_kept_too(now: datetime) -> None:
    known = Documents()
    for days in range(40):
        asyncio.run(known.register(hash_of(SHOP), SHOP, STAFF, now=now + timedelta(days=days)))
    assert documents.read("demo", hash_of(SHOP), now=now + timedelta(days=60)) == SHOP


@pytest.mark.parametrize(
    ("principal", "kept"), [(STAFF, True), (as_customer("cus_1"), True), (VISITOR, False), (SERVICE, False)]
)
def test_only_customers_and_staff_register_documents(now: datetime, principal: Principal, kept: bool) -> None:
    asyncio.run(Documents().register(hash_of(SHOP), SHOP, principal, now=now))
    assert (documents.read("demo", hash_of(SHOP), now=now) is not None) == kept


def test_a_stored_document_that_is_not_of_its_hash_is_not_served() -> None:
    documents.Document(
        f"SHOP#demo#DOCUMENT#{hash_of(SHOP)}", "DOCUMENT", text="{ shop { id } }", expires_at=2**40
    ).save()
    assert code(post(gateway(), NAMED)) == "PERSISTED_QUERY_NOT_FOUND"


def test_who_has_no_points_left_registers_nothing() -> None:
    by = gateway(point_budgets="customer=1/1 visitor=1/1 staff=2/1 service=1/1")
    assert post(by, {"query": SHOP, **NAMED}).status_code == 200
    assert code(post(gateway(), NAMED)) == "PERSISTED_QUERY_NOT_FOUND"


def test_a_hash_that_the_store_is_asked_for_costs_a_point() -> None:
    """Whoever guesses hashes would else have a read for each request, however long they are throttled."""
    by = gateway(point_budgets="customer=1/1 visitor=1/1 staff=2/1 service=1/1")
    guesses = [post(by, {"documentId": hash_of(str(number))}) for number in range(3)]
    assert [code(each) for each in guesses] == ["PERSISTED_QUERY_NOT_FOUND"] * 2 + ["THROTTLED"]
    assert (guesses[-1].status_code, guesses[-1].headers["retry-after"]) == (429, "1")
    known = gateway(point_budgets="customer=1/1 visitor=1/1 staff=1/1 service=1/1")
    trusted = next(iter(json.loads(MANIFEST.read_text())))
    assert [code(post(known, {"documentId": trusted}, scope="")) for _ in range(2)] == ["FORBIDDEN"] * 2


def test_the_documents_of_the_manifest_are_known_from_the_start() -> None:
    for sha256, text in json.loads(MANIFEST.read_text()).items():
        assert hash_of(text) == sha256
        known = post(gateway(), {"documentId": sha256}, scope="").json()
        codes = {error["extensions"]["code"] for error in known.get("errors", [])}
        assert codes <= {"FORBIDDEN", "BAD_USER_INPUT"}  # of a screen that wants a scope, or variables


def test_where_only_trusted_documents_are_served_all_others_are_refused() -> None:
    by = gateway(persisted_only="1")
    text = next(text for text in json.loads(MANIFEST.read_text()).values() if "ShopFiguresQuery" in text)
    days = {"from": "2026-03-01", "to": "2026-03-02"}
    scope = "kpis:read shop:read segments:read"
    for body in ({"documentId": hash_of(text)}, {"query": text}):
        assert "data" in post(by, {**body, "variables": days}, scope=scope).json()
    refused = post(by, {"query": SHOP, **NAMED})
    assert (refused.status_code, code(refused)) == (403, "PERSISTED_QUERY_ONLY")
    assert code(post(by, NAMED)) == "PERSISTED_QUERY_NOT_SUPPORTED"
