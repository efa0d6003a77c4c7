# crm/segmentation/language/tree.py
"""What a query says, as a tree. Two queries are equal where they say the same, wherever it stands in their texts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a text, in characters (Unicode code points)."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        return self.offset + self.length

    def to(self, other: "Span") -> "Span":
        """From the beginning of this one to the end of the other."""
        return Span(self.offset, other.end - self.offset)


NOWHERE = Span(0, 0)


class Operator(StrEnum):
    EQUAL = "="
    UNEQUAL = "!="
    GREATER = ">"
    AT_LEAST = ">="
    LESS = "<"
    AT_MOST = "<="
    BETWEEN = "BETWEEN"
    CONTAINS = "CONTAINS"
    IN = "IN"
    STARTS_WITH = "STARTS WITH"
    IS_NULL = "IS NULL"


class Unit(StrEnum):
    """Of relative dates."""

    DAY = "d"
    WEEK = "w"
    MONTH = "m"
    YEAR = "y"


@dataclass(frozen=True, slots=True)
class Text:
    value: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Number:
    value: Decimal
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day of the shop."""

    value: date
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Offset:
    """A day so many units from today, whatever today is."""

    count: int
    unit: Unit
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Flag:
    value: bool
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """An attribute by its name: `amount_spent`, `attributes.size`."""

    value: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Several:
    """Values in parentheses, in the order in which they stand."""

    values: "tuple[Literal, ...]"
    span: Span = field(default=NOWHERE, compare=False)


Literal: TypeAlias = Text | Number | Day | Offset | Flag


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a function. Without a name, it is known by its place. With BETWEEN, its value is two."""

    name: str | None
    operator: Operator
    value: Literal | Name | Several
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments: those without a name come first."""

    name: str
    arguments: tuple[Argument, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Predicate:
    """`subject operator values`: two values for BETWEEN, some for IN, none for IS NULL, otherwise one.

    `negated`: NOT stands before the operator (in `IS NOT NULL`, after its IS).
    """

    subject: Name | Call
    operator: Operator
    values: tuple[Literal, ...] = ()
    negated: bool = False
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Holds:
    """A function that is a condition by itself: `orders_placed(count_min: 2)`."""

    call: Call

    @property
    def span(self) -> Span:
        return self.call.span


@dataclass(frozen=True, slots=True)
class Not:
    part: "Query"
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class And:
    """Made by `all_of`, which has no And among its parts and at least two of them."""

    parts: "tuple[Query, ...]"

    @property
    def span(self) -> Span:
        return self.parts[0].span.to(self.parts[-1].span)


@dataclass(frozen=True, slots=True)
class Or:
    """Made by `any_of`, which has no Or among its parts and at least two of them."""

    parts: "tuple[Query, ...]"

    @property
    def span(self) -> Span:
        return self.parts[0].span.to(self.parts[-1].span)


Query: TypeAlias = Predicate | Holds | Not | And | Or


def all_of(parts: Iterable[Query]) -> Query:
    """`a AND (b AND c)` is `a AND b AND c`. Raises ValueError without parts."""
    flat = tuple(inner for part in parts for inner in (part.parts if isinstance(part, And) else (part,)))
    if not flat:
        raise ValueError("nothing to be true of")
    return flat[0] if len(flat) == 1 else And(flat)


def any_of(parts: Iterable[Query]) -> Query:
    """`a OR (b OR c)` is `a OR b OR c`. Raises ValueError without parts."""
    flat = tuple(inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,)))
    if not flat:
        raise ValueError("nothing to be true of")
    return flat[0] if len(flat) == 1 else Or(flat)


def leaves(query: Query) -> Iterator[Predicate | Holds]:
    """The conditions of a query in the order in which they stand."""
    match query:
        case Predicate() | Holds():
            yield query
        case Not(part):
            yield from leaves(part)
        case And(parts) | Or(parts):
            for part in parts:
                yield from leaves(part)


def calls(query: Query) -> Iterator[Call]:
    """The functions that a query asks, in the order in which they stand."""
    for leaf in leaves(query):
        if isinstance(leaf, Holds):
            yield leaf.call
        elif isinstance(leaf.subject, Call):
            yield leaf.subject
