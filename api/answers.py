# api/answers.py
"""JSON over HTTP: reading bodies within a limit, and answering errors in one shape."""

import json
import re
from math import inf
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from crm.kernel import clock, ids
from schema.coercion import MOST_DIGITS

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


async def read_json(request: Request, *, most_bytes: int, judged: bool = False) -> Any:
    """Raises BadRequest: 415 for another content type, 413 beyond the limit, 400 for what is no JSON.

    `judged`: as for `decoded`.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != JSON:
        raise BadRequest(415, "UNSUPPORTED_MEDIA_TYPE", f"The body must be {JSON}.")
    return decoded(await _bounded(request, most_bytes), "The body", judged=judged)


def decoded(text: bytes, name: str, *, judged: bool) -> Any:
    """What JSON says. Raises BadRequest.

    `judged`: whether its reader refuses at its place what is JSON and can be no value: half a character, as JavaScript
    writes a cut emoji, and a number beyond all bounds, which is read as an infinite one.
    """
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        # A ValidationError, where nothing is asked for but JSON, is that of a number.
        boundless = isinstance(error, msgspec.ValidationError)
        if judged and (boundless or ESCAPED_HALF.search(text)):
            return _without_bounds(text, name)
        said = "holds a number that is beyond all bounds" if boundless else "is not valid JSON"
        raise BadRequest(400, "INVALID_JSON", f"{name} {said}.") from error


def _without_bounds(text: bytes, name: str) -> Any:
    """JSON that msgspec refuses for its halves of characters and its numbers, and for nothing else. No name may hold
    half a character.
    """
    try:
        return json.loads(text.decode(), parse_constant=_refuse, parse_int=_whole, object_pairs_hook=_named)
    except (ValueError, RecursionError) as error:
        raise BadRequest(400, "INVALID_JSON", f"{name} is not valid JSON.") from error


def holds_half(value: Any) -> bool:
    return HALF.search(json.dumps(value, ensure_ascii=False)) is not None


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _whole(text: str) -> float:
    return int(text) if len(text) <= MOST_DIGITS else inf  # as `float` reads them


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
