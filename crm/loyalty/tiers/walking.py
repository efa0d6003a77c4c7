# crm/loyalty/tiers/walking.py
"""The operation `tiers_settle`: what a version of the programme makes of tiers is written down for its customers, step
by step, from when it counts.

Each account is settled as whoever reads it sees it already, and as any order or timer would settle it: once. A walk
goes round all customers, from wherever it begins. One that a newer version has overtaken gives way, and the newer goes
on where it was: however often tiers are edited, everybody is come to.
"""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, Self

from msgspec import Struct
from msgspec.structs import asdict, replace

from crm.customers import service as customers
from crm.kernel import operations, side_by_side, timeline
from crm.kernel.errors import Fault
from crm.kernel.meter import metering
from crm.kernel.operations import CANCELLED, DONE, Operation, OperationFault
from crm.loyalty.models import LoyaltyAccount
from crm.loyalty.programmes import begun, in_force
from crm.loyalty.tiers import settling

PAGE: Final = 100
"""Customers at once: as many accounts as one batch read has."""
STEP: Final = 1_000
"""Customers of a step at most; it ends before that when it has taken `LONGEST` seconds."""
LONGEST: Final = 20
PER_SECOND: Final = 250
"""Accounts that are written at most: half of what a new table takes is left to the shop."""
PLACE: Final = "place"
SUPERSEDED: Final = Fault("", "SUPERSEDED", "was overtaken by a newer one, which does what this one had left to do")
INCOMPLETE: Final = Fault("", "INCOMPLETE", "left customers behind whose tiers could not be settled")


class Spot(Struct, frozen=True):
    """In which shard of the shop's customers, behind which of their sort keys (None: at its beginning)."""

    shard: int = 0
    behind: str | None = None


class Place(Struct, frozen=True):
    """Where a walk is, and from where it set out; `again`: it has come to the end, and begun anew from the front."""

    at: Spot = Spot()
    since: Spot = Spot()
    again: bool = False

    @classmethod
    def of(cls, operation: Operation) -> Self | None:
        told = operation.state.get(PLACE)
        return cls(Spot(**told["at"]), Spot(**told["since"]), told["again"]) if told else None

    @property
    def is_end(self) -> bool:
        if self.again:
            return self.at == self.since
        return self.at.shard >= customers.SHARDS and self.since == Spot()

    def told(self) -> dict[str, object]:
        return asdict(replace(self, at=asdict(self.at), since=asdict(self.since)))


class Page(Struct, frozen=True):
    """Some customers by id, and the place behind them."""

    ids: Sequence[str]
    behind: Place


def step(operation: Operation, *, patient: bool, now: datetime) -> None:
    """Settle some more accounts. One that cannot be settled holds up no other: what may pass is raised while one is
    `patient`, so that the step is done again; then the customer is left behind, to their next order or timer.
    """
    with metering() as meter:
        _walk(operation, patient=patient, now=now)
    operation.request_count += meter.requests
    operation.read_units += meter.read_units
    operation.write_units += meter.write_units


def _walk(operation: Operation, *, patient: bool, now: datetime) -> None:
    began = time.monotonic()
    operation.waits_until = None
    counts = in_force.version(operation.shop, at=now, now=now)
    if counts.tiers_in != int(operation.arguments[begun.VERSION]):
        operation.status = CANCELLED
        operation.faults = [OperationFault(path=SUPERSEDED.path, code=SUPERSEDED.code, message=SUPERSEDED.message)]
        return
    place = Place.of(operation) or _beginning(operation)
    seen = written = 0
    for page in _pages(operation.shop, place):
        seen, place = seen + len(page.ids), page.behind
        written += _settle(operation, page.ids, patient=patient, now=now)
        if seen >= STEP or time.monotonic() - began >= LONGEST:
            break
    operation.row_count += seen
    operation.applied_count += written
    operation.state = operation.state | {PLACE: place.told()}
    if place.is_end:
        operation.row_total, operation.status = operation.row_count, DONE
        if operation.refused_count:
            operation.fail([INCOMPLETE])
    elif (pause := int(written / PER_SECOND - (time.monotonic() - began))) > 0:
        operation.waits_until = now + timedelta(seconds=pause)


def _beginning(operation: Operation) -> Place:
    """Where the walk was that this one overtakes, or the one which that has overtaken before it began."""
    follows = int(operation.arguments[begun.FOLLOWS])
    while follows:
        before = operations.find(operation.shop, begun.operation_id(follows))
        if before is None or before.status == DONE:
            break
        if place := Place.of(before):
            at = place.at if place.at.shard < customers.SHARDS else Spot()
            return Place(at, at)
        follows = int(before.arguments[begun.FOLLOWS])
    return Place()


def _pages(shop: str, place: Place) -> Iterator[Page]:
    """From a place on to where the walk set out."""
    while not place.is_end:
        at = place.at
        if at.shard >= customers.SHARDS:
            place = replace(place, at=Spot(), again=True)
            continue
        found = customers.list_shard(shop, at.shard, before=at.behind, limit=PAGE)
        last = place.since if place.again and place.since.shard == at.shard else None
        here = [each for each in found if last is None or str(each.list_sk) >= (last.behind or timeline.LAST)]
        if last is not None and (len(here) < len(found) or len(found) < PAGE):
            place = replace(place, at=place.since)
        elif len(found) < PAGE:
            place = replace(place, at=Spot(at.shard + 1))
        else:
            place = replace(place, at=Spot(at.shard, str(found[-1].list_sk)))
        yield Page([each.customer_id for each in here], place)


def _settle(operation: Operation, ids: Sequence[str], *, patient: bool, now: datetime) -> int:
    """How many of them had anything to be settled."""
    shop = operation.shop
    found = customers.snapshots(shop, ids, [LoyaltyAccount]) if ids else {}
    heads = ((customer_id, each.head(LoyaltyAccount)) for customer_id, each in found.items())
    due = {customer_id: customer_id for customer_id, head in heads if head and settling.is_due(shop, head, now=now)}
    settled = side_by_side.for_each(
        shop, due, lambda customer_id: settling.settle(shop, customer_id, now=now),
        otherwise="tier not settled", patient=patient,
    )  # fmt: skip
    operation.refused_count += len(due) - len(settled)
    return len(settled)
