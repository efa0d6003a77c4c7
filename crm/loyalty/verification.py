# crm/loyalty/verification.py
"""Whether a ledger is what was posted: everything is worked out anew from its entries. Pure.

It shares nothing with the code that posts but the shape of entries and their fingerprint.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from crm.loyalty.chain import Balances, Entry, fingerprint

CUSTOMER = {"customer:available": 1, "customer:pending": 1, "customer:held": 1, "customer:owed": -1}
PROGRAMME = frozenset(f"programme:{name}" for name in ("issued", "redeemed", "expired", "adjusted", "transferred"))
AVAILABLE_BY = {"credit": 1, "return": 1, "take": -1, "expire": -1, "reclaim": 0}
POOL_BY = {
    "credit": (1, 0, 0), "take": (0, 1, 0), "return": (0, -1, 0), "expire": (0, 0, 1), "reclaim": (0, 1, -1),
}  # fmt: skip
"""What a line adds to the pool's credited, taken and expired."""


class Flaw(StrEnum):
    """What can be wrong with a ledger."""

    MISSING = "MISSING"
    """There is no entry of a number."""
    OUT_OF_PLACE = "OUT_OF_PLACE"
    """An entry stands where another should: two of one number or cause, or another account's."""
    CHANGED = "CHANGED"
    """An entry's fingerprint is not its own any more."""
    CHAIN_BROKEN = "CHAIN_BROKEN"
    """An entry does not name the fingerprint of the one before."""
    UNBALANCED = "UNBALANCED"
    """Postings do not sum to zero, name no account, or do not agree with the lines of the pools."""
    WRONG_BALANCE = "WRONG_BALANCE"
    """A balance is not the sum of the postings before it, or is below zero."""
    WRONG_REMAINING = "WRONG_REMAINING"
    """What a pool holds is not what the entries left in it."""
    WRONG_PENDING = "WRONG_PENDING"
    """What is pending, of an order or as a whole, is not what the entries left."""
    WRONG_HOLD = "WRONG_HOLD"
    """An open hold is not what the entries left."""
    WRONG_TALLY = "WRONG_TALLY"
    """How often a bonus was given for events is not how many entries of it there are."""
    WRONG_REVERSAL = "WRONG_REVERSAL"
    """A reversal names no earlier entry, or more than it had."""
    WRONG_REASON = "WRONG_REASON"
    """The words of a reason are not those that were given."""
    TRUNCATED = "TRUNCATED"
    """The account's last entry is not the ledger's."""
    UNREADABLE = "UNREADABLE"
    """What is stored cannot be read."""


class Finding(Struct, frozen=True):
    """`place`: the entry's cause, or the pool, order or hold."""

    flaw: Flaw
    place: str


class Stored(Struct, frozen=True, kw_only=True):
    """An account as it is stored, beside its entries. `fingerprints` are those stored with the entries, by cause;
    `pools` as (credited, taken, expired); `tallies` how often each bonus was given for events, by day and (None) in
    all; `reasons` what the words beside an entry come to, by cause; `misplaced` the causes of entries with keys of
    others.
    """

    shop: str
    customer_id: str
    number: int = 0
    fingerprint: str = ""
    balances: Balances = Balances()
    lifetime_earned: int = 0
    fingerprints: Mapping[str, str] = {}
    pools: Mapping[str, tuple[int, int, int]] = {}
    pending: Mapping[str, int] = {}
    holds: Mapping[str, int] = {}
    tallies: Mapping[str, Mapping[str | None, int]] = {}
    reasons: Mapping[str, str] = {}
    misplaced: frozenset[str] = frozenset()


def verify(entries: Iterable[Entry], stored: Stored) -> list[Finding]:
    """Everything that is wrong; nothing for a ledger that is as it was posted."""
    ordered = sorted(entries, key=lambda entry: (entry.number, entry.cause))
    return list(
        dict.fromkeys(
            [
                *_places(ordered, stored),
                *_chain(ordered, stored),
                *_sums(ordered, stored),
                *_remaining(ordered, stored),
                *_pending(ordered, stored),
                *_holds(ordered, stored),
                *_tallies(ordered, stored),
                *_reversals(ordered),
                *(
                    Finding(Flaw.WRONG_REASON, entry.cause)
                    for entry in ordered
                    if stored.reasons.get(entry.cause, entry.reason_digest) != entry.reason_digest
                ),
            ]
        )
    )


def _places(ordered: Sequence[Entry], stored: Stored) -> Iterator[Finding]:
    numbers = Counter(entry.number for entry in ordered)
    causes = Counter(entry.cause for entry in ordered)
    for entry in ordered:
        own = (entry.shop, entry.customer_id) == (stored.shop, stored.customer_id)
        if not own or entry.cause in stored.misplaced or numbers[entry.number] > 1 or causes[entry.cause] > 1:
            yield Finding(Flaw.OUT_OF_PLACE, entry.cause)
    for number in range(1, max([stored.number, *numbers]) + 1):
        if number not in numbers:
            yield Finding(Flaw.MISSING, str(number))
    if any(number < 1 for number in numbers):
        yield Finding(Flaw.OUT_OF_PLACE, str(min(numbers)))
    if (ordered[-1].number if ordered else 0) != stored.number:
        yield Finding(Flaw.TRUNCATED, str(stored.number))


