# crm/touchpoints/visitors.py
"""Visitors: people nobody knows yet, and whom they turn out to be.

A visitor's partition is the truth about what they did; once they are known, each touchpoint has a copy in the
customer's. Whoever was identified earliest is whom they were (by event time; an app's identification by when it was
heard), so a link can still change: then the copies move, each in one transaction with the truth, which says where its
copy is. A touchpoint relies on the link it found and an identification on the visitor it found, so of two that cross,
one is decided again.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from enum import Enum

from pynamodb.expressions.condition import Condition

from crm.kernel.change import Change, retrying
from crm.kernel.errors import Stale
from crm.touchpoints import acquisition, repository
from crm.touchpoints.models import SourcePart, Touchpoint, Visitor, VisitorLink, VisitorTouchpoint
from crm.touchpoints.sources import Sources
from crm.touchpoints.told import Told

LIFETIME = timedelta(days=90)  # from the first that is heard of them; an app's token ends no later
MOST_TOUCHPOINTS = 1000  # of a visitor: the newest by event time
MOVED_AT_ONCE = 30  # touchpoints a transaction: three writes each, and the link
MOST_OWNERS = 8  # from whom one transaction takes copies: a write each
MOST_BYTES = 1_000_000  # of touchpoints a transaction: DynamoDB takes four million, with the copies that it writes


class Claim(Enum):
    """What became of the word that a visitor was a customer. Of those that hold, an earlier one can still come."""

    HELD = "held"
    ANOTHERS = "anothers"  # by event time, another customer was identified first
    TOO_MANY = "too_many"  # the customer was as many visitors as there can be


def record(
    change: Change, sources: Sources, item: VisitorTouchpoint, source: SourcePart | None, told: Told
) -> str | None:
    """Add to `change`: what a visitor did, and its copy where it is known who they are, whose id is returned.

    Of more than 1,000 the oldest goes, or is not taken: the newest are kept, whatever order they come in.
    """
    shop, visitor_id = item.shop, item.visitor_id
    visitor, link, _ = _read(shop, visitor_id, told.now)
    customer_id = link.customer_id
    if visitor.touchpoint_count < MOST_TOUCHPOINTS:
        visitor.touchpoint_count += 1
        _keep(change, item, visitor, customer_id)
    else:
        oldest = repository.oldest_of_visitor(shop, visitor_id, now=told.now)
        if oldest is None or oldest.sk < item.sk:
            if oldest is not None:
                _forget(change, sources, oldest)
            _keep(change, item, visitor, customer_id)
    ends = acquisition.ends([visitor.first, visitor.last, source])
    if source is not None and ends is not None and source in ends:
        visitor.first, visitor.last = ends
        if customer_id is not None:
            sources.join(customer_id, visitor_id, visitor)
    visitor.cause, visitor.replayed = told.cause, told.replayed
    change.revise(visitor)
    change.unchanged(link)
    return customer_id


def identify(change: Change, sources: Sources, shop: str, visitor_id: str, customer_id: str, told: Told) -> Claim:
    """Add to `change`: the visitor was this customer, unless an earlier identification says who it was, or the customer
    was 20 visitors already; return which it is.
    """
    visitor, link, is_new = _read(shop, visitor_id, told.now)
    if link.identified_at is not None and not _precedes(told, link):
        return Claim.HELD if link.customer_id == customer_id else Claim.ANOTHERS
    if link.customer_id != customer_id:
        if not sources.has_room(customer_id):
            return Claim.TOO_MANY
        if link.customer_id is not None:
            sources.part(link.customer_id, visitor_id)
        sources.join(customer_id, visitor_id, visitor)
    link.customer_id, link.identified_at, link.identified_by = customer_id, told.identifies_at, told.event_id
    link.cause, link.replayed, link.expires_at = told.cause, told.replayed, visitor.expires_at
    change.revise(link)
    if is_new:
        visitor.cause, visitor.replayed = told.cause, told.replayed
        change.revise(visitor)
    else:
        change.unchanged(visitor)
    return Claim.HELD


def settle(shop: str, visitor_id: str, *, now: datetime) -> int:
    """Bring the copies of a visitor's touchpoints to whom the visitor was; return how many were brought.

    At any moment and any number of times: what is where it belongs stays. Raises Stale where it was overtaken every
    time.
    """
    moved = 0

    def attempt() -> int:
        nonlocal moved
        _, link, _ = _read(shop, visitor_id, now)
        customer_id = link.customer_id
        if customer_id is None:
            return moved
        items = repository.list_of_visitor(shop, visitor_id, now=now)
        for batch in _batches(item for item in items if item.copied_to != customer_id):
            change = Change(now)
            change.unchanged(link)
            for item in batch:
                _move(change, item, customer_id)
            _take_from(change, shop, batch, link, now)
            change.commit()
            moved += len(batch)
        return moved

    return retrying(attempt)


def _read(shop: str, visitor_id: str, now: datetime) -> tuple[Visitor, VisitorLink, bool]:
    """A visitor and their link as they are, or new (True). One whose time is over is new, also before it is deleted."""
    known, link = repository.get_visitor(shop, visitor_id)
    visitor = known
    if visitor is None or visitor.expires_at is None or visitor.expires_at <= now.timestamp():
        visitor = Visitor.of(shop, visitor_id)
        visitor.rev, visitor.expires_at = known.rev if known else 0, int((now + LIFETIME).timestamp())
    if link is None or link.expires_at != visitor.expires_at:
        unlinked = VisitorLink.of(shop, visitor_id)
        unlinked.rev, link = link.rev if link else 0, unlinked
    return visitor, link, visitor is not known


def _precedes(told: Told, link: VisitorLink) -> bool:
    return (told.identifies_at, told.event_id) < (link.identified_at, link.identified_by)


def _keep(change: Change, item: VisitorTouchpoint, visitor: Visitor, customer_id: str | None) -> None:
    item.copied_to, item.expires_at = customer_id, visitor.expires_at
    change.once(item)
    if customer_id is not None:
        change.create(item.copy(customer_id), otherwise=Stale())


def _forget(change: Change, sources: Sources, item: VisitorTouchpoint) -> None:
    change.delete(item, when=_where(item), otherwise=Stale())
    if item.copied_to is not None:
        sources.lose(item.copied_to, 1)
        _delete_copy(change, item, item.copied_to)


def _move(change: Change, item: VisitorTouchpoint, customer_id: str) -> None:
    if item.copied_to is not None:
        _delete_copy(change, item, item.copied_to)
    # While the link stays, whoever else moves it makes this copy: so it is where it was when it was read.
    change.create(item.copy(customer_id), otherwise=Stale())
    # An update creates what is not there: what was forgotten meanwhile must not come back.
    there = VisitorTouchpoint.sk.exists()
    change.update(item, [VisitorTouchpoint.copied_to.set(customer_id)], when=there, otherwise=Stale())


def _take_from(change: Change, shop: str, batch: Iterable[VisitorTouchpoint], link: VisitorLink, now: datetime) -> None:
    """Whoever had copies has them no longer: deletions tell nobody, so their head does."""
    losses = Counter(item.copied_to for item in batch if item.copied_to is not None)
    if losses:
        told = Told(link.identified_by, link.cause or "", link.identified_at, now, bool(link.replayed))
        sources = Sources(shop, told)
        for customer_id, count in losses.items():
            sources.lose(customer_id, count)
        sources.add_to(change)


def _delete_copy(change: Change, item: VisitorTouchpoint, customer_id: str) -> None:
    copy = Touchpoint.of(item.shop, customer_id, item.type, item.touchpoint_id, occurred_at=item.occurred_at)
    change.delete(copy, when=None, otherwise=Stale())


def _where(item: VisitorTouchpoint) -> Condition:
    if item.copied_to is None:
        return VisitorTouchpoint.copied_to.does_not_exist()
    return VisitorTouchpoint.copied_to == item.copied_to


def _batches(items: Iterable[VisitorTouchpoint]) -> Iterator[list[VisitorTouchpoint]]:
    batch: list[VisitorTouchpoint] = []
    size = 0
    for item in items:
        length = len(str(item.serialize()).encode())
        owners = len({each.copied_to for each in (*batch, item)})
        if batch and (len(batch) == MOVED_AT_ONCE or size + length > MOST_BYTES or owners > MOST_OWNERS):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += length
    if batch:
        yield batch
