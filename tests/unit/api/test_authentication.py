# tests/unit/api/test_authentication.py
import asyncio
import base64
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from api.authentication import (
    COOL_DOWN,
    FIRST_COOL_DOWN,
    MOST_KEPT,
    Authenticator,
    KeySet,
    KeysUnavailable,
    Unauthenticated,
)
from schema.principal import Kind, Principal
from tests.tokens import ISSUER, authenticator, claims, jwks, raw, rsa_key, token


def principal(given: str, by: Authenticator | None = None) -> Principal:
    return asyncio.run((by or authenticator()).principal(f"Bearer {given}"))


class Source:
    """Where keys come from, with a count of how often, and a clock."""

    def __init__(self, *, down: bool = False) -> None:
        self.fetches = 0
        self.elapsed = 0.0
        self.down = down

    def keys(self) -> KeySet:
        return KeySet(ISSUER.keys, fetch=self.fetch, elapsed=lambda: self.elapsed)

    def fetch(self, _source: str) -> dict[str, Any]:
        self.fetches += 1
        if self.down:
            raise OSError("unreachable")
        return jwks()


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_signed_token_says_who_is_asking(algorithm: str) -> None:
    assert principal(token(algorithm)) == Principal(
        Kind.STAFF, "demo", None, frozenset({"customers:read", "orders:read", "schema:read", "events:write"}), "u1"
    )


def test_a_customer_token_names_its_customer() -> None:
    assert principal(token(kind="customer", customer_id="cus_1", scope=None)) == Principal(
        Kind.CUSTOMER, "demo", "cus_1", frozenset(), "u1"
    )


def test_a_cognito_access_token_is_taken_by_its_client() -> None:
    given = token(aud=None, client_id="rapport", token_use="access")
    assert principal(given).kind is Kind.STAFF


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://other.test"},
        {"aud": "another"},
        {"aud": None},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"sub": None},
        {"sub": "two words"},
        {"sub": "x" * 256},
        {"shop": None},
        {"shop": "demo#CUSTOMER"},
        {"shop": ["demo"]},
        {"kind": None},
        {"kind": "owner"},
        {"kind": "customer"},
        {"kind": "customer", "customer_id": "cus#1"},
        {"scope": ["customers:read"]},
        {"token_use": "id"},
        {"token_use": "access", "client_id": "another"},
        {"token_use": "access", "client_id": None},
        {"nonce": "n"},
        {"at_hash": "h"},
        {"exp": "9999999999"},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"exp": 10**15},
        {"exp": [int(time.time()) + 600]},
        {"nbf": int(time.time()) + 600},
        {"nbf": "soon"},
        {"iat": int(time.time()) + 600},
        {"aud": {"rapport": True}},
        {"sub": 7},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_or_missing_claim_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        principal(token(**wrong))


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"exp": int(time.time()) - 3600}, "it has expired"),
        ({"nbf": int(time.time()) + 3600}, "it is not good yet"),
        ({"iss": "https://other.test"}, "it is another issuer's"),
        ({"sub": None}, "exp, iss or sub is missing"),
        ({"nbf": 1.5e9, "iat": 2**39}, "it is not good yet"),
    ],
    ids=str,
)
def test_a_refusal_says_why_in_plain_words(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        principal(token(**wrong))
    assert str(refused.value) == f"the token is refused: {why}"


def test_an_unsigned_token_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        principal(jwt.encode(claims(), "", algorithm="none", headers={"kid": "r1"}))


def test_a_public_key_is_never_used_as_a_shared_secret() -> None:
    public = rsa_key().public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1)
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT", "kid": "r1"}, claims())]
    signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    signature = base64.urlsafe_b64encode(hmac.digest(public, signed, "sha256")).rstrip(b"=")
    with pytest.raises(Unauthenticated):
        principal(f"{signed.decode()}.{signature.decode()}")


