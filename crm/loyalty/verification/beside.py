# crm/loyalty/verification/beside.py
"""What must stand beside the entries of an account: of each order, of each hold, and of its times. Pure.

Worked out of the entries alone, by nothing that posts.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from crm.loyalty import expiry
from crm.loyalty.ledger.chain import Entry

ACTIVE: Final = frozenset({"earn", "redeem", "capture"})
BIRTHDAY: Final = "birthday:"
REDEMPTION: Final = "rdn_"
"""With what the ids of redemptions begin, and so those of their holds."""
OWN: Final = re.compile("(?:earn|spend):([0-9]+)")
"""What an order's own causes say after its id."""

Portions = tuple[tuple[str, int], ...]
"""Points by pool."""


class Order(Struct, frozen=True, kw_only=True):
    """What is kept of an order. `credits`: what entries gave and none has reversed; `spendings`: what they took for it
    and none gave back, with the number of the entry that took it from what could be spent. `is_in_place`: its keys are
    those of what it says. `credited_at`: not kept, but worked out where points could be spent at once; their time had
    come by then.
    """

    rev: int = 0
    earned: int = 0
    forgiven: int = 0
    pending: int = 0
    available_at: datetime | None = None
    pool: str | None = None
    pools: tuple[str, ...] = ()
    credits: tuple[tuple[str, int], ...] = ()
    spent: int = 0
    short: int = 0
    captured: int = 0
    spendings: tuple[tuple[str, int, Portions], ...] = ()
    is_in_place: bool = True
    credited_at: datetime | None = None


class Hold(Struct, frozen=True, kw_only=True):
    """What is kept of a hold, which `is_open` until time or somebody ends it; `captured` is None unless it was.
    `number` and `actor` are those of the entry that set it aside.
    """

    points: int
    ends_at: datetime | None
    order_id: str | None = None
    is_open: bool = True
    captured: int | None = None
    of_redemption: bool = False
    portions: Portions = ()
    number: int = 0
    actor: str | None = None


class Pardon(Struct, frozen=True):
    """What may be claimed of what an entry forgave: of an order, or of what `credit` gave."""

    points: int
    order_id: str | None = None
    credit: str | None = None


class Times(Struct, frozen=True):
    """When what can be spent last moved, when the customer last earned or spent, and when anything was last posted."""

    newest_at: datetime | None = None
    active_at: datetime | None = None
    posted_at: datetime | None = None


def orders(ordered: Sequence[Entry]) -> dict[str, Order]:
    """By id; of `forgiven` how much ever was, since orders that earn again forgive without an entry. `earned`, `spent`
    and `short` are not worked out: entries say what was posted of them (`agrees`).
    """
    held = holds(ordered)
    found: dict[str, Order] = {}
    for entry in ordered:
        if entry.order_id is not None and entry.movement not in {"hold", "release"}:
            found[entry.order_id] = _moved(found.get(entry.order_id, Order()), entry, held)
    return found


def agrees(kept: Order, left: Order) -> bool:
    """Whether what is kept of an order is what entries left. What was earned and then forgiven has credits still, and
    what there was too little of to be taken has no spending.
    """
    given = sum(points for _, points in left.credits)
    taken = sum(points for _, _, portions in left.spendings for _, points in portions)
    return (
        kept.is_in_place
        and kept.rev >= left.rev
        and (kept.credits, kept.spendings) == (left.credits, left.spendings)
        and (kept.pools, kept.pool, kept.captured) == (left.pools, left.pool, left.captured)
        and _matures_as(kept, left)
        and kept.earned + kept.forgiven == given
        and 0 <= kept.forgiven <= left.forgiven
        and kept.spent - kept.short == taken
        and kept.short >= 0
    )


def holds(ordered: Sequence[Entry]) -> dict[str, Hold]:
    """By subject."""
    found: dict[str, Hold] = {}
    for entry in ordered:
        subject = entry.subject or ""
        if entry.movement == "hold":
            found[subject] = Hold(
                points=_posted(entry, "customer:held"), ends_at=entry.ends_at, order_id=entry.order_id,
                of_redemption=subject.startswith(f"hold:{REDEMPTION}"), portions=_taken(entry),
                number=entry.number, actor=entry.actor,
            )  # fmt: skip
        elif subject in found and entry.movement in {"capture", "release"}:
            captured = _posted(entry, "programme:redeemed") if entry.movement == "capture" else None
            found[subject] = replace(found[subject], is_open=False, captured=captured)
    return found


def pardoned(entry: Entry, points: int) -> Pardon:
    """So many `points` that an entry forgave."""
    credit = f"{entry.cause.removesuffix(':reverse')}:adjust" if entry.order_id is None else None
    return Pardon(points, entry.order_id, credit)


