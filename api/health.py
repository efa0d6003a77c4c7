# api/health.py
"""Whether the gateway can answer."""

from starlette.requests import Request
from starlette.responses import Response

from api.answers import json_response


async def healthz(_request: Request) -> Response:
    return json_response({"status": "ok"}, headers={"cache-control": "no-store"})
