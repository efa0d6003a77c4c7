# crm/segmentation/language/arguments.py
"""What is given to a function, as its parameters want it. Everything that is wrong is noted."""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from msgspec import Struct, field

from crm.kernel.nearest import nearest
from crm.segmentation.language import tree
from crm.segmentation.language.days import Exclusive, Moving
from crm.segmentation.language.given import PROPERTIES
from crm.segmentation.language.kinds import EXPECTED, FLAG, NUMBER, TEXT, Kind, Type, Unfit, value_of
from crm.segmentation.language.mistakes import Code, Mistakes, sentence
from crm.segmentation.language.tree import Argument, Call, Name, Operator, Several, Span
from crm.segmentation.language.words import Among, Arguments, Asked, Condition, Function, Parameter, Property, Role

PAIRS = (("since", "until"), ("count_min", "count_max"), ("sum_amount_min", "sum_amount_max"))
OF_PROPERTIES = {tree.Text: TEXT, tree.Number: NUMBER, tree.Flag: FLAG}
ORDERED = {Operator.GREATER, Operator.AT_LEAST, Operator.LESS, Operator.AT_MOST}
WITHIN_TEXTS = {Operator.CONTAINS, Operator.STARTS_WITH}


class Giving(Struct):
    """One call being looked at. `named` finds a date attribute, `segment` what a segment's name stands for; both note
    what is wrong, and then return None.
    """

    function: Function
    call: Call
    currency: str
    mistakes: Mistakes
    named: Callable[[Name], Asked | None]
    segment: Callable[[str, Span], Condition | None]
    values: dict[str, Any] = field(default_factory=dict)
    properties: list[Property] = field(default_factory=list)
    spans: dict[str, Span] = field(default_factory=dict)

    def arguments(self) -> Arguments:
        """Of those that are right."""
        places = iter([each for each in self.function.parameters if each.positional])
        for argument in self.call.arguments:
            if argument.name is not None and argument.name.startswith(PROPERTIES) and self.function.with_properties:
                self._property(argument, argument.name.removeprefix(PROPERTIES))
            elif argument.name is not None and argument.name in self.function.ranges:
                self._range(argument, *self.function.ranges[argument.name])
            elif parameter := self._parameter(argument, next(places, None) if argument.name is None else None):
                self._take(parameter, argument)
        for parameter in self.function.parameters:
            if parameter.required and parameter.name not in self.spans:
                said = f"The argument {parameter.name} is missing. {parameter.description}"
                self.mistakes.add(Code.MISSING_ARGUMENT, said, self.call.span, expected=[parameter.name])
        self._compare()
        return Arguments(self.values, tuple(self.properties), self.currency)

    @property
    def is_whole(self) -> bool:
        """Whether each argument that was given, and each that is needed, has a value."""
        needed = {each.name for each in self.function.parameters if each.required}
        return {*self.spans, *needed} == set(self.values)

    def _parameter(self, argument: Argument, placed: Parameter | None) -> Parameter | None:
        names = [each.name for each in self.function.parameters]
        found = placed if argument.name is None else self.function.parameter.get(argument.name)
        if found is None:
            said = f"The function {self.function.name} takes {', '.join(names)}."
            place, meant = self._meant(argument)
            self.mistakes.add(Code.UNKNOWN_ARGUMENT, said, place, expected=names, nearest=meant)
        elif found.name in self.spans:
            self.mistakes.add(Code.REPEATED_ARGUMENT, f"The argument {found.name} is given before.", argument.span)
            return None
        elif argument.operator is not Operator.EQUAL and not (found.many and argument.operator is Operator.UNEQUAL):
            said = f"The argument {found.name} is given with a colon."
            self.mistakes.add(Code.OPERATOR, said, argument.span, expected=[f"{found.name}:"])
            self.spans[found.name] = argument.span
            return None
        return found

    def _meant(self, argument: Argument) -> tuple[Span, str | None]:
        """Where the name of an argument that there is not stands, and which one can be put there: some stand before an
        operator, the others before a colon.
        """
        if argument.name is None:
            near = nearest(argument.value.value, self.function.parameter) if isinstance(argument.value, Name) else None
            return argument.span, f"{near}:" if near else None
        place, name = Span(argument.span.offset, len(argument.name)), argument.name.removeprefix(PROPERTIES)
        fitting = [*self.function.ranges]
        if argument.operator is Operator.EQUAL:
            fitting += self.function.parameter
        elif argument.operator is Operator.UNEQUAL:
            fitting = [each.name for each in self.function.parameters if each.many]
        return place, nearest(name, fitting)

    def _take(self, parameter: Parameter, argument: Argument) -> None:
        self.spans[parameter.name] = argument.value.span
        value = self._given(parameter, argument.value)
        if isinstance(value, frozenset):
            value = Among(value, argument.operator is Operator.UNEQUAL)
        if value is not None:
            self.values[parameter.name] = value

    def _given(self, parameter: Parameter, given: tree.Literal | Name | Several) -> Any:
        match parameter.role, given:
            case Role.DATE_ATTRIBUTE, Name():
                return self.named(given)
            case Role.SEGMENT, tree.Text(text):
                return self.segment(text, given.span)
            case Role.VALUE, Several(values) if parameter.many:
                found = [self._value(parameter, each) for each in values]
                return None if None in found else frozenset(found)
            case Role.VALUE, tree.Text() | tree.Number() | tree.Day() | tree.Offset() | tree.Flag():
                value = self._value(parameter, given)
                return frozenset({value}) if parameter.many and value is not None else value
        role = EXPECTED[parameter.type.kind] if parameter.role is Role.VALUE else parameter.role.value
        self._unfit(given.span, role)
        return None

    def _value(self, parameter: Parameter, literal: tree.Literal) -> Any:
        value = self._fitting(literal, parameter.type, parameter.fits)
        expected = None if value is None else _expected(parameter, value)
        if expected is None:
            return value
        self.mistakes.add(
            Code.VALUE, f"The argument {parameter.name} is {expected}.", literal.span, expected=[expected]
        )
        return None

    def _range(self, argument: Argument, low: str, high: str | None) -> None:
        """What is given with an operator, as the least and the most that it means."""
        bounds = {
            Operator.EQUAL: (low, high),
            Operator.GREATER: (low,),
            Operator.AT_LEAST: (low,),
            Operator.LESS: (high,),
            Operator.AT_MOST: (high,),
            Operator.BETWEEN: (low, high),
        }.get(argument.operator, (None,))
        value = argument.value
        if isinstance(value, Several) and argument.operator is Operator.BETWEEN:
            values = value.values
        else:
            values = () if isinstance(value, Name | Several) else (value, value)
        if None in bounds or not values:
            said = f"The argument {argument.name} is given with an operator and one value, or with BETWEEN and two."
            self.mistakes.add(Code.OPERATOR, said, argument.span, expected=[f"{argument.name} >="])
            return
        for name, literal in zip(bounds, values, strict=False):
            self._bound(self.function.parameter[str(name)], argument, literal)

    def _bound(self, parameter: Parameter, argument: Argument, literal: tree.Literal) -> None:
        if parameter.name in self.spans:
            self.mistakes.add(Code.REPEATED_ARGUMENT, f"The argument {parameter.name} is given before.", argument.span)
            return
        self.spans[parameter.name] = literal.span
        value = self._value(parameter, literal)
        step = {Operator.GREATER: 1, Operator.LESS: -1}.get(argument.operator, 0)
        if value is not None and step:
            value = Exclusive(value) if isinstance(value, Moving) else value + step
        if value is not None:
            self.values[parameter.name] = value

    def _property(self, argument: Argument, path: str) -> None:
        value = argument.value
        type_ = OF_PROPERTIES.get(type(value))
        if type_ is None or isinstance(value, Name | Several):
            self._unfit(value.span, "a text, a number, true or false")
            return
        unordered = argument.operator in ORDERED and type_.kind is not Kind.NUMBER
        if unordered or (argument.operator in WITHIN_TEXTS and type_.kind is not Kind.TEXT):
            said = f"The operator {argument.operator.value} does not go with this value."
            self.mistakes.add(Code.OPERATOR, said, argument.span, expected=[":", "!="])
            return
        found = self._fitting(value, type_)
        if isinstance(found, str | Fraction | bool):
            self.properties.append(Property(tuple(path.split(".")), argument.operator, found))

    def _fitting(self, literal: tree.Literal, type_: Type, fits: Callable[[Any], None] | None = None) -> Any:
        try:
            value = value_of(literal, type_, currency=self.currency)
            if fits is not None:
                fits(value)
        except Unfit as wrong:
            self.mistakes.add(Code.VALUE, str(wrong), literal.span, expected=wrong.expected, nearest=wrong.nearest)
            return None
        return value

    def _unfit(self, span: Span, expected: str) -> None:
        self.mistakes.add(Code.VALUE, sentence(f"{expected} is expected here"), span, expected=[expected])

    def _compare(self) -> None:
        for low, high in PAIRS:
            first, last = (
                value.day if isinstance(value, Exclusive) else value
                for value in (self.values.get(low), self.values.get(high))
            )
            if first is None or last is None or self.mistakes.at(self.spans[high]):
                continue
            if is_reversed(first, last):
                said = f"The argument {low} is greater than {high}: nothing lies between."
                self.mistakes.add(Code.EMPTY_RANGE, said, self.spans[low], expected=[f"{low} below {high}"])


