# tests/tokens.py
"""Tokens of a test issuer, right and wrong."""

import base64
import time
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import RSAAlgorithm

from api.authentication import Authenticator, Issuer, KeySet

ISSUER = Issuer("https://issuer.test", "rapport", "https://issuer.test/jwks")
STAFF = {"kind": "staff", "shop": "demo", "scope": "customers:read orders:read schema:read events:write"}


@lru_cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@lru_cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def jwks(_source: str = "") -> dict[str, Any]:
    of_rsa = jwt.get_algorithm_by_name("RS256").to_jwk(rsa_key().public_key(), as_dict=True)
    of_ec = jwt.get_algorithm_by_name("ES256").to_jwk(ec_key().public_key(), as_dict=True)
    return {
        "keys": [{**of_rsa, "kid": "r1", "alg": "RS256", "use": "sig"}, {**of_ec, "kid": "e1", "alg": "ES256"}],
    }


def claims(**more: Any) -> dict[str, Any]:
    """Of staff of the shop `demo` unless `more` says otherwise; None leaves a claim out."""
    standard = {"iss": ISSUER.name, "aud": ISSUER.audience, "sub": "u1", "exp": int(time.time()) + 600}
    return {name: value for name, value in {**standard, **STAFF, **more}.items() if value is not None}


def token(algorithm: str = "RS256", kid: str | None = None, key: Any = None, **more: Any) -> str:
    own_key = rsa_key() if algorithm == "RS256" else ec_key()
    own_kid = "r1" if algorithm == "RS256" else "e1"
    return jwt.encode(claims(**more), key or own_key, algorithm, headers={"kid": kid or own_kid})


def raw(header: str, claimed: str, key: rsa.RSAPrivateKey | None = None) -> str:
    """A token of these very texts, signed with RS256."""
    signed = ".".join(segment(part.encode()) for part in (header, claimed))
    return f"{signed}.{segment(RSAAlgorithm(RSAAlgorithm.SHA256).sign(signed.encode(), key or rsa_key()))}"


def segment(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def authenticator() -> Authenticator:
    return Authenticator(ISSUER, KeySet(ISSUER.keys, fetch=jwks))
