# tests/web.py
"""The gateway over HTTP, without a socket."""

import asyncio
from typing import Any

import httpx
from starlette.types import ASGIApp


class Client:
    def __init__(self, app: ASGIApp) -> None:
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    def request(self, method: str, path: str, /, **more: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            async with httpx.AsyncClient(
                transport=self._transport, base_url="http://gateway.test", follow_redirects=True
            ) as client:
                return await client.request(method, path, **more)

        return asyncio.run(send())

    def get(self, path: str, /, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, /, **more: Any) -> httpx.Response:
        return self.request("POST", path, **more)
