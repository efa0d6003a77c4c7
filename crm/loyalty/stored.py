# crm/loyalty/stored.py
"""Stored items as the values that decisions take, and back."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import convert, to_builtins
from msgspec.structs import asdict

from crm.loyalty.bonuses.birthdays import Birthday
from crm.loyalty.earning.budgets import Drawn
from crm.loyalty.earning.granting import Context, Given
from crm.loyalty.ledger.chain import FIRST, Balances, Entry, Posting, Reversed, fingerprint
from crm.loyalty.ledger.due import Calendar, Held, PendingCredit
from crm.loyalty.ledger.movements import Account
from crm.loyalty.ledger.order_state import OrderState, Spending
from crm.loyalty.ledger.pardons import Pardon
from crm.loyalty.ledger.pools import Effect, Line, Pool, Pools, Portion
from crm.loyalty.models import (
    BirthdayPart,
    DrawnPart,
    GivenPart,
    LedgerEntry,
    LoyaltyAccount,
    OrderEarning,
    PardonPart,
    PointsHold,
    PointsMonth,
    PoolLine,
    PoolPart,
    PortionPart,
    ReversedPart,
    SpendingPart,
)
from crm.loyalty.models import Posting as PostingPart
from crm.loyalty.programme import Programme, Withheld


def account_of(shop: str, customer_id: str, head: LoyaltyAccount, months: Iterable[PointsMonth]) -> Account:
    return Account(
        shop, customer_id, number=int(head.number), fingerprint=head.fingerprint or FIRST, balances=balances_of(head),
        pools=pools_of(months), posted_at=head.posted_at, pardons=pardons_of(head),
    )  # fmt: skip


def balances_of(head: LoyaltyAccount) -> Balances:
    owed = int(head.owed)
    return Balances(int(head.available) + owed, int(head.pending), int(head.held), owed)


def pools_of(months: Iterable[PointsMonth]) -> Pools:
    parts: list[PoolPart] = [part for month in months for part in month.pools]
    return {part.pool: Pool(int(part.credited), int(part.taken), int(part.expired), part.noticed) for part in parts}


def pool_parts(pools: Pools) -> list[PoolPart]:
    return [
        PoolPart(pool=name, credited=pool.credited, taken=pool.taken, expired=pool.expired, noticed=pool.noticed)
        for name, pool in sorted(pools.items())
    ]


def pardons_of(head: LoyaltyAccount) -> tuple[Pardon, ...]:
    return tuple(Pardon(int(one.number), int(one.points), one.order_id, one.credit) for one in head.pardons)


def pardon_parts(pardons: Iterable[Pardon]) -> list[PardonPart]:
    return [PardonPart(**asdict(one)) for one in pardons]


def birthday_of(head: LoyaltyAccount) -> Birthday | None:
    part: BirthdayPart | None = head.birthday
    return Birthday(part.day, int(part.year), part.next_at) if part else None


def put_birthday(head: LoyaltyAccount, birthday: Birthday | None) -> None:
    head.birthday = BirthdayPart(**asdict(birthday)) if birthday else None


def calendar_of(idle_at: datetime | None, birthday: Birthday | None, programme: Programme) -> Calendar:
    return Calendar(
        zone=programme.zone, idle_at=idle_at, birthday_at=birthday.next_at if birthday else None,
        notice_days=programme.notice_days,
    )  # fmt: skip


def item_of(entry: Entry) -> LedgerEntry:
    item = LedgerEntry.of(entry.shop, entry.customer_id, entry.cause)
    item.number, item.movement, item.points, item.balance_after = (
        entry.number, entry.movement, entry.points, entry.after.net,
    )  # fmt: skip
    item.postings = [PostingPart(account=one.account, points=one.points) for one in entry.postings]
    item.lines = [PoolLine(effect=one.effect, pool=one.pool, points=one.points, start=one.start) for one in entry.lines]
    item.available_after, item.pending_after = entry.after.available, entry.after.pending
    item.held_after, item.owed_after = entry.after.held, entry.after.owed
    item.reverses = [ReversedPart(cause=one.cause, points=one.points) for one in entry.reverses]
    item.order_id, item.subject, item.pool = entry.order_id, entry.subject, entry.pool
    item.available_at, item.occurred_at, item.recorded_at = entry.available_at, entry.occurred_at, entry.recorded_at
    item.ends_at, item.counterpart = entry.ends_at, entry.counterpart
    item.forgiven, item.claims = entry.forgiven, entry.claims
    item.actor, item.request = entry.actor, entry.request
    item.reason_digest, item.replayed = entry.reason_digest, entry.replayed
    item.previous, item.fingerprint = entry.previous or None, fingerprint(entry)
    in_its_place(item)
    return item


def in_its_place(item: LedgerEntry) -> LedgerEntry:
    """By when it happened; what happened at one instant, in the order in which it was posted."""
    return item.happens("LEDGER", item.occurred_at, f"{int(item.number):09}")


def entry_of(item: LedgerEntry) -> Entry:
    lines: Sequence[PoolLine] = item.lines
    return Entry(
        shop=item.shop,
        customer_id=item.customer_id,
        number=int(item.number),
        cause=item.cause or "",
        movement=item.movement,
        occurred_at=item.occurred_at,
        recorded_at=item.recorded_at or item.occurred_at,
        postings=tuple(Posting(one.account, int(one.points)) for one in item.postings),
        lines=tuple(
            Line(Effect(one.effect), one.pool, int(one.points), None if one.start is None else int(one.start))
            for one in lines
        ),
        after=Balances(int(item.available_after), int(item.pending_after), int(item.held_after), int(item.owed_after)),
        previous=item.previous or FIRST,
        replayed=bool(item.replayed),
        correlation_id=item.correlation_id,
        order_id=item.order_id,
        subject=item.subject,
        available_at=item.available_at,
        pool=item.pool,
        ends_at=item.ends_at,
        counterpart=item.counterpart,
        reverses=_reversed(item.reverses),
        forgiven=int(item.forgiven),
        claims=int(item.claims),
        actor=item.actor,
        reason_digest=item.reason_digest,
        request=item.request,
    )


def state_of(earning: OrderEarning) -> OrderState:
    spendings: Sequence[SpendingPart] = earning.spendings
    given: Sequence[GivenPart] = earning.given
    limited: Sequence[GivenPart] = earning.limited
    drawn: Sequence[DrawnPart] = earning.drawn
    return OrderState(
        order_id=earning.order_id,
        rev=int(earning.order_rev),
        earned=int(earning.posted),
        forgiven=int(earning.forgiven),
        withheld=Withheld(earning.withheld) if earning.withheld else None,
        programme_version=None if earning.programme_version is None else int(earning.programme_version),
        programme_currency=earning.programme_currency,
        context=None if earning.context is None else convert(earning.context, Context),
        given=tuple(Given(one.rule, int(one.points)) for one in given),
        limited=tuple(Given(one.rule, int(one.points)) for one in limited),
        drawn=tuple(Drawn(one.rule, int(one.share), int(one.points)) for one in drawn),
        available_at=earning.available_at,
        pool=earning.pool,
        pending=int(earning.pending),
        pools=tuple(str(name) for name in earning.pools),
        credits=_reversed(earning.credits),
        spent=int(earning.spent),
        short=int(earning.short),
        captured=int(earning.captured),
        said=bool(earning.said),
        spendings=tuple(Spending(one.cause, portions_of(one.portions), int(one.number)) for one in spendings),
    )


def put_state(earning: OrderEarning, state: OrderState) -> None:
    """What is pending is found by when it matures."""
    earning.order_rev, earning.posted, earning.forgiven = state.rev, state.earned, state.forgiven
    earning.withheld, earning.programme_version = state.withheld, state.programme_version
    earning.programme_currency = state.programme_currency
    earning.context = None if state.context is None else to_builtins(state.context)
    earning.given = [GivenPart(rule=one.rule, points=one.points) for one in state.given]
    earning.limited = [GivenPart(rule=one.rule, points=one.points) for one in state.limited]
    earning.drawn = [DrawnPart(rule=one.rule, share=one.share, points=one.points) for one in state.drawn]
    earning.available_at, earning.pool, earning.pending = state.available_at, state.pool, state.pending
    earning.pools = list(state.pools)
    earning.credits = [ReversedPart(cause=one.cause, points=one.points) for one in state.credits]
    earning.spent, earning.short = state.spent, state.short
    earning.captured, earning.said = state.captured, state.said
    earning.spendings = [
        SpendingPart(cause=one.cause, portions=portion_parts(one.portions), number=one.number)
        for one in state.spendings
    ]
    if state.pending and state.available_at:
        earning.happens("PENDING", state.available_at, state.order_id)
    else:
        earning.timeline_key = None
    earning.moment_key = None  # nothing happens then that is anybody's to see


def pending_of(earning: OrderEarning) -> PendingCredit:
    return PendingCredit(earning.order_id, int(earning.pending), earning.available_at, earning.pool or "")


def held_of(hold: PointsHold) -> Held:
    return Held(hold.hold_id, portions_of(hold.portions), hold.ends_at, hold.order_id, int(hold.number))


def pools_held(*holds: PointsHold | None) -> list[str]:
    """The pools that points come back to, which may be past."""
    return [part.pool for hold in holds if hold is not None for part in hold.portions]


def portions_of(parts: Sequence[PortionPart]) -> tuple[Portion, ...]:
    return tuple(Portion(part.pool, int(part.points)) for part in parts)


def portion_parts(portions: Iterable[Portion]) -> list[PortionPart]:
    return [PortionPart(pool=one.pool, points=one.points) for one in portions]


def _reversed(parts: Sequence[ReversedPart]) -> tuple[Reversed, ...]:
    return tuple(Reversed(part.cause, int(part.points)) for part in parts)
