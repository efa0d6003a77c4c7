# crm/segmentation/by_hand.py
"""Whom people put into segments, and take out of them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from crm.customers import service as customers
from crm.customers.service import Customer
from crm.kernel import clock
from crm.kernel.actor import Actor
from crm.kernel.change import retrying
from crm.kernel.errors import Fault, InvalidInputs, NotFound, Stale
from crm.segmentation import in_force as definitions
from crm.segmentation import refreshing
from crm.segmentation.in_force import InForce, Segment
from crm.segmentation.models import STATIC
from crm.segmentation.stays import SegmentsByHand

MOST_AT_ONCE: Final = 100
NOT_FOUND, DELETED, STALE = "NOT_FOUND", "CUSTOMER_DELETED", Stale.code


class Said(Struct, frozen=True):
    """What became of one customer: whether anything is another than before, or why it could not be said of them."""

    customer_id: str
    changed: bool
    fault: str | None = None


def add_members(shop: str, segment_id: str, customer_ids: Sequence[str], *, actor: Actor, now: datetime) -> list[Said]:
    """Put customers into a segment whose members are set by hand; of one with a query, take back that they were taken
    out. That forces nobody in: its query decides. Said again, it changes nothing.

    In the order of the ids, each once. Raises NotFound for the segment, and InvalidInputs for more than 100 ids.
    """
    return _say(shop, segment_id, customer_ids, actor=actor, now=now, is_in=True)


def remove_members(
    shop: str, segment_id: str, customer_ids: Sequence[str], *, actor: Actor, now: datetime
) -> list[Said]:
    """Take customers out of a segment; out of one with a query for as long as that is not taken back, whatever it says
    of them. As `add_members` otherwise.
    """
    return _say(shop, segment_id, customer_ids, actor=actor, now=now, is_in=False)


def _say(
    shop: str, segment_id: str, customer_ids: Sequence[str], *, actor: Actor, now: datetime, is_in: bool
) -> list[Said]:
    if len(customer_ids) > MOST_AT_ONCE:
        raise InvalidInputs([Fault("customerIds", "TOO_MANY", f"must be {MOST_AT_ONCE} at most")])
    in_force, segment = _segment(shop, segment_id, now=now)
    said: list[Said] = []
    for customer_id in dict.fromkeys(customer_ids):
        attempt = _attempt(in_force, segment, customer_id, actor=actor, now=now, is_in=is_in)
        try:
            said.append(retrying(attempt))
        except Stale:  # what was said of the others stands
            said.append(Said(customer_id, changed=False, fault=STALE))
    return said


def _segment(shop: str, segment_id: str, *, now: datetime) -> tuple[InForce, Segment]:
    """As they are at this moment: nobody is put into one that was deleted within the minute."""
    in_force = definitions.current(shop, now=now, anew=True)
    if segment_id not in in_force.segments:
        raise NotFound("There is no such segment.", field="id")
    return in_force, in_force.segments[segment_id]


def _attempt(
    in_force: InForce, segment: Segment, customer_id: str, *, actor: Actor, now: datetime, is_in: bool
) -> Callable[[], Said]:
    shop = in_force.shop

    def attempt() -> Said:
        snapshot = customers.take_snapshot(shop, customer_id)
        profile = snapshot.head(Customer)
        if profile is None:
            return Said(customer_id, changed=False, fault=NOT_FOUND)
        if is_in and customers.is_hidden(profile):
            return Said(customer_id, changed=False, fault=DELETED)
        newest = refreshing.newest_for(snapshot, in_force, now=now)
        item = snapshot.head(SegmentsByHand) or SegmentsByHand.of(shop, customer_id)
        if not _note(item, segment, newest, is_in=is_in, by=[clock.text(now), str(actor)]):
            return Said(customer_id, changed=False)
        item.cause = f"segment:{segment.id}:hand:{int(item.rev) + 1}"
        refreshing.by_hand(snapshot, item, segment.id, in_force=newest, now=now)
        return Said(customer_id, changed=True)

    return attempt


def _note(item: SegmentsByHand, segment: Segment, in_force: InForce, *, is_in: bool, by: list[str]) -> bool:
    """Whether that says anything new. What was said of segments that are gone is forgotten."""
    item.members = {each: said for each, said in item.members.items() if each in in_force.segments}
    item.exclusions = {each: said for each, said in item.exclusions.items() if each in in_force.segments}
    listed, is_listed = (item.members, is_in) if segment.kind == STATIC else (item.exclusions, not is_in)
    if (segment.id in listed) is is_listed:
        return False
    if is_listed:
        listed[segment.id] = by
    else:
        del listed[segment.id]
    return True
