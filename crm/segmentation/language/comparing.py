# crm/segmentation/language/comparing.py
"""How an attribute's value is compared: from type, operator and values a judge is made. What is unknown compares as
unknown, but for IS NULL, which is always known; and a list is never unknown, at most empty.
"""

import operator as python
from collections.abc import Callable, Collection, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, Final, TypeAlias

from crm.segmentation.language import stretches
from crm.segmentation.language.days import Moving
from crm.segmentation.language.kinds import Kind, Type, Value
from crm.segmentation.language.stretches import REMEMBERED, Stretch
from crm.segmentation.language.tree import Operator
from crm.segmentation.language.truth import FALSE, TRUE, UNKNOWN, Judge, Judged, Moment

Read: TypeAlias = Callable[[Moment], Any]
"""What is known of a customer; None where it is unknown."""

COMPARISONS: Final[dict[Operator, Callable[[Any, Any], bool]]] = {
    Operator.EQUAL: python.eq,
    Operator.UNEQUAL: python.ne,
    Operator.GREATER: python.gt,
    Operator.AT_LEAST: python.ge,
    Operator.LESS: python.lt,
    Operator.AT_MOST: python.le,
    Operator.CONTAINS: python.contains,
    Operator.STARTS_WITH: str.startswith,
}


def judge_of(read: Read, type_: Type, operator: Operator, values: Sequence[Value], *, negated: bool) -> Judge:
    """Values are those of the type (`kinds.value_of`), and the operator is one that it takes."""
    if operator is Operator.IS_NULL:
        return _is_null(read, negated=negated)
    match type_.kind:
        case Kind.LIST:
            return _contains(read, type_.of_values, values, negated=negated)
        case Kind.DATE:
            return dated(read, operator, [value for value in values if isinstance(value, Moving)], negated=negated)
        case Kind.ANNIVERSARY:
            return _recurring(read, operator, [value for value in values if isinstance(value, Moving)], negated=negated)
        case Kind.TEXT:
            return _static(lambda moment: _folded(read(moment), type_), operator, values, negated=negated)
    return _static(read, operator, values, negated=negated)


def holds(known: Any, operator: Operator, value: Any) -> bool:
    """Of something known, whatever the time, and one value."""
    return COMPARISONS[operator](known, value)


def dated(read: Read, operator: Operator, values: Sequence[Moving], *, negated: bool) -> Judge:
    """Of a day that is known: it changes on the days on which relative dates pass it."""
    operator, negated = _apart(operator, negated=negated)
    return _meeting(read, lambda day: stretches.of_day(operator, values, day), negated=negated)


def aged(born: Read, operator: Operator, values: Sequence[int], *, negated: bool) -> Judge:
    """Of the age of somebody whose day of birth is known: it changes on birthdays."""
    if operator is Operator.IS_NULL:
        return _is_null(born, negated=negated)
    operator, negated = _apart(operator, negated=negated)
    return _meeting(born, lambda day: stretches.of_age(operator, values, day), negated=negated)


def _meeting(read: Read, stretches_of: Callable[[date], Sequence[Stretch]], *, negated: bool) -> Judge:
    """Of when today meets a day. Customers share their days: what follows from one is remembered."""
    remembered = lru_cache(maxsize=REMEMBERED)(stretches_of)

    def judge(moment: Moment) -> Judged:
        day = read(moment)
        return UNKNOWN if day is None else stretches.judged(remembered(day), moment, negated=negated)

    return judge


def _recurring(read: Read, operator: Operator, values: Sequence[Moving], *, negated: bool) -> Judge:
    _, negated = _apart(operator, negated=negated)
    since, until = values[0], stretches.turned(values[0], values[-1])

    @lru_cache(maxsize=REMEMBERED)
    def met(day: date, year: int) -> Stretch:
        return stretches.of_anniversary(since, until, day, year)

    def judge(moment: Moment) -> Judged:
        day = read(moment)
        if day is None:
            return UNKNOWN
        year = stretches.first_anniversary(since, day, moment.today)
        return stretches.judged_until_next(met(day, year), moment, negated=negated)

    return judge


def _apart(operator: Operator, *, negated: bool) -> tuple[Operator, bool]:
    """`!=` is the opposite of `=`."""
    return (Operator.EQUAL, not negated) if operator is Operator.UNEQUAL else (operator, negated)


def _static(read: Read, operator: Operator, values: Sequence[Value], *, negated: bool) -> Judge:
    yes, no = (FALSE, TRUE) if negated else (TRUE, FALSE)
    if operator in COMPARISONS:
        compare, value = COMPARISONS[operator], values[0]

        def judge(moment: Moment) -> Judged:
            known = read(moment)
            return UNKNOWN if known is None else yes if compare(known, value) else no

        return judge
    several: Collection[Value] = frozenset(values) if operator is Operator.IN else tuple(values)

    def judge_several(moment: Moment) -> Judged:
        known = read(moment)
        if known is None:
            return UNKNOWN
        return yes if (known in several if operator is Operator.IN else _between(known, several)) else no

    return judge_several


def _between(known: Any, bounds: Collection[Any]) -> bool:
    low, high = bounds
    return bool(low <= known <= high)


def _contains(read: Read, element: Type, values: Sequence[Value], *, negated: bool) -> Judge:
    yes, no = (FALSE, TRUE) if negated else (TRUE, FALSE)
    value = values[0]

    def judge(moment: Moment) -> Judged:
        known = read(moment)
        if element.kind is Kind.DATE and isinstance(value, Moving):
            found = [each for day in known for each in stretches.of_day(Operator.EQUAL, [value], day)]
            return stretches.judged(found, moment, negated=negated)
        return yes if any(_folded(each, element) == value for each in known) else no

    return judge


def _is_null(read: Read, *, negated: bool) -> Judge:
    yes, no = (FALSE, TRUE) if negated else (TRUE, FALSE)

    def judge(moment: Moment) -> Judged:
        known = read(moment)
        return yes if known is None or known in ((), frozenset()) else no

    return judge


def _folded(known: Any, type_: Type) -> Any:
    return type_.fold(known) if isinstance(known, str) and type_.kind is Kind.TEXT else known
