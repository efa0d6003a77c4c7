# api/visitors.py
"""Who nobody knows is given a token. That is open to everybody, and bounded by the route's own throttle."""

import asyncio
import re
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from api.answers import BadRequest, error_response, json_response, read_json, request_id
from api.visitor_tokens import Refused, VisitorTokens
from crm.kernel import clock
from crm.kernel.errors import NotFound
from crm.kernel.ids import new_id
from crm.shops import service as shops
from schema.principal import VISITOR_ID

MOST_BYTES: Final = 4096
SHOP = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class VisitorsEndpoint:
    def __init__(self, tokens: VisitorTokens) -> None:
        self._tokens = tokens

    async def issue(self, request: Request) -> Response:
        """POST {"shop"} -> 201 {"visitorId", "token", "expiresAt"}; with a visitor's token, another for the same one.

        401 for a token that is none or has ended: ask for a new visitor without it. 404 for a shop that is not there.
        """
        asked_id = request_id(request)
        try:
            shop = _shop(await read_json(request, most_bytes=MOST_BYTES))
            await asyncio.to_thread(_found, shop)
            visitor_id, born = self._renewed(request, shop)
        except BadRequest as error:
            return error_response(error, asked_id)
        token, ends = self._tokens.issue(shop, visitor_id, born=born)
        body = {"visitorId": visitor_id, "token": token, "expiresAt": clock.text(datetime.fromtimestamp(ends, UTC))}
        return json_response(body, 201, headers={"cache-control": "no-store", "x-request-id": asked_id})

    def _renewed(self, request: Request, shop: str) -> tuple[str, int | None]:
        authorization = request.headers.get("authorization")
        if authorization is None:
            return new_id(VISITOR_ID, clock.now()), None
        try:
            claims = self._tokens.read(authorization.partition(" ")[2])
        except Refused as error:
            raise BadRequest(401, "UNAUTHENTICATED", str(error), headers={"www-authenticate": "Bearer"}) from error
        if claims["shop"] != shop:
            raise BadRequest(401, "UNAUTHENTICATED", "the token is refused: it is another shop's")
        return claims["sub"], claims["born"]


def _shop(body: Any) -> str:
    shop = body.get("shop") if isinstance(body, dict) else None
    if not isinstance(shop, str) or not SHOP.fullmatch(shop):
        raise BadRequest(422, "INVALID_INPUT", 'The body must be {"shop": "<its id>"}.')
    return shop


def _found(shop: str) -> None:
    try:
        shops.current(shop, now=clock.now())
    except NotFound as error:
        raise BadRequest(404, "NOT_FOUND", "There is no such shop.") from error
