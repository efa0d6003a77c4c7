# tests/unit/api/test_authentication.py
import asyncio
import base64
import hmac
import json
import threading
import time
from http.client import IncompleteRead
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from api.authentication import (
    COOL_DOWN,
    FIRST_COOL_DOWN,
    FRESH_FOR,
    KEPT_FOR,
    MOST_KEPT,
    Authenticator,
    KeySet,
    KeysUnavailable,
    Unauthenticated,
)
from schema.principal import Kind, Principal
from tests.tokens import ISSUER, authenticator, claims, jwks, raw, rsa_key, token

LONG_AGO, FAR_AHEAD = 1_500_000_000, 4_000_000_000
"""Seconds since 1970. The same at each run: they are in names of tests."""


def principal(given: str, by: Authenticator | None = None) -> Principal:
    return asyncio.run((by or authenticator()).principal(f"Bearer {given}"))


class Source:
    """Where keys come from, with a count of how often, and a clock."""

    def __init__(self, *, down: bool = False) -> None:
        self.fetches = 0
        self.elapsed = 0.0
        self.down = down
        self.withdrawn: set[str] = set()

    def keys(self) -> KeySet:
        return KeySet(ISSUER.keys, fetch=self.fetch, elapsed=lambda: self.elapsed)

    def fetch(self, _source: str) -> dict[str, Any]:
        self.fetches += 1
        if self.down:
            raise OSError("unreachable")
        return {"keys": [key for key in jwks()["keys"] if key["kid"] not in self.withdrawn]}


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
        {"exp": LONG_AGO},
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
        {"exp": [FAR_AHEAD]},
        {"nbf": FAR_AHEAD},
        {"nbf": "soon"},
        {"iat": FAR_AHEAD},
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
        ({"exp": LONG_AGO}, "it has expired"),
        ({"nbf": FAR_AHEAD}, "it is not good yet"),
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


@pytest.mark.parametrize(
    "odd",
    [
        {"kty": "RSA", "kid": "x", "alg": "RSA-OAEP-256", "n": jwks()["keys"][0]["n"], "e": "AQAB"},
        {"kty": "EC", "kid": "x", "crv": "brainpoolP256r1", "x": "AA", "y": "AA"},
        {"kty": "EC", "kid": "x", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "RSA", "kid": "x", "use": "sig"},
        {"kty": "RSA", "kid": "x", "n": 7, "e": "AQAB"},
        {"kty": ["RSA"], "kid": "x"},
        {"kty": "OKP", "kid": "x", "crv": "Ed25519", "x": "AA"},
        "no key at all",
        None,
    ],
    ids=range(9),
)
def test_a_key_that_nobody_can_read_locks_nobody_out(odd: Any) -> None:
    for keys in ([odd, *jwks()["keys"]], [*jwks()["keys"], odd]):
        by = Authenticator(ISSUER, KeySet(ISSUER.keys, fetch=lambda _, keys=keys: {"keys": keys}))  # type: ignore[misc]
        assert principal(token(), by).kind is Kind.STAFF
        with pytest.raises(Unauthenticated, match="unknown"):
            principal(token(kid="x"), by)


def test_a_key_that_was_withdrawn_is_good_for_an_hour_at_most_also_to_those_who_were_in() -> None:
    source = Source()
    by = Authenticator(ISSUER, source.keys())

    async def later() -> None:
        was_in = f"Bearer {token()}"
        await by.principal(was_in)
        source.withdrawn, source.elapsed = {"r1"}, FRESH_FOR - 1
        await by.principal(was_in)
        assert source.fetches == 1
        source.elapsed = FRESH_FOR
        for bearer in (was_in, f"Bearer {token(sub='thief')}"):
            with pytest.raises(Unauthenticated, match="unknown"):
                await by.principal(bearer)
        assert (await by.principal(f"Bearer {token('ES256')}")).kind is Kind.STAFF
        assert source.fetches == 2

    asyncio.run(later())


