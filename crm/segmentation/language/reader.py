# crm/segmentation/language/reader.py
"""A place among tokens: what stands there, what was expected instead, and what is wanted where the cursor is."""

from collections.abc import Sequence
from typing import NoReturn

from msgspec import Struct

from crm.kernel.nearest import nearest
from crm.segmentation.language.lexer import Kind, Token
from crm.segmentation.language.mistakes import Code, Mistakes, sentence
from crm.segmentation.language.tree import Argument, Call, Name, Number, Operator

CONDITION = ("an attribute", "a function", "NOT", "(")
CONNECTIVE = ("AND", "OR")
COMPARED = tuple(operator.value for operator in Operator if not operator.value[0].isalpha())
TESTS = (
    *(operator.value for operator in Operator if operator is not Operator.IS_NULL),
    "IS NULL",
    "IS NOT NULL",
    "NOT",
)
NEGATED = ("BETWEEN", "CONTAINS", "IN", "STARTS WITH")
"""What NOT may stand before."""
OF_ARGUMENTS = (":", *COMPARED, "BETWEEN", "IN", "NOT IN")
OF_PROPERTIES = (":", *COMPARED, "CONTAINS", "STARTS WITH")
VALUE = ("a text in single quotes", "a number", "a day such as 2026-01-31", "a relative date such as -90d", "today")
WORDS = ("today", "yesterday", "true", "false")


class Wanted(Struct, frozen=True):
    """What may stand at the cursor: `condition`, `connective`, `test`, `value`, `argument` (its name or value).

    `subject`: of a value and of a test, what it is about; of an argument, its function. `argument`: its name.
    """

    what: str
    subject: Name | Call | str | None = None
    operator: Operator | None = None
    argument: str | None = None
    given: Sequence[Argument] = ()


class Lost(Exception):
    """A condition that cannot be read any further; why is noted."""


class Found(Exception):
    """The cursor."""


class Reader:
    def __init__(self, read: list[Token], mistakes: Mistakes) -> None:
        self._tokens = read
        self._place = 0
        self._given_up = False
        self.opened = 0
        """How many parentheses around arguments and values are open where reading is."""
        self.mistakes = mistakes
        self.wanted = Wanted("condition")

    def want(self, looked_for: Wanted) -> None:
        if self.now.kind is Kind.CURSOR:
            self.wanted = looked_for
            raise Found

    def lose(self, expected: tuple[str, ...]) -> NoReturn:
        self.note(expected)
        raise Lost

    def note(self, expected: tuple[str, ...]) -> None:
        if self._given_up or self.mistakes.is_full:
            return
        found = self.now
        said = sentence(f"{_listed(expected)} is expected here")
        if found.text == "," and isinstance(self.before.value, Number):
            said = "Numbers have no separator but the decimal point."
        words = (*expected, *WORDS) if expected == VALUE else expected
        known = [self._without_what_follows(word) for word in words if word.isalpha() or word.isupper()]
        near = nearest(found.text, known) if found.kind in {Kind.WORD, Kind.KEYWORD} else None
        self.mistakes.add(Code.EXPECTED, said, found.span, expected=expected, nearest=near)

    def _without_what_follows(self, words: str) -> str:
        """`STARTS WITH` is STARTS where WITH stands behind already."""
        first, *rest = words.split(" ")
        following = [token.text for token in self._tokens[self._place + 1 : self._place + 1 + len(rest)]]
        return first if rest and following == rest else words

    @property
    def now(self) -> Token:
        return self._tokens[self._place]

    @property
    def before(self) -> Token:
        return self._tokens[max(0, self._place - 1)]

    def at(self, kind: Kind, text: str | None = None) -> bool:
        return self.now.kind is kind and text in {None, self.now.text}

    def follows(self, kind: Kind, text: str | None = None) -> bool:
        """Whether it stands next but one."""
        after = self._tokens[min(self._place + 1, len(self._tokens) - 1)]
        return after.kind is kind and text in {None, after.text}

    def accept(self, kind: Kind, text: str) -> bool:
        if not self.at(kind, text):
            return False
        self._place += 1
        return True

    def take(self) -> Token:
        self._place += 1
        return self.before

    def give_up(self) -> NoReturn:
        """Nothing behind this is looked at, and nothing more is noted."""
        self._given_up = True
        self._place = len(self._tokens) - 1
        raise Lost


def _listed(expected: tuple[str, ...]) -> str:
    return f"{', '.join(expected[:-1])} or {expected[-1]}" if len(expected) > 1 else expected[0]
