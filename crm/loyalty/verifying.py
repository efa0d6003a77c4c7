# crm/loyalty/verifying.py
"""Whether the stored ledger of a customer is what was posted."""

from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct

from crm.kernel import clock
from crm.kernel.errors import NotFound, Stale
from crm.loyalty import chain, repository, stored, verification
from crm.loyalty.models import BonusTally, LedgerEntry, LoyaltyAccount
from crm.loyalty.refusals import LedgerTooLong
from crm.loyalty.verification import Finding, Flaw, Stored

T = TypeVar("T")
V = TypeVar("V")
ATTEMPTS = 5


class Verified(Struct, frozen=True):
    """How many entries were looked at, and all that is wrong with them and what is kept beside them."""

    entry_count: int
    findings: list[Finding]


def verify(shop: str, customer_id: str, *, most: int | None = None) -> Verified:
    """Work a ledger out anew. Raises NotFound without an account, Stale where points kept moving while it was read, and
    LedgerTooLong where it has more than `most` entries.
    """
    for _ in range(ATTEMPTS):
        head = repository.get_account(shop, customer_id)
        if head is None:
            raise NotFound("There is no such account.", field="customer_id")
        if most is not None and head.number > most:
            raise LedgerTooLong(f"The ledger has {head.number} entries; {most} are verified here.")
        verified = _verified(shop, customer_id, head)
        again = repository.get_account(shop, customer_id)
        if again is not None and again.rev == head.rev:
            return verified
    raise Stale


def _verified(shop: str, customer_id: str, head: LoyaltyAccount) -> Verified:
    items = repository.list_all_entries(shop, customer_id)
    readable = {item.sk: entry for item in items if (entry := _read(stored.entry_of, item)) is not None}
    unreadable = [Finding(Flaw.UNREADABLE, item.sk) for item in items if item.sk not in readable]
    found = _read(lambda _: _beside(shop, customer_id, head, [item for item in items if item.sk in readable]), head)
    if found is None:
        return Verified(len(items), [*unreadable, Finding(Flaw.UNREADABLE, "account")])
    return Verified(len(items), [*unreadable, *verification.verify(readable.values(), found)])


def _beside(shop: str, customer_id: str, head: LoyaltyAccount, items: list[LedgerEntry]) -> Stored:
    pools = stored.pools_of(repository.list_months(shop, customer_id, since=""))
    pending = repository.list_pending(shop, customer_id)
    reasons = repository.list_reasons(shop, customer_id)
    return Stored(
        shop=shop,
        customer_id=customer_id,
        number=int(head.number),
        fingerprint=head.fingerprint or "",
        balances=stored.balances_of(head),
        lifetime_earned=int(head.lifetime_earned),
        fingerprints={item.cause or "": item.fingerprint or "" for item in items},
        pools={name: (pool.credited, pool.taken, pool.expired) for name, pool in pools.items()},
        pending={f"order:{item.order_id}": int(item.pending) for item in pending},
        holds={f"hold:{one.hold_id}": int(one.points) for one in head.holds},
        tallies=_tallies(repository.list_tallies(shop, customer_id)),
        reasons={one.entry_cause: chain.reason_digest(one.reason, one.salt) for one in reasons},
        misplaced=frozenset(item.cause or "" for item in items if _is_misplaced(item)),
    )


def _tallies(items: list[BonusTally]) -> dict[str, dict[str | None, int]]:
    found: dict[str, dict[str | None, int]] = {}
    for item in items:
        found.setdefault(item.bonus_id, {})[item.day] = int(item.times)
    return found


def _read(read: Callable[[T], V], item: T) -> V | None:
    """None where what is stored is not of the form that is ever written."""
    try:
        return read(item)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _is_misplaced(item: LedgerEntry) -> bool:
    """Whether a key, or a figure for clients, is not what the entry says."""
    entry = stored.entry_of(item)
    own = LedgerEntry.of(entry.shop, entry.customer_id, entry.cause).happens("LEDGER", entry.occurred_at, entry.cause)
    own.points, own.balance_after = entry.points, entry.after.net
    own.changed_key = f"{clock.text(entry.recorded_at)}#{own.sk}"
    return any(
        getattr(item, name) != getattr(own, name)
        for name in (
            "pk", "sk", "timeline_key", "moment_key", "changed_key", "points", "balance_after", "rev", "list_pk",
            "list_sk", "expires_at",
        )
    )  # fmt: skip