def _chain(ordered: Sequence[Entry], stored: Stored) -> Iterator[Finding]:
    before = ""
    for entry in ordered:
        if entry.previous != before:
            yield Finding(Flaw.CHAIN_BROKEN, entry.cause)
        before = fingerprint(entry)
        if stored.fingerprints.get(entry.cause) != before:
            yield Finding(Flaw.CHANGED, entry.cause)
    if stored.fingerprint != before:
        yield Finding(Flaw.TRUNCATED, str(stored.number))


def _sums(ordered: Sequence[Entry], stored: Stored) -> Iterator[Finding]:
    running: Counter[str] = Counter()
    issued = 0
    for entry in ordered:
        sides = Counter(posting.account for posting in entry.postings)
        moved = {posting.account: posting.points for posting in entry.postings}
        by_lines = sum(AVAILABLE_BY.get(line.effect, 0) * line.points for line in entry.lines)
        known = set(sides) <= set(CUSTOMER) | PROGRAMME and set(sides.values()) <= {1}
        if not known or sum(moved.values()) != 0 or moved.get("customer:available", 0) != by_lines:
            yield Finding(Flaw.UNBALANCED, entry.cause)
        for account, sign in CUSTOMER.items():
            running[account] += sign * moved.get(account, 0)
        issued -= moved.get("programme:issued", 0)
        if _balances(running) != entry.after or min(running.values()) < 0:
            yield Finding(Flaw.WRONG_BALANCE, entry.cause)
        if running["customer:owed"] and running["customer:available"]:
            yield Finding(Flaw.WRONG_BALANCE, entry.cause)
    if _balances(running) != stored.balances or issued != stored.lifetime_earned:
        yield Finding(Flaw.WRONG_BALANCE, "account")


def _balances(running: Mapping[str, int]) -> Balances:
    return Balances(*(running.get(account, 0) for account in CUSTOMER))


def _remaining(ordered: Sequence[Entry], stored: Stored) -> Iterator[Finding]:
    pools: defaultdict[str, tuple[int, int, int]] = defaultdict(lambda: (0, 0, 0))
    for entry in ordered:
        for line in entry.lines:
            credited, taken, expired = pools[line.pool]
            signs = POOL_BY.get(line.effect, (0, 0, 0))
            if (line.start if line.effect == "credit" else None) != (credited if line.effect == "credit" else None):
                yield Finding(Flaw.WRONG_REMAINING, entry.cause)
            credited, taken, expired = (
                before + sign * line.points for before, sign in zip((credited, taken, expired), signs, strict=True)
            )
            pools[line.pool] = credited, taken, expired
            if min(line.points, taken, expired, credited - taken - expired) < 0:
                yield Finding(Flaw.WRONG_REMAINING, entry.cause)
    for name in sorted({*pools, *stored.pools}):
        if pools[name] != tuple(stored.pools.get(name, (0, 0, 0))):
            yield Finding(Flaw.WRONG_REMAINING, name)


def _pending(ordered: Sequence[Entry], stored: Stored) -> Iterator[Finding]:
    pending: Counter[str] = Counter()
    for entry in ordered:
        for posting in entry.postings:
            if posting.account == "customer:pending":
                pending[entry.subject or ""] += posting.points
    yield from _differences(Flaw.WRONG_PENDING, pending, stored.pending)


def _holds(ordered: Sequence[Entry], stored: Stored) -> Iterator[Finding]:
    held: Counter[str] = Counter()
    for entry in ordered:
        for posting in entry.postings:
            if posting.account == "customer:held":
                held[entry.subject or ""] += posting.points
    yield from _differences(Flaw.WRONG_HOLD, held, stored.holds)


def _tallies(ordered: Sequence[Entry], stored: Stored) -> Iterator[Finding]:
    """Of days no more than in all: which were counted depends on the caps there were."""
    given = Counter(entry.cause.rpartition(":")[2] for entry in ordered if entry.cause.startswith("event:"))
    for bonus in sorted({*given, *stored.tallies}):
        days = dict(stored.tallies.get(bonus, {}))
        in_all = days.pop(None, 0)
        if in_all != given[bonus] or sum(days.values()) > in_all or min(days.values(), default=0) < 0:
            yield Finding(Flaw.WRONG_TALLY, bonus)


def _differences(flaw: Flaw, worked_out: Mapping[str, int], stored: Mapping[str, int]) -> Iterator[Finding]:
    for name in sorted({*worked_out, *stored}):
        if worked_out.get(name, 0) != stored.get(name, 0) or worked_out.get(name, 0) < 0:
            yield Finding(flaw, name)


def _reversals(ordered: Sequence[Entry]) -> Iterator[Finding]:
    left: dict[str, int] = {}
    for entry in ordered:
        for each in entry.reverses:
            if each.points <= 0 or each.points > left.get(each.cause, 0):
                yield Finding(Flaw.WRONG_REVERSAL, entry.cause)
            left[each.cause] = left.get(each.cause, 0) - each.points
        left[entry.cause] = sum(abs(posting.points) for posting in entry.postings if posting.account in PROGRAMME)