def times(ordered: Sequence[Entry], *, taken_over_at: datetime | None = None) -> Times:
    active = [entry.occurred_at for entry in ordered if _is_active(entry)]
    return Times(
        max((entry.occurred_at for entry in ordered if entry.points), default=None),
        max([*active, taken_over_at] if taken_over_at else active, default=None),
        ordered[-1].recorded_at if ordered else None,
    )


def first_due(
    orders_: Iterable[Order],
    open_: Iterable[Hold],
    left: Mapping[str, int],
    *,
    idle_at: datetime | None,
    birthday_at: datetime | None,
) -> datetime | None:
    """When time next changes something, as far as entries say it; `left`: what is in each pool."""
    coming = [birthday_at, *(order.available_at for order in orders_ if order.pending), *(one.ends_at for one in open_)]
    coming += [idle_at if expiry.is_idle(pool) else expiry.ends_at(pool) for pool, points in left.items() if points]
    return min((at for at in coming if at is not None), default=None)


def _moved(order: Order, entry: Entry, held: Mapping[str, Hold]) -> Order:
    match entry.movement:
        case "earn":
            return _earned(order, entry)
        case "mature":
            return replace(order, pending=order.pending + _pending(entry), pools=_with(order.pools, entry))
        case "redeem":
            spending = (entry.cause, entry.number, _taken(entry))
            return replace(order, rev=_rev(order, entry), spendings=(*order.spendings, spending))
        case "capture" if (hold := held.get(entry.subject or "")) is not None:
            points = _posted(entry, "programme:redeemed")
            spending = (entry.cause, hold.number, _soonest(hold.portions, points))
            asked = points if entry.request is not None else 0  # and not what an order did by itself
            return replace(order, captured=order.captured + asked, spendings=(*order.spendings, spending))
        case "reverse":
            return _reversed(order, entry)
    return order


def _earned(order: Order, entry: Entry) -> Order:
    """Where its first points went, or will, and when, those that are added later do while they can."""
    first = entry.pool or next((line.pool for line in entry.lines if line.effect == "credit"), None)
    return replace(
        order, rev=_rev(order, entry), pending=order.pending + _pending(entry),
        credits=(*order.credits, (entry.cause, -_posted(entry, "programme:issued"))),
        available_at=order.available_at or entry.available_at, pool=order.pool or first,
        credited_at=order.credited_at or entry.recorded_at, pools=_with(order.pools, entry),
    )  # fmt: skip


def _reversed(order: Order, entry: Entry) -> Order:
    gone = {each.cause: each.points for each in entry.reverses}
    credits_ = ((cause, points - gone.get(cause, 0)) for cause, points in order.credits)
    spendings = ((cause, of, _less(portions, gone.get(cause, 0))) for cause, of, portions in order.spendings)
    return replace(
        order, rev=_rev(order, entry), pending=order.pending + _pending(entry),
        forgiven=order.forgiven + entry.forgiven,
        credits=tuple(each for each in credits_ if each[1]), spendings=tuple(each for each in spendings if each[2]),
    )  # fmt: skip


def _matures_as(kept: Order, left: Order) -> bool:
    if left.available_at is not None or left.credited_at is None or kept.available_at is None:
        return kept.available_at == left.available_at
    return kept.available_at <= left.credited_at


def _rev(order: Order, entry: Entry) -> int:
    """An order's own causes end with its revision; not so what is claimed when another gives back."""
    own = OWN.fullmatch(entry.cause.removeprefix(f"order:{entry.order_id}:"))
    return max(order.rev, int(own[1])) if own else order.rev


def _with(pools: tuple[str, ...], entry: Entry) -> tuple[str, ...]:
    new = (line.pool for line in entry.lines if line.effect == "credit")
    return (*pools, *(pool for pool in new if pool not in pools))


def _taken(entry: Entry) -> Portions:
    taken: dict[str, int] = {}
    for line in entry.lines:
        if line.effect == "take":
            taken[line.pool] = taken.get(line.pool, 0) + line.points
    return tuple(sorted(taken.items()))


def _soonest(portions: Portions, points: int) -> Portions:
    return tuple(_first(sorted(portions), points))


def _less(portions: Portions, points: int) -> Portions:
    """What expires last goes back first."""
    return _soonest(portions, sum(each for _, each in portions) - points) if points else portions


def _first(portions: Iterable[tuple[str, int]], points: int) -> Iterator[tuple[str, int]]:
    for pool, each in portions:
        if part := min(points, each):
            points -= part
            yield pool, part


def _posted(entry: Entry, account: str) -> int:
    return sum(posting.points for posting in entry.postings if posting.account == account)


def _pending(entry: Entry) -> int:
    return _posted(entry, "customer:pending")


def _is_active(entry: Entry) -> bool:
    return entry.movement in ACTIVE and not entry.cause.startswith(BIRTHDAY)
