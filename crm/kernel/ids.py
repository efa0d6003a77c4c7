# crm/kernel/ids.py
"""Ids that sort by the time they were made in, prefixed with what they name (`cus_…`)."""

import hashlib
import secrets
from datetime import datetime

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
TIME_CHARACTERS, RANDOM_CHARACTERS = 10, 16


def new_id(prefix: str, now: datetime) -> str:
    """Return a ULID (48 bits of milliseconds, 80 random) in lower case behind its prefix."""
    milliseconds = int(now.timestamp() * 1000)
    return f"{prefix}_{_base32(milliseconds, TIME_CHARACTERS)}{_base32(secrets.randbits(80), RANDOM_CHARACTERS)}"


def shard_of(text: str, shards: int) -> int:
    """A stable shard for a key; the same in every process, unlike `hash`."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) % shards


def _base32(number: int, length: int) -> str:
    characters = []
    for _ in range(length):
        number, digit = divmod(number, 32)
        characters.append(ALPHABET[digit])
    return "".join(reversed(characters))
