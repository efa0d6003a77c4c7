# crm/loyalty/bonuses/matching.py
"""Which bonuses an event earns. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from numbers import Number
from typing import Any

from crm.loyalty.bonuses.definitions import Comparison, EventBonus, PropertyFilter, number_of


def fulfils(bonus: EventBonus, properties: Mapping[str, Any]) -> bool:
    return all(_holds(each, properties) for each in bonus.filters)


def is_within_caps(bonus: EventBonus, *, today: int, ever: int) -> bool:
    """`today`, `ever`: how often it has been given on the event's day, and at all."""
    of_day = bonus.per_day is None or today < bonus.per_day
    return of_day and (bonus.per_customer is None or ever < bonus.per_customer)


def cause_of(bonus: EventBonus, event_id: str) -> str:
    return f"event:{event_id}:{bonus.id}"


def _holds(one: PropertyFilter, properties: Mapping[str, Any]) -> bool:
    found = _at(properties, one.property.split("."))
    values = found if isinstance(found, list) else [found]
    if one.comparison is Comparison.IS_NOT:
        return found is not None and all(not _compare(Comparison.IS, value, one.value or "") for value in values)
    return any(value is not None and _compare(one.comparison, value, one.value or "") for value in values)


def _at(properties: Any, path: list[str]) -> Any:
    for step in path:
        if not isinstance(properties, Mapping):
            return None
        properties = properties.get(step)
    return properties


def _compare(comparison: Comparison, value: Any, wanted: str) -> bool:
    if comparison is Comparison.IS_SET:
        return True
    number, limit = _number(value), number_of(wanted)
    match comparison:
        case Comparison.AT_LEAST:
            return number is not None and limit is not None and number >= limit
        case Comparison.AT_MOST:
            return number is not None and limit is not None and number <= limit
        case _:
            return (number == limit) if number is not None and limit is not None else _text(value) == wanted


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, Number | str):
        return None
    return number_of(str(value))


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, Number | str) else None
