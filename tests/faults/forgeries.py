# tests/faults/forgeries.py
"""Tokens that nobody was given: none opens anything, whatever is known of the issuer's public keys, or while they are
down; and whatever key ids come in, the keys are fetched once in a cool-down.
"""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bench.figures import Report
from tests import tokens
from tests.tokens import claims, raw, segment, token
from tests.web import Client

ACCEPTED, FETCHES = FIGURES = ("gateway.forged_tokens_accepted", "gateway.jwks_fetches_per_cooldown")
FLOOD: Final = 200
HEADER: Final = '{"alg": "RS256", "kid": "r1"}'
NOT_STAFF: Final[dict[str, Any]] = {"kind": "customer", "customer_id": "cus_1", "scope": None}


def run(report: Report, sabotage: str) -> None:
    if sabotage:
        from tests.faults.sabotage import in_worker

        in_worker(sabotage)
    if report.wants(ACCEPTED):
        _tell_accepted(report)
    if report.wants(FETCHES):
        most = max(asyncio.run(_fetches(down=down)) for down in (False, True))
        report.tell(FETCHES, most, n=FLOOD * 4)


def _tell_accepted(report: Report) -> None:
    from api.app import create_app
    from api.authentication import Authenticator, KeySet

    forged = dict(_forged())
    honest = {"RS256": token(), "ES256": token("ES256"), "customer": token(**NOT_STAFF)}
    up = Client(create_app(authenticator=tokens.authenticator()))
    down = Client(create_app(authenticator=Authenticator(tokens.ISSUER, KeySet("", fetch=_unreachable))))
    accepted = [name for name, forgery in forged.items() if _status(up, forgery) != 401]
    accepted += [
        f"{name}, keys down" for name, one in (forged | honest).items() if _status(down, one) not in {401, 503}
    ]
    refused = [name for name, one in honest.items() if _status(up, one) != 200]
    print(f"{len(forged)} forgeries; accepted: {accepted}; honest tokens refused: {refused}", flush=True)
    value = float("nan") if refused else len(accepted)
    report.tell(ACCEPTED, value, n=2 * len(forged) + len(honest))


def _status(client: Client, bearer: str) -> int:
    answer = client.post(
        "/graphql", json={"query": "{ __typename }"}, headers={b"authorization": f"Bearer {bearer}".encode()}
    )
    return answer.status_code


def _unreachable(_source: str) -> dict[str, Any]:
    raise OSError("unreachable")


def _forged() -> Iterator[tuple[str, str]]:
    now = int(time.time())
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    good, text = token(), json.dumps(claims())
    yield from _unsigned(text)
    yield from _confused(text)
    yield "another key", raw(HEADER, text, other)
    yield "another key of an unknown id", token(key=other, kid="r2")
    jwk = jwt.get_algorithm_by_name("RS256").to_jwk(other.public_key(), as_dict=True)
    own = f"data:application/json,{json.dumps({'keys': [jwk | {'kid': 'r1'}]})}"
    for name, value in {"jwk": jwk, "jku": own, "x5u": own, "x5c": ["MIIB"], "crit": ["exp"]}.items():
        yield f"header {name}", raw(json.dumps({"alg": "RS256", "kid": "r1", name: value}), text, other)
    for kid in ("../../dev/null", "/dev/null", "r1\u0000", "' OR '1'='1", "", "r1 ", "R1"):
        yield f"key id {kid!r}", raw(json.dumps({"alg": "RS256", "kid": kid}), text, other)
    yield "no key id", raw('{"alg": "RS256"}', text)
    yield "a list of key ids", raw('{"alg": "RS256", "kid": ["r1"]}', text)
    yield "a header with two algorithms", raw('{"alg": "none", "alg": "RS256", "kid": "r1"}', text)
    yield "a header without an end", raw('{"x": ' + "[" * 2000 + "]" * 2000 + "}", text)
    head, body, signature = good.split(".")
    yield "claims of another token", f"{head}.{token(sub='root').split('.')[1]}.{signature}"
    yield "a signature cut short", good[:-20]
    yield "a signature that is none", f"{head}.{body}.AAAA"
    yield "four parts", f"{good}.{signature}"
    yield "one part", head
    yield "too long", token(padding="a" * 9000)
    yield "claims twice", raw(HEADER, text[:-1] + ', "shop": "other"}')
    wrong: dict[str, dict[str, Any]] = {
        "another issuer": {"iss": "https://issuer.test.evil.example"},
        "the issuer with a slash": {"iss": f"{tokens.ISSUER.name}/"},
        "another audience": {"aud": "another"},
        "audiences without ours": {"aud": ["a", "b"]},
        "no audience": {"aud": None},
        "expired": {"exp": now - 3600},
        "never expiring": {"exp": None},
        "expiring at infinity": {"exp": float("inf")},
        "expiring in words": {"exp": str(now + 600)},
        "not yet": {"nbf": now + 3600},
        "issued tomorrow": {"iat": now + 86400},
        "no subject": {"sub": None},
        "no shop": {"shop": None},
        "two shops": {"shop": ["demo", "other"]},
        "a shop that is a key": {"shop": "demo#CUSTOMER#cus_1"},
        "no kind": {"kind": None},
        "another kind": {"kind": "root"},
        "a customer that is nobody": {"kind": "customer"},
        "a customer that is a key": {"kind": "customer", "customer_id": "cus_1#HEAD"},
        "scopes in a list": {"scope": ["customers:read"]},
        "a Cognito id token": {"token_use": "id"},
        "another client's": {"token_use": "access", "client_id": "another"},
        "an OpenID id token": {"nonce": "n", "at_hash": "h"},
    }
    for name, more in wrong.items():
        yield name, token(**more)
    for issuer in (None, [tokens.ISSUER.name]):
        yield f"issuer {issuer}", raw(HEADER, json.dumps({**claims(), "iss": issuer}))


