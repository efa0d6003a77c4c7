# crm/loyalty/bonuses/definitions.py
"""What a programme gives without an order: for joining, on birthdays, and for what customers do."""

import re
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final

from msgspec import Struct

MOST_POINTS: Final = 1_000_000
MOST_EVENT_BONUSES: Final = 50
"""Of a programme, the archived not counted."""
MOST_FILTERS: Final = 10
LONGEST_NAME: Final = 200
"""Of a bonus, a property, and of what that is compared with."""
LONGEST_EVENT: Final = 100
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


def number_of(text: str) -> Decimal | None:
    """None for what is not a number that can be compared."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None
