# tests/integration/test_transports.py
"""The gateway answers alike under uvicorn and under Mangum, as API Gateway's recorded events ask."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
EVENTS = ROOT / "tests" / "events" / "api_gateway"
NAMES = [*sorted(path.stem for path in EVENTS.glob("*.json")), "post_large_body", "get_what_breaks"]


@cache
def run() -> tuple[dict[str, Any], str]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.transports", str(EVENTS)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


def answer(name: str) -> tuple[int, dict[str, str], str]:
    status, headers, body = run()[0][name][0]
    return status, dict(headers), body


def without_own_id(given: list[Any]) -> list[Any]:
    """Where the caller names no request, each answer has an id of its own."""
    status, headers, body = given
    own = dict(headers)["x-request-id"]
    return [status, headers, body] if own == "req-of-the-caller" else json.loads(json.dumps(given).replace(own, "OWN"))


@pytest.mark.parametrize("name", NAMES)
def test_lambda_answers_as_uvicorn_does(name: str) -> None:
    of_lambda, of_uvicorn, _ = run()[0][name]
    if name.startswith("head_"):  # of a HEAD, uvicorn sends no body, and neither does API Gateway
        of_lambda[2] = ""
    assert without_own_id(of_lambda) == without_own_id(of_uvicorn)


@pytest.mark.parametrize("name", NAMES)
def test_every_answer_has_its_security_headers_and_its_id(name: str) -> None:
    _, headers, _ = answer(name)
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "unsafe-eval" not in headers["content-security-policy"]
    assert "http" not in headers["content-security-policy"]
    assert headers["strict-transport-security"].startswith("max-age=31536000")
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-request-id"]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("post_query", 200),
        ("post_query_base64", 200),
        ("post_umlauts_base64", 400),
        ("post_invalid_document", 400),
        ("post_mutation_without_scope", 403),
        ("post_batch", 400),
        ("post_without_body", 400),
        ("post_bytes_base64", 400),
        ("post_form", 415),
        ("post_text_with_a_cookie", 401),
        ("post_without_token", 401),
        ("post_not_acceptable", 406),
        ("post_large_body", 413),
        ("get_query", 200),
        ("get_query_plus_and_percent", 200),
        ("get_mutation", 405),
        ("get_browser", 307),
        ("get_below_another_stage", 404),
        ("get_what_breaks", 500),
        ("put_graphql", 405),
        ("get_event_without_scope", 403),
        ("get_event_slashes", 200),
        ("get_event_slashes_and_percent", 200),
        ("options_preflight", 200),
        ("options_preflight_of_a_strange_origin", 400),
    ],
)
def test_a_recorded_request_gets_its_status(name: str, status: int) -> None:
    assert answer(name)[0] == status


@pytest.mark.parametrize("name", ["get_event_slashes", "get_event_slashes_and_percent"])
def test_an_event_whose_id_has_slashes_can_be_asked_about_as_it_is_and_percent_encoded(name: str) -> None:
    assert json.loads(answer(name)[2])["eventId"] == "gid://shopify/Order/1"


def test_a_front_end_may_read_answers_from_the_listed_origins_only() -> None:
    for name in ("post_from_a_known_origin", "options_preflight"):
        assert answer(name)[1]["access-control-allow-origin"] == "https://shop.example.com"
    for name in ("post_from_a_strange_origin", "options_preflight_of_a_strange_origin", "post_query"):
        assert "access-control-allow-origin" not in answer(name)[1]
    assert all("access-control-allow-credentials" not in answer(name)[1] for name in NAMES)


def test_an_answer_in_the_new_media_type_travels_as_text() -> None:
    assert not any(in_base64 for _, _, in_base64 in run()[0].values())
    status, headers, body = answer("post_query_new_media_type")
    assert (status, headers["content-type"]) == (200, "application/graphql-response+json; charset=utf-8")
    assert json.loads(body)["data"] == {"__typename": "Query"}


def test_what_breaks_is_told_and_logged_without_its_words() -> None:
    _, _, body = answer("get_what_breaks")
    assert json.loads(body)["errors"][0]["extensions"]["code"] == "INTERNAL_ERROR"
    logged = run()[1]
    assert "RuntimeError at" in logged
    assert "words of a person" not in body + logged
