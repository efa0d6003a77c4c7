# crm/segmentation/language/given.py
"""Values, and what is given to functions: the inner half of the grammar (parser.py has it whole)."""

from collections.abc import Sequence
from typing import Final

from crm.segmentation.language import tree
from crm.segmentation.language.lexer import OPERATORS, Kind
from crm.segmentation.language.mistakes import Code
from crm.segmentation.language.reader import OF_ARGUMENTS, OF_PROPERTIES, VALUE, Lost, Reader, Wanted
from crm.segmentation.language.tree import Argument, Name, Operator, Several

MOST_VALUES: Final = 500
PROPERTIES: Final = "properties."
"""Before the path of a property of an event, which is told from others by its case."""


class Given(Reader):
    def arguments(self, function: str) -> tuple[Argument, ...]:
        """Behind the parenthesis that opens them."""
        given: list[Argument] = []
        self.opened += 1
        self.want(Wanted("argument", function))
        if self.at(Kind.MARK, ")"):
            self._close_list()
            return ()
        while True:
            self.want(Wanted("argument", function, given=given))
            given.append(self._argument(function, given))
            if not self.accept(Kind.MARK, ","):
                break
        self._close_list()
        return tuple(given)

    def _argument(self, function: str, given: Sequence[Argument]) -> Argument:
        begins = self.now
        if not self.at(Kind.WORD):
            value = self._argument_value(Wanted("argument", function, given=given))
            return Argument(None, Operator.EQUAL, value, begins.span)
        word = self.take()
        if self.at(Kind.MARK, ",") or self.at(Kind.MARK, ")"):
            return Argument(None, Operator.EQUAL, Name(word.name, word.span), word.span)
        lower = word.name
        name = PROPERTIES + word.text[len(PROPERTIES) :] if lower.startswith(PROPERTIES) else lower
        self.want(Wanted("nothing"))
        operator, value = self._related(Wanted("value", function, Operator.EQUAL, name, given))
        return Argument(name, operator, value, begins.span.to(self.before.span))

    def _related(self, looked_for: Wanted) -> tuple[Operator, tree.Literal | Name | Several]:
        """How an argument is given, and as what."""
        begins = self.now.span
        if self.accept(Kind.MARK, ":"):
            return Operator.EQUAL, self._argument_value(looked_for)
        if looked_for.argument is not None and looked_for.argument.startswith(PROPERTIES):
            return self.operator(OF_PROPERTIES), self._argument_value(looked_for)
        if self.accept(Kind.KEYWORD, "BETWEEN"):
            return Operator.BETWEEN, Several(self.between(looked_for), begins.to(self.before.span))
        negated = self.accept(Kind.KEYWORD, "NOT")
        if negated or self.at(Kind.KEYWORD, "IN"):
            self.require("IN")
            values = Several(self.values(looked_for), begins.to(self.before.span))
            return Operator.UNEQUAL if negated else Operator.EQUAL, values
        return self.operator(OF_ARGUMENTS), self._argument_value(looked_for)

    def _argument_value(self, looked_for: Wanted) -> tree.Literal | Name | Several:
        self.want(looked_for)
        if self.at(Kind.WORD):
            word = self.take()
            return Name(word.name, word.span)
        if self.at(Kind.MARK, "("):
            begins = self.now.span
            values = self.values(looked_for)
            return Several(values, begins.to(self.before.span))
        return self.value(looked_for)

    def operator(self, expected: tuple[str, ...]) -> Operator:
        """`expected`: those that there may be."""
        if self.at(Kind.OPERATOR):
            return OPERATORS[self.take().text]
        if self.accept(Kind.KEYWORD, "CONTAINS"):
            return Operator.CONTAINS
        if self.accept(Kind.KEYWORD, "STARTS"):
            self.require("WITH")
            return Operator.STARTS_WITH
        return self.lose(expected)

    def between(self, looked_for: Wanted) -> tuple[tree.Literal, tree.Literal]:
        self.want(looked_for)
        if self.at(Kind.KEYWORD, "AND"):
            self.note(VALUE)
            low: tree.Literal | None = None
        else:
            low = self.value(looked_for)
        self.want(Wanted("nothing"))
        self.require("AND")
        high = self.value(looked_for)
        if low is None:
            raise Lost
        return low, high

    def values(self, looked_for: Wanted) -> tuple[tree.Literal, ...]:
        opens = self.now.span
        if not self.accept(Kind.MARK, "("):
            self.lose(("(",))
        self.opened += 1
        values = [self.value(looked_for)]
        while self.accept(Kind.MARK, ","):
            values.append(self.value(looked_for))
        self._close_list()
        if len(values) > MOST_VALUES:
            self.mistakes.add(
                Code.TOO_MANY, f"This list holds {len(values)} values; {MOST_VALUES} are the most.", opens
            )
        return tuple(values)

    def _close_list(self) -> None:
        """Where the parenthesis was forgotten, reading goes on as if it was there."""
        if not self.accept(Kind.MARK, ")"):
            self.note((",", ")"))
            if self.now.text not in {"AND", "OR"} and not self.at(Kind.END):
                raise Lost
        self.opened -= 1

    def value(self, looked_for: Wanted) -> tree.Literal:
        self.want(looked_for)
        value = self.now.value
        if value is None:
            self.lose(VALUE)
        self.take()
        return value

    def require(self, word: str) -> None:
        self.want(Wanted("nothing"))
        if not self.accept(Kind.KEYWORD, word):
            self.lose((word,))
