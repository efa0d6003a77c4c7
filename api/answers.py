# api/answers.py
"""JSON over HTTP: reading bodies within a limit, and answering errors in one shape."""

import json
import re
from math import isfinite
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from crm.kernel import clock, ids

JSON: Final = "application/json"
ESCAPED_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
HALF = re.compile("[\ud800-\udfff]")
REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{8,128}")


class BadRequest(Exception):
    """The request itself cannot be served."""

    def __init__(self, status: int, code: str, message: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}


def json_response(
    body: Any, status: int = 200, *, media_type: str = JSON, headers: dict[str, str] | None = None
) -> Response:
    return Response(msgspec.json.encode(body), status, headers, media_type=f"{media_type}; charset=utf-8")


def error_response(error: BadRequest, request_id: str, *, media_type: str = JSON) -> Response:
    wait = {"retryAfter": int(error.headers["retry-after"])} if "retry-after" in error.headers else {}
    body = {
        "errors": [{"message": str(error), "extensions": {"code": error.code, **wait}}],
        "extensions": {"requestId": request_id},
    }
    headers = {**error.headers, "x-request-id": request_id}
    return json_response(body, error.status, media_type=media_type, headers=headers)


def request_id(request: Request) -> str:
    """The caller's own, where it is one, or a new one; the same however often it is asked for."""
    state = request.scope.setdefault("state", {})
    if "request_id" not in state:
        given = request.headers.get("x-request-id", "")
        state["request_id"] = given if REQUEST_ID.fullmatch(given) else ids.new_id("req", clock.now())
    known: str = state["request_id"]
    return known


async def read_json(request: Request, *, most_bytes: int, halves: bool = False) -> Any:
    """Raises BadRequest: 415 for another content type, 413 beyond the limit, 400 for what is no JSON.

    `halves`: whether a value may hold half a character, as JavaScript writes a cut emoji, to be refused at its place.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != JSON:
        raise BadRequest(415, "UNSUPPORTED_MEDIA_TYPE", f"The body must be {JSON}.")
    body = await _bounded(request, most_bytes)
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        if halves and ESCAPED_HALF.search(body):
            return _with_halves(body)
        raise BadRequest(400, "INVALID_JSON", "The body is not valid JSON.") from error


def _with_halves(body: bytes) -> Any:
    """JSON that msgspec refuses for its halves of characters, and for nothing else. No name may hold one."""
    try:
        found = json.loads(body.decode(), parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_named)
        if holds_half(found):
            return found
    except (ValueError, RecursionError) as error:
        raise BadRequest(400, "INVALID_JSON", "The body is not valid JSON.") from error
    raise BadRequest(400, "INVALID_JSON", "The body is not valid JSON.")


def holds_half(value: Any) -> bool:
    return HALF.search(json.dumps(value, ensure_ascii=False)) is not None


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _finite(text: str) -> float:
    number = float(text)
    return number if isfinite(number) else _refuse(text)


def _named(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    for name, _ in pairs:
        name.encode()  # raises for half a character
    return dict(pairs)


async def _bounded(request: Request, most_bytes: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most_bytes:
            raise BadRequest(413, "PAYLOAD_TOO_LARGE", f"The body may have {most_bytes} bytes at most.")
        chunks.append(chunk)
    return b"".join(chunks)
