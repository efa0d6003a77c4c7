# tests/transports.py
"""`python -m tests.transports FOLDER`: each recorded API Gateway event as Lambda answers it and as uvicorn does.

A process of its own: Mangum makes an event loop when the gateway is imported, and keeps it. Prints one JSON object:
{event: [Lambda's answer, uvicorn's answer, whether Lambda's is in base64]}, an answer being [status, headers, body].
"""

import base64
import http.client
import json
import os
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import uvicorn

Answer = tuple[int, list[tuple[str, str]], str]

ORIGIN: Final = "https://shop.example.com"
PADDING: Final = 300_000
BROKEN: Final = "/broken"
OF_A_SERVER: Final = frozenset({"date", "server", "content-length", "connection"})
"""Headers of the server itself, which API Gateway sets as well."""


def main() -> int:
    folder = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as work:
        _configure(Path(work))
        answers = _both(_events(folder))
    sys.stdout.write(json.dumps(answers))
    return 0


def _configure(work: Path) -> None:
    from tests.tokens import ISSUER, jwks

    keys = work / "jwks.json"
    keys.write_text(json.dumps(jwks()))
    os.environ.update(
        JWT_ISSUER=ISSUER.name,
        JWT_AUDIENCE=ISSUER.audience,
        JWT_JWKS=str(keys),
        CORS_ORIGINS=f"{ORIGIN}, https://b.example",
    )


def _events(folder: Path) -> dict[str, dict[str, Any]]:
    from tests.tokens import token

    found = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    tokens = {"TOKEN": token(), "CUSTOMER": token(kind="customer", customer_id="cus_1", scope=None)}
    for event in found.values():
        headers = event["headers"]
        if "authorization" in headers:
            headers["authorization"] = f"Bearer {tokens[headers['authorization'].removeprefix('Bearer ')]}"
    # Too large to be recorded.
    large = json.loads(json.dumps(found["post_query"]))
    large["body"] += " " * PADDING
    large["headers"]["content-length"] = str(len(large["body"]))
    broken = json.loads(json.dumps(found["get_healthz"]))
    broken["rawPath"] = broken["requestContext"]["http"]["path"] = BROKEN
    return found | {"post_large_body": large, "get_what_breaks": broken}


def _both(events: dict[str, dict[str, Any]]) -> dict[str, tuple[Answer, Answer, bool]]:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from api import events as of_events
    from api.app import app
    from api.lambda_handler import handler
    from crm.intake.service import ReceivedEvent

    def received(shop: str, event_id: str) -> ReceivedEvent:
        event = ReceivedEvent.of(shop, event_id)
        event.type, event.status, event.received_at = "order.placed", "applied", datetime(2026, 3, 10, tzinfo=UTC)
        return event

    of_events._received = received  # there is no store here

    async def broken(_request: Request) -> Response:
        raise RuntimeError("the words of a person")

    app.router.routes.append(Route(BROKEN, broken))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", access_log=False))
    serving = threading.Thread(target=server.run, daemon=True)
    serving.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    context: Any = None
    answers = {}
    for name, event in events.items():
        answer = handler(event, context)
        answers[name] = _of_lambda(answer), _of_uvicorn(_ask(port, event)), bool(answer["isBase64Encoded"])
    server.should_exit = True
    serving.join(10)
    return answers


def _of_lambda(answer: dict[str, Any]) -> Answer:
    body = answer.get("body", "")
    data = base64.b64decode(body) if answer["isBase64Encoded"] else body.encode()
    headers = list(answer["headers"].items()) + [("set-cookie", cookie) for cookie in answer.get("cookies", ())]
    return _answer(answer["statusCode"], headers, data)


def _ask(port: int, event: dict[str, Any]) -> http.client.HTTPResponse:
    """The request that API Gateway made the event of."""
    asked = event["requestContext"]["http"]
    body: str | None = event.get("body")
    data = body.encode() if body is not None else None
    if body is not None and event["isBase64Encoded"]:
        data = base64.b64decode(body)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    path = event["rawPath"] + (f"?{event['rawQueryString']}" if event["rawQueryString"] else "")
    connection.putrequest(asked["method"], path, skip_host=True, skip_accept_encoding=True)
    for name, value in event["headers"].items():
        connection.putheader(name, value)
    if event.get("cookies"):
        connection.putheader("cookie", "; ".join(event["cookies"]))
    connection.putheader("connection", "close")
    connection.endheaders(data)
    return connection.getresponse()


def _of_uvicorn(response: http.client.HTTPResponse) -> Answer:
    joined: dict[str, str] = {}
    for name, value in response.getheaders():  # several of one name are one with commas, as API Gateway has it
        joined[name.lower()] = f"{joined[name.lower()]},{value}" if name.lower() in joined else value
    return _answer(response.status, list(joined.items()), response.read())


def _answer(status: int, headers: list[tuple[str, str]], body: bytes) -> Answer:
    kept = sorted((name.lower(), value) for name, value in headers if name.lower() not in OF_A_SERVER)
    return status, kept, body.decode()


if __name__ == "__main__":
    sys.exit(main())
