# bench/first_answer.py
"""A fresh process: import an ASGI application, ask it one query, and end. Imports nothing that it does not need."""

import asyncio
import json
import os
import sys
from importlib import import_module
from typing import Any


async def ask(app: Any, body: bytes, token: str) -> tuple[int, bytes]:
    """POST /graphql without a socket."""
    sent: list[dict[str, Any]] = []
    headers = [(b"content-type", b"application/json"), (b"authorization", f"Bearer {token}".encode())]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return int(sent[0]["status"]), b"".join(message.get("body", b"") for message in sent[1:])


def main() -> int:
    task = json.loads(os.environ["BENCH_TASK"])
    module, name = task["app"].split(":")
    app = getattr(import_module(module), name)
    status, answer = asyncio.run(ask(app, json.dumps(task["body"]).encode(), task.get("token", "")))
    print(status, answer.decode()[:500])
    return 0 if status == 200 and b'"firstName":' in answer and b'"errors"' not in answer else 1


if __name__ == "__main__":
    sys.exit(main())
