# api/edge.py
"""What wraps every answer, as plain ASGI: security headers, and the threads that blocking store calls run in."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from weakref import WeakSet

from starlette.types import ASGIApp, Message, Receive, Scope, Send

STORE_THREADS: Final = 32  # as many as the store's connection pool has connections

# What an answer says unless it says otherwise itself.
HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    (b"cache-control", b"no-store"),
)


class Edge:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._prepared: WeakSet[asyncio.AbstractEventLoop] = WeakSet()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._prepare(asyncio.get_running_loop())
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message["headers"]
                named = {name for name, _ in given}
                message["headers"] = [*given, *(header for header in HEADERS if header[0] not in named)]
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _prepare(self, loop: asyncio.AbstractEventLoop) -> None:
        # At the loop's first request, not in a lifespan: on Lambda there is none, and Mangum keeps one loop for all.
        if loop not in self._prepared:
            loop.set_default_executor(ThreadPoolExecutor(STORE_THREADS, thread_name_prefix="store"))
            self._prepared.add(loop)
