# crm/segmentation/language/parser.py
"""From tokens to a tree, by recursive descent. What cannot be read is noted, and reading goes on behind it.

query     := all (OR all)*             NOT binds tighter than AND, AND tighter than OR
all       := one (AND one)*
one       := NOT one | "(" query ")" | condition
condition := subject test | call [("=" | "!=") (true | false)] | name [NOT] MATCHES given
subject   := name | call
call      := name given
given     := "(" [argument ("," argument)*] ")"
argument  := what | name (":" | operator) what | name range | name [NOT] IN several
what      := value | name | several
test      := operator value | [NOT] ((CONTAINS | STARTS WITH) value | IN several | range) | IS [NOT] NULL
several   := "(" value ("," value)* ")"
range     := BETWEEN value AND value
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final, TypeVar

from msgspec import Struct

from crm.segmentation.language import tree
from crm.segmentation.language.given import Given
from crm.segmentation.language.lexer import Kind, Token, tokens
from crm.segmentation.language.mistakes import Code, Mistakes
from crm.segmentation.language.reader import CONDITION, CONNECTIVE, NEGATED, TESTS, Found, Lost, Wanted
from crm.segmentation.language.tree import Call, Holds, Name, Not, Operator, Predicate, Query, Span

MOST_CHARACTERS: Final = 10_000
MOST_DEPTH: Final = 20
MOST_PREDICATES: Final = 100

T = TypeVar("T")


class Parsed(Struct, frozen=True):
    """The query, of those of its parts that can be read; None without any. `lost`: what the others began with."""

    query: Query | None
    lost: tuple[Name | Call, ...] = ()


def parse(text: str, mistakes: Mistakes) -> Parsed:
    """What is wrong is added to `mistakes`."""
    if len(text) > MOST_CHARACTERS:
        said = f"The query has {len(text):,} characters; {MOST_CHARACTERS:,} are the most."
        mistakes.add(Code.TOO_LONG, said, Span(MOST_CHARACTERS, len(text) - MOST_CHARACTERS))
        return Parsed(None)
    parser = _Parser(tokens(text, mistakes), mistakes)
    return Parsed(parser.parsed(), tuple(parser.lost))


def wanted(before: str) -> Wanted:
    """What may follow a text, which may be half a query, and what it says so far may be wrong."""
    mistakes = Mistakes(before)
    read = tokens(before, mistakes)[:-1]
    parser = _Parser([*read, Token(Kind.CURSOR, "", Span(len(before), 0))], mistakes)
    with suppress(Found):
        parser.parsed()
    return parser.wanted


class _Parser(Given):
    def __init__(self, read: list[Token], mistakes: Mistakes) -> None:
        super().__init__(read, mistakes)
        self._depth = 0
        self._predicates = 0
        self.lost: list[Name | Call] = []

    def parsed(self) -> Query | None:
        parts: list[Query] = []
        while True:
            if found := self._query():
                parts.append(found)
            if self.at(Kind.END):
                return tree.all_of(parts) if parts else None
            self.note(CONNECTIVE)
            if not self.at(Kind.WORD) and not self.at(Kind.KEYWORD, "NOT") and not self.at(Kind.MARK, "("):
                self.take()
                self._skip()
                self.accept(Kind.KEYWORD, "AND")
                if self.at(Kind.END):
                    return tree.all_of(parts) if parts else None

    def _query(self) -> Query | None:
        return self._joined("OR", tree.any_of, lambda: self._joined("AND", tree.all_of, self._one))

    def _joined(
        self, word: str, join: Callable[[Iterable[Query]], Query], read: Callable[[], Query | None]
    ) -> Query | None:
        parts = [read()]
        while True:
            self.want(Wanted("connective"))
            if not self.accept(Kind.KEYWORD, word):
                break
            parts.append(read())
        good = [part for part in parts if part is not None]
        return join(good) if good else None

    def _one(self) -> Query | None:
        self.want(Wanted("condition"))
        begins = self.now.span
        try:
            if self.accept(Kind.KEYWORD, "NOT"):
                part = self._within(begins, self._one)
                return Not(part, begins.to(part.span)) if part else None
            if self.accept(Kind.MARK, "("):
                found = self._within(begins, self._query)
                self._close()
                return found
            return self._condition()
        except Lost:
            self._skip()
            return None

    def _within(self, begins: Span, read: Callable[[], T]) -> T:
        if self._depth == MOST_DEPTH:
            self.mistakes.add(Code.TOO_DEEP, f"This stands within more than {MOST_DEPTH} others.", begins)
            self.give_up()
        self._depth += 1
        found = read()
        self._depth -= 1
        return found

    def _condition(self) -> Query:
        subject = self._subject()
        self._predicates += 1
        if self._predicates > MOST_PREDICATES:
            said = f"This is one condition too many: {MOST_PREDICATES} are the most."
            self.mistakes.add(Code.TOO_MANY, said, subject.span)
            self.give_up()
        if isinstance(subject, Name) and (told := self._matches(subject)):
            return told
        self.want(Wanted("connective" if isinstance(subject, Call) else "test", subject))
        try:
            if isinstance(subject, Call) and not self._begins_test():
                if self.at(Kind.WORD) and self.follows(Kind.VALUE):
                    self.lose((*CONNECTIVE, *TESTS))  # an operator of another language
                return Holds(subject)
            return self._test(subject)
        except Lost:
            self.lost.append(subject)
            raise

    def _matches(self, name: Name) -> Query | None:
        """Shopify's way of asking a function."""
        negated = self.at(Kind.KEYWORD, "NOT") and self.follows(Kind.KEYWORD, "MATCHES")
        if negated or self.at(Kind.KEYWORD, "NOT_MATCHES"):
            self.take()
            negated = True
        if not self.accept(Kind.KEYWORD, "MATCHES") and not negated:
            return None
        if not self.accept(Kind.MARK, "("):
            self.lose(("(",))
        arguments = self.arguments(name.value)
        told = Holds(Call(name.value, arguments, name.span.to(self.before.span)))
        return Not(told, told.span) if negated else told

    def _begins_test(self) -> bool:
        tests = {"NOT", "BETWEEN", "CONTAINS", "IN", "STARTS", "IS"}
        return self.at(Kind.OPERATOR) or (self.at(Kind.KEYWORD) and self.now.text in tests)

    def _subject(self) -> Name | Call:
        if not self.at(Kind.WORD):
            self.lose(CONDITION)
        word = self.take()
        if not self.accept(Kind.MARK, "("):
            return Name(word.name, word.span)
        name = word.name
        try:
            arguments = self.arguments(name)
        except Lost:
            self.lost.append(Call(name, (), word.span))
            raise
        return Call(name, arguments, word.span.to(self.before.span))

    def _test(self, subject: Name | Call) -> Query:
        values: tuple[tree.Literal, ...]
        if self.accept(Kind.KEYWORD, "IS"):
            negated = self.accept(Kind.KEYWORD, "NOT")
            self.require("NULL")
            return self._predicate(subject, Operator.IS_NULL, (), negated=negated)
        begins = self.now.span
        negated = self.accept(Kind.KEYWORD, "NOT")
        self.want(Wanted("test", subject))
        if negated and self.at(Kind.OPERATOR):
            self.lose(NEGATED)
        operator = self._operator(NEGATED if negated else TESTS)
        place = begins.to(self.before.span)
        if operator is Operator.BETWEEN:
            values = self.between(Wanted("value", subject, operator))
            return self._predicate(subject, operator, values, negated=negated, place=place)
        if operator is Operator.IN:
            values = self.values(Wanted("value", subject, operator))
            return self._predicate(subject, operator, values, negated=negated, place=place)
        value = self.value(Wanted("value", subject, operator))
        if (
            isinstance(subject, Call)
            and isinstance(value, tree.Flag)
            and operator in {Operator.EQUAL, Operator.UNEQUAL}
        ):
            told = Holds(Call(subject.name, subject.arguments, subject.span.to(value.span)))
            return told if value.value == (operator is Operator.EQUAL) else Not(told, told.span)
        return self._predicate(subject, operator, (value,), negated=negated, place=place)

    def _operator(self, expected: tuple[str, ...]) -> Operator:
        for operator in (Operator.BETWEEN, Operator.IN):
            if self.accept(Kind.KEYWORD, operator.value):
                return operator
        return self.operator(expected)

    def _predicate(
        self,
        subject: Name | Call,
        operator: Operator,
        values: tuple[tree.Literal, ...],
        *,
        negated: bool,
        place: Span = tree.NOWHERE,
    ) -> Predicate:
        """`place`: that of the operator."""
        return Predicate(subject, operator, values, negated, subject.span.to(self.before.span), place)

    def _close(self) -> None:
        while not self.accept(Kind.MARK, ")"):
            self.want(Wanted("connective"))
            self.note((*CONNECTIVE, ")"))
            if self.at(Kind.END):
                return
            if self.at(Kind.WORD) or self.at(Kind.MARK, "("):
                self._query()
            else:
                self.take()
                self._skip()

    def _skip(self) -> None:
        """To where a condition may end: AND, OR, or a parenthesis that closes one opened before it."""
        opened, self.opened = self.opened, 0
        while not self.at(Kind.END):
            self.want(Wanted("nothing"))
            if opened == 0 and (self.now.text in {"AND", "OR"} or self.at(Kind.MARK, ")")):
                return
            opened += self.at(Kind.MARK, "(") - self.at(Kind.MARK, ")")
            self.take()
