# crm/loyalty/ledger/idling.py
"""Until when points live that expire when their customer does nothing for so long (expiry.Kind.INACTIVITY). Pure."""

from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from crm.loyalty import expiry
from crm.loyalty.bonuses import birthdays
from crm.loyalty.ledger.chain import Entry
from crm.loyalty.ledger.movements import Movement
from crm.loyalty.ledger.pools import Effect
from crm.loyalty.programme import Programme

ACTIVE: Final = frozenset({Movement.EARN, Movement.REDEEM, Movement.CAPTURE})
INCOMING: Final = frozenset({Effect.CREDIT, Effect.RETURN})


class Activity(Struct, frozen=True):
    """`active_at`: the latest instant at which a customer earned or spent; `idle_at`: when their points expire unless
    they do so again, None where they do not.
    """

    active_at: datetime | None = None
    idle_at: datetime | None = None


def is_active(entry: Entry) -> bool:
    """Whether the customer did something: earned or spent. To have a birthday is not to do something, and neither are
    adjustments, refunds and what time does.
    """
    return entry.movement in ACTIVE and not entry.cause.startswith(birthdays.CAUSE)


def concerns(known: Activity, entry: Entry) -> bool:
    """Whether it moves anything: the latest that the customer did, whatever order it is told in; or points that come
    otherwise, and find none that live on.
    """
    at = entry.occurred_at
    if is_active(entry):
        return known.active_at is None or at >= known.active_at
    ended = known.idle_at is None or known.idle_at <= at
    return ended and any(expiry.is_idle(line.pool) and line.effect in INCOMING for line in entry.lines)


def ended(known: Activity, at: datetime) -> Activity:
    """As of then, without an end that is past."""
    return replace(known, idle_at=None) if known.idle_at and known.idle_at <= at else known


def after(known: Activity, entry: Entry, programme: Programme, *, lives_from: datetime | None = None) -> Activity:
    """`programme`: that which counts when it happened. Where it lets no points expire so, those there are live on.
    `lives_from`: from when they live, where that is not when the entry says that they came.
    """
    moved = replace(known, idle_at=expiry.idle_at(lives_from or entry.occurred_at, programme.expiry, programme.zone))
    return replace(moved, active_at=entry.occurred_at) if is_active(entry) else moved
