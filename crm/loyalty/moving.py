# crm/loyalty/moving.py
"""Points adjusted by staff, and what was spent or given by hand reversed, for whoever asks under a key of their own."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from crm.kernel.actor import Actor
from crm.kernel.change import Change
from crm.kernel.errors import Fault, InvalidInputs, KeyReused, NotFound, Stale
from crm.kernel.operations import key_faults
from crm.kernel.texts import faults
from crm.loyalty import claiming, expiry, maturing, repository, stored, undoing
from crm.loyalty.ledger import chain, movements, pools
from crm.loyalty.ledger.chain import Entry, Reversed
from crm.loyalty.ledger.claims import Claimed
from crm.loyalty.ledger.movements import ADJUSTED, REDEEMED, Moved, Movement, Occasion
from crm.loyalty.ledger.pardons import Debit
from crm.loyalty.ledger.pools import Effect
from crm.loyalty.ledger.refusals import NotReversible
from crm.loyalty.models import EntryReason, LedgerEntry, PointsHold
from crm.loyalty.posting import Admit, Ledger, anybody, decided, occasion
from crm.loyalty.programmes import in_force

MOST_POINTS = 10**9
LONGEST_REASON = 500


class Given(Struct, frozen=True):
    """The entry of a movement, and whether an earlier call with this key posted it."""

    entry: LedgerEntry
    replayed: bool


def adjust(
    shop: str,
    customer_id: str,
    points: int,
    *,
    reason: str,
    actor: Actor,
    idempotency_key: str,
    now: datetime,
    admit: Admit = anybody,
) -> Given:
    """Give points, or take some (below zero) within what can be spent. Raises InvalidInputs, InsufficientPoints,
    KeyReused, and what `admit` does.
    """
    _judge(adjustment_faults(points, reason=reason, idempotency_key=idempotency_key))
    cause = f"adjustment:{identity('adj', customer_id, idempotency_key)}:adjust"
    words = _reason(shop, customer_id, cause, reason)
    request = chain.request_digest({"points": points})
    programme = in_force.programme(shop, now=now)
    pool = expiry.pool_for(now, programme.expiry, programme.zone)

    def move(book: Ledger, _: Change) -> Claimed:
        digest = chain.reason_digest(words.reason, words.salt)
        when = occasion(cause, at=now, now=now, actor=str(actor), request=request, reason_digest=digest)
        return _alone(movements.adjust(book.read, points, pool=pool, occasion=when))

    given = _moving(shop, customer_id, cause, request, move, now=now, words=words, admit=admit)
    if given.replayed:
        _refuse_other_words(shop, customer_id, given.entry, reason, field="idempotency_key")
    return given


def adjustment_faults(points: int, *, reason: str, idempotency_key: str) -> list[Fault]:
    wrong = [] if points else [Fault("points", "INVALID", "must not be 0")]
    if abs(points) > MOST_POINTS:
        wrong = [Fault("points", "INVALID", f"must be -{MOST_POINTS:,} to {MOST_POINTS:,}")]
    return [*wrong, *reason_faults(reason), *key_faults(idempotency_key)]


def reverse(
    shop: str, customer_id: str, cause: str, *, reason: str, actor: Actor, now: datetime, admit: Admit = anybody
) -> Given:
    """Undo an adjustment, or what a hold spent that was for no order, whole and once. A reward is cancelled with its
    voucher; what orders did is put right by the orders' own events.

    Raises InvalidInputs, NotFound, NotReversible, KeyReused (with another reason), and what `admit` does.
    """
    _judge(reason_faults(reason))
    item = repository.get_entry(shop, customer_id, cause)
    if item is None:
        raise NotFound("There is no such entry.", field="entry_id")
    if refused := undoing.refusal(item):
        raise NotReversible(refused, field="entry_id")
    entry, reversal = stored.entry_of(item), undoing.by_hand(item)
    words = _reason(shop, customer_id, reversal, reason)

    def move(book: Ledger, change: Change) -> Claimed:
        digest = chain.reason_digest(words.reason, words.salt)
        when = occasion(reversal, at=now, now=now, actor=str(actor), reason_digest=digest)
        return _reversed(change, book, entry, held, when)

    held = _held(shop, customer_id, entry)
    besides = [*(line.pool for line in entry.lines), *stored.pools_held(held)]
    given = _moving(shop, customer_id, reversal, None, move, now=now, besides=besides, words=words, admit=admit)
    if given.replayed:
        _refuse_other_words(shop, customer_id, given.entry, reason, field="reason")
    return given


def points_faults(points: int) -> list[Fault]:
    return [] if 0 < points <= MOST_POINTS else [Fault("points", "INVALID", f"must be 1 to {MOST_POINTS:,}")]


def reason_faults(reason: str) -> list[Fault]:
    if not reason.strip():
        return [Fault("reason", "REQUIRED", "must say why")]
    return faults("reason", reason, longest=LONGEST_REASON)


def identity(prefix: str, customer_id: str, key: str) -> str:
    """Of what a customer's key stands for: a key is one customer's."""
    return f"{prefix}_{_hash(prefix, customer_id, key)[:26]}"


def told_before(item: LedgerEntry | None, request: str | None) -> Given:
    """The answer to a call whose cause had its effect before. Raises KeyReused where it asks for something else."""
    if item is None:
        raise NotFound("The entry was removed.")
    if item.request != request:
        raise KeyReused("This key came with something else before.", field="idempotency_key")
    return Given(item, replayed=True)


def _moving(
    shop: str,
    customer_id: str,
    cause: str,
    request: str | None,
    move: Callable[[Ledger, Change], Claimed],
    *,
    now: datetime,
    besides: list[str] | None = None,
    words: EntryReason | None = None,
    admit: Admit = anybody,
) -> Given:
    def attempt() -> Given:
        head = maturing.opened(shop, customer_id, now=now)
        if (before := repository.get_entry(shop, customer_id, cause)) is not None:
            return told_before(before, request)
        change = Change(now)
        admit(change)
        book = Ledger(shop, customer_id, head, now=now, besides=besides or [])
        moved = move(book, change)
        if words:
            change.write(words, when=None, otherwise=Stale())
        book.write(change, moved.account, moved.entries)
        if not change.commit():
            raise Stale  # the same call was faster; what it wrote is there now
        return Given(stored.item_of(moved.entries[0]), replayed=False)

    return decided(attempt)


def _alone(moved: Moved) -> Claimed:
    return Claimed(moved.account, (moved.entry,))


def _held(shop: str, customer_id: str, entry: Entry) -> PointsHold | None:
    """What was captured; None of what was no hold."""
    if entry.movement != Movement.CAPTURE or entry.subject is None:
        return None
    item = repository.get_hold(shop, customer_id, entry.subject.removeprefix("hold:"))
    if item is None:
        raise ValueError(f"{entry.subject} was captured, and is not there")
    return item


def _reversed(change: Change, book: Ledger, entry: Entry, item: PointsHold | None, when: Occasion) -> Claimed:
    programme = in_force.programme(book.shop, now=book.now)
    issuer = ADJUSTED if entry.movement == Movement.ADJUST else REDEEMED
    points = abs(sum(posting.points for posting in entry.postings if posting.account == issuer))
    reverses = [Reversed(entry.cause, points)]
    if entry.movement == Movement.ADJUST and entry.points > 0:
        credited = [line.pool for line in entry.lines if line.effect == Effect.CREDIT]
        moved = movements.take_back(
            book.read, points, origin=credited, issuer=issuer, programme=programme, reverses=reverses, occasion=when
        )
        return _alone(moved)
    taken, debited = pools.portions(entry.lines), entry.number
    if item is not None:
        held = stored.held_of(item)
        (taken, _), debited = pools.split(held.portions, points), held.number
    grace = movements.grace_pool(programme, book.now)
    moved = movements.give_back(book.read, taken, spender=issuer, reverses=reverses, grace=grace, occasion=when)
    return claiming.claim(change, book, moved, [Debit(debited, points)], replace(when, reason_digest=None))


def _judge(wrong: list[Fault]) -> None:
    if wrong:
        raise InvalidInputs(wrong)


def _reason(shop: str, customer_id: str, cause: str, reason: str) -> EntryReason:
    item = EntryReason.of(shop, customer_id, cause)
    item.reason, item.salt = reason, secrets.token_hex(32)
    return item


def _refuse_other_words(shop: str, customer_id: str, item: LedgerEntry, reason: str, *, field: str) -> None:
    """Words that were erased are not known any more, and neither is whether these are others. Raises KeyReused."""
    known = repository.get_reasons(shop, [(customer_id, item.cause or "")])
    if any(chain.reason_digest(reason, one.salt) != item.reason_digest for one in known.values()):
        raise KeyReused("This was done before, for another reason.", field=field)


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
