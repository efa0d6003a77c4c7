# crm/segmentation/language/truth.py
"""SQL's three-valued logic, each truth with the instant until which time alone will not change it.

    AND      true    unknown  false        OR       true  unknown  false       NOT
    true     true    unknown  false        true     true  true     true        true     false
    unknown  unknown unknown  false        unknown  true  unknown  unknown     unknown  unknown
    false    false   false    false        false    true  unknown  false       false    true

What is false of AND is so for as long as one of its parts is: until the latest of its false parts changes. What is true
of AND is so until the earliest of its parts changes, and so is what is unknown. OR mirrors that.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import TypeAlias

from crm.segmentation.language import days
from crm.segmentation.language.days import FOREVER
from crm.segmentation.language.facts import Facts

Truth: TypeAlias = bool | None
"""None is unknown."""


class Moment:
    """A customer as known, and when they are looked at. One does for all segments that are asked then."""

    __slots__ = ("_today", "facts", "now")

    def __init__(self, facts: Facts, now: datetime) -> None:
        self.facts = facts
        self.now = now
        self._today: date | None = None

    @property
    def today(self) -> date:
        """The shop's day on which it is."""
        if self._today is None:
            self._today = days.today(self.now, self.facts.zone)
        return self._today


Judged: TypeAlias = tuple[Truth, datetime]
Judge: TypeAlias = Callable[[Moment], Judged]

TRUE: Judged = (True, FOREVER)
FALSE: Judged = (False, FOREVER)
UNKNOWN: Judged = (None, FOREVER)


def lasting(truth: Truth) -> Judged:
    """What time does not change."""
    return UNKNOWN if truth is None else TRUE if truth else FALSE


def both(parts: Sequence[Judge]) -> Judge:
    """AND of all parts."""
    return _joined(parts, decisive=False)


def either(parts: Sequence[Judge]) -> Judge:
    """OR of all parts."""
    return _joined(parts, decisive=True)


def opposite(part: Judge) -> Judge:
    """NOT."""

    def judge(moment: Moment) -> Judged:
        truth, until = part(moment)
        return (None if truth is None else not truth), until

    return judge


def _joined(parts: Sequence[Judge], *, decisive: bool) -> Judge:
    """One part with the `decisive` truth decides for as long as it has it; without one, unknown before known."""

    def judge(moment: Moment) -> Judged:
        decided: datetime | None = None
        earliest, unknown = FOREVER, False
        for part in parts:
            truth, until = part(moment)
            if truth is decisive:
                if until is FOREVER:
                    return truth, FOREVER
                decided = until if decided is None or until > decided else decided
            elif decided is None:
                unknown = unknown or truth is None
                earliest = min(earliest, until)
        if decided is not None:
            return decisive, decided
        return (None if unknown else not decisive), earliest

    return judge