def _unsigned(text: str) -> Iterator[tuple[str, str]]:
    for algorithm in ("none", "None", "NONE", "nOnE", ""):
        header = segment(json.dumps({"alg": algorithm, "kid": "r1"}).encode())
        yield f"algorithm {algorithm!r}", f"{header}.{segment(text.encode())}."
    yield "no signature", f"{segment(HEADER.encode())}.{segment(text.encode())}."


def _confused(text: str) -> Iterator[tuple[str, str]]:
    """Public keys, in each form they are written in, as secrets; and one kind of key as the other."""
    public = tokens.rsa_key().public_key()
    kinds = serialization.PublicFormat
    secrets = {
        f"{encoding} {kind}": public.public_bytes(encoding, kind)
        for encoding in (serialization.Encoding.PEM, serialization.Encoding.DER)
        for kind in (kinds.PKCS1, kinds.SubjectPublicKeyInfo)
    }
    secrets |= {"modulus": tokens.jwks()["keys"][0]["n"].encode(), "nothing": b""}
    for name, secret in secrets.items():
        for algorithm, digest in (("HS256", "sha256"), ("HS512", "sha512")):
            header = json.dumps({"alg": algorithm, "kid": "r1"}).encode()
            signed = f"{segment(header)}.{segment(text.encode())}"
            signature = base64.urlsafe_b64encode(hmac.digest(secret, signed.encode(), digest)).decode().rstrip("=")
            yield f"{algorithm} with {name}", f"{signed}.{signature}"
    yield "ES256 with the id of an RSA key", token("ES256", kid="r1")
    yield "RS256 with the id of an EC key", token("RS256", kid="e1")
    yield "RS512", jwt.encode(claims(), tokens.rsa_key(), "RS512", headers={"kid": "r1"})
    yield "PS256", jwt.encode(claims(), tokens.rsa_key(), "PS256", headers={"kid": "r1"})


async def _fetches(*, down: bool) -> int:
    """How often the keys are fetched in a cool-down, at most, while tokens of unknown keys come in, many at once."""
    from api.authentication import COOL_DOWN, FIRST_COOL_DOWN, Authenticator, KeySet, Unauthenticated

    now, at = [0.0], list[float]()

    def fetch(_source: str) -> dict[str, Any]:
        at.append(now[0])
        if down:
            raise OSError("unreachable")
        return tokens.jwks()

    by = Authenticator(tokens.ISSUER, KeySet("", fetch=fetch, elapsed=lambda: now[0]))
    cool_down = FIRST_COOL_DOWN if down else COOL_DOWN
    for window in range(2):
        for part in (0.0, 0.5):
            now[0] = cool_down * (window + part)
            flood = [by.principal(f"Bearer {token(kid=f'k{window}{part}{number}')}") for number in range(FLOOD // 2)]
            refused = await asyncio.gather(*flood, return_exceptions=True)
            assert all(isinstance(error, Unauthenticated) for error in refused)
    return max(sum(start <= other < start + cool_down for other in at) for start in at)
