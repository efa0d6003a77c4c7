# api/authentication.py
"""Bearer JWT of any OIDC issuer, checked once and then remembered until it expires.

A verification costs as much as a whole raw answer, so verified claims are kept by the token's hash, for as long as the
very key that they were verified with stands. Whatever cannot be verified is refused, also while the issuer's keys
cannot be fetched.
"""

import asyncio
import base64
import binascii
import hashlib
import json
import re
import time
import urllib.request
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final

import jwt
from msgspec import Struct

from api import visitor_tokens
from api.visitor_tokens import VisitorTokens
from crm.kernel.settings import Settings
from schema.principal import Kind, Principal

ALGORITHMS: Final = ("RS256", "ES256")
LONGEST_TOKEN: Final = 8_192
MOST_KEPT: Final = 4_096
COOL_DOWN: Final = 60.0  # seconds between fetches of the keys, whatever unknown key ids come in
FRESH_FOR: Final = 3_600.0  # seconds, then the keys are fetched again: a key that was withdrawn is good for no longer
KEPT_FOR: Final = 6 * 3_600.0  # seconds for which keys are good while they cannot be fetched again; then nobody gets in
FIRST_COOL_DOWN: Final = 5.0  # while there are none, so that one lost packet at the start does not cost a minute
FETCH_TIMEOUT: Final = 3.0
LEEWAY: Final = 30  # seconds by which the issuer's clock may differ
OF_ID_TOKENS: Final = frozenset({"nonce", "at_hash", "c_hash"})
"""Claims that OpenID Connect has for id tokens, which may be for our audience and say nothing of access."""

LATEST: Final = 2**40
"""A time, in seconds, that no token needs; Infinity is beyond it, and NaN no number of them."""

NAME = re.compile(r"[A-Za-z0-9._:-]{1,128}")
SUBJECT = re.compile(r"[\x21-\x7e]{1,255}")  # as OpenID Connect has it, without spaces


class Unauthenticated(Exception):
    """The caller did not prove who they are. The message says what was wrong with the token, never what is in it."""


class KeysUnavailable(Unauthenticated):
    """The issuer's keys could not be fetched, so nobody can prove anything."""


class Issuer(Struct, frozen=True):
    """Whose tokens are taken, for whom they must be, and where the keys are: a URL or the path of a file."""

    name: str
    audience: str
    keys: str

    @classmethod
    def of(cls, settings: Settings) -> "Issuer":
        return cls(settings.require("jwt_issuer"), settings.require("jwt_audience"), settings.require("jwt_jwks"))


def read_keys(source: str) -> dict[str, Any]:
    """Fetch a JWKS document. Blocks."""
    if source.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        with urllib.request.urlopen(source, timeout=FETCH_TIMEOUT) as answer:  # noqa: S310  scheme checked above
            document: dict[str, Any] = json.loads(answer.read(1_000_000))
            return document
    found: dict[str, Any] = json.loads(Path(source).read_text())
    return found


