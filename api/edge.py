# api/edge.py
"""What wraps every answer, as plain ASGI: security headers, the request's id, the threads that blocking store calls run
in, and an answer where something broke.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from weakref import WeakSet

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.answers import BadRequest, error_response, request_id
from crm.kernel import correlation
from crm.kernel.errors import without_words

logger = logging.getLogger(__name__)

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
    (b"content-type", b"text/plain; charset=utf-8"),  # of redirects; API Gateway would call them JSON
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
        asked_id = request_id(Request(scope))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message["headers"]
                named = {name for name, _ in given}
                usual = (*HEADERS, (b"x-request-id", asked_id.encode()))
                message["headers"] = [*given, *(header for header in usual if header[0] not in named)]
            await send(message)

        with correlation.bound(asked_id):
            await self._app(scope, receive, send_with_headers)

    def _prepare(self, loop: asyncio.AbstractEventLoop) -> None:
        # At the loop's first request, not in a lifespan: on Lambda there is none, and Mangum keeps one loop for all.
        if loop not in self._prepared:
            loop.set_default_executor(ThreadPoolExecutor(STORE_THREADS, thread_name_prefix="store"))
            self._prepared.add(loop)


class Masking:
    """Answers what broke, below the CORS headers: what is raised through all of them is logged with its words (by
    Starlette, uvicorn and Mangum alike), and they may be a person's.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:  # noqa: BLE001  one request's failure is its own; reported without its words
            request = Request(scope)
            logger.error("request %s failed: %s", request_id(request), without_words(error))  # noqa: TRY400
            if not begun:
                refusal = BadRequest(500, "INTERNAL_ERROR", "Something went wrong here.")
                await error_response(refusal, request_id(request))(scope, receive, send)
