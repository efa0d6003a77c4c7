# api/visitors.py
"""Tokens of visitors: a device that nobody has signed in on may say what it does, and nothing else.

The gateway signs them itself, with a secret of its own (HS256), and stores nothing: an id that is never used costs
nothing. A token is good for 30 days and is renewed by itself, for 90 days from the first (as long as what the visitor
does is kept); then the device is somebody new. Issuing is open to everybody, and bounded by the route's own throttle.
"""

import asyncio
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import jwt
from starlette.requests import Request
from starlette.responses import Response

from api.answers import BadRequest, error_response, json_response, read_json, request_id
from crm.kernel import clock
from crm.kernel.errors import NotFound
from crm.kernel.ids import new_id
from crm.shops import service as shops
from schema.principal import VISITOR_ID, Kind, Principal

ALGORITHM: Final = "HS256"
ISSUER: Final = "rapport"
AUDIENCE: Final = "visitors"
TOKEN_SECONDS: Final = 30 * 86400
LIFETIME_SECONDS: Final = 90 * 86400
MOST_BYTES: Final = 4096
SHOP = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class Refused(Exception):
    """It is no token of a visitor's, or no longer one."""


class VisitorTokens:
    """`elapsed`: seconds since 1970, by the clock that all tokens are judged by."""

    def __init__(self, secret: str, *, elapsed: Callable[[], float] = time.time) -> None:
        self._secret = secret
        self._now = elapsed

    def issue(self, shop: str, visitor_id: str, *, born: int | None = None) -> tuple[str, int]:
        """A token, and when it ends. `born`: when the visitor's first one was issued; None where this is it."""
        now = int(self._now())
        first = now if born is None else born
        ends = min(now + TOKEN_SECONDS, first + LIFETIME_SECONDS)
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": visitor_id, "shop": shop, "born": first, "exp": ends}
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM), ends

    def read(self, token: str) -> dict[str, Any]:
        """The claims. Raises Refused."""
        required = ["exp", "sub", "shop", "born"]
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                options={"require": required, "verify_exp": False},
            )
        except jwt.PyJWTError as error:
            raise Refused(f"the token is refused: {type(error).__name__}") from error
        if claims["exp"] <= self._now():
            raise Refused("the token is refused: ExpiredSignatureError")
        return claims

    def principal(self, token: str) -> tuple[float, Principal]:
        """Whose it is, until when. Raises Refused."""
        claims = self.read(token)
        return float(claims["exp"]), Principal(Kind.VISITOR, claims["shop"], visitor_id=claims["sub"])


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