def test_another_key_of_the_same_id_is_another_key() -> None:
    source = Source()
    other = jwt.get_algorithm_by_name("RS256").to_jwk(generate_private_key(65537, 2048).public_key(), as_dict=True)
    documents = [jwks(), {"keys": [other | {"kid": "r1"}]}]
    keys = KeySet(ISSUER.keys, fetch=lambda _: documents.pop(0), elapsed=lambda: source.elapsed)
    by = Authenticator(ISSUER, keys)

    async def later() -> None:
        bearer = f"Bearer {token()}"
        await by.principal(bearer)
        source.elapsed = FRESH_FOR
        with pytest.raises(Unauthenticated, match="not signed with the key"):
            await by.principal(bearer)

    asyncio.run(later())


@pytest.mark.parametrize("known", [True, False], ids=["known keys", "unknown keys"])
def test_old_keys_are_asked_for_once_in_a_cool_down_and_then_for_a_while_believed(known: bool) -> None:
    source = Source()
    by = Authenticator(ISSUER, source.keys())
    floods = 5

    async def flood() -> None:
        bearer = f"Bearer {token()}"
        await by.principal(bearer)
        source.down = True
        for number in range(floods):
            source.elapsed = FRESH_FOR + number * COOL_DOWN
            others = [token(sub=str(n)) if known else token(kid=f"unknown-{n}") for n in range(20)]
            told = await asyncio.gather(
                *(by.principal(each) for each in [bearer, *(f"Bearer {other}" for other in others)]),
                return_exceptions=True,
            )
            assert isinstance(told[0], Principal)
            assert {type(each) for each in told[1:]} == {Principal if known else Unauthenticated}

    asyncio.run(flood())
    assert source.fetches == 1 + floods


def test_nobody_waits_for_the_fetch_of_another_who_has_a_key() -> None:
    source = Source()
    by = Authenticator(ISSUER, source.keys())
    hangs = threading.Event()

    def hang(_source: str) -> dict[str, Any]:
        assert hangs.wait(20)
        return jwks()

    async def meanwhile() -> None:
        await by.principal(f"Bearer {token()}")
        source.elapsed, by._keys._fetch = FRESH_FOR, hang
        first = asyncio.ensure_future(by.principal(f"Bearer {token(sub='first')}"))
        await asyncio.sleep(0)
        assert by._keys._fetching.locked()
        assert (await by.principal(f"Bearer {token(sub='second')}")).subject == "second"
        assert not first.done()
        hangs.set()
        assert (await first).subject == "first"

    asyncio.run(meanwhile())


@pytest.mark.parametrize("nothing", [{"keys": []}, {"keys": [{"kty": "RSA", "kid": "x"}]}, {}, [], None], ids=str)
def test_keys_that_cannot_be_fetched_again_are_good_for_six_hours_and_then_nobody_gets_in(nothing: Any) -> None:
    source = Source()
    answers: list[Any] = [jwks(), nothing, nothing, jwks()]
    by = Authenticator(ISSUER, KeySet(ISSUER.keys, fetch=lambda _: answers.pop(0), elapsed=lambda: source.elapsed))

    async def later() -> Kind:
        bearer = f"Bearer {token()}"
        await by.principal(bearer)
        source.elapsed = KEPT_FOR - 1
        assert (await by.principal(bearer)).kind is Kind.STAFF
        source.elapsed = KEPT_FOR + COOL_DOWN
        for each in (bearer, f"Bearer {token(sub='another')}"):
            with pytest.raises(KeysUnavailable):
                await by.principal(each)
        source.elapsed += FIRST_COOL_DOWN
        return (await by.principal(bearer)).kind

    assert asyncio.run(later()) is Kind.STAFF
    assert answers == []


def test_an_answer_that_breaks_off_is_none() -> None:
    def breaks_off(_source: str) -> dict[str, Any]:
        raise IncompleteRead(b"{")

    with pytest.raises(KeysUnavailable):
        principal(token(), Authenticator(ISSUER, KeySet(ISSUER.keys, fetch=breaks_off)))


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
