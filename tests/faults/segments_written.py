# tests/faults/segments_written.py
"""Queries as the oracle of segments has them, and their text for the engine. Pure."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tests.faults.segments_calendar import Offset

Value = str | Decimal | date | Offset | bool


@dataclass(frozen=True)
class Given:
    """An argument: `name` is empty where it stands in its place; `operator` is `:` or another."""

    name: str
    operator: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Call:
    name: str
    given: tuple[Given, ...] = ()
    attribute: str = ""
    """Whose anniversary."""

    def of(self, name: str) -> Given | None:
        return next((each for each in self.given if each.name == name), None)


@dataclass(frozen=True)
class Compare:
    """Of an attribute, or of a call that has a value. Operators are those of the language, without their NOT."""

    subject: str | Call
    operator: str
    values: tuple[Value, ...] = ()
    negated: bool = False

    @property
    def name(self) -> str:
        return self.subject if isinstance(self.subject, str) else self.subject.name


@dataclass(frozen=True)
class Holds:
    """A call that is a condition. `wanted`: what it is to be; None where that is not said."""

    call: Call
    wanted: bool | None = None

    @property
    def name(self) -> str:
        return self.call.name


@dataclass(frozen=True)
class Not:
    part: "Query"


@dataclass(frozen=True)
class Join:
    """`word` is AND or OR."""

    word: str
    parts: tuple["Query", ...]


Query = Compare | Holds | Not | Join


def text(query: Query) -> str:  # noqa: PLR0911  one a kind
    match query:
        case Compare(Call(name="anniversary", attribute=attribute)):
            return _compared(query, f"anniversary({attribute})")
        case Compare(Call() as call):
            return _compared(query, _called(call))
        case Compare(str() as name):
            return _compared(query, name)
        case Holds(call, wanted):
            if wanted is not False and _is_shopifys(call):
                return f"{call.name} MATCHES ({_all_given(call)})"
            if _is_shopifys(call):
                return f"{call.name} NOT MATCHES ({_all_given(call)})"
            return _called(call) if wanted is None else f"{_called(call)} = {str(wanted).lower()}"
        case Not(part):
            return f"NOT ({text(part)})"
        case Join(word, parts):
            return f" {word} ".join(f"({text(part)})" for part in parts)
    raise AssertionError(query)


def _compared(query: Compare, subject: str) -> str:
    negation = "NOT " if query.negated else ""
    values = list(map(_literal, query.values))
    match query.operator:
        case "IS NULL":
            return f"{subject} IS {negation}NULL"
        case "BETWEEN":
            return f"{subject} {negation}BETWEEN {values[0]} AND {values[1]}"
        case "IN":
            return f"{subject} {negation}IN ({', '.join(values)})"
    return f"{subject} {negation}{query.operator} {values[0]}"


def _called(call: Call) -> str:
    return f"{call.name}({_all_given(call)})"


def _is_shopifys(call: Call) -> bool:
    """Whether it can be said as Shopify has it: with operators all along."""
    return bool(call.given) and all(each.name and each.operator != ":" for each in call.given)


def _all_given(call: Call) -> str:
    return ", ".join(map(_given, call.given))


def _given(given: Given) -> str:
    values = list(map(_literal, given.values))
    if not given.name:
        return values[0]
    if given.operator == "BETWEEN":
        return f"{given.name} BETWEEN {values[0]} AND {values[1]}"
    said = values[0] if len(values) == 1 else f"({', '.join(values)})"
    return f"{given.name}: {said}" if given.operator == ":" else f"{given.name} {given.operator} {said}"


def _literal(value: Value) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
        case Decimal() | date():
            return str(value)
        case (0, _):
            return "today"
        case (count, unit) if count < 0 and count % 2:
            return f"{-count}_{ {'d': 'day', 'w': 'week', 'm': 'month', 'y': 'year'}[unit] }s_ago"
        case (count, unit):
            return f"{count:+}{unit}"
    raise AssertionError(value)
