# crm/segmentation/language/tree.py
"""What a query says, as a tree. Two queries are equal where they say the same, wherever it stands in their texts."""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct


class Span(Struct, frozen=True):
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


class Node(Struct, frozen=True, eq=False):
    """Part of a query. Where it stands is no part of what it says: spans are not compared."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and type(self) is type(other) and self._said() == other._said()

    def __hash__(self) -> int:
        return hash((type(self), self._said()))

    def _said(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__struct_fields__ if not name.endswith("span"))


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


class Text(Node, frozen=True, eq=False):
    value: str
    span: Span = NOWHERE


class Number(Node, frozen=True, eq=False):
    value: Decimal
    span: Span = NOWHERE


class Day(Node, frozen=True, eq=False):
    """A calendar day of the shop."""

    value: date
    span: Span = NOWHERE


class Offset(Node, frozen=True, eq=False):
    """A day so many units from today, whatever today is."""

    count: int
    unit: Unit
    span: Span = NOWHERE


class Flag(Node, frozen=True, eq=False):
    value: bool
    span: Span = NOWHERE


class Name(Node, frozen=True, eq=False):
    """An attribute by its name: `amount_spent`, `attributes.size`."""

    value: str
    span: Span = NOWHERE


class Several(Node, frozen=True, eq=False):
    """Values in parentheses, in the order in which they stand."""

    values: "tuple[Literal, ...]"
    span: Span = NOWHERE


Literal: TypeAlias = Text | Number | Day | Offset | Flag


class Argument(Node, frozen=True, eq=False):
    """One argument of a function. Without a name, it is known by its place. With BETWEEN, its value is two."""

    name: str | None
    operator: Operator
    value: Literal | Name | Several
    span: Span = NOWHERE


class Call(Node, frozen=True, eq=False):
    """A function with its arguments: those without a name come first."""

    name: str
    arguments: tuple[Argument, ...]
    span: Span = NOWHERE


class Predicate(Node, frozen=True, eq=False):
    """`subject operator values`: two values for BETWEEN, some for IN, none for IS NULL, otherwise one.

    `negated`: NOT stands before the operator (in `IS NOT NULL`, after its IS). `operator_span` is that of both.
    """

    subject: Name | Call
    operator: Operator
    values: tuple[Literal, ...] = ()
    negated: bool = False
    span: Span = NOWHERE
    operator_span: Span = NOWHERE


class Holds(Node, frozen=True, eq=False):
    """A function that is a condition by itself: `orders_placed(count_min: 2)`."""

    call: Call

    @property
    def span(self) -> Span:
        return self.call.span


class Not(Node, frozen=True, eq=False):
    part: "Query"
    span: Span = NOWHERE


class And(Node, frozen=True, eq=False):
    """Made by `all_of`, which has no And among its parts and at least two of them."""

    parts: "tuple[Query, ...]"

    @property
    def span(self) -> Span:
        return self.parts[0].span.to(self.parts[-1].span)


class Or(Node, frozen=True, eq=False):
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
