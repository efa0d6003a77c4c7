# crm/segmentation/language/binding.py
"""From what a query says to what it means in one shop: names found, values converted, and a judge for each part."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct, field

from crm.kernel.nearest import nearest
from crm.segmentation.language import reading, truth, words, writing
from crm.segmentation.language.arguments import Giving, is_reversed
from crm.segmentation.language.catalogue import (
    ATTRIBUTES,
    CALLED_HERE,
    EVENTS_HERE,
    FUNCTIONS,
    OWN,
    Catalogue,
    Segment,
)
from crm.segmentation.language.kinds import NEGATABLE, OPERATORS, Kind, Type, Unfit, Value, several, value_of
from crm.segmentation.language.mistakes import Code, Mistakes
from crm.segmentation.language.parser import MOST_DEPTH, parse
from crm.segmentation.language.tree import (
    And,
    Argument,
    Call,
    Day,
    Holds,
    Literal,
    Name,
    Not,
    Operator,
    Or,
    Predicate,
    Query,
    Span,
    Text,
)
from crm.segmentation.language.truth import Moment
from crm.segmentation.language.vocabulary import special
from crm.segmentation.language.words import Asked, Condition, Evidence, Function, Plan

MOST_IN_ALL: Final = 500
"""Conditions of a query and of the segments that it names, each as often as it is asked."""


class Binder(Struct):
    """`following`: the ids of the segments through which this query was come to. `met`: what others stand for."""

    catalogue: Catalogue
    mistakes: Mistakes
    following: tuple[str, ...] = ()
    met: dict[str, Condition | Code] = field(default_factory=dict)

    def bound(self, query: Query) -> Plan | None:
        """None where something in it is wrong."""
        plan = self._plan(query)
        if plan is not None and plan.size > MOST_IN_ALL:
            said = f"With those of the segments named these are {plan.size:,} conditions; {MOST_IN_ALL} are the most."
            self.mistakes.add(Code.TOO_MANY, said, query.span)
            return None
        return plan

    def look_at(self, subject: Name | Call) -> None:
        """Note what is wrong with the subject of a condition that could not be read any further."""
        if isinstance(subject, Name):
            self._named(subject)
        elif subject.arguments or subject.name not in FUNCTIONS:
            self._called(subject, compared=None)

    def _plan(self, query: Query) -> Plan | None:
        match query:
            case Predicate():
                return self._predicate(query)
            case Holds():
                return self._holds(query)
            case Not(part):
                says_so_within = isinstance(part, Holds) and query.span == part.span  # `f NOT MATCHES ()`
                inner = self._holds(part, "NOT ") if isinstance(part, Holds) and says_so_within else self._plan(part)
                return Plan(query, truth.opposite(inner.stand), inner.reads, inner.size, (inner,)) if inner else None
            case And(parts) | Or(parts):
                plans = [self._plan(part) for part in parts]
                good = tuple(plan for plan in plans if plan is not None)
                if len(good) < len(plans):
                    return None
                join = truth.both if isinstance(query, And) else truth.either
                stand = join([plan.stand for plan in good])
                reads = reading.all_of(plan.reads for plan in good)
                return Plan(query, stand, reads, sum(plan.size for plan in good), good)

    def _predicate(self, said: Predicate) -> Plan | None:
        asked = self._asked(said.subject)
        if asked is None:
            return None
        if said.operator not in OPERATORS[asked.type.kind]:
            self._wrong_operator(said, asked.type)
            return None
        values = [self._value(literal, asked.type) for literal in said.values]
        good = [value for value in values if value is not None]
        if len(good) < len(values):
            return None
        # Of days that recur every year, 20 December to 5 January is a window over the turn of the year.
        recurs = asked.type.kind is Kind.ANNIVERSARY and all(isinstance(value, Day) for value in good)
        is_empty = said.operator is Operator.BETWEEN and not recurs and is_reversed(*good)
        if is_empty and not self.mistakes.at(said.values[1].span):
            message = "The first value is greater than the second: nothing lies between."
            self.mistakes.add(Code.EMPTY_RANGE, message, said.values[0].span, expected=["the lower value first"])
        judge = asked.judge(said.operator, good, negated=said.negated)
        currency = self.catalogue.currency

        def evidence(moment: Moment) -> Evidence:
            return Evidence(words.shown(asked.read(moment), asked.type, currency=currency))

        return _alone(said, Condition(judge, asked.reads, evidence))

    def _holds(self, said: Holds, negation: str = "") -> Plan | None:
        """`negation`: what stands within its span, and before it once that is written otherwise."""
        condition = self._called(said.call, compared=False, negation=negation)
        if isinstance(condition, Asked):
            message = f"The function {said.call.name} is to be compared with something."
            self.mistakes.add(Code.EXPECTED, message, said.span, expected=operators_of(condition.type))
            return None
        return _alone(said, condition) if condition else None

    def _asked(self, subject: Name | Call) -> Asked | None:
        if isinstance(subject, Name):
            return self._named(subject)
        found = self._called(subject, compared=True)
        if isinstance(found, Condition):
            said = f"The function {subject.name} is a condition by itself, or with = true or = false."
            self.mistakes.add(Code.OPERATOR, said, subject.span, expected=["AND", "OR"])
            return None
        return found

    def _named(self, name: Name, fitting: Sequence[str] | None = None) -> Asked | None:
        """`fitting`: the attributes that may stand there, if not all."""
        found = self.catalogue.attribute(name.value)
        if found is not None and not found.retired:
            return found.asked
        if found is not None:
            self.mistakes.add(Code.RETIRED, f"The attribute {name.value} is retired.", name.span)
        elif name.value in FUNCTIONS:
            said = f"This is a function, whose arguments stand in parentheses: {FUNCTIONS[name.value].example}."
            meant = _compared_in_example(FUNCTIONS[name.value]) if fitting is None else None
            self.mistakes.add(Code.UNKNOWN_ATTRIBUTE, said, name.span, nearest=meant)
        else:
            self._unknown(name, fitting or [attribute.name for attribute in self.catalogue.attributes()])
        return None

    def _unknown(self, name: Name, fitting: Sequence[str]) -> None:
        own, here = f"{OWN}{name.value}", CALLED_HERE.get(name.value)
        meant = next((each for each in (own, here) if each in fitting), None)
        near = meant or nearest(name.value, [*fitting, *FUNCTIONS])
        said = "This is none of the shop's attributes." if name.value.startswith(OWN) else "There is no such attribute."
        if name.value in EVENTS_HERE:
            said, near = f"There is no such attribute. It is asked for by event('{EVENTS_HERE[name.value]}').", None
        elif near in FUNCTIONS:  # which does not stand where an attribute does
            said, near = f"There is no such attribute. There is a function: {FUNCTIONS[str(near)].example}.", None
        self.mistakes.add(Code.UNKNOWN_ATTRIBUTE, said, name.span, nearest=near)

    def _called(self, call: Call, *, compared: bool | None, negation: str = "") -> Asked | Condition | None:
        """`compared`: whether it is, and not a condition by itself; None where that cannot be told."""
        function = FUNCTIONS.get(call.name)
        if function is None:
            self._unknown_function(call, compared=compared, negation=negation)
            return None
        before = len(self.mistakes)
        giving = Giving(function, call, self.catalogue.currency, self.mistakes, self._date, self._segment)
        arguments = giving.arguments()
        return function.build(arguments) if len(self.mistakes) == before and giving.is_whole else None

    def _unknown_function(self, call: Call, *, compared: bool | None, negation: str) -> None:
        """What may be put in the place of its name, or where it is no function of the whole of it."""
        place, said, meant = Span(call.span.offset, len(call.name)), "There is no such function.", None
        if self.catalogue.attribute(call.name) is not None:
            place, said = call.span, "This is an attribute, and takes no arguments."
            meant = call.name if compared else None
        elif call.name in EVENTS_HERE:
            type_ = Argument(None, Operator.EQUAL, Text(EVENTS_HERE[call.name]))
            place, meant = call.span, f"{negation}{writing.subject(Call('event', (type_, *call.arguments)))}"
        else:
            fitting = [each.name for each in FUNCTIONS.values() if compared in {None, each.returns is not None}]
            meant = nearest(call.name, fitting)
            if meant is None and compared:
                place, meant = call.span, nearest(call.name, ATTRIBUTES)
        self.mistakes.add(Code.UNKNOWN_FUNCTION, said, place, nearest=meant)

    def _date(self, name: Name) -> Asked | None:
        dates = [attribute.name for attribute in self.catalogue.attributes() if attribute.type.kind is Kind.DATE]
        found = self._named(name, dates)
        if found is not None and found.type.kind is not Kind.DATE:
            meant = nearest(name.value, dates)
            self.mistakes.add(Code.VALUE, "This is no date.", name.span, expected=dates, nearest=meant)
            return None
        return found

    def _segment(self, said: str, span: Span) -> Condition | None:
        found = self.catalogue.segment(said)
        if found is None:
            meant = nearest(said, [each.name for each in self.catalogue.segments.values()])
            written = writing.literal(Text(meant)) if meant else None
            self.mistakes.add(Code.UNKNOWN_SEGMENT, "The shop has no such segment.", span, nearest=written)
            return None
        if found.id not in self.met:
            self.met[found.id] = self._followed(found)
        condition = self.met[found.id]
        if isinstance(condition, Condition):
            return condition
        reasons = {
            Code.CYCLE: "This segment asks about the one that the query is of.",
            Code.TOO_DEEP: f"This segment asks about others by way of more than {MOST_DEPTH} others.",
        }
        self.mistakes.add(condition, reasons.get(condition, "The query of this segment no longer is right."), span)
        return None

    def _followed(self, found: Segment) -> Condition | Code:
        """What a segment stands for, or why it stands for nothing."""
        if found.id in self.following:
            return Code.CYCLE
        if found.query is None:
            return special.by_hand(found.id)
        if len(self.following) > MOST_DEPTH:
            return Code.TOO_DEEP
        mistakes = Mistakes("")
        binder = Binder(self.catalogue, mistakes, (*self.following, found.id), self.met)
        plan = binder._plan(found.query)
        if plan is not None and not mistakes:
            return special.by_query(found.id, plan)
        codes = [mistake.code for mistake in mistakes.in_order()]
        return next((code for code in (Code.CYCLE, Code.TOO_DEEP) if code in codes), Code.UNKNOWN_SEGMENT)

    def _value(self, literal: Literal, type_: Type) -> Value | None:
        try:
            return value_of(literal, type_.of_values, currency=self.catalogue.currency)
        except Unfit as wrong:
            self.mistakes.add(Code.VALUE, str(wrong), literal.span, expected=wrong.expected, nearest=wrong.nearest)
            return None

    def _wrong_operator(self, said: Predicate, type_: Type) -> None:
        """IS NULL goes with any type."""
        message = f"The operator {said.operator.value} does not go with {several(type_.kind)}."
        meant, expected = _operator_meant(said, type_), operators_of(type_)
        self.mistakes.add(Code.OPERATOR, message, said.operator_span, expected=expected, nearest=meant)


def _alone(said: Predicate | Holds, condition: Condition) -> Plan:
    return Plan(said, truth.alone(condition.judge), condition.reads, condition.size, condition=condition)


def _operator_meant(said: Predicate, type_: Type) -> str | None:
    """What says the same of this type, of the one value that stands behind it."""
    takes, is_negative = OPERATORS[type_.kind], said.negated or said.operator is Operator.UNEQUAL
    if said.operator in {Operator.EQUAL, Operator.UNEQUAL} and Operator.CONTAINS in takes:
        place, negation = said.operator_span, "NOT " if is_negative else ""
        before = " " if said.subject.span.end == place.offset else ""
        after = " " if place.end == said.values[0].span.offset else ""
        return f"{before}{negation}{Operator.CONTAINS.value}{after}"
    if said.operator is Operator.CONTAINS and Operator.EQUAL in takes:
        return Operator.UNEQUAL.value if is_negative else Operator.EQUAL.value
    return None


def _compared_in_example(function: Function) -> str | None:
    """A function as it is compared in its example; None of one that is a condition by itself."""
    query = parse(function.example, Mistakes("")).query
    return writing.subject(query.subject) if isinstance(query, Predicate) else None


def operators_of(type_: Type) -> tuple[str, ...]:
    """How each operator of a type is written, with NOT where that goes before it."""
    found: list[str] = []
    for operator in OPERATORS[type_.kind]:
        found.append(operator.value)
        if operator in NEGATABLE:
            found.append("IS NOT NULL" if operator is Operator.IS_NULL else f"NOT {operator.value}")
    return tuple(found)
