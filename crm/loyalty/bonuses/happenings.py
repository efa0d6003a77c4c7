# crm/loyalty/bonuses/happenings.py
"""Points for what customers do, beside ordering: the events that only their shop has a name for."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from msgspec import Struct

from crm.customers import service as customers
from crm.customers.service import Customer
from crm.kernel import clock
from crm.kernel.change import Change
from crm.kernel.errors import Stale
from crm.loyalty import expiry, maturing, repository
from crm.loyalty.bonuses import eligibility, joining, matching
from crm.loyalty.bonuses.definitions import EventBonus
from crm.loyalty.bonuses.eligibility import Unearned
from crm.loyalty.ledger import movements
from crm.loyalty.models import BonusTally
from crm.loyalty.posting import Ledger, decided, occasion
from crm.loyalty.programme import Programme
from crm.loyalty.programmes import in_force
from crm.touchpoints import service as touchpoints
from crm.touchpoints.events import TouchpointRecorded


class EventGiven(Struct, frozen=True):
    """What one bonus gave for an event, or why it gave nothing; neither where it was given before."""

    cause: str
    points: int = 0
    unearned: Unearned | None = None


def give_for_event(event: TouchpointRecorded, *, now: datetime) -> list[EventGiven]:
    """Give each bonus of the programme that counted then which is for events of this type, once for each event.

    The caps of a bonus count under the account's `rev`, so that no two events at once go beyond them; what counts of
    several is what comes first, whatever happened first. What somebody did before it was known who they were earns
    nothing: it may turn out to have been somebody else. Raises NotFound for an unknown shop.
    """
    programme = in_force.then(event.shop, at=event.occurred_at, now=now).programme
    bonuses = programme.bonuses.for_event(event.type)
    if not bonuses:
        return []
    seen = touchpoints.get(
        event.shop, event.customer_id, event.type, event.touchpoint_id, occurred_at=event.occurred_at
    )
    if seen is None or seen.visitor_id is not None:
        return []
    return list(_given(event, programme, bonuses, seen.properties, now=now))


def hand_over(change: Change, tally: BonusTally, to: BonusTally) -> None:
    """Add to `change`: how often one customer was given a bonus counts for another. Both accounts are held to in it."""
    more = tally.counted
    to.merged, tally.merged = to.merged + more, tally.merged - more
    for each in (to, tally):
        change.write(each, when=None, otherwise=Stale())


def _given(
    event: TouchpointRecorded,
    programme: Programme,
    bonuses: list[EventBonus],
    properties: Mapping[str, Any],
    *,
    now: datetime,
) -> Iterator[EventGiven]:
    for bonus in bonuses:
        cause = matching.cause_of(bonus, event.touchpoint_id)
        if not matching.fulfils(bonus, properties):
            yield EventGiven(cause, unearned=Unearned.NOT_FULFILLED)
        elif repository.get_entry(event.shop, event.customer_id, cause) is not None:
            yield EventGiven(cause)
        else:
            yield decided(partial(_give, event, programme, bonus, cause, now=now))


def _give(
    event: TouchpointRecorded, programme: Programme, bonus: EventBonus, cause: str, *, now: datetime
) -> EventGiven:
    shop, customer_id, at = event.shop, event.customer_id, event.occurred_at
    customer = customers.take_snapshot(shop, customer_id).head(Customer)
    head = maturing.opened(shop, customer_id, now=now)
    refused = eligibility.refusal(programme, customer, enrolled_at=head.enrolled_at, at=at)
    if refused or customer is None:
        return EventGiven(cause, unearned=refused)
    ever, of_day = _tallies(event, bonus, programme)
    if not matching.is_within_caps(bonus, today=of_day.counted, ever=ever.counted):
        return EventGiven(cause, unearned=Unearned.CAPPED)
    pool = expiry.pool_for(at, programme.expiry, programme.zone)
    book = Ledger(shop, customer_id, head, now=now, besides=[pool])
    when = occasion(cause, at=at, now=now, replayed=event.replayed)
    moved = movements.earn(book.read, bonus.points, pool=pool, occasion=when)
    account, entries = moved.account, [moved.entry]
    welcomed = joining.welcome(account, programme, customer, enrolled_at=head.enrolled_at, occasion=when)
    if welcomed:
        account, entries = welcomed.account, [*entries, welcomed.entry]
    change = Change(now)
    for tally in [ever] if bonus.per_day is None else [ever, of_day]:
        tally.times += 1
        change.write(tally, when=None, otherwise=Stale())
    book.enrol(change, at, cause=cause, replayed=event.replayed, customer=customer)
    book.write(change, account, entries)
    committed = change.commit()
    return EventGiven(cause, sum(entry.points for entry in entries) if committed else 0)


def _tallies(event: TouchpointRecorded, bonus: EventBonus, programme: Programme) -> tuple[BonusTally, BonusTally]:
    """How often it was given ever, and on the day of the event."""
    day = clock.local_day(event.occurred_at, programme.zone).isoformat()
    return repository.get_tallies(event.shop, event.customer_id, bonus.id, day)
