# crm/loyalty/bonuses/faults.py
"""What is wrong with a bonus for events. Pure."""

from collections.abc import Iterator
from typing import Final

from crm.kernel import texts
from crm.kernel.errors import Fault
from crm.loyalty.bonuses.definitions import (
    EVENT,
    LONGEST_EVENT,
    LONGEST_NAME,
    MOST_FILTERS,
    MOST_POINTS,
    MOST_TIMES,
    PROPERTY,
    Comparison,
    EventBonus,
    PropertyFilter,
    number_of,
)

OURS: Final = frozenset({
    "address", "cart", "checkout", "consent", "custom", "customer", "feedback", "identity", "loyalty", "message",
    "order", "points", "product", "rapport", "refund", "segment", "shop", "timer", "visit", "visitor",
})  # fmt: skip
"""What Rapport has its own events of (crm/intake/event_types.py): no shop's own begins with that, so a bonus for one
would never be given.
"""


def of_bonus(bonus: EventBonus) -> Iterator[Fault]:
    """All of it, but for what the programme's other bonuses say."""
    yield from texts.line_faults("name", bonus.name, longest=LONGEST_NAME)
    yield from _of_event(bonus.event)
    if not 0 < bonus.points <= MOST_POINTS:
        yield Fault("points", "INVALID", f"must be 1 to {MOST_POINTS:,}")
    for name, times in (("per_day", bonus.per_day), ("per_customer", bonus.per_customer)):
        if times is not None and not 0 < times <= MOST_TIMES:
            yield Fault(name, "INVALID", f"must be 1 to {MOST_TIMES:,}")
    if len(bonus.filters) > MOST_FILTERS:
        yield Fault("filters", "TOO_MANY", f"must be {MOST_FILTERS} at most")
    for at, each in enumerate(bonus.filters[:MOST_FILTERS]):
        yield from _of_filter(each, f"filters.{at}")


def _of_event(event: str) -> Iterator[Fault]:
    if len(event) > LONGEST_EVENT or not EVENT.fullmatch(event):
        yield Fault("event", "INVALID", "must be like noun.past_tense, in lower case")
    elif event.partition(".")[0] in OURS:
        yield Fault("event", "RESERVED", "must be an event of the shop's own, not one of Rapport's")


def _of_filter(one: PropertyFilter, path: str) -> Iterator[Fault]:
    if not PROPERTY.fullmatch(one.property) or len(one.property) > LONGEST_NAME:
        yield Fault(f"{path}.property", "INVALID", "must be a path like review.stars")
    match one.comparison:
        case Comparison.IS_SET:
            if one.value is not None:
                yield Fault(f"{path}.value", "INVALID", "is compared with nothing")
        case Comparison.AT_LEAST | Comparison.AT_MOST:
            if one.value is None or len(one.value) > LONGEST_NAME or number_of(one.value) is None:
                yield Fault(f"{path}.value", "INVALID", "must be a number")
        case _:
            if one.value is None or len(one.value) > LONGEST_NAME:
                yield Fault(f"{path}.value", "INVALID", f"must have {LONGEST_NAME} characters at most")
