# crm/loyalty/verification/judging.py
"""Whether a ledger is what was posted: everything is worked out anew from its entries. Pure.

It shares nothing with the code that posts but the shape of entries, their fingerprint and the names of pools.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from crm.loyalty.ledger.chain import Balances, Entry, fingerprint
from crm.loyalty.verification import admissible, beside
from crm.loyalty.verification.beside import Hold, Order, Pardon, Times

MOST_PARDONS = 10
"""Of an account; the smallest of more are given up."""
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
    """An entry stands where another should: two of one number or cause, another account's, or one recorded before the
    one before it."""
    CHANGED = "CHANGED"
    """An entry's fingerprint is not its own any more."""
    CHAIN_BROKEN = "CHAIN_BROKEN"
    """An entry does not name the fingerprint of the one before."""
    UNBALANCED = "UNBALANCED"
    """Postings do not sum to zero, name no account, or do not agree with the lines of the pools."""
    WRONG_BALANCE = "WRONG_BALANCE"
    """A balance is not the sum of the postings before it, or is below zero."""
    WRONG_MOVEMENT = "WRONG_MOVEMENT"
    """An entry's cause, accounts and subject are not those of a movement, or it says what its movement does not."""
    WRONG_REMAINING = "WRONG_REMAINING"
    """What a pool holds is not what the entries left in it, or it stands in another month, or twice."""
    WRONG_PENDING = "WRONG_PENDING"
    """What is pending, of an order or as a whole, is not what the entries left."""
    WRONG_ORDER = "WRONG_ORDER"
    """What is kept of an order is not what the entries gave and took for it."""
    WRONG_HOLD = "WRONG_HOLD"
    """A hold is not what the entries set aside."""
    WRONG_TIME = "WRONG_TIME"
    """When the account last moved is not when entries say, or something is due before it is looked at."""
    WRONG_PARDON = "WRONG_PARDON"
    """What may be claimed is not what entries forgave and none has claimed: more, less, or of another order."""
    WRONG_TALLY = "WRONG_TALLY"
    """How often a bonus was given for events is not how many entries of it there are."""
    WRONG_REVERSAL = "WRONG_REVERSAL"
    """A reversal names no earlier entry that it could be of, or more than it had."""
    WRONG_TRANSFER = "WRONG_TRANSFER"
    """The other side of a transfer is not there, or not of as many points."""
    WRONG_REASON = "WRONG_REASON"
    """The words of a reason are not those that were given, or of no entry."""
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
    `pools` as (credited, taken, expired), and which of them are `misfiled`; `orders` by id; `holds` by subject, and
    those that are `open` as the account has them; `pardons` what may be claimed again, by the number of what forgave
    it; `tallies` how often each bonus was given for events, by day and (None) in all; `reasons` what the words beside
    an entry come to, by cause; `transferred` what the other side of a transfer has posted, by cause; `misplaced` the
    causes of entries with keys of others. Who was merged into them last earned or spent at `taken_over_at`. Time next
    changes something at `due_at`, `idle_at` and `birthday_at`.
    """

    shop: str
    customer_id: str
    number: int = 0
    fingerprint: str = ""
    balances: Balances = Balances()
    lifetime_earned: int = 0
    fingerprints: Mapping[str, str] = {}
    pools: Mapping[str, tuple[int, int, int]] = {}
    misfiled: frozenset[str] = frozenset()
    orders: Mapping[str, Order] = {}
    holds: Mapping[str, Hold] = {}
    open: Mapping[str, Hold] = {}
    pardons: Mapping[int, Pardon] = {}
    times: Times = Times()
    taken_over_at: datetime | None = None
    due_at: datetime | None = None
    idle_at: datetime | None = None
    birthday_at: datetime | None = None
    tallies: Mapping[str, Mapping[str | None, int]] = {}
    reasons: Mapping[str, str] = {}
    transferred: Mapping[str, int] = {}
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
                *_movements(ordered, stored),
                *_remaining(ordered, stored),
                *_orders(ordered, stored),
                *_holds(ordered, stored),
                *_times(ordered, stored),
                *_pardons(ordered, stored),
                *_tallies(ordered, stored),
                *_reversals(ordered),
                *_reasons(ordered, stored),
            ]
        )
    )


def against(entries: Iterable[Entry], published: Mapping[str, str]) -> list[Finding]:
    """Entries of which another fingerprint was published than they have, and such as are not there any more: however
    well a ledger was made anew, what was published of it was not.
    """
    have = {entry.cause: fingerprint(entry) for entry in entries}
    return [
        Finding(Flaw.CHANGED if cause in have else Flaw.MISSING, cause)
        for cause in sorted(published)
        if have.get(cause) != published[cause]
    ]


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


def _movements(ordered: Sequence[Entry], stored: Stored) -> Iterator[Finding]:
    before: datetime | None = None
    for entry in ordered:
        if not admissible.is_admissible(entry):
            yield Finding(Flaw.WRONG_MOVEMENT, entry.cause)
        if before is not None and entry.recorded_at < before:
            yield Finding(Flaw.OUT_OF_PLACE, entry.cause)
        before = entry.recorded_at
        if entry.movement == "transfer":
            moved = sum(one.points for one in entry.postings if one.account == "programme:transferred")
            if stored.transferred.get(entry.cause) != -moved:
                yield Finding(Flaw.WRONG_TRANSFER, entry.cause)


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
        if pools[name] != tuple(stored.pools.get(name, (0, 0, 0))) or name in stored.misfiled:
            yield Finding(Flaw.WRONG_REMAINING, name)


def _orders(ordered: Sequence[Entry], stored: Stored) -> Iterator[Finding]:
    """Points that are pending of no order are found by the account's balance, or are no movement that there is."""
    left = beside.orders(ordered)
    for order_id in sorted({*left, *stored.orders}):
        kept, order = stored.orders.get(order_id, Order()), left.get(order_id, Order())
        if kept.pending != order.pending or order.pending < 0:
            yield Finding(Flaw.WRONG_PENDING, f"order:{order_id}")
        if not beside.agrees(kept, order):
            yield Finding(Flaw.WRONG_ORDER, f"order:{order_id}")


