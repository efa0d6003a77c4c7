# crm/loyalty/tiers/walking.py
"""The operation `tiers_settle`: what a version of the programme makes of tiers is written down for its customers, step
by step, from when it counts.

Each account is settled as whoever reads it sees it already, and as any order or timer would settle it: once. A walk
goes round all customers, from wherever it begins. One that a newer version has overtaken gives way, and the newer goes
on where it was: however often tiers are edited, everybody is come to.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, Self

from msgspec import Struct, convert, to_builtins
from msgspec.structs import replace

from crm.customers import service as customers
from crm.customers.service import Snapshot
from crm.kernel import operations, side_by_side
from crm.kernel.errors import Fault
from crm.kernel.operations import CANCELLED, DONE, Operation, OperationFault
from crm.kernel.pace import Pace, counting
from crm.kernel.rounds import Place
from crm.loyalty.models import LoyaltyAccount
from crm.loyalty.programmes import begun, in_force
from crm.loyalty.tiers import settling

PAGE: Final = 100
"""Customers at once: as many accounts as one batch read has."""
STEP: Final = 1_000
"""Customers of a step at most; it ends before that when it takes long."""
PLACE: Final = "place"
SUPERSEDED: Final = Fault("", "SUPERSEDED", "was overtaken by a newer one, which does what this one had left to do")
INCOMPLETE: Final = Fault("", "INCOMPLETE", "left customers behind whose tiers could not be settled")


class Round(Struct, frozen=True):
    """Where a walk is, and from where in its first lap it set out: there it ends in the next."""

    at: Place = Place()
    since: Place = Place()

    @classmethod
    def of(cls, operation: Operation) -> Self | None:
        return convert(operation.state[PLACE], cls) if PLACE in operation.state else None

    @classmethod
    def setting_out(cls, place: Place) -> Self:
        first = replace(place, lap=0)
        return cls(first, first)

    @property
    def end(self) -> Place:
        return self.since.a_lap_later()

    @property
    def is_end(self) -> bool:
        return self.at.has_come_to(self.end)


class Page(Struct, frozen=True):
    """Some customers by id, and where the walk is behind them."""

    ids: Sequence[str]
    behind: Round


def step(operation: Operation, *, patient: bool, now: datetime) -> None:
    """Settle some more accounts. One that cannot be settled holds up no other: what may pass is raised while one is
    `patient`, so that the step is done again; then the customer is left behind, to their next order or timer.
    """
    with counting(operation):
        _walk(operation, patient=patient, now=now)


def _walk(operation: Operation, *, patient: bool, now: datetime) -> None:
    pace = Pace()
    operation.waits_until = None
    counts = in_force.version(operation.shop, at=now, now=now)
    if counts.tiers_in != int(operation.arguments[begun.VERSION]):
        operation.status = CANCELLED
        operation.faults = [OperationFault(path=SUPERSEDED.path, code=SUPERSEDED.code, message=SUPERSEDED.message)]
        return
    walk = Round.of(operation) or _beginning(operation)
    seen = written = 0
    for page in _pages(operation.shop, walk):
        seen, walk = seen + len(page.ids), page.behind
        written += _settle(operation, page.ids, patient=patient, now=now)
        if seen >= STEP or pace.is_long:
            break
    operation.row_count += seen
    operation.applied_count += written
    operation.state = operation.state | {PLACE: to_builtins(walk)}
    if walk.is_end:
        operation.row_total, operation.status = operation.row_count, DONE
        if operation.refused_count:
            operation.fail([INCOMPLETE])
    else:
        operation.waits_until = pace.rest(written, now=now)


def _beginning(operation: Operation) -> Round:
    """Where the walk was that this one overtakes, or the one which that has overtaken before it began."""
    follows = int(operation.arguments[begun.FOLLOWS])
    while follows:
        before = operations.find(operation.shop, begun.operation_id(follows))
        if before is None or before.status == DONE:
            break
        if walk := Round.of(before):
            return Round.setting_out(walk.at)
        follows = int(before.arguments[begun.FOLLOWS])
    return Round()


def _pages(shop: str, walk: Round) -> Iterator[Page]:
    """From where it is on to where the walk set out."""
    while not walk.is_end:
        at, end = walk.at, walk.end
        found = customers.list_shard(shop, at.shard, before=at.behind, limit=PAGE)
        to = at.after([str(each.list_sk) for each in found], most=PAGE, shards=customers.SHARDS)
        if to.has_come_to(end):  # whoever is behind that was come to first
            found, to = [each for each in found if end.behind is None or str(each.list_sk) >= end.behind], end
        walk = replace(walk, at=to)
        yield Page([each.customer_id for each in found], walk)


def _settle(operation: Operation, ids: Sequence[str], *, patient: bool, now: datetime) -> int:
    """How many of them had anything to be settled."""
    shop = operation.shop

    def settle(customer: Snapshot) -> bool:
        head = customer.head(LoyaltyAccount)
        if head is None or not settling.is_due(shop, head, now=now):
            return False
        settling.settle(shop, customer.customer_id, now=now)
        return True

    found = customers.snapshots(shop, ids, [LoyaltyAccount]) if ids else {}
    settled = side_by_side.for_each(shop, found, settle, otherwise="tier not settled", patient=patient)
    operation.refused_count += len(found) - len(settled)
    return sum(settled.values())
