# crm/loyalty/earning/granting.py
"""What an order earns by which rule. Pure, in exact fractions; rounded down once, over the whole order.

Whatever an order comes to be, it is worked out anew from what it then is: so parts sum to the whole, and an order in
parts never earns more than the same order whole by rules that go by units and items.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from math import ceil
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from crm.kernel import clock
from crm.kernel.money import Money
from crm.loyalty.earning.definitions import BASE, Conditions, Kind, Rule
from crm.loyalty.programme import Programme, Withheld


class Line(Struct, frozen=True):
    """What is kept of a line: its net in minor units (docs/glossary.md), and units of goods."""

    net: int
    units: int = 0
    category: str | None = None
    sku: str | None = None
    tags: frozenset[str] = frozenset()


class Basket(Struct, frozen=True):
    """An order as it stands, or a cart. Gift cards are no lines of it. `total`: what all of it costs, those, taxes and
    shipping with it and whatever has gone back; what its lines are worth where nobody said (0).
    """

    currency: str
    lines: tuple[Line, ...]
    channel: str | None = None
    total: int = 0


class Context(Struct, frozen=True):
    """Who ordered, and when. `segments`: those that rules ask about and the customer was in an instant before."""

    placed_at: datetime
    first: bool = False
    tier: str | None = None
    segments: tuple[str, ...] = ()


class Given(Struct, frozen=True):
    """What a rule gave."""

    rule: str
    points: int


class Rooms(Struct, frozen=True):
    """The most that rules may give to an order, by rule, where that is limited, and all together."""

    rules: Mapping[str, int] = {}
    all: int | None = None

    def within(self, rules: Mapping[str, int]) -> "Rooms":
        """With other limits besides."""
        both = {rule: min(room, self.rules.get(rule, room)) for rule, room in rules.items()}
        return replace(self, rules={**self.rules, **both})


class Earned(Struct, frozen=True):
    """What an order earns as it stands, and by which rules; `withheld` says why it is nothing whatever its net."""

    points: int
    withheld: Withheld | None = None
    given: tuple[Given, ...] = ()


FREE: Final = Rooms()


def earned(
    programme: Programme, basket: Basket, context: Context, *, points_spent: int = 0, rooms: Rooms = FREE
) -> Earned:
    """Points for what is kept of an order, less the share of it that was paid with points: with `points_spent` of all
    that it costs, so that nothing that goes back makes it earn more. Another currency than the programme's earns
    nothing, since no rate is agreed.

    A rule's share is limited per order before anything is rounded, that of a multiplier also by the room it has, since
    the next takes up what it may not give; where all rules together are limited, the last ones give less.
    """
    if basket.currency != programme.currency:
        return Earned(0, Withheld.OTHER_CURRENCY)
    given = []
    before, exact = 0, Fraction(0)
    left = _least(programme.earning.caps.per_order, rooms.all)
    for rule, share in _shares(programme, basket, context, _paid(programme, basket, points_spent), rooms):
        exact += share
        whole = int(exact) - before  # rounded down over all rules so far: so it is once, over all of them
        before = int(exact)
        points = _least(whole, rooms.rules.get(rule.id), left) or 0
        left = None if left is None else left - points
        if points:
            given.append(Given(rule.id, points))
    return Earned(sum(each.points for each in given), given=tuple(given))


def most(programme: Programme, basket: Basket, context: Context, *, points_spent: int = 0) -> tuple[Given, ...]:
    """The most that each rule can give, whatever others give, and whatever there is room for besides."""
    if basket.currency != programme.currency:
        return ()
    shares = _shares(programme, basket, context, _paid(programme, basket, points_spent), None)
    return tuple(Given(rule.id, ceil(share)) for rule, share in shares)


def holds(conditions: Conditions, context: Context, channel: str | None, zone: str) -> bool:
    """Whether what is asked of the order as a whole is so."""
    day = clock.local_day(context.placed_at, zone)
    return (
        (not conditions.segments or not set(conditions.segments).isdisjoint(context.segments))
        and (not conditions.tiers or context.tier in conditions.tiers)
        and (not conditions.channels or channel in conditions.channels)
        and (not conditions.weekdays or day.isoweekday() in conditions.weekdays)
        and (conditions.from_on is None or conditions.from_on <= day)
        and (conditions.until_on is None or day <= conditions.until_on)
        and (context.first or not conditions.first_order)
    )


def covers(conditions: Conditions, line: Line) -> bool:
    return (
        (not conditions.categories or line.category in conditions.categories)
        and (not conditions.skus or line.sku in conditions.skus)
        and (not conditions.tags or not line.tags.isdisjoint(conditions.tags))
    )


def _shares(
    programme: Programme, basket: Basket, context: Context, paid: Fraction, rooms: Rooms | None
) -> Iterable[tuple[Rule, Fraction]]:
    """What each rule gives, in the order of the rules, no more than it may for an order; the rate first. Without
    `rooms`, each multiplier as if it stood alone.
    """
    lines = basket.lines
    bases = _bases(lines, paid)
    rules = [Rule(BASE, "", Kind.PER_UNIT, programme.rate)]
    rules += [
        rule for rule in programme.earning.active if holds(rule.conditions, context, basket.channel, programme.zone)
    ]
    unit = Fraction(Money(1, programme.currency).amount)
    covered = {rule.id: _covered(rule, lines, unit) for rule in rules}
    shares: dict[str, Fraction] = {}
    plain = [Fraction(0)] * len(lines)
    for rule in rules:
        if rule.kind is Kind.PER_UNIT or rule.kind is Kind.PER_ITEM:
            value = Fraction(rule.value)
            each = {
                at: value * (bases[at] * unit if rule.kind is Kind.PER_UNIT else _units_paid(lines[at], bases[at]))
                for at in covered[rule.id]
            }
            for at, points in each.items():
                plain[at] += points
            shares[rule.id] = sum(each.values(), Fraction(0))
        elif rule.kind is Kind.FIXED:
            shares[rule.id] = Fraction(rule.value) if sum(bases[at] for at in covered[rule.id]) else Fraction(0)
    factors = [rule for rule in rules if rule.kind is Kind.MULTIPLIER]
    if rooms is not None:
        shares |= _multiplied(factors, covered, plain, rooms)
    else:
        for rule in factors:
            shares |= _multiplied([rule], covered, plain, FREE)
    return [(rule, _within(rule.caps.per_order, shares[rule.id])) for rule in rules if rule.id in shares]


def _multiplied(
    factors: Iterable[Rule], covered: Mapping[str, Collection[int]], plain: Sequence[Fraction], rooms: Rooms
) -> dict[str, Fraction]:
    """What multipliers give, the highest first. Where it may not give all that it would, its lines have the same part
    of it, and the next gives them what they lack of its own factor: so one that has nothing left takes nothing away,
    and what is left of an order never has more by it than the whole.
    """
    shares: dict[str, Fraction] = {}
    gained = [Fraction(0)] * len(plain)
    for rule in sorted(factors, key=lambda rule: (-rule.value, rule.id)):
        lacking = {at: max(Fraction(0), plain[at] * (Fraction(rule.value) - 1) - gained[at]) for at in covered[rule.id]}
        wanted = sum(lacking.values(), Fraction(0))
        shares[rule.id] = _within(_least(rule.caps.per_order, rooms.rules.get(rule.id)), wanted)
        for at, points in lacking.items():
            gained[at] += points * shares[rule.id] / wanted if wanted else 0
    return shares


def _covered(rule: Rule, lines: Sequence[Line], unit: Fraction) -> frozenset[int]:
    """The places of the lines that a rule goes by: none where they are worth too little."""
    covered = frozenset(at for at, line in enumerate(lines) if covers(rule.conditions, line))
    minimum = rule.conditions.minimum
    enough = minimum is None or sum(lines[at].net for at in covered) * unit >= Fraction(minimum)
    return covered if enough else frozenset()


def _paid(programme: Programme, basket: Basket, points_spent: int) -> Fraction:
    """The share of all that it costs."""
    total = basket.total or sum(line.net for line in basket.lines)
    return Fraction(min(programme.worth(points_spent), total), total) if total else Fraction(0)


def _bases(lines: Sequence[Line], paid: Fraction) -> list[Fraction]:
    """What of each line's net was not paid with points: of all the same share."""
    return [line.net * (1 - paid) for line in lines]


def _units_paid(line: Line, base: Fraction) -> Fraction:
    """Units of a line, less the part of them that was paid with points; what costs nothing earns nothing."""
    return line.units * base / line.net if line.net else Fraction(0)


def _within(limit: int | None, share: Fraction) -> Fraction:
    return share if limit is None else min(share, Fraction(limit))


def _least(*limits: int | None) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)
