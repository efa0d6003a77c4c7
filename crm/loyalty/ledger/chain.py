# crm/loyalty/ledger/chain.py
"""What an entry of the ledger says, and its fingerprint. Pure.

Each fingerprint covers all of its entry, and the fingerprint before it: whatever is changed, taken out or moved later
no longer fits. It covers ids, numbers, causes and instants, and of a reason in words only a salted digest, so that
erasing a person leaves the evidence whole.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct, to_builtins
from msgspec.structs import asdict, replace

from crm.kernel import clock
from crm.loyalty.ledger.pools import Line

FIRST = ""
"""What stands for the fingerprint before the first."""


class Posting(Struct, frozen=True):
    """One side of a movement. The postings of an entry sum to zero."""

    account: str
    points: int


class Reversed(Struct, frozen=True):
    """So many points of the entry of that cause."""

    cause: str
    points: int


class Balances(Struct, frozen=True):
    """`available` is what the pools hold; while points are owed it is 0."""

    available: int = 0
    pending: int = 0
    held: int = 0
    owed: int = 0

    @property
    def net(self) -> int:
        return self.available - self.owed


class Entry(Struct, frozen=True, kw_only=True):
    """One movement of points. Never changed.

    `subject` is what is pending or held (`order:o1`, `hold:h1`), `pool` the one that pending points will enter, and
    `ends_at` when what is held comes back. `counterpart` is the customer at the other side of a transfer.
    `forgiven`: points that were to be taken back and could not; `claims`: the number of the entry that forgave what
    this one takes back after all. `request` is the digest of what a client asked for under an idempotency key.
    `occurred_at` is when it took effect, `recorded_at` when it was written.
    """

    shop: str
    customer_id: str
    number: int
    cause: str
    movement: str
    occurred_at: datetime
    recorded_at: datetime
    postings: tuple[Posting, ...]
    lines: tuple[Line, ...]
    after: Balances
    previous: str
    replayed: bool = False
    correlation_id: str | None = None
    order_id: str | None = None
    subject: str | None = None
    available_at: datetime | None = None
    pool: str | None = None
    ends_at: datetime | None = None
    counterpart: str | None = None
    reverses: tuple[Reversed, ...] = ()
    forgiven: int = 0
    claims: int = 0
    actor: str | None = None
    reason_digest: str | None = None
    request: str | None = None

    @property
    def points(self) -> int:
        """What the balance moved by."""
        return sum(one.points for one in self.postings if one.account in {"customer:available", "customer:owed"})


def less(credits_: Sequence[Reversed], gone: Iterable[Reversed]) -> tuple[Reversed, ...]:
    """What of credits is left, once so much of them was reversed."""
    points = {each.cause: each.points for each in gone}
    left = (replace(each, points=each.points - points.get(each.cause, 0)) for each in credits_)
    return tuple(each for each in left if each.points)


def fingerprint(entry: Entry) -> str:
    return hashlib.sha256(_canonical(asdict(entry)).encode()).hexdigest()


def reason_digest(reason: str, salt: str) -> str:
    """Without the salt, which is erased with the reason, nobody can tell what was said."""
    return hashlib.sha256(f"{salt}\0{reason}".encode()).hexdigest()


def request_digest(request: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(request).encode()).hexdigest()


def _canonical(fields: Mapping[str, Any]) -> str:
    """Without what is empty: entries may learn to say more, and those from before keep their fingerprints."""
    said = {name: value for name, value in fields.items() if value or value == FIRST}
    plain = {name: clock.text(value) if isinstance(value, datetime) else value for name, value in said.items()}
    return json.dumps(to_builtins(plain), sort_keys=True, separators=(",", ":"))
