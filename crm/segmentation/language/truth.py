# crm/segmentation/language/truth.py
"""SQL's three-valued logic, each truth with the instants until which time alone will not change it.

    AND      true    unknown  false        OR       true  unknown  false       NOT
    true     true    unknown  false        true     true  true     true        true     false
    unknown  unknown unknown  false        unknown  true  unknown  unknown     unknown  unknown
    false    false   false    false        false    true  unknown  false       false    true

Members are those of whom a query is true, so what is asked of a part is for how long it will go on being true, or not;
and for NOT, for how long being false, or not. AND is true until the first of its parts no longer is; it is not true for
as long as any one of them is not. It is false for as long as any one of its parts is; it is not false until the first
becomes so. OR mirrors that. Whether what is unknown becomes false changes no membership, and wakes nobody.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import TypeAlias

from crm.segmentation.language import days
from crm.segmentation.language.days import FOREVER
from crm.segmentation.language.facts import Fact, Facts, Order, Touchpoint, read

Truth: TypeAlias = bool | None
"""None is unknown."""


class Moment:
    """A customer as known, and when they are looked at. One does for all segments that are asked then."""

    __slots__ = ("_orders", "_today", "_touchpoints", "facts", "now")

    def __init__(self, facts: Facts, now: datetime) -> None:
        self.facts = facts
        self.now = now
        self._today: date | None = None
        self._orders: list[tuple[Order, date]] | None = None
        self._touchpoints: dict[str, list[tuple[Touchpoint, date]]] = {}

    @property
    def today(self) -> date:
        """The shop's day on which it is."""
        if self._today is None:
            self._today = days.today(self.now, self.facts.zone)
        return self._today

    @property
    def orders(self) -> list[tuple[Order, date]]:
        """Each with the day on which it was placed."""
        if self._orders is None:
            zone = self.facts.zone
            self._orders = [(each, days.of(each.placed_at, zone)) for each in read(self.facts.orders, Fact.ORDERS)]
        return self._orders

    def touchpoints(self, of_type: str) -> list[tuple[Touchpoint, date]]:
        """Each with the day on which it happened."""
        if of_type not in self._touchpoints:
            zone, found = self.facts.zone, read(self.facts.touchpoints, Fact.TOUCHPOINTS).get(of_type, ())
            self._touchpoints[of_type] = [(each, days.of(each.occurred_at, zone)) for each in found]
        return self._touchpoints[of_type]


Judged: TypeAlias = tuple[Truth, datetime]
"""Of one condition: its truth, and until when it has it."""
Judge: TypeAlias = Callable[[Moment], Judged]
Standing: TypeAlias = tuple[Truth, datetime, datetime]
"""Of a query: its truth; until when it goes on being true, or not; and until when it goes on being false, or not."""
Stand: TypeAlias = Callable[[Moment], Standing]

TRUE: Judged = (True, FOREVER)
FALSE: Judged = (False, FOREVER)
UNKNOWN: Judged = (None, FOREVER)


def lasting(truth: Truth) -> Judged:
    """What time does not change."""
    return UNKNOWN if truth is None else TRUE if truth else FALSE


def alone(judge: Judge) -> Stand:
    """A condition that is a query by itself."""

    def stand(moment: Moment) -> Standing:
        truth, until = judge(moment)
        return truth, until, until

    return stand


def both(parts: Sequence[Stand]) -> Stand:
    """AND of all parts: false decides."""
    return _joined(parts, decisive=False)


def either(parts: Sequence[Stand]) -> Stand:
    """OR of all parts: true decides."""
    return _joined(parts, decisive=True)


def opposite(part: Stand) -> Stand:
    """NOT."""

    def stand(moment: Moment) -> Standing:
        truth, of_true, of_false = part(moment)
        return (None if truth is None else not truth), of_false, of_true

    return stand


def _joined(parts: Sequence[Stand], *, decisive: bool) -> Stand:
    settled, other_truth = (decisive, FOREVER, FOREVER), not decisive

    def stand(moment: Moment) -> Standing:
        decided: datetime | None = None
        prevented: datetime | None = None
        first_own = first_other = FOREVER
        unknown = False
        for part in parts:
            truth, of_true, of_false = part(moment)
            if truth is other_truth and of_true is FOREVER and of_false is FOREVER:
                continue  # most parts: known, and not a matter of time
            own, other = (of_true, of_false) if decisive else (of_false, of_true)
            if truth is decisive:
                if own is FOREVER:
                    return settled
                decided = own if decided is None else max(decided, own)
            else:
                first_own = min(first_own, own)
                unknown = unknown or truth is None
            if truth is decisive or truth is None:
                prevented = other if prevented is None else max(prevented, other)
            else:
                first_other = min(first_other, other)
        whole = decisive if decided is not None else None if unknown else other_truth
        of_decisive, of_opposite = decided or first_own, prevented or first_other
        return (whole, of_decisive, of_opposite) if decisive else (whole, of_opposite, of_decisive)

    return stand
