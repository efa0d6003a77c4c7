# crm/segmentation/language/binding.py
"""From what a query says to what it means in one shop: names found, values converted, and a judge for each part."""

from typing import Final

from msgspec import Struct, field

from crm.segmentation.language import reading, truth, words
from crm.segmentation.language.arguments import Giving, is_reversed
from crm.segmentation.language.catalogue import ATTRIBUTES, CALLED_HERE, FUNCTIONS, OWN, Catalogue, Segment
from crm.segmentation.language.kinds import NEGATABLE, OPERATORS, Kind, Type, Unfit, Value, value_of
from crm.segmentation.language.mistakes import Code, Mistakes, nearest
from crm.segmentation.language.parser import MOST_DEPTH
from crm.segmentation.language.tree import And, Call, Holds, Literal, Name, Not, Operator, Or, Predicate, Query, Span
from crm.segmentation.language.truth import Moment
from crm.segmentation.language.vocabulary import special
from crm.segmentation.language.words import Asked, Condition, Evidence, Plan

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
            said = f"asks {plan.size:,} conditions with those of the segments named; {MOST_IN_ALL} are the most"
            self.mistakes.add(Code.TOO_MANY, said, query.span)
            return None
        return plan

    def look_at(self, subject: Name | Call) -> None:
        """Note what is wrong with the subject of a condition that could not be read any further."""
        if isinstance(subject, Name):
            self._named(subject)
        elif subject.arguments or subject.name not in FUNCTIONS:
            self._called(subject)

    def _plan(self, query: Query) -> Plan | None:
        match query:
            case Predicate():
                return self._predicate(query)
            case Holds():
                return self._holds(query)
            case Not(part):
                inner = self._plan(part)
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
        if said.operator is Operator.BETWEEN and is_reversed(*good) and not self.mistakes.at(said.values[1].span):
            message = "the first value is greater than the second: nothing lies between"
            self.mistakes.add(Code.EMPTY_RANGE, message, said.values[0].span, expected=["the lower value first"])
        judge = asked.judge(said.operator, good, negated=said.negated)
        currency = self.catalogue.currency

        def evidence(moment: Moment) -> Evidence:
            return Evidence(words.shown(asked.read(moment), asked.type, currency=currency))

        return _alone(said, Condition(judge, asked.reads, evidence))

    def _holds(self, said: Holds) -> Plan | None:
        condition = self._called(said.call)
        if isinstance(condition, Asked):
            message = f"{said.call.name} is to be compared with something"
            self.mistakes.add(Code.EXPECTED, message, said.span, expected=operators_of(condition.type))
            return None
        return _alone(said, condition) if condition else None

    def _asked(self, subject: Name | Call) -> Asked | None:
        if isinstance(subject, Name):
            return self._named(subject)
        found = self._called(subject)
        if isinstance(found, Condition):
            said = f"{subject.name} is a condition by itself, or with = true or = false"
            self.mistakes.add(Code.OPERATOR, said, subject.span, expected=["AND", "OR"])
            return None
        return found

    def _named(self, name: Name) -> Asked | None:
        found = self.catalogue.attribute(name.value)
        if found is not None and not found.retired:
            return found.asked
        if found is not None:
            self.mistakes.add(Code.RETIRED, f"{name.value} is retired", name.span)
        elif name.value in FUNCTIONS:
            said = f"{name.value} is a function: its arguments stand in parentheses"
            self.mistakes.add(Code.UNKNOWN_ATTRIBUTE, said, name.span, nearest=FUNCTIONS[name.value].example)
        else:
            known = [attribute.name for attribute in self.catalogue.attributes()]
            of_the_shop = name.value.startswith(OWN) or name.value in self.catalogue.own
            own = f"{OWN}{name.value}" if name.value in self.catalogue.own else None
            meant = own or CALLED_HERE.get(name.value) or nearest(name.value, [*known, *FUNCTIONS])
            said = "is none of the shop's attributes" if of_the_shop else "there is no such attribute"
            self.mistakes.add(Code.UNKNOWN_ATTRIBUTE, said, name.span, nearest=meant)
        return None

    def _called(self, call: Call) -> Asked | Condition | None:
        function = FUNCTIONS.get(call.name)
        if function is None:
            meant = CALLED_HERE.get(call.name) or nearest(call.name, [*FUNCTIONS, *ATTRIBUTES])
            is_attribute = self.catalogue.attribute(call.name) is not None
            said = "is an attribute, and takes no arguments" if is_attribute else "there is no such function"
            self.mistakes.add(Code.UNKNOWN_FUNCTION, said, call.span, nearest=meant)
            return None
        before = len(self.mistakes)
        giving = Giving(function, call, self.catalogue.currency, self.mistakes, self._date, self._segment)
        arguments = giving.arguments()
        return function.build(arguments) if len(self.mistakes) == before and giving.is_whole else None

    def _date(self, name: Name) -> Asked | None:
        found = self._named(name)
        if found is not None and found.type.kind is not Kind.DATE:
            dates = [attribute.name for attribute in self.catalogue.attributes() if attribute.type.kind is Kind.DATE]
            self.mistakes.add(Code.VALUE, "is no date", name.span, expected=dates, nearest=nearest(name.value, dates))
            return None
        return found

    def _segment(self, said: str, span: Span) -> Condition | None:
        found = self.catalogue.segment(said)
        if found is None:
            meant = nearest(said, [each.name for each in self.catalogue.segments.values()])
            self.mistakes.add(Code.UNKNOWN_SEGMENT, "the shop has no such segment", span, nearest=meant)
            return None
        if found.id not in self.met:
            self.met[found.id] = self._followed(found)
        condition = self.met[found.id]
        if isinstance(condition, Condition):
            return condition
        reasons = {
            Code.CYCLE: "asks about this segment, by way of others",
            Code.TOO_DEEP: f"asks about others by way of more than {MOST_DEPTH} others",
        }
        self.mistakes.add(condition, reasons.get(condition, "has a query that no longer is right"), span)
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
        """It stands between the subject and the first value; IS NULL goes with any type."""
        begins = said.subject.span.end
        ends = said.values[0].span.offset if said.values else said.span.end
        message = f"{said.operator.value} does not go with a {type_.kind.value}"
        meant = Operator.CONTAINS.value if type_.kind is Kind.LIST else None
        expected = operators_of(type_)
        self.mistakes.add(Code.OPERATOR, message, Span(begins, ends - begins), expected=expected, nearest=meant)


def _alone(said: Predicate | Holds, condition: Condition) -> Plan:
    return Plan(said, truth.alone(condition.judge), condition.reads, condition.size, condition=condition)


def operators_of(type_: Type) -> tuple[str, ...]:
    """How each operator of a type is written, with NOT where that goes before it."""
    found: list[str] = []
    for operator in OPERATORS[type_.kind]:
        found.append(operator.value)
        if operator in NEGATABLE:
            found.append("IS NOT NULL" if operator is Operator.IS_NULL else f"NOT {operator.value}")
    return tuple(found)
