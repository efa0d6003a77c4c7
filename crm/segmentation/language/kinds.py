# crm/segmentation/language/kinds.py
"""What kinds of values there are, which operators each takes, and what a literal says as a value of one."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final, TypeAlias

from msgspec import Struct

from crm.kernel.currencies import MINOR_DIGITS
from crm.kernel.nearest import nearest
from crm.segmentation.language import tree
from crm.segmentation.language.days import Moving
from crm.segmentation.language.mistakes import sentence
from crm.segmentation.language.tree import Day, Flag, Number, Offset, Operator, Text
from crm.segmentation.language.writing import literal


class Kind(StrEnum):
    """The value is what people call it."""

    TEXT = "text"
    CHOICE = "choice"
    INTEGER = "whole number"
    NUMBER = "number"
    MONEY = "amount"
    DATE = "date"
    ANNIVERSARY = "anniversary"
    FLAG = "true or false"
    LIST = "list"


EQUALITY = (Operator.EQUAL, Operator.UNEQUAL, Operator.IN, Operator.IS_NULL)
ORDER = (
    Operator.EQUAL, Operator.UNEQUAL, Operator.GREATER, Operator.AT_LEAST, Operator.LESS, Operator.AT_MOST,
    Operator.BETWEEN, Operator.IN, Operator.IS_NULL,
)  # fmt: skip
OPERATORS: Final[Mapping[Kind, tuple[Operator, ...]]] = {
    Kind.TEXT: (*EQUALITY[:2], Operator.CONTAINS, Operator.STARTS_WITH, *EQUALITY[2:]),
    Kind.CHOICE: EQUALITY,
    Kind.INTEGER: ORDER,
    Kind.NUMBER: ORDER,
    Kind.MONEY: ORDER,
    Kind.DATE: ORDER,
    Kind.ANNIVERSARY: (Operator.EQUAL, Operator.UNEQUAL, Operator.BETWEEN, Operator.IS_NULL),
    Kind.FLAG: (Operator.EQUAL, Operator.UNEQUAL, Operator.IS_NULL),
    Kind.LIST: (Operator.CONTAINS, Operator.IS_NULL),
}
EXPECTED: Final[Mapping[Kind, str]] = {
    Kind.TEXT: "a text in single quotes",
    Kind.CHOICE: "one of its values in single quotes",
    Kind.INTEGER: "a whole number",
    Kind.NUMBER: "a number such as 12.5",
    Kind.MONEY: "an amount such as 100.50",
    Kind.DATE: "a day such as 2026-01-31, -90d or today",
    Kind.ANNIVERSARY: "a day such as 2026-01-31, +7d or today",
    Kind.FLAG: "true or false",
}
NEGATABLE: Final = frozenset({Operator.CONTAINS, Operator.STARTS_WITH, Operator.IN, Operator.BETWEEN, Operator.IS_NULL})
Value: TypeAlias = str | int | Fraction | bool | Moving
"""A literal as what it is compared as: amounts as minor units, texts folded."""


def folded(text: str) -> str:
    """Texts are equal whatever their case, and however their characters are composed."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text.casefold())


def place(text: str) -> str:
    """Of places the spaces do not count either: `US-NY-NewYorkCity` is `us-ny-new york city`."""
    return "".join(folded(text).split())


class Type(Struct, frozen=True):
    """`currency` of amounts: None is the shop's. `element`: of what a list is."""

    kind: Kind
    choices: tuple[str, ...] = ()
    element: "Type | None" = None
    currency: str | None = None
    fold: Callable[[str], str] = folded

    @property
    def of_values(self) -> "Type":
        """What stands behind an operator."""
        return self.element or self


TEXT, INTEGER, NUMBER, MONEY, DATE, ANNIVERSARY, FLAG = map(
    Type, (Kind.TEXT, Kind.INTEGER, Kind.NUMBER, Kind.MONEY, Kind.DATE, Kind.ANNIVERSARY, Kind.FLAG)
)
TEXTS = Type(Kind.LIST, element=TEXT)
EXACT = Type(Kind.TEXT, fold=str)
"""A text that is compared as it is written."""
PLACES = Type(Kind.LIST, element=Type(Kind.TEXT, fold=place))


def choice(*choices: str) -> Type:
    return Type(Kind.CHOICE, choices)


class Unfit(Exception):
    """A literal that is no value of a type; what is wrong with it, and what was probably meant, as it is written."""

    def __init__(self, message: str, expected: tuple[str, ...], meant: str | None = None) -> None:
        super().__init__(message)
        self.expected = expected
        self.nearest = meant


def value_of(literal: tree.Literal, type_: Type, *, currency: str) -> Value:  # noqa: PLR0911  one a kind
    """The literal as a value of the type; amounts without a currency of their own are in `currency`. Raises Unfit."""
    match type_.kind, literal:
        case Kind.TEXT, Text(text):
            return type_.fold(text)
        case Kind.CHOICE, Text(text):
            return _chosen(text, type_.choices)
        case Kind.INTEGER, Number(number) if number == number.to_integral_value():
            return int(number)
        case Kind.NUMBER, Number(number):
            return Fraction(number)
        case Kind.MONEY, Number(number):
            return _minor(number, type_.currency or currency)
        case ((Kind.DATE | Kind.ANNIVERSARY), (Day() | Offset() as day)):
            return day
        case ((Kind.DATE | Kind.ANNIVERSARY), Text()):
            raise Unfit("Days stand without quotes.", (EXPECTED[type_.kind],))
        case ((Kind.INTEGER | Kind.NUMBER | Kind.MONEY), Text()):
            raise Unfit("Numbers stand without quotes.", (EXPECTED[type_.kind],))
        case Kind.FLAG, Flag(flag):
            return flag
    raise Unfit(sentence(f"{EXPECTED[type_.kind]} is expected here"), (EXPECTED[type_.kind],))


def chosen(text: str, choices: Iterable[str]) -> str | None:
    """The one of the choices that a text names in whatever case."""
    return next((each for each in choices if folded(each) == folded(text)), None)


def several(kind: Kind) -> str:
    """What people call values of a kind."""
    return {Kind.ANNIVERSARY: "anniversaries", Kind.FLAG: "values that are true or false"}.get(kind, f"{kind.value}s")


def _chosen(text: str, choices: tuple[str, ...]) -> str:
    found = chosen(text, choices)
    if found is not None:
        return found
    meant = nearest(text, choices)
    written = tuple(literal(Text(each)) for each in choices)
    raise Unfit("This is none of the values there are.", written, literal(Text(meant)) if meant else None)


def _minor(number: Decimal, currency: str) -> int:
    scaled = number.scaleb(MINOR_DIGITS[currency])
    if scaled != scaled.to_integral_value():
        raise Unfit(f"{currency} has {MINOR_DIGITS[currency]} decimals at most.", (EXPECTED[Kind.MONEY],))
    return int(scaled)
