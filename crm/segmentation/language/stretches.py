# crm/segmentation/language/stretches.py
"""On which days something is true: each stretch from the `today` on which it becomes true to the one on which it no
longer is. `date.min`: it always was; None at the end: it always will be. A stretch that ends before it begins is none.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Final, Generic, TypeAlias, TypeVar

from msgspec import Struct

from crm.segmentation.language import days
from crm.segmentation.language.days import Edge, Exclusive, Moving, passes, reaches
from crm.segmentation.language.tree import Day, Operator
from crm.segmentation.language.truth import FALSE, TRUE, Judged, Moment

Stretch: TypeAlias = tuple[date | None, date | None]
"""The first day, None for never; and the day after the last."""

ALWAYS = date.min
REMEMBERED: Final = 512
Point = TypeVar("Point", date, datetime)
Item = TypeVar("Item")


class Weighed(Struct, Generic[Point], frozen=True):
    """Something that counts from when it begins (None: never) until just before it ends (None: never)."""

    begins: Point | None
    ends: Point | None
    units: int = 1
    amount: int = 0


def of_day(operator: Operator, values: Sequence[Moving], day: date) -> list[Stretch]:
    """When a day stands in a relation to days that move."""
    first = values[0]
    match operator:
        case Operator.AT_LEAST:
            return [(ALWAYS, passes(first, day))]
        case Operator.GREATER:
            return [(ALWAYS, reaches(first, day))]
        case Operator.AT_MOST:
            return [(reaches(first, day), None)]
        case Operator.LESS:
            return [(passes(first, day), None)]
        case Operator.BETWEEN:
            return [within(day, first, values[1])]
    return [(reaches(value, day), passes(value, day)) for value in values]


def within(day: date, since: Edge | None, until: Edge | None) -> Stretch:
    """When a day lies between two that move, both included unless they say otherwise; None is without a bound."""
    begins: date | None = ALWAYS
    ends: date | None = None
    if until is not None:
        begins = passes(until.day, day) if isinstance(until, Exclusive) else reaches(until, day)
    if since is not None:
        ends = reaches(since.day, day) if isinstance(since, Exclusive) else passes(since, day)
    return begins, ends


def of_age(operator: Operator, values: Sequence[int], born: date) -> list[Stretch]:
    """When somebody's age in completed years stands in a relation to numbers."""
    first = values[0]
    match operator:
        case Operator.AT_LEAST:
            return [(_turns(born, first), None)]
        case Operator.GREATER:
            return [(_turns(born, first + 1), None)]
        case Operator.AT_MOST:
            return [(ALWAYS, _turns(born, first + 1))]
        case Operator.LESS:
            return [(ALWAYS, _turns(born, first))]
        case Operator.BETWEEN:
            return [(_turns(born, first), _turns(born, values[1] + 1))]
    return [(_turns(born, value), _turns(born, value + 1)) for value in values]


def of_anniversary(since: Moving, until: Moving, born: date, year: int) -> Stretch:
    """When the anniversary of a day in a year lies between two days that move, both included."""
    return within(days.anniversary(born, year), since, until)


def turned(since: Moving, until: Moving) -> Moving:
    """The end of a window of anniversaries: where its days stand in a year that is over before the window begins, the
    year is the one in which it ends.
    """
    if not isinstance(since, Day) or not isinstance(until, Day) or since.value <= until.value:
        return until
    same_year = days.anniversary(until.value, since.value.year)
    return Day(same_year if same_year >= since.value else days.anniversary(until.value, since.value.year + 1))


def first_anniversary(since: Moving, born: date, today: date) -> int:
    """The year of the first anniversary of a day that is not before one that moves: if any lies in a window from there
    on, that one does.
    """
    begins = days.at(since, today)
    year = min(begins.year, date.max.year - 2)
    return year + (days.anniversary(born, year) < begins)


