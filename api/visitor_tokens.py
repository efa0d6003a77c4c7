# api/visitor_tokens.py
"""Tokens of visitors: a device that nobody has signed in on may say what it does, and nothing else.

The gateway signs them itself, with a secret of its own (HS256), and stores nothing: an id that is never used costs
nothing. A token is good for 30 days and is renewed for 90 days from the first, as long as what the visitor does is
kept; then the device is somebody new.
"""

import time
from collections.abc import Callable
from typing import Any, Final

import jwt

from schema.principal import Kind, Principal

ALGORITHM: Final = "HS256"
ISSUER: Final = "rapport"
AUDIENCE: Final = "visitors"
TOKEN_SECONDS: Final = 30 * 86400
LIFETIME_SECONDS: Final = 90 * 86400


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
            raise Refused("the token is refused: it is no visitor's token of this gateway") from error
        if claims["exp"] <= self._now():
            raise Refused("the token is refused: it has expired")
        return claims

    def principal(self, token: str) -> tuple[float, Principal]:
        """Whose it is, until when. Raises Refused."""
        claims = self.read(token)
        visitor_id = claims["sub"]
        return float(claims["exp"]), Principal(Kind.VISITOR, claims["shop"], subject=visitor_id, visitor_id=visitor_id)