def _expected(parameter: Parameter, value: Any) -> str | None:
    """What a value is to be, where it is not."""
    if parameter.form is not None:
        pattern, sample = parameter.form
        return None if re.fullmatch(pattern, value, re.ASCII) else f"a text such as '{sample}'"
    too_little = parameter.least is not None and value < parameter.least
    if not too_little and (parameter.most is None or value <= parameter.most):
        return None
    return f"a number from {parameter.least}" + (" on" if parameter.most is None else f" to {parameter.most:,}")


def is_reversed(low: Any, high: Any) -> bool:
    """Whether nothing can lie between, whatever today is; False of days of which that depends on today."""
    match low, high:
        case tree.Day(first), tree.Day(last):
            return first > last
        case tree.Offset(first_count, first_unit), tree.Offset(last_count, last_unit):
            if first_count == 0 or last_count == 0:
                return first_count > last_count
            by_months = {tree.Unit.MONTH: 1, tree.Unit.YEAR: 12}
            if (first_unit in by_months) != (last_unit in by_months):
                return first_count > 0 > last_count
            lengths = by_months if first_unit in by_months else {tree.Unit.DAY: 1, tree.Unit.WEEK: 7}
            return first_count * lengths[first_unit] > last_count * lengths[last_unit]
        case ((tree.Day() | tree.Offset()), _):
            return False
    return bool(low > high)
