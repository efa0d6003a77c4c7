# crm/loyalty/bonuses/defining.py
"""How a programme's bonuses for events are defined, changed and given up: each time as its next version."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from msgspec.structs import replace

from crm.kernel import ids
from crm.kernel.actor import Actor
from crm.kernel.errors import Fault
from crm.kernel.said import UNSAID, Said
from crm.loyalty.bonuses import faults
from crm.loyalty.bonuses.definitions import MOST_EVENT_BONUSES, EventBonus, PropertyFilter
from crm.loyalty.programme import Programme
from crm.loyalty.programmes.defining import Decide, time_faults
from crm.loyalty.programmes.parts import Edited, Parts

BONUSES: Final = Parts[EventBonus](
    noun="bonus",
    nouns="bonuses",
    most=MOST_EVENT_BONUSES,
    of=lambda programme: programme.bonuses.events,
    put=lambda programme, events: replace(programme, bonuses=replace(programme.bonuses, events=events)),
)
archive, archiving = BONUSES.archive, BONUSES.archiving


class EventBonusFields(Said, frozen=True):
    """What may be said of a bonus; UNSAID leaves a field as it is. How often it was given goes on being counted,
    whatever becomes of it.
    """

    name: str = UNSAID
    event: str = UNSAID
    points: int = UNSAID
    filters: tuple[PropertyFilter, ...] = UNSAID
    per_day: int | None = UNSAID
    per_customer: int | None = UNSAID


def create(shop: str, said: EventBonusFields, *, actor: Actor, now: datetime, **when: Any) -> Edited[EventBonus]:
    """Add a bonus behind the others. `when` is that of `programmes.defining.edit`, whose refusals these raise, too.

    Raises InvalidInputs with all that is wrong.
    """
    bonus_id = ids.new_id("ebn", now)
    return BONUSES.edit(shop, bonus_id, adding(bonus_id, said), actor=actor, now=now, **when)


def update(
    shop: str, bonus_id: str, said: EventBonusFields, *, actor: Actor, now: datetime, **when: Any
) -> Edited[EventBonus]:
    """Change what is said. Raises InvalidInputs with all that is wrong, NotFound, and Archived."""
    return BONUSES.edit(shop, bonus_id, changing(bonus_id, said), actor=actor, now=now, **when)


def adding(bonus_id: str, said: EventBonusFields) -> Decide:
    """What `create` makes of a programme."""
    bonus = EventBonus(**{"id": bonus_id, "name": "", "event": "", "points": 0, **said.given()})
    return BONUSES.adding(bonus, _judge)


def changing(bonus_id: str, said: EventBonusFields) -> Decide:
    """What `update` makes of a programme."""
    return BONUSES.changing(bonus_id, said, _judge)


def form_faults(said: EventBonusFields, *, effective_at: datetime | None, now: datetime) -> list[Fault]:
    """What `create` and `update` refuse, as far as it can be told without a read."""
    bonus = EventBonus(**{"id": "", "name": "-", "event": "a.b", "points": 1, **said.given()})
    return [*faults.of_bonus(bonus), *time_faults(effective_at, now)]


def _judge(_programme: Programme, _before: EventBonus | None, after: EventBonus) -> Iterable[Fault]:
    return faults.of_bonus(after)