def judged_until_next(stretch: Stretch, moment: Moment, *, negated: bool) -> Judged:
    """Whether the stretch of an anniversary lasts, at most until the window has passed it and the next one counts. A
    window of months and days may miss the one and meet the next.
    """
    begins, ends = stretch
    if begins is None:
        return TRUE if negated else FALSE
    truth = begins <= moment.today
    changes = ends if truth or (ends is not None and ends < begins) else begins
    return truth is not negated, days.starts(changes, moment.facts.zone)


def judged(stretches: Sequence[Stretch], moment: Moment, *, negated: bool = False) -> Judged:
    """Whether one of them lasts, and until when that stays so."""
    if len(stretches) == 1:
        return _judged_alone(*stretches[0], moment, negated=negated)
    truth, until = _tallied([Weighed(*each) for each in stretches], lambda count, _: count > 0, moment)
    return truth is not negated, until


def _judged_alone(begins: date | None, ends: date | None, moment: Moment, *, negated: bool) -> Judged:
    """As the others, without the tally: most conditions are of this kind."""
    if begins is None or (ends is not None and (ends <= begins or ends <= moment.today)):
        return TRUE if negated else FALSE
    if begins <= moment.today:
        return not negated, days.starts(ends, moment.facts.zone)
    return negated, days.starts(begins, moment.facts.zone)


class Window:
    """Of days between two that move, as `within`. Customers share their days: what follows from one is remembered."""

    __slots__ = ("of",)

    def __init__(self, since: Edge | None, until: Edge | None) -> None:
        self.of: Callable[[date], Stretch] = lru_cache(maxsize=REMEMBERED)(lambda day: within(day, since, until))

    def holds(self, day: date, today: date) -> bool:
        begins, ends = self.of(day)
        return begins is not None and begins <= today and (ends is None or today < ends)

    def tallied(
        self,
        dated: Iterable[tuple[Item, date]],
        weigh: Callable[[Item], tuple[int, int]],
        accepted: Callable[[int, int], bool],
        moment: Moment,
    ) -> Judged:
        """Whether the count and the amount of all that lies in it are accepted, and until when that stays so. What does
        not come to lie in it any more is not weighed, which takes longer than looking at its day.
        """
        today, of = moment.today, self.of
        weighed = []
        for item, day in dated:
            begins, ends = of(day)
            if begins is None or (ends is not None and (ends <= today or ends <= begins)):
                continue
            units, amount = weigh(item)
            if units:
                weighed.append(Weighed(begins, ends, units, amount))
        return _tallied(weighed, accepted, moment)


def _tallied(weighed: Iterable[Weighed[date]], accepted: Callable[[int, int], bool], moment: Moment) -> Judged:
    truth, day = turning(weighed, accepted, moment.today)
    return truth, days.starts(day, moment.facts.zone)


def turning(
    weighed: Iterable[Weighed[Point]], accepted: Callable[[int, int], bool], here: Point
) -> tuple[bool, Point | None]:
    """Whether the count and the amount of all that lasts `here` are accepted, and at which point that changes next;
    None where it never does.
    """
    count = amount = 0
    changes: dict[Point, tuple[int, int]] = {}
    for each in weighed:
        begins, ends = each.begins, each.ends
        if begins is None or (ends is not None and (ends <= begins or ends <= here)):
            continue
        if begins <= here:
            count, amount = count + each.units, amount + each.amount
        else:
            more = changes.get(begins, (0, 0))
            changes[begins] = (more[0] + each.units, more[1] + each.amount)
        if ends is not None:
            less = changes.get(ends, (0, 0))
            changes[ends] = (less[0] - each.units, less[1] - each.amount)
    truth = accepted(count, amount)
    for point in sorted(changes):
        count, amount = count + changes[point][0], amount + changes[point][1]
        if accepted(count, amount) is not truth:
            return truth, point
    return truth, None


def _turns(born: date, age: int) -> date | None:
    """The day on which somebody becomes that old."""
    year = born.year + age
    if year < date.min.year:
        return ALWAYS
    return None if year > date.max.year else days.anniversary(born, year)


def age(born: date, today: date) -> int:
    """Completed years. Who was born on 29 February becomes a year older on 28 February where there is no other."""
    return today.year - born.year - (today < days.anniversary(born, today.year))
