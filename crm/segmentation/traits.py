# crm/segmentation/traits.py
"""What is typical of the members of a segment, in the words that queries have for it. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from msgspec import Struct

from crm.segmentation.language.catalogue import ATTRIBUTES
from crm.segmentation.language.facts import Facts
from crm.segmentation.language.kinds import Kind
from crm.segmentation.language.truth import Moment

CHOICES: Final = (
    "customer_countries",
    "customer_language",
    "gender",
    "acquisition_channel",
    "email_subscription_status",
    "rfm_group",
)
NUMBERS: Final = (
    "age",
    "number_of_orders",
    "amount_spent",
    "average_order_value",
    "loyalty_points",
    "nps_score",
)
MEMBERS, SPENT = "members", "amount_spent"
MOST_SHARES: Final = 5
_HUNDREDTH, _MILLIONTH = Decimal("0.01"), Decimal("0.000001")


class Share(Struct, frozen=True):
    """How many members have a value, and what share of all members they are, from 0 to 1."""

    value: str
    count: int
    share: Decimal


class Choice(Struct, frozen=True):
    """An attribute's most frequent values. Of `known` members any is known; one may have several."""

    name: str
    known: int
    shares: tuple[Share, ...]


class Number(Struct, frozen=True):
    """An attribute's mean and median over the `known` members of whom it is known: to hundredths, or of an amount in
    whole minor units; halves up.
    """

    name: str
    is_money: bool
    known: int
    mean: Decimal
    median: Decimal


class Typical(Struct, frozen=True):
    """`spent`: the net of all their standing orders in the shop's currency, in its minor units."""

    members: int
    spent: int
    choices: tuple[Choice, ...] = ()
    numbers: tuple[Number, ...] = ()


def counted(members: Iterable[Facts], *, now: datetime) -> dict[str, Counter[str]]:
    """How many of them have each value of each trait, as text. What is unknown is not counted."""
    found: dict[str, Counter[str]] = {name: Counter() for name in (MEMBERS, *CHOICES, *map(_known, CHOICES), *NUMBERS)}
    for facts in members:
        moment = Moment(facts, now)
        found[MEMBERS][""] += 1
        for name in (*CHOICES, *NUMBERS):
            value = ATTRIBUTES[name].read(moment)
            values = set(value) if isinstance(value, tuple) else {value} - {None}
            found[name].update(str(each) for each in values)
            if values and name in CHOICES:
                found[_known(name)][""] += 1
    return found


def typical(counts: Mapping[str, Counter[str]]) -> Typical:
    """What comes out of what was counted. A trait that is known of nobody is left out."""
    members = counts.get(MEMBERS, Counter())[""]
    choices = (_choice(name, counts, members) for name in CHOICES if counts.get(name))
    numbers = (_number(name, counts[name]) for name in NUMBERS if counts.get(name))
    spent = sum(int(value) * count for value, count in counts.get(SPENT, Counter()).items())
    return Typical(members, spent, tuple(choices), tuple(numbers))


def _known(name: str) -> str:
    return f"{name} known"


def _choice(name: str, counts: Mapping[str, Counter[str]], members: int) -> Choice:
    """Of values that as many have, the first by name come first."""
    ranked = sorted(counts[name].items(), key=lambda each: (-each[1], each[0]))[:MOST_SHARES]
    shares = tuple(Share(value, count, _rounded(Decimal(count) / members, _MILLIONTH)) for value, count in ranked)
    return Choice(name, counts[_known(name)][""], shares)


def _number(name: str, counts: Counter[str]) -> Number:
    is_money = ATTRIBUTES[name].type.kind is Kind.MONEY
    step = Decimal(1) if is_money else _HUNDREDTH
    known = counts.total()
    values = sorted((int(value), count) for value, count in counts.items())
    mean = Decimal(sum(value * count for value, count in values)) / known
    middle = Decimal(_at(values, (known - 1) // 2) + _at(values, known // 2)) / 2
    return Number(name, is_money, known, _rounded(mean, step), _rounded(middle, step))


def _at(values: Iterable[tuple[int, int]], place: int) -> int:
    """The value at a place, from 0, of values in order with how often each is there."""
    for value, count in values:
        place -= count
        if place < 0:
            return value
    raise IndexError("there are fewer values")


def _rounded(value: Decimal, step: Decimal) -> Decimal:
    return value.quantize(step, rounding=ROUND_HALF_UP)
