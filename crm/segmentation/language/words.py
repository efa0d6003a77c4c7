# crm/segmentation/language/words.py
"""How attributes and functions are declared. A declaration is all there is: editor, checks and docs read it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Any, TypeAlias

from msgspec import Struct, field

from crm.kernel.money import Money
from crm.segmentation.language import comparing
from crm.segmentation.language.comparing import Read
from crm.segmentation.language.facts import Fact
from crm.segmentation.language.kinds import Kind, Type, Value, folded
from crm.segmentation.language.reading import Reads
from crm.segmentation.language.tree import Operator, Query
from crm.segmentation.language.truth import Judge, Moment, Stand


class Group(StrEnum):
    """Parts of the documentation and of an editor's list."""

    PROFILE = "Profile"
    CONSENT = "Consent"
    LOYALTY = "Loyalty, feedback and predictions"
    BUYING = "Buying"
    BEHAVIOUR = "Behaviour"
    SPECIAL = "Special"
    OWN = "The shop's own"


Compared: TypeAlias = Callable[[Operator, Sequence[Any], bool], Judge]
"""A judge of its own, from operator, values and whether the operator is negated."""


class Asked(Struct, frozen=True):
    """What stands before an operator: an attribute, or a function with its arguments."""

    type: Type
    read: Read
    reads: Reads
    compared: Compared | None = None

    def judge(self, operator: Operator, values: Sequence[Value], *, negated: bool) -> Judge:
        if self.compared is not None:
            return self.compared(operator, values, negated)
        return comparing.judge_of(self.read, self.type, operator, values, negated=negated)


class Attribute(Struct, frozen=True):
    """`unknown`: of whom its value is unknown (null); empty where it always is known."""

    name: str
    type: Type
    group: Group
    description: str
    example: str
    fact: Fact
    read: Read
    unknown: str = ""
    compared: Compared | None = None
    reads: Reads | None = None
    retired: bool = False

    @property
    def asked(self) -> Asked:
        return Asked(self.type, self.read, self.reads or Reads(frozenset({self.fact})), self.compared)


class Evidence(Struct, frozen=True):
    """What a function found: said in words, and the ids of the records it counted."""

    value: str | None
    ids: tuple[str, ...] = ()

    @classmethod
    def counted(cls, number: int, noun: str, ids: Iterable[str], *, rest: str = "") -> "Evidence":
        return cls(f"{number:,} {noun}{'' if number == 1 else 's'}{rest}", tuple(ids))


class Condition(Struct, frozen=True):
    """What is true or not by itself, as a function with its arguments is. `size`: how many conditions it is made of.
    `asks`: the query of the segment that is asked.
    """

    judge: Judge
    reads: Reads
    evidence: Callable[[Moment], Evidence]
    size: int = 1
    asks: "Plan | None" = None


class Plan(Struct, frozen=True):
    """A query, or a part of one, that can be judged. `condition` of those that are one, `parts` of what joins them."""

    query: Query
    stand: Stand
    reads: Reads
    size: int
    parts: "tuple[Plan, ...]" = ()
    condition: Condition | None = None


class Role(StrEnum):
    """What an argument is: a value, the name of an attribute that is a date, or a segment."""

    VALUE = "value"
    DATE_ATTRIBUTE = "the name of a date attribute"
    SEGMENT = "a segment"


class Parameter(Struct, frozen=True):
    """`positional`: may be given without its name, in the order of declaration. `many`: one value, or any of several in
    parentheses. `least` and `most` of numbers, both allowed. `form`: the pattern of a text, and one that has it.
    `fits`: raises Unfit for a value that has the form, and of which nothing can be true.
    """

    name: str
    type: Type
    description: str
    required: bool = False
    positional: bool = False
    many: bool = False
    role: Role = Role.VALUE
    least: int | None = None
    most: int | None = None
    form: tuple[str, str] | None = None
    fits: Callable[[Any], None] | None = None


class Among(Struct, frozen=True):
    """What an argument that takes many says: one of these texts, or (`negated`) none of them."""

    texts: frozenset[str]
    negated: bool = False

    def has(self, text: str | None) -> bool:
        """What is not known is neither."""
        return text is not None and (folded(text) in self.texts) is not self.negated

    def has_any(self, texts: Iterable[str]) -> bool:
        return any(folded(text) in self.texts for text in texts) is not self.negated


class Property(Struct, frozen=True):
    """A filter on what an event says: the path to a value in it, and what that value is to be."""

    path: tuple[str, ...]
    operator: Operator
    value: str | Fraction | bool


class Arguments(Struct, frozen=True):
    """By name, as values of the parameters' types: Among for one that takes many, Asked for an attribute, Condition
    for a segment.
    """

    values: Mapping[str, Any]
    properties: tuple[Property, ...] = ()
    currency: str = ""

    def get(self, name: str, default: Any = None) -> Any:
        return self.values.get(name, default)


class Function(Struct, frozen=True):
    """`returns`: what kind of value; None where the function is a condition by itself. `with_properties`: takes
    `properties.<path>` as arguments, too. `ranges`: names that stand for a least and a most parameter, and are given
    with an operator (`date > -90d`).
    """

    name: str
    parameters: tuple[Parameter, ...]
    group: Group
    description: str
    example: str
    facts: tuple[Fact, ...]
    build: Callable[[Arguments], Asked | Condition]
    returns: Type | None = None
    unknown: str = ""
    with_properties: bool = False
    ranges: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)

    @property
    def parameter(self) -> Mapping[str, Parameter]:
        """By name."""
        return {each.name: each for each in self.parameters}


def shown(value: Any, type_: Type, *, currency: str) -> str | None:  # noqa: PLR0911  one a kind
    """A value for people, as one text; None where it is unknown."""
    if value is None:
        return None
    match value:
        case bool():
            return "true" if value else "false"
        case date():
            return value.isoformat()
        case tuple() | frozenset():
            element = type_.of_values
            return ", ".join(sorted(filter(None, (shown(each, element, currency=currency) for each in value))))
        case int() if type_.kind is Kind.MONEY:
            return f"{Money(value, type_.currency or currency).amount} {type_.currency or currency}"
        case Fraction():
            return str(value.numerator) if value.denominator == 1 else f"{float(value):.2f}"
    return str(value)