def _holds(ordered: Sequence[Entry], stored: Stored) -> Iterator[Finding]:
    left = beside.holds(ordered)
    for subject in sorted({*left, *stored.holds, *stored.open}):
        hold, opened = left.get(subject), stored.open.get(subject)
        known = _said(hold) if hold and hold.is_open else None
        if hold is None or stored.holds.get(subject) != hold or _said(opened) != known:
            yield Finding(Flaw.WRONG_HOLD, subject)


def _said(hold: Hold | None) -> tuple[object, ...] | None:
    """What an account says of a hold that is open."""
    return (hold.points, hold.ends_at, hold.order_id) if hold else None


def _times(ordered: Sequence[Entry], stored: Stored) -> Iterator[Finding]:
    """What falls due by what entries say; when else to look, a programme says."""
    if beside.times(ordered, taken_over_at=stored.taken_over_at) != stored.times:
        yield Finding(Flaw.WRONG_TIME, "account")
    first = beside.first_due(
        stored.orders.values(), stored.open.values(),
        {name: credited - taken - expired for name, (credited, taken, expired) in stored.pools.items()},
        idle_at=stored.idle_at, birthday_at=stored.birthday_at,
    )  # fmt: skip
    if first is not None and (stored.due_at is None or stored.due_at > first):
        yield Finding(Flaw.WRONG_TIME, "account")


def _pardons(ordered: Sequence[Entry], stored: Stored) -> Iterator[Finding]:
    """Of an order as much as it has been forgiven: what it earns again withdraws both. Less only where somebody may
    have had too many.
    """
    numbers = {entry.cause: entry.number for entry in ordered}
    forgiving = {entry.number: entry for entry in ordered if entry.forgiven}
    left = {number: entry.forgiven for number, entry in forgiving.items()}
    for entry in ordered:
        if of := entry.claims:
            given_back = numbers.get(entry.cause.removesuffix(f":claim:{of}"), 0)
            left[of] = left.get(of, 0) - sum(each.points for each in entry.reverses)
            if left[of] < 0 or not of < given_back < entry.number:
                yield Finding(Flaw.WRONG_PARDON, entry.cause)
    may_lack = len(forgiving) > MOST_PARDONS
    pardoned: Counter[str | None] = Counter()
    for number in sorted({*forgiving, *stored.pardons}):
        pardon = stored.pardons.get(number)
        if pardon is None:
            of_gift = forgiving[number].order_id is None
            is_wrong = of_gift and left[number] > 0 and not may_lack
        else:
            is_wrong = not _is_of(pardon, forgiving.get(number), left.get(number, 0))
            pardoned[pardon.order_id] += pardon.points
        if is_wrong:
            yield Finding(Flaw.WRONG_PARDON, str(number))
    for order_id in sorted({*filter(None, pardoned), *stored.orders}):
        forgiven = stored.orders.get(order_id, Order()).forgiven
        if pardoned[order_id] > forgiven or (pardoned[order_id] < forgiven and not may_lack):
            yield Finding(Flaw.WRONG_PARDON, f"order:{order_id}")


def _is_of(pardon: Pardon, entry: Entry | None, left: int) -> bool:
    """What is left of a gift is all of it; an order earns some again without an entry."""
    if entry is None or pardon != beside.pardoned(entry, pardon.points):
        return False
    return 0 < pardon.points <= left if entry.order_id else 0 < pardon.points == left


def _tallies(ordered: Sequence[Entry], stored: Stored) -> Iterator[Finding]:
    """Of days no more than in all: which were counted depends on the caps there were."""
    given = Counter(entry.cause.rpartition(":")[2] for entry in ordered if entry.cause.startswith("event:"))
    for bonus in sorted({*given, *stored.tallies}):
        days = dict(stored.tallies.get(bonus, {}))
        in_all = days.pop(None, 0)
        if in_all != given[bonus] or sum(days.values()) > in_all or min(days.values(), default=0) < 0:
            yield Finding(Flaw.WRONG_TALLY, bonus)


def _reversals(ordered: Sequence[Entry]) -> Iterator[Finding]:
    """`left` is what each entry moved of an account of the programme, and no reversal has yet moved back."""
    left: dict[tuple[str, str], int] = {}
    orders: dict[str, str | None] = {}
    for entry in ordered:
        issued = admissible.issued_by(entry)
        for each in entry.reverses:
            for account, moved in issued.items():
                before, back = left.get((each.cause, account), 0), each.points if moved > 0 else -each.points
                left[each.cause, account] = before + back
                if each.points <= 0 or before * back >= 0 or abs(back) > abs(before):
                    yield Finding(Flaw.WRONG_REVERSAL, entry.cause)
            if not issued or orders.get(each.cause) != entry.order_id:
                yield Finding(Flaw.WRONG_REVERSAL, entry.cause)
        if not entry.reverses:
            left.update(((entry.cause, account), points) for account, points in issued.items())
        orders[entry.cause] = entry.order_id


def _reasons(ordered: Sequence[Entry], stored: Stored) -> Iterator[Finding]:
    """Words may be missing: they were erased."""
    digests = {entry.cause: entry.reason_digest for entry in ordered}
    for cause in sorted(stored.reasons):
        if stored.reasons[cause] != digests.get(cause):
            yield Finding(Flaw.WRONG_REASON, cause)
