# crm/segmentation/language/mistakes.py
"""What is wrong with a query: where, what was expected there, and what was probably meant."""

from bisect import bisect_right
from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from crm.segmentation.language.tree import Span

MOST = 100


class Code(StrEnum):
    """Public contract: a code never changes meaning."""

    CHARACTER = "CHARACTER"
    CYCLE = "CYCLE"
    EMPTY_RANGE = "EMPTY_RANGE"
    EXPECTED = "EXPECTED"
    MISSING_ARGUMENT = "MISSING_ARGUMENT"
    NO_SUCH_DAY = "NO_SUCH_DAY"
    OPERATOR = "OPERATOR"
    REPEATED_ARGUMENT = "REPEATED_ARGUMENT"
    RETIRED = "RETIRED"
    TOO_DEEP = "TOO_DEEP"
    TOO_LONG = "TOO_LONG"
    TOO_MANY = "TOO_MANY"
    UNKNOWN_ARGUMENT = "UNKNOWN_ARGUMENT"
    UNKNOWN_ATTRIBUTE = "UNKNOWN_ATTRIBUTE"
    UNKNOWN_FUNCTION = "UNKNOWN_FUNCTION"
    UNKNOWN_SEGMENT = "UNKNOWN_SEGMENT"
    UNTERMINATED = "UNTERMINATED"
    VALUE = "VALUE"


MEANINGS = {
    Code.CHARACTER: "A character that the language does not have.",
    Code.CYCLE: "The segment would be asked about itself, by way of others.",
    Code.EMPTY_RANGE: "`BETWEEN` with its greater value first: nothing lies there.",
    Code.EXPECTED: "Something else was expected here; `expected` lists it.",
    Code.MISSING_ARGUMENT: "A function lacks an argument that it needs.",
    Code.NO_SUCH_DAY: "A date that no calendar has, such as 30 February, or outside of 1900 to 2199.",
    Code.OPERATOR: "The attribute does not take this operator; `expected` lists those it takes.",
    Code.REPEATED_ARGUMENT: "An argument is given twice.",
    Code.RETIRED: "An attribute of the shop's own that has been retired.",
    Code.TOO_DEEP: "More than 20 parentheses and `NOT`s within each other.",
    Code.TOO_LONG: "More than 10,000 characters. Nothing else is looked at.",
    Code.TOO_MANY: "More than 100 conditions, 500 with those of the segments named, or 500 values in a list.",
    Code.UNKNOWN_ARGUMENT: "The function has no such argument.",
    Code.UNKNOWN_ATTRIBUTE: "There is no such attribute, or the shop has not defined it.",
    Code.UNKNOWN_FUNCTION: "There is no such function.",
    Code.UNKNOWN_SEGMENT: "The shop has no such segment.",
    Code.UNTERMINATED: "A text whose closing quote is missing.",
    Code.VALUE: "A value of another type, or none of those the attribute can have.",
}


class Mistake(Struct, frozen=True):
    """`line` and `column` count from 1, `offset` from 0; all of them, and `length`, in characters (code points).

    `nearest` is text to be put in the place of what stands there.
    """

    code: Code
    message: str
    offset: int
    length: int
    line: int
    column: int
    expected: tuple[str, ...] = ()
    nearest: str | None = None


class Mistakes:
    """All that is wrong with one text, or the first hundred that were found; one at a place, since what follows from a
    mistake is none.
    """

    def __init__(self, text: str) -> None:
        self._found: dict[int, Mistake] = {}
        self._lines = [0, *(index + 1 for index, character in enumerate(text) if character == "\n")]

    def __len__(self) -> int:
        return len(self._found)

    @property
    def is_full(self) -> bool:
        return len(self._found) >= MOST

    def at(self, span: Span) -> bool:
        """Whether one begins there."""
        return span.offset in self._found

    def add(
        self,
        code: Code,
        message: str,
        span: Span,
        *,
        expected: Iterable[str] = (),
        nearest: str | None = None,
    ) -> None:
        if self.is_full:
            return
        line = bisect_right(self._lines, span.offset)
        column = span.offset - self._lines[line - 1] + 1
        mistake = Mistake(code, message, span.offset, span.length, line, column, tuple(expected), nearest)
        self._found.setdefault(span.offset, mistake)

    def in_order(self) -> tuple[Mistake, ...]:
        return tuple(self._found[offset] for offset in sorted(self._found))


def sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
