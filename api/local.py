# api/local.py
"""What only a laptop's gateway does: move the clock forward, make tokens, show what was sent.

Routed only where CRM_LOCAL=1.
"""

import asyncio
import json
import os
import re
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.answers import BadRequest, error_response, json_response, read_json, request_id
from api.authentication import Unauthenticated, principal_of
from crm.customers import service as customers
from crm.kernel import clock
from crm.kernel.errors import NotFound
from crm.kernel.settings import settings
from crm.shops import service as shops
from schema.principal import SCOPES, Kind

KEY_ID: Final = "local"
TOKEN_SECONDS: Final = 12 * 3600
MOST_BYTES: Final = 4096
SENT: Final = "/_ministack/ses/messages"
DURATION = re.compile(
    r"P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)
LONGEST_STEP: Final = timedelta(days=3660)


def make_keys(private: Path, public: Path) -> None:
    """Write a signing key and its JWKS, unless the key is there already. The key's file is its owner's only."""
    if not private.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        private.touch(mode=0o600)
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    signing = serialization.load_pem_private_key(private.read_bytes(), password=None)
    assert isinstance(signing, ec.EllipticCurvePrivateKey)
    entry = jwt.get_algorithm_by_name("ES256").to_jwk(signing.public_key(), as_dict=True)
    public.write_text(json.dumps({"keys": [{**entry, "kid": KEY_ID, "use": "sig", "alg": "ES256"}]}))


def sign(
    kind: Kind,
    shop: str,
    *,
    customer_id: str | None = None,
    scopes: frozenset[str] | None = None,
    seconds: int = TOKEN_SECONDS,
    key: str,
) -> str:
    """A token of the local issuer. Staff without named scopes get all of them, services may send events."""
    defaults = {Kind.STAFF: SCOPES, Kind.SERVICE: frozenset({"events:write"}), Kind.CUSTOMER: frozenset[str]()}
    issued_at = int(time.time())
    claims: dict[str, Any] = {
        "iss": settings().require("jwt_issuer"),
        "aud": settings().require("jwt_audience"),
        "sub": customer_id or f"local-{kind}",
        "iat": issued_at,
        "exp": issued_at + seconds,
        "shop": shop,
        "kind": kind.value,
        "scope": " ".join(sorted(defaults[kind] if scopes is None else scopes)),
    }
    if customer_id is not None:
        claims["customer_id"] = customer_id
    return jwt.encode(claims, key, algorithm="ES256", headers={"kid": KEY_ID})


async def make_token(request: Request) -> Response:
    """POST {"kind", "shop", "customerId"?, "scopes"?, "expiresIn"?} -> {"token", "expiresIn"}: by the real clock, as
    with any issuer, so that nobody is signed out where the local one is moved. 404 for a shop or customer that is not
    there.
    """
    try:
        asked = await _object(request)
        seconds = _seconds(asked.get("expiresIn", TOKEN_SECONDS))
        kind, shop, customer_id, scopes = _token_of(asked)
        token = await asyncio.to_thread(_signed, kind, shop, customer_id, scopes, seconds)
    except BadRequest as error:
        return error_response(error, request_id(request))
    return json_response({"token": token, "expiresIn": seconds}, headers={"cache-control": "no-store"})


async def move_clock(request: Request) -> Response:
    """POST {"forward": seconds or ISO 8601 duration} -> {"now", "offset"}. The clock never goes back."""
    try:
        step = _step((await _object(request)).get("forward"))
    except BadRequest as error:
        return error_response(error, request_id(request))
    offset = await asyncio.to_thread(_move, step)
    return json_response({"now": clock.text(clock.now()), "offset": offset})


async def messages(request: Request) -> Response:  # noqa: ARG001  Starlette's signature
    """GET what the emulator's SES was handed, newest first."""
    return json_response({"messages": await asyncio.to_thread(_sent)}, headers={"cache-control": "no-store"})


ROUTES: Final = [
    Route("/_local/messages", messages, methods=["GET"]),
    Route("/_local/token", make_token, methods=["POST"]),
    Route("/_local/clock", move_clock, methods=["POST"]),
]


def _signed(kind: Kind, shop: str, customer_id: str | None, scopes: frozenset[str] | None, seconds: int) -> str:
    try:
        shops.get(shop)
        if customer_id is not None:
            customers.get(shop, customer_id)
    except NotFound as error:
        raise BadRequest(404, NotFound.code, str(error)) from None
    key = Path(settings().require("crm_local_key")).read_text()
    return sign(kind, shop, customer_id=customer_id, scopes=scopes, seconds=seconds, key=key)


def _sent() -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{os.environ['AWS_ENDPOINT_URL']}{SENT}", timeout=5) as answer:  # noqa: S310  loopback
        accounts: dict[str, list[dict[str, Any]]] = json.loads(answer.read())["messages"]
    found = [message for account in accounts.values() for message in account]
    return [
        {
            "messageId": message["MessageId"],
            "from": message["Source"],
            "to": message.get("To", []),
            "subject": message.get("Subject"),
            "text": message.get("BodyText"),
            "html": message.get("BodyHtml"),
            "sentAt": clock.text(datetime.fromtimestamp(float(message["Timestamp"]), UTC)),
        }
        for message in sorted(found, key=lambda message: float(message["Timestamp"]), reverse=True)
    ]


def _move(step: timedelta) -> float:
    path = Path(settings().require("crm_clock_file"))
    offset = (float(path.read_text() or 0) if path.exists() else 0.0) + step.total_seconds()
    written = path.with_suffix(".new")
    written.write_text(str(offset))
    written.replace(path)  # whole, for those who read it meanwhile
    return offset


async def _object(request: Request) -> dict[str, Any]:
    body = await read_json(request, most_bytes=MOST_BYTES)
    if not isinstance(body, dict):
        raise BadRequest(422, "INVALID_INPUT", "The body must be an object.")
    return body


def _token_of(asked: dict[str, Any]) -> tuple[Kind, str, str | None, frozenset[str] | None]:
    scopes = asked.get("scopes")
    if scopes is not None and (not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes)):
        raise BadRequest(422, "INVALID_INPUT", "scopes must be a list of strings.")
    if unknown := sorted(set(scopes or ()) - SCOPES):
        known = ", ".join(sorted(SCOPES))
        raise BadRequest(422, "INVALID_INPUT", f"There is no scope {', '.join(unknown)}; there are {known}.")
    if asked.get("kind") == Kind.VISITOR.value:
        raise BadRequest(422, "INVALID_INPUT", "POST /v1/visitors makes visitors' tokens, here as anywhere.")
    customer_id = asked.get("customerId")
    claims = {"kind": asked.get("kind"), "shop": asked.get("shop"), "customer_id": customer_id, "sub": "local"}
    try:
        principal = principal_of(claims)
    except Unauthenticated as error:
        raise BadRequest(
            422, "INVALID_INPUT", f"kind, shop and, for customers, customerId are needed: {error}"
        ) from None
    return principal.kind, principal.shop, principal.customer_id, None if scopes is None else frozenset(scopes)


def _seconds(asked: Any) -> int:
    if not isinstance(asked, int) or isinstance(asked, bool) or not 1 <= asked <= TOKEN_SECONDS:
        raise BadRequest(422, "INVALID_INPUT", f"expiresIn must be whole seconds, 1 to {TOKEN_SECONDS}.")
    return asked


def _step(forward: Any) -> timedelta:
    if isinstance(forward, int | float) and not isinstance(forward, bool):
        step = timedelta(seconds=min(float(forward), LONGEST_STEP.total_seconds() + 1))
    elif isinstance(forward, str) and (found := DURATION.fullmatch(forward)) and any(found.groups()):
        step = timedelta(**{unit: min(int(number), 10**6) for unit, number in found.groupdict().items() if number})
    else:
        raise BadRequest(
            422,
            "INVALID_INPUT",
            "forward must be seconds or an ISO 8601 duration of weeks, days and less, such as P30D.",
        )
    if not timedelta(0) <= step <= LONGEST_STEP:
        raise BadRequest(422, "INVALID_INPUT", "The clock moves forward only, ten years at a time at most.")
    return step