class KeySet:
    """The issuer's keys by id, fetched at most once in a cool-down, and again when they are an hour old.

    While they cannot be fetched, those that are there stay good until they are six hours old.
    """

    def __init__(
        self,
        source: str,
        *,
        fetch: Callable[[str], dict[str, Any]] = read_keys,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._fetch = fetch
        self._elapsed = elapsed
        self._keys: dict[str, jwt.PyJWK] = {}
        self._read_at = self._elapsed()
        self._asked_at: float | None = None
        self._fetching = asyncio.Lock()

    async def key(self, key_id: str) -> jwt.PyJWK:
        """Raises Unauthenticated for an unknown key, KeysUnavailable where there are none at all."""
        # Who has a key waits for no fetch but their own: the first to see that the keys are old.
        if key_id not in self._good() or (self._age() >= FRESH_FOR and not self._fetching.locked()):
            async with self._fetching:
                if (key_id not in self._good() or self._age() >= FRESH_FOR) and self._may_fetch():
                    await self._refresh()
        good = self._good()
        if key_id in good:
            return good[key_id]
        if not good:
            raise KeysUnavailable("the issuer's keys are not available")
        raise Unauthenticated("the key of this token is unknown")

    def _good(self) -> dict[str, jwt.PyJWK]:
        return self._keys if self._age() < KEPT_FOR else {}

    def _age(self) -> float:
        return self._elapsed() - self._read_at

    def _may_fetch(self) -> bool:
        wait = COOL_DOWN if self._good() else FIRST_COOL_DOWN
        return self._asked_at is None or self._elapsed() - self._asked_at >= wait

    async def _refresh(self) -> None:
        """What is not among them any more is withdrawn. A set without a key to sign with is a mistake, and no set."""
        self._asked_at = asked_at = self._elapsed()
        try:
            document = await asyncio.to_thread(self._fetch, self._source)
            keys = dict(_readable(document["keys"]))
        except (OSError, HTTPException, ValueError, KeyError, TypeError):
            return  # the keys we have stay good for a while; unknown ones stay refused
        if keys:
            self._keys, self._read_at = keys, asked_at


def _readable(entries: Iterable[Any]) -> Iterator[tuple[str, jwt.PyJWK]]:
    """The keys to sign with, by id. One of a kind that nobody here can read is the issuer's business, and left out."""
    for entry in entries:
        try:
            if entry.get("kid") and entry.get("use", "sig") == "sig" and entry.get("kty") in {"RSA", "EC"}:
                yield str(entry["kid"]), jwt.PyJWK.from_dict(entry)
        except (ValueError, KeyError, TypeError, AttributeError, jwt.PyJWTError):
            continue


class Verified(Struct, frozen=True):
    """Who a token speaks for; its key is None where it is the gateway's own."""

    expires_at: float
    principal: Principal
    key: jwt.PyJWK | None


class Authenticator:
    """Turns an Authorization header into a Principal."""

    def __init__(
        self,
        issuer: Issuer,
        keys: KeySet | None = None,
        *,
        visitors: VisitorTokens | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._visitors = visitors
        self._keys = keys or KeySet(issuer.keys)
        self._clock = clock
        self._verified: OrderedDict[bytes, Verified] = OrderedDict()

    async def principal(self, authorization: str | None) -> Principal:
        """Raises Unauthenticated."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("a bearer token is needed")
        if len(token) > LONGEST_TOKEN:
            raise Unauthenticated("the token is too long")
        digest = hashlib.sha256(token.encode()).digest()
        known = self._verified.pop(digest, None)
        if known is None or self._clock() >= known.expires_at or not await self._stands(known.key):
            known = await self._verify(token)
        self._verified[digest] = known
        if len(self._verified) > MOST_KEPT:
            self._verified.popitem(last=False)
        return known.principal

    async def _stands(self, key: jwt.PyJWK | None) -> bool:
        """Raises Unauthenticated where the key is gone."""
        return key is None or await self._keys.key(str(key.key_id)) is key

    async def _verify(self, token: str) -> Verified:
        header, expires_at = _read(token)
        algorithm, key_id = header.get("alg"), header.get("kid")
        if algorithm == visitor_tokens.ALGORITHM and self._visitors is not None:
            try:
                expires_at, principal = self._visitors.principal(token)
                return Verified(expires_at, principal, None)
            except visitor_tokens.Refused as error:
                raise Unauthenticated(str(error)) from error
        if algorithm not in ALGORITHMS or not isinstance(key_id, str):
            raise Unauthenticated("the token must be signed with RS256 or ES256 and name its key")
        key = await self._keys.key(key_id)
        # The key decides the algorithm, not the token: a public key is never used as a shared secret.
        if key.algorithm_name != algorithm:
            raise Unauthenticated("the token's algorithm is not its key's")
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=self._issuer.name,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "sub"], "verify_aud": False},
            )
        except jwt.PyJWTError as error:
            raise Unauthenticated(f"the token is refused: {_why(error)}") from error
        self._check_audience(claims)
        return Verified(expires_at, principal_of(claims), key)

    def _check_audience(self, claims: dict[str, Any]) -> None:
        """Cognito's access tokens have no `aud` but `client_id`; its id tokens have the right `aud` and are refused."""
        use = claims.get("token_use")
        if use is not None:
            if use != "access" or claims.get("client_id") != self._issuer.audience:
                raise Unauthenticated("the token is refused: it is no access token of this client")
            return
        if OF_ID_TOKENS & claims.keys():
            raise Unauthenticated("the token is refused: it is an id token")
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if self._issuer.audience not in audiences:
            raise Unauthenticated("the token is refused: it is for another audience")


def _why(error: jwt.PyJWTError) -> str:
    """In the caller's words, not the library's."""
    match error:
        case jwt.ExpiredSignatureError():
            return "it has expired"
        case jwt.ImmatureSignatureError():
            return "it is not good yet"
        case jwt.InvalidIssuerError():
            return "it is another issuer's"
        case jwt.MissingRequiredClaimError():
            return "exp, iss or sub is missing"
        case jwt.InvalidSignatureError():
            return "it is not signed with the key it names"
        case _:
            return "it is no valid token of this issuer"


def _read(token: str) -> tuple[dict[str, Any], float]:
    """A token's header and when it expires, nothing verified yet. Raises Unauthenticated for what is no token.

    What names a thing twice, or asks to be understood in a way of its own (`crit`), is read by others otherwise.
    """
    try:
        header, claims = (
            json.loads(
                base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True), object_pairs_hook=_once
            )
            for part in token.split(".")[:2]
        )
    except (ValueError, binascii.Error, RecursionError) as error:
        raise Unauthenticated("this is not a signed token") from error
    if not isinstance(header, dict) or not isinstance(claims, dict) or "crit" in header:
        raise Unauthenticated("this is not a signed token")
    times = [claims.get(name, 0) for name in ("exp", "nbf", "iat")]
    if not all(isinstance(time, int | float) and abs(time) <= LATEST for time in times):
        raise Unauthenticated("the token's times are no times")
    return header, float(times[0])


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def principal_of(claims: dict[str, Any]) -> Principal:
    """Who verified claims speak of: `sub`, `shop`, `kind`, `customer_id` and `scope` (words with spaces between).

    Raises Unauthenticated where a claim is missing or malformed.
    """
    try:
        kind = Kind(claims.get("kind", ""))
    except ValueError as error:
        raise Unauthenticated("the token does not say what kind of caller it is for") from error
    if kind is Kind.VISITOR:
        raise Unauthenticated("visitors' tokens are the gateway's own")
    shop = _name(claims, "shop")
    customer_id = _name(claims, "customer_id") if kind is Kind.CUSTOMER else None
    scope = claims.get("scope", "")
    if not isinstance(scope, str):
        raise Unauthenticated("the token's scope is not a string")
    return Principal(kind, shop, customer_id, frozenset(scope.split()), _name(claims, "sub", SUBJECT))


def _name(claims: dict[str, Any], claim: str, form: re.Pattern[str] = NAME) -> str:
    value = claims.get(claim)
    if not isinstance(value, str) or not form.fullmatch(value):
        raise Unauthenticated(f"the token has no valid {claim}")
    return value
