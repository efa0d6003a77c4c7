# api/answers.py
"""JSON over HTTP: reading bodies within a limit, and answering errors in one shape."""

import re
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from crm.kernel import clock, ids

JSON: Final = "application/json"
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


async def read_json(request: Request, *, most_bytes: int) -> Any:
    """Raises BadRequest: 415 for another content type, 413 beyond the limit, 400 for what is no JSON."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != JSON:
        raise BadRequest(415, "UNSUPPORTED_MEDIA_TYPE", f"The body must be {JSON}.")
    body = await _bounded(request, most_bytes)
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadRequest(400, "INVALID_JSON", "The body is not valid JSON.") from error


async def _bounded(request: Request, most_bytes: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most_bytes:
            raise BadRequest(413, "PAYLOAD_TOO_LARGE", f"The body may have {most_bytes} bytes at most.")
        chunks.append(chunk)
    return b"".join(chunks)
