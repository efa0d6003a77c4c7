# crm/segmentation/language/writing.py
"""The one text of each query: parsing it gives the query back, and writing that gives the text back."""

from decimal import Decimal
from typing import assert_never

from crm.segmentation.language import tree
from crm.segmentation.language.tree import (
    And,
    Argument,
    Call,
    Holds,
    Name,
    Not,
    Offset,
    Operator,
    Or,
    Predicate,
    Query,
    Several,
    Unit,
)

NAMED_DAYS = {0: "today", -1: "yesterday"}


def written(query: Query) -> str:
    """Parentheses stand where they change what is said, and nowhere else."""
    match query:
        case Predicate():
            return _predicate(query)
        case Holds(call):
            return subject(call)
        case Not(part):
            return f"NOT {_within(part, And, Or)}"
        case And(parts):
            return " AND ".join(_within(part, Or) for part in parts)
        case Or(parts):
            return " OR ".join(written(part) for part in parts)
    assert_never(query)


def subject(asked: Name | Call) -> str:
    if isinstance(asked, Name):
        return asked.value
    return f"{asked.name}({', '.join(map(_argument, asked.arguments))})"


def literal(value: tree.Literal) -> str:
    match value:
        case tree.Text(text):
            return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
        case tree.Number(number):
            return plain(number)
        case tree.Day(day):
            return day.isoformat()
        case tree.Flag(flag):
            return "true" if flag else "false"
        case Offset(count, unit):
            named = NAMED_DAYS.get(count) if unit is Unit.DAY or count == 0 else None
            return named or f"{count:+d}{unit.value}"
    assert_never(value)


def plain(number: Decimal) -> str:
    """Without an exponent and needless zeros."""
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _within(part: Query, *looser: type[Query]) -> str:
    return f"({written(part)})" if isinstance(part, looser) else written(part)


def _predicate(said: Predicate) -> str:
    asked, negation = subject(said.subject), "NOT " if said.negated else ""
    values = [literal(value) for value in said.values]
    match said.operator:
        case Operator.IS_NULL:
            return f"{asked} IS {negation}NULL"
        case Operator.BETWEEN:
            return f"{asked} {negation}BETWEEN {values[0]} AND {values[1]}"
        case Operator.IN:
            return f"{asked} {negation}IN ({', '.join(values)})"
    return f"{asked} {negation}{said.operator.value} {values[0]}"


def _argument(given: Argument) -> str:
    match given.value:
        case Several((low, high)) if given.operator is Operator.BETWEEN:
            return f"{given.name} BETWEEN {literal(low)} AND {literal(high)}"
        case Name(name):
            value = name
        case Several(values):
            value = f"({', '.join(map(literal, values))})"
        case single:
            value = literal(single)
    if given.name is None:
        return value
    return (
        f"{given.name}: {value}" if given.operator is Operator.EQUAL else f"{given.name} {given.operator.value} {value}"
    )
