# crm/loyalty/bonuses/definitions.py
"""What a programme gives without an order: for joining, on birthdays, and for what customers do."""

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final

from msgspec import Struct

from crm.kernel.errors import Fault

MOST_POINTS: Final = 1_000_000
MOST_EVENT_BONUSES: Final = 50
"""Of a programme, the archived not counted."""
MOST_FILTERS: Final = 10
LONGEST_NAME: Final = 200
MOST_TIMES: Final = 10_000
LONGEST_NOTICE_DAYS: Final = 90
EVENT: Final = re.compile(r"[a-z][a-z0-9_]*[.][a-z0-9_]+")
PROPERTY: Final = re.compile(r"[^.\s]+(\.[^.\s]+)*")


class Enrolment(StrEnum):
    """How customers come to take part."""

    AUTOMATIC = "AUTOMATIC"
    """With the first points that they earn."""
    ON_REQUEST = "ON_REQUEST"
    """When they ask to; whatever was before earns nothing."""


class Comparison(StrEnum):
    """How a property of an event is compared. One that the event does not have fulfils none."""

    IS = "IS"
    IS_NOT = "IS_NOT"
    AT_LEAST = "AT_LEAST"
    AT_MOST = "AT_MOST"
    IS_SET = "IS_SET"


class PropertyFilter(Struct, frozen=True):
    """`property` is a path, such as `review.stars`. Numbers are compared as numbers, also those in quotes; of a list it
    is enough that one of its elements fulfils it.
    """

    property: str
    comparison: Comparison
    value: str | None = None


class EventBonus(Struct, frozen=True, kw_only=True):
    """Points for each event of the name that a shop gave it (`custom.recorded`) which fulfils all filters. `per_day`
    and `per_customer`: how often at most, on one day of the programme's zone and ever.
    """

    id: str
    name: str
    event: str
    points: int
    filters: tuple[PropertyFilter, ...] = ()
    per_day: int | None = None
    per_customer: int | None = None
    archived_at: datetime | None = None


class Bonuses(Struct, frozen=True):
    """Points; 0: none are given."""

    signup: int = 0
    birthday: int = 0
    events: tuple[EventBonus, ...] = ()

    def for_event(self, name: str) -> list[EventBonus]:
        return [bonus for bonus in self.events if bonus.event == name and bonus.archived_at is None]


def faults(bonuses: Bonuses) -> list[Fault]:
    """All that is wrong with them."""
    found = [*_points("signup", bonuses.signup, least=0), *_points("birthday", bonuses.birthday, least=0)]
    in_use = [(number, bonus) for number, bonus in enumerate(bonuses.events) if bonus.archived_at is None]
    if len(in_use) > MOST_EVENT_BONUSES:
        found.append(Fault("events", "TOO_MANY", f"must be {MOST_EVENT_BONUSES} at most"))
    return found + [fault for number, bonus in in_use for fault in faults_of_event(bonus, f"events[{number}]")]


def faults_of_event(bonus: EventBonus, path: str) -> Iterator[Fault]:
    if not 0 < len(bonus.name.strip()) <= LONGEST_NAME:
        yield Fault(f"{path}.name", "INVALID", f"must have 1 to {LONGEST_NAME} characters")
    if not EVENT.fullmatch(bonus.event):
        yield Fault(f"{path}.event", "INVALID", "must be like noun.past_tense, in lower case")
    yield from _points(f"{path}.points", bonus.points, least=1)
    for name, times in (("perDay", bonus.per_day), ("perCustomer", bonus.per_customer)):
        if times is not None and not 0 < times <= MOST_TIMES:
            yield Fault(f"{path}.{name}", "INVALID", f"must be 1 to {MOST_TIMES:,}")
    if len(bonus.filters) > MOST_FILTERS:
        yield Fault(f"{path}.filters", "TOO_MANY", f"must be {MOST_FILTERS} at most")
    for number, each in enumerate(bonus.filters):
        yield from _faults_of_filter(each, f"{path}.filters[{number}]")


def number_of(text: str) -> Decimal | None:
    """None for what is not a number that can be compared."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _faults_of_filter(one: PropertyFilter, path: str) -> Iterator[Fault]:
    if not PROPERTY.fullmatch(one.property) or len(one.property) > LONGEST_NAME:
        yield Fault(f"{path}.property", "INVALID", "must be a path like review.stars")
    match one.comparison:
        case Comparison.IS_SET:
            if one.value is not None:
                yield Fault(f"{path}.value", "INVALID", "is compared with nothing")
        case Comparison.AT_LEAST | Comparison.AT_MOST:
            if one.value is None or number_of(one.value) is None:
                yield Fault(f"{path}.value", "INVALID", "must be a number")
        case _:
            if one.value is None or len(one.value) > LONGEST_NAME:
                yield Fault(f"{path}.value", "INVALID", f"must have {LONGEST_NAME} characters at most")


def _points(path: str, points: int, *, least: int) -> Iterator[Fault]:
    if not least <= points <= MOST_POINTS:
        yield Fault(path, "INVALID", f"must be {least} to {MOST_POINTS:,}")
