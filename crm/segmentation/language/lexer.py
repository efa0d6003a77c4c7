# crm/segmentation/language/lexer.py
"""A text as tokens. One pass, in time linear to its length: no pattern can give back what it has taken."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from msgspec import Struct

from crm.segmentation.language import tree
from crm.segmentation.language.mistakes import Code, Mistakes
from crm.segmentation.language.tree import Offset, Operator, Span, Unit

EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)
FURTHEST: Final = {Unit.DAY: 73_000, Unit.WEEK: 10_400, Unit.MONTH: 2_400, Unit.YEAR: 200}
"""Offsets go 200 years either way."""
MOST_DIGITS: Final = 18
QUOTES: Final = '"\u2018\u2019\u201a\u201b\u201c\u201d\u201e'
"""What word processors make of a quote, and the double one, that other languages have."""
KEYWORDS: Final = frozenset(
    {"AND", "OR", "NOT", "BETWEEN", "CONTAINS", "IN", "STARTS", "WITH", "IS", "NULL", "MATCHES", "NOT_MATCHES"}
)
NAMED_UNITS: Final = {"day": Unit.DAY, "week": Unit.WEEK, "month": Unit.MONTH, "year": Unit.YEAR}
SPELLED: Final = re.compile(r"([+-]?)(\d{1,6})(day|week|month|year|minute|[dwmy])s?(ago|fromnow)?", re.ASCII)
"""A number and its unit as people write them, without what stands between."""
INSTEAD: Final = {"<>": "!=", "==": "=", "&&": "AND", "||": "OR", "!": "NOT"}


class Kind(StrEnum):
    WORD = "a name"
    KEYWORD = "a keyword"
    VALUE = "a value"
    OPERATOR = "an operator"
    MARK = "a mark"
    CURSOR = "the cursor"
    END = "the end"


class Token(Struct, frozen=True):
    """`text` is as written; keywords and operators in their own spelling. `value` is that of a value."""

    kind: Kind
    text: str
    span: Span
    value: tree.Literal | None = None

    @property
    def name(self) -> str:
        """In lower case, as names are known; as long as what stands there."""
        lower = self.text.lower()
        return lower if len(lower) == len(self.text) else self.text


TOKEN: Final = re.compile(
    r"""
    (?P<space>\s++)
  | (?P<ago>[0-9]++_\w++)
  | (?P<date>[0-9]++-[0-9]++(?:-[0-9]++)?+(?:T[0-9:.]*+Z?+)?+)
  | (?P<offset>[+-]?+[0-9]++(?:\.[0-9]++)?+\s*+(?i:days?+|weeks?+|months?+|years?+|minutes?+|[dwmy])(?![\w.])
      (?:\s++(?i:ago|from\s++now)\b)?+
    | [+-][0-9]++[^\W\d_]\w*+)
  | (?P<number>[+-]?+(?:[0-9]++(?:\.[0-9]++)?+|\.[0-9]++)(?![\w.]))
  | (?P<word>[^\W\d]\w*+(?:\.\w++)*+)
  | (?P<text>'(?:[^'\\]|''|\\.)*+')
  | (?P<open>'[\s\S]*+)
  | (?P<quoted>"[^"]*+"?+|[\u2018-\u201e][^\u2018-\u201e]*+[\u2018-\u201e]?+)
  | (?P<operator><=|>=|!=|=(?!=)|<(?!>)|>)
  | (?P<instead><>|==|&&|\|\||!)
  | (?P<mark>[(),:])
  | (?P<currency>[$€£¥]\s*+(?:\d[0-9.]*+)?+)
  | (?P<other>[0-9.]\w*+|.)
    """,
    re.VERBOSE | re.DOTALL,
)


def tokens(text: str, mistakes: Mistakes) -> list[Token]:
    """All tokens, the end the last of them. What is none is a mistake, and read as what it was probably meant as."""
    return [*_tokens(text, mistakes), Token(Kind.END, "", Span(len(text), 0))]


def _tokens(text: str, mistakes: Mistakes) -> Iterator[Token]:
    for found in TOKEN.finditer(text):
        span = Span(found.start(), found.end() - found.start())
        written = found.group()
        match found.lastgroup:
            case "word":
                yield _word(written, span)
            case "operator":
                yield Token(Kind.OPERATOR, written, span)
            case "mark":
                yield Token(Kind.MARK, written, span)
            case "space":
                pass
            case "instead":
                yield _instead(written, span, text, mistakes)
            case "other":
                one = span.length == 1
                said = "The language has no such character." if one else "This is neither a number nor a name."
                mistakes.add(Code.CHARACTER, said, span)
            case kind:
                yield Token(Kind.VALUE, written, span, _value(str(kind), written, span, mistakes))


def unquoted(written: str) -> str:
    """What stands between quotes: a quote is doubled there, or behind a backslash as a backslash is."""
    return re.sub(r"''|\\([\s\S])", lambda found: found[1] or "'", written)


def _word(written: str, span: Span) -> Token:
    upper = written.upper()
    if upper in {"TRUE", "FALSE"}:
        return Token(Kind.VALUE, upper.lower(), span, tree.Flag(upper == "TRUE", span))
    if upper in {"TODAY", "YESTERDAY"}:
        return Token(Kind.VALUE, upper.lower(), span, Offset(0 if upper == "TODAY" else -1, Unit.DAY, span))
    return Token(Kind.KEYWORD, upper, span) if upper in KEYWORDS else Token(Kind.WORD, written, span)


def _instead(written: str, span: Span, text: str, mistakes: Mistakes) -> Token:
    meant = INSTEAD[written]
    # Apart from what stands beside it, as words have to be.
    before, after = text[max(0, span.offset - 1) : span.offset], text[span.end : span.end + 1]
    put_in = f"{_gap(before, '(')}{meant}{_gap(after, ')')}" if meant.isalpha() else meant
    mistakes.add(Code.CHARACTER, f"This is written {meant} here.", span, expected=[meant], nearest=put_in)
    return Token(Kind.KEYWORD if meant.isalpha() else Kind.OPERATOR, meant, span)


def _gap(beside: str, bracket: str) -> str:
    """What keeps a word apart from the character beside it, if there is one."""
    return "" if not beside or beside.isspace() or beside == bracket else " "


def _value(kind: str, written: str, span: Span, mistakes: Mistakes) -> tree.Literal:  # noqa: PLR0911  one a kind
    """What it says, or where it says nothing, something of the kind that was meant: the mistake is noted."""
    match kind:
        case "text":
            return tree.Text(unquoted(written[1:-1]), span)
        case "open":
            mistakes.add(Code.UNTERMINATED, "This text has no closing quote.", span, expected=["'"])
            return tree.Text(unquoted(written[1:]), span)
        case "quoted":
            mistakes.add(Code.CHARACTER, "Texts stand in single quotes: 'like this'.", span, expected=["'"])
            return tree.Text(written.strip(QUOTES), span)
        case "number":
            return _number(written, span, mistakes)
        case "currency":
            mistakes.add(Code.CHARACTER, "Amounts have no currency sign: they are in the shop's currency.", span)
            return tree.Number(Decimal(0), span)
        case "date":
            return _day(written, span, mistakes)
    return _offset(written, span, mistakes)


def _number(written: str, span: Span, mistakes: Mistakes) -> tree.Literal:
    if sum(character.isdigit() for character in written) > MOST_DIGITS:
        mistakes.add(Code.VALUE, f"This number has more than {MOST_DIGITS} digits.", span)
        return tree.Number(Decimal(0), span)
    return tree.Number(Decimal(written), span)


def _day(written: str, span: Span, mistakes: Mistakes) -> tree.Literal:
    form = re.fullmatch(r"\d{4}-\d{2}-\d{2}", written, re.ASCII)
    try:
        day = date.fromisoformat(written) if form else None
    except ValueError:
        day = None
    if day is not None and EARLIEST <= day <= LATEST:
        return tree.Day(day, span)
    said = "There is no such day from 1900 to 2199." if form else "A day is written like 2026-01-31, without a time."
    mistakes.add(Code.NO_SUCH_DAY, said, span, expected=["a day such as 2026-01-31"])
    return tree.Day(EARLIEST, span)


def _offset(written: str, span: Span, mistakes: Mistakes) -> tree.Literal:
    """`-90d`, or `90_days_ago`, which is the same."""
    forward = re.fullmatch(r"([+-]\d{1,6})([dwmy])", written, re.ASCII | re.IGNORECASE)
    ago = re.fullmatch(r"(\d{1,6})_(day|week|month|year)s?_ago", written, re.ASCII | re.IGNORECASE)
    if forward:
        count, unit = int(forward[1]), Unit(forward[2].lower())
    elif ago:
        count, unit = -int(ago[1]), NAMED_UNITS[ago[2].lower()]
    else:
        return _spelled(written, span, mistakes)
    if abs(count) > FURTHEST[unit]:
        mistakes.add(Code.VALUE, "This day lies more than 200 years from today.", span)
        return Offset(0, Unit.DAY, span)
    return Offset(count, unit, span) if count else Offset(0, Unit.DAY, span)


def _spelled(written: str, span: Span, mistakes: Mistakes) -> tree.Literal:
    """`-3 months`, `90 days ago`: a relative date of other languages. Without either it may be no date at all."""
    found = SPELLED.fullmatch(re.sub(r"[\s_]", "", written).lower())
    sign, digits, name, direction = found.groups() if found else ("", "", "", None)
    if name == "minute":
        said, meant = "Numbers have no unit.", None if sign or direction else digits
        mistakes.add(Code.VALUE, said, span, expected=["a number"], nearest=meant)
        return tree.Number(Decimal(digits), span)
    unit = NAMED_UNITS[name] if name in NAMED_UNITS else Unit(name or "d")
    sign = {"ago": "-", "fromnow": "+"}.get(direction or "", sign)
    if found and not sign:
        said = "Numbers have no unit, and relative dates have a sign: -90d, +7d."
        mistakes.add(Code.VALUE, said, span, expected=["a number", "a relative date such as -90d"])
        return Offset(0, Unit.DAY, span)
    count = int(f"{sign}{digits or 0}")
    meant = f"{sign}{digits}{unit.value}" if found and abs(count) <= FURTHEST[unit] else None
    said = "A relative date is written like -90d, -4w, -12m, -1y, +7d or 7_days_ago."
    mistakes.add(Code.VALUE, said, span, expected=["a relative date such as -90d"], nearest=meant)
    return Offset(count, unit, span) if meant else Offset(0, Unit.DAY, span)


OPERATORS: Final = {operator.value: operator for operator in Operator if not operator.value[0].isalpha()}
