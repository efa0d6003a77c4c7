# crm/kernel/timers.py
"""What becomes true because time passes: a timer is written with the state that time will change.

Key design (docs/access-patterns.md, AP-20 to AP-22):
    Timer  pk=SHOP#<shop>#CUSTOMER#<customer>  sk=TIMER#<owner>#<subject>   one a customer, owner and subject
           list_pk=TIMERS#<shard>              list_sk=<due_at>#<customer key>#<owner>#<subject>   what is due, in order
    Lease  pk=LEASE#TIMERS#<shard>             sk=LEASE                     who fires a shard, until when
"""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import ClassVar, Self

from msgspec import Struct
from pynamodb.attributes import UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.exceptions import DeleteError, DoesNotExist, PutError
from pynamodb.expressions.condition import Condition

from crm.kernel import clock
from crm.kernel.change import Change
from crm.kernel.domain_events import DomainEvent
from crm.kernel.errors import Stale
from crm.kernel.ids import shard_of
from crm.kernel.publishing import put
from crm.kernel.table import Correlated, Item, customer_key

SHARDS = 4
PAGE = 1000  # 100 PutEvents, some seconds
FIRING_SECONDS = 8  # a shard and run: that, and the page it may end in, four times within the function's timeout
LEASE_SECONDS = 50  # as long as a run may take, and less than the minute until the next


class Timer(Correlated, discriminator="Timer"):
    shop = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    owner = UnicodeAttribute()
    subject = UnicodeAttribute()
    due_at = UTCDateTimeAttribute()

    @classmethod
    def of(cls, shop: str, customer_id: str, owner: str, subject: str, due_at: datetime) -> Self:
        pk = customer_key(shop, customer_id)
        return cls(
            pk,
            f"TIMER#{owner}#{subject}",
            shop=shop,
            customer_id=customer_id,
            owner=owner,
            subject=subject,
            due_at=due_at,
            list_pk=f"TIMERS#{shard_of(pk, SHARDS)}",
            list_sk=f"{clock.text(due_at)}#{pk}#{owner}#{subject}",
        )


class Lease(Item, discriminator="Lease"):
    holder = UnicodeAttribute()
    until = UTCDateTimeAttribute()


class TimerDue(DomainEvent, frozen=True):
    """A timer has fallen due. Its owner re-checks, acts as of `dueAt`, and deletes or re-arms it in that change."""

    detail_type: ClassVar[str] = "timer.due"

    shop: str
    customer_id: str
    owner: str
    subject: str
    due_at: datetime


class Fired(Struct, frozen=True):
    """What became of a shard's due timers; those that the bus did not take are due again next time."""

    put: int
    refused: int


def get(shop: str, customer_id: str, owner: str, subject: str) -> Timer | None:
    """AP-20."""
    try:
        return Timer.get(customer_key(shop, customer_id), f"TIMER#{owner}#{subject}", consistent_read=True)
    except DoesNotExist:
        return None


def set_to(change: Change, stored: Timer | None, timer: Timer | None) -> None:
    """Add to `change`: the timer becomes what its owner has just computed (None: there is none any more).

    `stored` is what was read; had it been moved meanwhile, the commit raises Stale.
    """
    _set(change, stored, timer, when=Timer.due_at == stored.due_at if stored else Timer.sk.does_not_exist())


def follow(change: Change, stored: Timer | None, timer: Timer | None) -> None:
    """As `set_to`, of a timer that is only ever moved with one other item and under that item's condition: one of its
    own would guard nothing.
    """
    _set(change, stored, timer, when=None)


def _set(change: Change, stored: Timer | None, timer: Timer | None, *, when: Condition | None) -> None:
    if timer is None:
        if stored is not None:
            change.delete(stored, when=when, otherwise=Stale())
    elif stored is None or stored.due_at != timer.due_at:
        change.write(timer, when=when, otherwise=Stale())


def due(now: datetime, *, shard: int, page: int = PAGE) -> Iterator[Timer]:
    """The timers of a shard that are due, in due order, read by the page as they are asked for (AP-21)."""
    # Every sort key goes on behind its due time, so one that is due at this very instant sorts before the next.
    before = Timer.list_sk < clock.text(now + timedelta(microseconds=1))
    found = Timer.listing.query(f"TIMERS#{shard}", range_key_condition=before, page_size=page)
    return (timer for timer in found if isinstance(timer, Timer))


def fire(shard: int, *, holder: str, now: datetime, page: int = PAGE, seconds: float = FIRING_SECONDS) -> Fired | None:
    """Tell the owners of a shard's due timers, page by page for so many seconds (one page at least); None where another
    holds the shard's lease.

    Nothing is changed: a timer is due until its owner has handled it, so one that is slow is told again. Those whose
    owners always fail are the oldest and come first each time, which is why a run goes on behind its first page.
    """
    if not hold_lease(shard, holder, now=now):
        return None
    began = time.monotonic()
    found = due(now, shard=shard, page=page)
    told = refused = 0
    while timers := list(islice(found, page)):
        events: list[DomainEvent] = [
            TimerDue(
                timer.shop,
                timer.customer_id,
                timer.owner,
                timer.subject,
                timer.due_at,
                correlation_id=timer.correlation_id,
            )
            for timer in timers
        ]
        not_taken = len(put(events))
        told, refused = told + len(events) - not_taken, refused + not_taken
        if not_taken == len(events) or time.monotonic() - began >= seconds:
            break
    release_lease(shard, holder)
    return Fired(told, refused)


def hold_lease(shard: int, holder: str, *, now: datetime, seconds: int = LEASE_SECONDS) -> bool:
    """Take or keep the lease of a shard; False while another holder's has not run out (AP-22)."""
    lease = _lease(shard, holder, until=now + timedelta(seconds=seconds))
    try:
        lease.save(condition=Lease.sk.does_not_exist() | (Lease.until <= now) | (Lease.holder == holder))
    except PutError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True


def release_lease(shard: int, holder: str) -> None:
    """Give the lease back, so that the next run need not wait for it to run out; not where another has it by now."""
    try:
        _lease(shard, holder, until=None).delete(condition=Lease.holder == holder)
    except DeleteError as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise


def _lease(shard: int, holder: str, *, until: datetime | None) -> Lease:
    return Lease(f"LEASE#TIMERS#{shard}", "LEASE", holder=holder, until=until)
