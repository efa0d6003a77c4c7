# crm/loyalty/earning/faults.py
"""What is wrong with a rule, and with caps. Pure."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from crm.kernel import texts
from crm.kernel.errors import Fault
from crm.loyalty.earning.definitions import Caps, Conditions, Kind, Rule

LONGEST_NAME: Final = 100
LONGEST_WORD: Final = 200
MOST_WORDS: Final = 100
"""In one list of a condition."""
MOST_POINTS: Final = 10**9
MOST_DECIMALS: Final = 6
HIGHEST: Final = {Kind.PER_UNIT: 1000, Kind.PER_ITEM: 10**6, Kind.MULTIPLIER: 100, Kind.FIXED: 10**6}
WEEK: Final = range(1, 8)
LISTS: Final = ("categories", "skus", "tags", "segments", "tiers", "channels")


def of_rule(rule: Rule) -> list[Fault]:
    """All of it, but for what the programme's other rules say."""
    return [
        *texts.line_faults("name", rule.name, longest=LONGEST_NAME),
        *_of_value(rule),
        *(_under("conditions", fault) for fault in of_conditions(rule.conditions)),
        *(_under("caps", fault) for fault in of_caps(rule.caps)),
        *of_points("budget", rule.budget),
    ]


def of_conditions(conditions: Conditions) -> Iterator[Fault]:
    for name in LISTS:
        yield from _of_words(name, getattr(conditions, name))
    for at, day in enumerate(conditions.weekdays):
        if day not in WEEK:
            yield Fault(f"weekdays.{at}", "INVALID", "must be 1 (Monday) to 7 (Sunday)")
    begins, ends = conditions.from_on, conditions.until_on
    if begins and ends and ends < begins:
        yield Fault("until_on", "INVALID", "must not be before the first day")
    if conditions.minimum is not None:
        yield from of_number("minimum", conditions.minimum, most=MOST_POINTS)


def of_caps(caps: Caps) -> Iterator[Fault]:
    for name in Caps.__struct_fields__:
        yield from of_points(name, getattr(caps, name))


def of_points(path: str, points: int | None) -> list[Fault]:
    """Of a limit: None is no limit."""
    if points is None or 0 < points <= MOST_POINTS:
        return []
    return [Fault(path, "INVALID", f"must be 1 to {MOST_POINTS:,} points")]


def of_number(path: str, number: Decimal, *, most: int, least: int = 0, none: bool = False) -> list[Fault]:
    """Above `least`, or `none`: zero; and exact in so few decimals that sums of many stay so."""
    if none and number == 0:
        return []
    if none and not 0 < number <= most:
        return [Fault(path, "INVALID", f"must be 0 to {most:,}")]
    if not number.is_finite() or not least < number <= most:
        return [Fault(path, "INVALID", f"must be more than {least} and at most {most:,}")]
    if number != round(number, MOST_DECIMALS):
        return [Fault(path, "INVALID", f"must have at most {MOST_DECIMALS} decimals")]
    return []


def _of_value(rule: Rule) -> list[Fault]:
    if rule.kind is Kind.FIXED and rule.value.is_finite() and rule.value != int(rule.value):
        return [Fault("value", "INVALID", "must be whole points")]
    return of_number("value", rule.value, most=HIGHEST[rule.kind], least=int(rule.kind is Kind.MULTIPLIER))


def _of_words(path: str, words: Sequence[str]) -> Iterator[Fault]:
    if len(words) > MOST_WORDS:
        yield Fault(path, "TOO_MANY", f"must be {MOST_WORDS} at most")
        return
    for at, word in enumerate(words):
        yield from texts.line_faults(f"{path}.{at}", word, longest=LONGEST_WORD)


def _under(path: str, fault: Fault) -> Fault:
    return Fault(f"{path}.{fault.path}", fault.code, fault.message)
