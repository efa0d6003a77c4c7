# crm/loyalty/verification/verifying.py
"""Whether the stored ledger of a customer is what was posted."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TypeVar

from msgspec import Struct

from crm.kernel import clock
from crm.kernel.errors import NotFound, Stale
from crm.loyalty import repository, stored
from crm.loyalty.bonuses import birthdays, joining
from crm.loyalty.ledger import chain
from crm.loyalty.ledger.refusals import LedgerTooLong
from crm.loyalty.models import (
    BonusTally,
    EntryReason,
    HoldStatus,
    LedgerEntry,
    LoyaltyAccount,
    OpenHold,
    OrderEarning,
    PointsHold,
    PointsMonth,
    PortionPart,
    month_of,
)
from crm.loyalty.verification import judging
from crm.loyalty.verification.beside import Hold, Order, Pardon, Times
from crm.loyalty.verification.judging import Finding, Flaw, Stored

T = TypeVar("T")
V = TypeVar("V")
ATTEMPTS = 5
ROUNDED = (birthdays.CAUSE, joining.SIGNUP)
"""What says that it was recorded earlier than it was, so as not to say when a birthday is."""


class Verified(Struct, frozen=True):
    """How many entries were looked at, and all that is wrong with them and what is kept beside them."""

    entry_count: int
    findings: list[Finding]


def verify(
    shop: str, customer_id: str, *, most: int | None = None, published: Mapping[str, str] | None = None
) -> Verified:
    """Work a ledger out anew; entries without an account are one that was cut off. `published`: the fingerprints that
    somebody has kept, by cause. Raises NotFound where there is neither, Stale where points kept moving while it was
    read, and LedgerTooLong where it has more than `most` entries.
    """
    for _ in range(ATTEMPTS):
        head = repository.get_account(shop, customer_id)
        if head is not None and most is not None and head.number > most:
            raise LedgerTooLong(f"The ledger has {head.number} entries; {most} are verified here.")
        verified = _verified(shop, customer_id, head or LoyaltyAccount.of(shop, customer_id), published or {})
        again = repository.get_account(shop, customer_id)
        if (again and again.rev) == (head and head.rev):
            if head is None and not verified.entry_count and not verified.findings:
                raise NotFound("There is no such account.", field="customer_id")
            return verified
    raise Stale


def _verified(shop: str, customer_id: str, head: LoyaltyAccount, published: Mapping[str, str]) -> Verified:
    items = repository.list_all_entries(shop, customer_id)
    readable = {item.sk: entry for item in items if (entry := _read(stored.entry_of, item)) is not None}
    unreadable = [Finding(Flaw.UNREADABLE, item.sk) for item in items if item.sk not in readable]
    found = _read(lambda _: _beside(shop, customer_id, head, [item for item in items if item.sk in readable]), head)
    if found is None:
        return Verified(len(items), [*unreadable, Finding(Flaw.UNREADABLE, "account")])
    entries = readable.values()
    findings = [*judging.verify(entries, found), *judging.against(entries, published)]
    return Verified(len(items), [*unreadable, *findings])


def _beside(shop: str, customer_id: str, head: LoyaltyAccount, items: list[LedgerEntry]) -> Stored:
    months = repository.list_months(shop, customer_id, since="")
    pools = stored.pools_of(months)
    birthday = stored.birthday_of(head)
    return Stored(
        shop=shop,
        customer_id=customer_id,
        number=int(head.number),
        fingerprint=head.fingerprint or "",
        balances=stored.balances_of(head),
        lifetime_earned=int(head.lifetime_earned),
        fingerprints={item.cause or "": item.fingerprint or "" for item in items},
        pools={name: (pool.credited, pool.taken, pool.expired) for name, pool in pools.items()},
        misfiled=_misfiled(months),
        orders={item.sk.partition("#")[2]: _order(item) for item in repository.list_earnings(shop, customer_id)},
        holds={f"hold:{item.sk.partition('#')[2]}": _hold(item) for item in repository.list_holds(shop, customer_id)},
        open={f"hold:{one.hold_id}": _open(one) for one in head.holds},
        pardons={int(one.number): Pardon(int(one.points), one.order_id, one.credit) for one in head.pardons},
        times=Times(head.newest_at, head.active_at, head.posted_at),
        taken_over_at=head.taken_over_at,
        due_at=head.due_at,
        idle_at=head.idle_at,
        birthday_at=birthday.next_at if birthday else None,
        tallies=_tallies(repository.list_tallies(shop, customer_id)),
        reasons={one.sk.partition("#")[2]: _reason(one) for one in repository.list_reasons(shop, customer_id)},
        transferred=_transferred(shop, customer_id, items),
        misplaced=frozenset(item.cause or "" for item in items if _is_misplaced(item)),
    )


def _misfiled(months: list[PointsMonth]) -> frozenset[str]:
    """Pools that stand twice, or elsewhere than in their own month."""
    named = [(month.sk, str(part.pool)) for month in months for part in month.pools]
    times = Counter(name for _, name in named)
    return frozenset(name for sk, name in named if times[name] > 1 or sk != f"POINTS#{month_of(name)}")


def _order(item: OrderEarning) -> Order:
    state = stored.state_of(item)
    own = OrderEarning.of("", "", state.order_id)
    stored.put_state(own, state)
    return Order(
        rev=state.rev, earned=state.earned, forgiven=state.forgiven, pending=state.pending,
        available_at=state.available_at, pool=state.pool, pools=state.pools,
        credits=tuple((one.cause, one.points) for one in state.credits),
        spent=state.spent, short=state.short, captured=state.captured,
        spendings=tuple((str(one.cause), int(one.number), _portions(one.portions)) for one in item.spendings),
        is_in_place=(item.sk, item.timeline_key, item.moment_key) == (own.sk, own.timeline_key, own.moment_key),
    )  # fmt: skip


def _hold(item: PointsHold) -> Hold:
    status = HoldStatus(item.status)
    return Hold(
        points=int(item.points), ends_at=item.ends_at, order_id=item.order_id, is_open=status is HoldStatus.OPEN,
        captured=int(item.captured) if status is HoldStatus.CAPTURED or item.captured else None,
        of_redemption=bool(item.of_redemption), portions=_portions(item.portions),
        number=int(item.number), actor=item.actor,
    )  # fmt: skip


def _open(one: OpenHold) -> Hold:
    return Hold(points=int(one.points), ends_at=one.ends_at, order_id=one.order_id)


def _portions(parts: list[PortionPart]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((str(part.pool), int(part.points)) for part in parts))


def _reason(one: EntryReason) -> str:
    """What the words come to; nothing where they say that they are another entry's than where they stand."""
    return chain.reason_digest(one.reason, one.salt) if one.sk == f"REASON#{one.entry_cause}" else ""


def _transferred(shop: str, customer_id: str, items: list[LedgerEntry]) -> dict[str, int]:
    named = [(str(item.counterpart), item.cause or "") for item in items if item.counterpart]
    found = repository.get_entries(shop, named)
    return {
        cause: sum(int(one.points) for one in other.postings if one.account == "programme:transferred")
        for (_, cause), other in found.items()
        if other.counterpart == customer_id
    }


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
    own = LedgerEntry.of(entry.shop, entry.customer_id, entry.cause)
    own.number, own.occurred_at = entry.number, entry.occurred_at
    own = stored.in_its_place(own)
    own.points, own.balance_after = entry.points, entry.after.net
    at = clock.text(entry.recorded_at)
    if entry.cause.startswith(ROUNDED):
        at = max(at, (item.changed_key or "").partition("#")[0])
    own.changed_key = f"{at}#{own.sk}"
    return any(
        getattr(item, name) != getattr(own, name)
        for name in (
            "pk", "sk", "timeline_key", "moment_key", "changed_key", "points", "balance_after", "rev", "list_pk",
            "list_sk", "expires_at",
        )
    )  # fmt: skip
