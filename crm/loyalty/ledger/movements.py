# crm/loyalty/ledger/movements.py
"""How points move, by double entry. Pure: an account in; the account as it then is, and the entry that says so, out.

Whoever calls has brought the account up to `now` first (crm/loyalty/ledger/due.py), so that what remains in a pool
can be spent. Refusals are raised; impossible sums are bugs and raise ValueError.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from crm.loyalty import expiry
from crm.loyalty.ledger import chain, pardons, pools
from crm.loyalty.ledger.chain import FIRST, Balances, Entry, Posting, Reversed
from crm.loyalty.ledger.pardons import Pardon
from crm.loyalty.ledger.pools import Effect, Line, Pools, Portion
from crm.loyalty.ledger.refusals import HoldExceeded, InsufficientPoints
from crm.loyalty.programme import Programme, Shortfall

AVAILABLE, PENDING, HELD, OWED = "customer:available", "customer:pending", "customer:held", "customer:owed"
ISSUED, REDEEMED, EXPIRED = "programme:issued", "programme:redeemed", "programme:expired"
ADJUSTED, TRANSFERRED = "programme:adjusted", "programme:transferred"


class Movement(StrEnum):
    EARN = "earn"
    MATURE = "mature"
    HOLD = "hold"
    CAPTURE = "capture"
    RELEASE = "release"
    REDEEM = "redeem"
    EXPIRE = "expire"
    ADJUST = "adjust"
    REVERSE = "reverse"
    TRANSFER = "transfer"


class Account(Struct, frozen=True):
    """One customer's points. `number`, `fingerprint` and `posted_at` are those of the last entry, and when it was
    recorded; `pools` hold all that is left, and what else a movement concerns; `pardons` what was forgiven and may be
    claimed again, the oldest first.
    """

    shop: str
    customer_id: str
    number: int = 0
    fingerprint: str = FIRST
    balances: Balances = Balances()
    pools: Pools = {}
    posted_at: datetime | None = None
    pardons: tuple[Pardon, ...] = ()


class Occasion(Struct, frozen=True, kw_only=True):
    """Why points move, and when: `now` is as of when it is decided what has expired. Of what time does it is when that
    fell due, and `recorded_at` when it is written.
    """

    cause: str
    occurred_at: datetime
    now: datetime
    recorded_at: datetime | None = None
    replayed: bool = False
    correlation_id: str | None = None
    order_id: str | None = None
    actor: str | None = None
    reason_digest: str | None = None
    request: str | None = None


class Moved(Struct, frozen=True):
    account: Account
    entry: Entry


def earn(account: Account, points: int, *, pool: str, occasion: Occasion) -> Moved:
    """Points that can be spent at once."""
    lines = pools.crediting(account.pools, pool, points)
    return _post(account, Movement.EARN, occasion, lines, {ISSUED: -points})


def earn_pending(
    account: Account, points: int, *, subject: str, available_at: datetime, pool: str, occasion: Occasion
) -> Moved:
    """Points that mature at `available_at`, into `pool`."""
    return _post(
        account, Movement.EARN, occasion, [], {PENDING: points, ISSUED: -points},
        subject=subject, available_at=available_at, pool=pool,
    )  # fmt: skip


def mature(account: Account, points: int, *, subject: str, pool: str, occasion: Occasion) -> Moved:
    lines = pools.crediting(account.pools, pool, points)
    return _post(account, Movement.MATURE, occasion, lines, {PENDING: -points}, subject=subject)


def redeem(account: Account, points: int, *, occasion: Occasion) -> Moved:
    return _post(account, Movement.REDEEM, occasion, _spend(account, points), {REDEEMED: points})


def hold(account: Account, points: int, *, subject: str, ends_at: datetime, occasion: Occasion) -> Moved:
    """Points that nobody else can spend until they are captured or released."""
    return _post(
        account, Movement.HOLD, occasion, _spend(account, points), {HELD: points}, subject=subject, ends_at=ends_at
    )


def capture(
    account: Account, held: Sequence[Portion], points: int, *, subject: str, grace: str | None, occasion: Occasion
) -> Moved:
    """Spend what is held, the soonest expiring first; what is not captured goes back in the same entry."""
    whole = pools.total(held)
    if points > whole:
        raise HoldExceeded(f"{whole} points are held, {points} were to be captured.", field="points")
    _, rest = pools.split(held, points)
    lines = pools.returning(account.pools, rest, now=present(account, occasion), grace=grace)
    sides = {HELD: -whole, REDEEMED: points, EXPIRED: _expired(lines)}
    return _post(account, Movement.CAPTURE, occasion, lines, sides, subject=subject)


def release(account: Account, held: Sequence[Portion], *, subject: str, grace: str | None, occasion: Occasion) -> Moved:
    """Give back what is held: to when it would have expired. `grace`: where that is past and the shop gives it back;
    what customers or time let go expires then.
    """
    lines = pools.returning(account.pools, held, now=present(account, occasion), grace=grace)
    sides = {HELD: -pools.total(held), EXPIRED: _expired(lines)}
    return _post(account, Movement.RELEASE, occasion, lines, sides, subject=subject)


def expire(account: Account, pool: str, *, occasion: Occasion) -> Moved:
    """All that remains in a pool."""
    points = account.pools[pool].remaining
    return _post(account, Movement.EXPIRE, occasion, [Line(Effect.EXPIRE, pool, points)], {EXPIRED: points})


def adjust(account: Account, points: int, *, pool: str, occasion: Occasion) -> Moved:
    """Give points that expire with `pool`, or take some (below zero), within what can be spent."""
    lines = pools.crediting(account.pools, pool, points) if points > 0 else _spend(account, -points)
    return _post(account, Movement.ADJUST, occasion, lines, {ADJUSTED: -points})


def take_back(
    account: Account,
    points: int,
    *,
    pending: int = 0,
    subject: str | None = None,
    origin: Iterable[str],
    issuer: str = ISSUED,
    programme: Programme,
    reverses: Sequence[Reversed],
    occasion: Occasion,
) -> Moved:
    """Take a credit back, or part of it: first what of it is still pending; then from the pools it went to (`origin`),
    or from what expired of them; then, since it is spent, what else there is, the soonest expiring first. What even
    that does not cover is owed or forgiven, as the programme says. `reverses`: what credited it, the newest first.
    """
    of_pending = min(points, pending)
    own = {pool: account.pools[pool] for pool in origin if pool in account.pools}
    lines = pools.taking(own, points - of_pending)
    missing = points - of_pending - _sum(lines)
    reclaimed = pools.reclaiming(own, missing, among=own)
    missing -= _sum(reclaimed)
    others = {pool: each for pool, each in account.pools.items() if pool not in own}
    lines += reclaimed + pools.taking(others, missing)
    missing = points - of_pending - _sum(lines)
    owed = _owing(account.balances.owed, missing, programme)
    posted = points - missing + owed
    sides = {PENDING: -of_pending, EXPIRED: -_sum(reclaimed), OWED: -owed, issuer: posted}
    forgiven = missing - owed
    moved = _post(
        account, Movement.REVERSE, occasion, lines, sides,
        subject=subject if of_pending else None, reverses=_named(reverses, posted), forgiven=forgiven,
    )  # fmt: skip
    if not forgiven:
        return moved
    credit = None if occasion.order_id else reverses[0].cause
    pardon = Pardon(moved.entry.number, forgiven, occasion.order_id, credit)
    return replace(moved, account=replace(moved.account, pardons=pardons.granted(account.pardons, pardon)))


def claim(
    account: Account,
    points: int,
    *,
    late: Sequence[Portion],
    fresh: Sequence[Portion],
    issuer: str,
    claims: int,
    reverses: Sequence[Reversed],
    occasion: Occasion,
) -> Moved:
    """Take back what the entry `claims` forgave, now that so much came back (crm/loyalty/ledger/claims.py): of what of
    that expired as it came (`late`), and of what did not (`fresh`); what of that is not there has paid a debt, and is
    owed again.
    """
    reclaimed = [Line(Effect.RECLAIM, portion.pool, portion.points) for portion in late]
    there = [min(portion.points, account.pools[portion.pool].remaining) for portion in fresh]
    taken = [Line(Effect.TAKE, one.pool, points) for one, points in zip(fresh, there, strict=True) if points]
    owed = points - _sum(reclaimed) - _sum(taken)
    sides = {EXPIRED: -_sum(reclaimed), OWED: -owed, issuer: points}
    return _post(
        account, Movement.REVERSE, occasion, [*reclaimed, *taken], sides,
        reverses=_named(reverses, points), claims=claims,
    )  # fmt: skip


def give_back(
    account: Account,
    taken: Sequence[Portion],
    *,
    spender: str = REDEEMED,
    reverses: Sequence[Reversed],
    grace: str | None,
    occasion: Occasion,
) -> Moved:
    """Reverse a debit, or part of it: to the pools the points came from, so that they expire when they would have."""
    lines = pools.returning(account.pools, taken, now=present(account, occasion), grace=grace)
    points = pools.total(taken)
    sides = {spender: -points, EXPIRED: _expired(lines)}
    return _post(account, Movement.REVERSE, occasion, lines, sides, reverses=_named(reverses, points))


def transfer_out(account: Account, *, to: str, most_pools: int, occasion: Occasion) -> Moved:
    """Give another customer what is available, of so many pools at most, and what is owed."""
    open_ = {pool: account.pools[pool] for pool in sorted(account.pools) if account.pools[pool].remaining}
    lines = pools.taking(dict(list(open_.items())[:most_pools]), account.balances.available)
    owed = account.balances.owed
    sides = {OWED: owed, TRANSFERRED: _sum(lines) - owed}
    return _post(account, Movement.TRANSFER, occasion, lines, sides, counterpart=to)


def transfer_in(account: Account, given: Entry, *, occasion: Occasion) -> Moved:
    """Take over what another account gave away: with its expiries, and its debt."""
    lines: list[Line] = []
    for portion in pools.portions(given.lines):
        lines += pools.crediting(account.pools, portion.pool, portion.points)
    owed = sum(posting.points for posting in given.postings if posting.account == OWED)
    sides = {OWED: -owed, TRANSFERRED: owed - _sum(lines)}
    return _post(account, Movement.TRANSFER, occasion, lines, sides, counterpart=given.customer_id)


def present(account: Account, occasion: Occasion) -> datetime:
    """As of when it is decided what has expired. Clocks differ, and who was overtaken began earlier; but nobody decides
    as of before what the account has done.
    """
    if occasion.recorded_at is not None or account.posted_at is None:
        return occasion.now
    return max(occasion.now, account.posted_at)


def grace_pool(programme: Programme, now: datetime) -> str:
    """Where the shop gives back what would have expired."""
    return expiry.grace_pool(now, programme.grace_days, programme.zone)


def _spend(account: Account, points: int) -> list[Line]:
    if points <= 0:
        raise ValueError(f"{points} points are none to spend")
    if points > account.balances.available:
        raise InsufficientPoints(available=account.balances.available, required=points)
    return pools.taking(account.pools, points)


def _owing(owed: int, missing: int, programme: Programme) -> int:
    if programme.shortfall is Shortfall.WITHIN_BALANCE:
        return 0
    if programme.most_owed is None:
        return missing
    return max(0, min(missing, programme.most_owed - owed))


def _named(reverses: Sequence[Reversed], points: int) -> tuple[Reversed, ...]:
    """What is reversed of which, the newest first; never more than they have."""
    named = []
    for each in reverses:
        part = min(points, each.points)
        if part:
            named.append(Reversed(each.cause, part))
            points -= part
    if points:
        raise ValueError(f"{points} points more are reversed than there were")
    return tuple(named)


def _post(
    account: Account,
    movement: Movement,
    occasion: Occasion,
    lines: Sequence[Line],
    sides: Mapping[str, int],
    *,
    subject: str | None = None,
    available_at: datetime | None = None,
    pool: str | None = None,
    ends_at: datetime | None = None,
    counterpart: str | None = None,
    reverses: tuple[Reversed, ...] = (),
    forgiven: int = 0,
    claims: int = 0,
) -> Moved:
    """Whatever comes in pays what is owed first."""
    before = account.balances
    after = pools.after(account.pools, lines)
    paying = pools.taking(after, before.owed - sides.get(OWED, 0))
    after, lines = pools.after(after, paying), [*lines, *paying]
    points = {AVAILABLE: pools.moved(lines), **sides}
    points[OWED] = sides.get(OWED, 0) + _sum(paying)
    if sum(points.values()):
        raise ValueError(f"the postings of {occasion.cause} do not sum to zero: {points}")
    balances = Balances(
        available=before.available + points[AVAILABLE],
        pending=before.pending + points.get(PENDING, 0),
        held=before.held + points.get(HELD, 0),
        owed=before.owed - points[OWED],
    )
    if min(balances.available, balances.pending, balances.held, balances.owed) < 0:
        raise ValueError(f"{occasion.cause} leaves {balances}")
    recorded_at = occasion.recorded_at or occasion.now
    recorded_at = max(recorded_at, account.posted_at or recorded_at)
    entry = Entry(
        shop=account.shop,
        customer_id=account.customer_id,
        number=account.number + 1,
        cause=occasion.cause,
        movement=movement,
        occurred_at=occasion.occurred_at,
        recorded_at=recorded_at,
        postings=tuple(Posting(name, moved) for name, moved in points.items() if moved),
        lines=tuple(lines),
        after=balances,
        previous=account.fingerprint,
        replayed=occasion.replayed,
        correlation_id=occasion.correlation_id,
        order_id=occasion.order_id,
        subject=subject,
        available_at=available_at,
        pool=pool,
        ends_at=ends_at,
        counterpart=counterpart,
        reverses=reverses,
        forgiven=forgiven,
        claims=claims,
        actor=occasion.actor,
        reason_digest=occasion.reason_digest,
        request=occasion.request,
    )
    moved = replace(
        account, number=entry.number, fingerprint=chain.fingerprint(entry), balances=balances, pools=after,
        posted_at=recorded_at,
    )  # fmt: skip
    return Moved(moved, entry)


def _expired(lines: Iterable[Line]) -> int:
    return _sum(line for line in lines if line.effect is Effect.EXPIRE)


def _sum(lines: Iterable[Line]) -> int:
    return sum(line.points for line in lines)
