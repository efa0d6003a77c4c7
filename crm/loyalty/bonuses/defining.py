# crm/loyalty/bonuses/defining.py
"""How a programme's bonuses for events are defined, changed and given up: each time as its next version."""

from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict, replace

from crm.kernel import ids
from crm.kernel.actor import Actor
from crm.kernel.errors import Fault, InvalidInputs, NotFound
from crm.loyalty.bonuses import faults
from crm.loyalty.bonuses.definitions import MOST_EVENT_BONUSES, EventBonus, PropertyFilter
from crm.loyalty.programme import Programme
from crm.loyalty.programmes.defining import UNSAID, Decide, edit, time_faults
from crm.loyalty.programmes.versions import Version


class EventBonusFields(Struct, frozen=True):
    """What may be said of a bonus; UNSAID leaves a field as it is. How often it was given goes on being counted,
    whatever becomes of it.
    """

    name: str = UNSAID
    event: str = UNSAID
    points: int = UNSAID
    filters: tuple[PropertyFilter, ...] = UNSAID
    per_day: int | None = UNSAID
    per_customer: int | None = UNSAID

    def given(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not UNSAID}


class EditedBonus(Struct, frozen=True):
    """A bonus, and the version of the programme that says it."""

    bonus: EventBonus
    version: Version


def create(shop: str, said: EventBonusFields, *, actor: Actor, now: datetime, **when: Any) -> EditedBonus:
    """Add a bonus behind the others. `when` is that of `programmes.defining.edit`, whose refusals these raise, too.

    Raises InvalidInputs with all that is wrong.
    """
    bonus_id = ids.new_id("ebn", now)
    return _edited(shop, bonus_id, adding(bonus_id, said), actor=actor, now=now, **when)


def update(
    shop: str, bonus_id: str, said: EventBonusFields, *, actor: Actor, now: datetime, **when: Any
) -> EditedBonus:
    """Change what is said. Raises InvalidInputs with all that is wrong, and NotFound, also for one that is archived."""
    return _edited(shop, bonus_id, changing(bonus_id, said), actor=actor, now=now, **when)


def archive(shop: str, bonus_id: str, *, actor: Actor, now: datetime, **when: Any) -> EditedBonus:
    """Give nothing for it any more; once, however often it is asked for. Raises NotFound."""
    return _edited(shop, bonus_id, archiving(bonus_id, now=now), actor=actor, now=now, **when)


def adding(bonus_id: str, said: EventBonusFields) -> Decide:
    """What `create` makes of a programme."""

    def decide(programme: Programme) -> Programme:
        bonus = EventBonus(**{"id": bonus_id, "name": "", "event": "", "points": 0, **said.given()})
        return _with(programme, (*programme.bonuses.events, bonus), bonus)

    return decide


def changing(bonus_id: str, said: EventBonusFields) -> Decide:
    """What `update` makes of a programme."""

    def decide(programme: Programme) -> Programme:
        before = _bonus(programme, bonus_id)
        if before.archived_at is not None:
            raise NotFound("There is no such bonus.", field="bonus_id")
        after = replace(before, **said.given())
        return _with(programme, _instead(programme, before, after), after)

    return decide


def archiving(bonus_id: str, *, now: datetime) -> Decide:
    """What `archive` makes of a programme."""

    def decide(programme: Programme) -> Programme:
        before = _bonus(programme, bonus_id)
        after = before if before.archived_at else replace(before, archived_at=now)
        return replace(programme, bonuses=replace(programme.bonuses, events=_instead(programme, before, after)))

    return decide


def form_faults(said: EventBonusFields, *, effective_at: datetime | None, now: datetime) -> list[Fault]:
    """What `create` and `update` refuse, as far as it can be told without a read."""
    bonus = EventBonus(**{"id": "", "name": "-", "event": "a.b", "points": 1, **said.given()})
    return [*faults.of_bonus(bonus), *time_faults(effective_at, now)]


def _edited(shop: str, bonus_id: str, decide: Decide, **when: Any) -> EditedBonus:
    version = edit(shop, decide, **when)
    return EditedBonus(_bonus(version.programme, bonus_id), version)


def _bonus(programme: Programme, bonus_id: str) -> EventBonus:
    found = next((bonus for bonus in programme.bonuses.events if bonus.id == bonus_id), None)
    if found is None:
        raise NotFound("There is no such bonus.", field="bonus_id")
    return found


def _instead(programme: Programme, before: EventBonus, after: EventBonus) -> tuple[EventBonus, ...]:
    return tuple(after if one is before else one for one in programme.bonuses.events)


def _with(programme: Programme, events: tuple[EventBonus, ...], changed: EventBonus) -> Programme:
    """Raises InvalidInputs with all that is wrong with the bonus that is new or changed."""
    others = [bonus for bonus in events if bonus.archived_at is None and bonus.id != changed.id]
    wrong = list(faults.of_bonus(changed))
    if any(bonus.name.casefold() == changed.name.casefold() for bonus in others):
        wrong.append(Fault("name", "TAKEN", "must not be the name of another bonus"))
    if len(others) >= MOST_EVENT_BONUSES:
        wrong.append(Fault("", "TOO_MANY", f"must leave {MOST_EVENT_BONUSES} bonuses at most: archive some"))
    if wrong:
        raise InvalidInputs(wrong)
    return replace(programme, bonuses=replace(programme.bonuses, events=events))