@pytest.mark.parametrize(
    "header",
    [
        '{"alg": "RS256", "kid": "r1", "kid": "r1"}',
        '{"alg": "RS256", "kid": "r1", "crit": ["b64"], "b64": false}',
        '{"alg": ["RS256"], "kid": "r1"}',
        '{"alg": "RS256", "kid": ["r1"]}',
        '["RS256", "r1"]',
        '{"alg": "RS256", "kid": "r1", "x": ' + "[" * 2500 + "]" * 2500 + "}",
        "not json",
    ],
    ids=lambda header: header[:40],
)
def test_a_header_that_can_be_read_in_two_ways_or_in_none_is_refused(header: str) -> None:
    with pytest.raises(Unauthenticated):
        principal(raw(header, json.dumps(claims())))


def test_a_claim_that_stands_twice_is_refused_although_it_is_signed() -> None:
    twice = json.dumps(claims(kind="customer", customer_id="cus_1"))[:-1] + ', "kind": "staff"}'
    with pytest.raises(Unauthenticated):
        principal(raw('{"alg": "RS256", "kid": "r1"}', twice))
    assert principal(raw('{"alg": "RS256", "kid": "r1"}', json.dumps(claims()))).kind is Kind.STAFF


def test_a_token_is_refused_whose_algorithm_is_not_its_keys() -> None:
    with pytest.raises(Unauthenticated):
        principal(token("ES256", kid="r1"))


def test_a_token_signed_by_another_key_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        principal(token("ES256")[:-8] + "AAAAAAAA")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer abc", "Bearer " + "a" * 9000])
def test_a_header_without_a_token_is_refused(header: str | None) -> None:
    with pytest.raises(Unauthenticated):
        asyncio.run(authenticator().principal(header))


def test_tokens_with_unknown_keys_cause_one_fetch_in_a_cool_down() -> None:
    source = Source()
    by = Authenticator(ISSUER, source.keys())

    async def flood() -> None:
        await by.principal(f"Bearer {token()}")
        source.elapsed = COOL_DOWN
        for number in range(50):
            with pytest.raises(Unauthenticated):
                await by.principal(f"Bearer {token(kid=f'unknown-{number}')}")
        await by.principal(f"Bearer {token('ES256')}")

    asyncio.run(flood())
    assert source.fetches == 2


def test_nobody_gets_in_while_the_keys_cannot_be_fetched() -> None:
    source = Source(down=True)
    with pytest.raises(KeysUnavailable):
        principal(token(), Authenticator(ISSUER, source.keys()))


def test_keys_that_could_not_be_fetched_at_first_are_soon_asked_for_again() -> None:
    source = Source(down=True)
    by = Authenticator(ISSUER, source.keys())

    async def soon() -> Kind:
        for _ in range(3):
            with pytest.raises(KeysUnavailable):
                await by.principal(f"Bearer {token()}")
        source.down, source.elapsed = False, FIRST_COOL_DOWN
        return (await by.principal(f"Bearer {token()}")).kind

    assert asyncio.run(soon()) is Kind.STAFF
    assert source.fetches == 2


def test_keys_once_fetched_stay_good_when_their_host_goes_down() -> None:
    source = Source()
    by = Authenticator(ISSUER, source.keys())

    async def later() -> Kind:
        await by.principal(f"Bearer {token()}")
        source.down, source.elapsed = True, 2 * COOL_DOWN
        with pytest.raises(Unauthenticated):
            await by.principal(f"Bearer {token(kid='unknown')}")
        return (await by.principal(f"Bearer {token('ES256')}")).kind

    assert asyncio.run(later()) is Kind.STAFF


def test_a_verified_token_is_remembered_until_it_expires() -> None:
    now = [time.time()]
    by = Authenticator(ISSUER, KeySet(ISSUER.keys, fetch=jwks), clock=lambda: now[0])
    given = token(exp=int(now[0]) - 10)  # within the leeway, so it is taken once, and never from memory

    async def twice() -> None:
        await by.principal(f"Bearer {given}")
        assert len(by._verified) == 1
        now[0] += 60
        await by.principal(f"Bearer {token()}")

    asyncio.run(twice())
    assert len(by._verified) == 2


def test_memory_of_tokens_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.authentication.MOST_KEPT", 3)
    by = authenticator()

    async def many() -> None:
        for number in range(5):
            await by.principal(f"Bearer {token('ES256', sub=str(number))}")

    asyncio.run(many())
    assert len(by._verified) == 3
    assert MOST_KEPT >= 1000
