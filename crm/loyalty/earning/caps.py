# crm/loyalty/earning/caps.py
"""What a customer was given before, by rules that may give them no more than so much. Pure.

Counted is what is credited to the customer since the rule has such a limit: what a refund takes back makes room again,
and what it forgives does not.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from crm.loyalty.earning.definitions import Caps, Earning
from crm.loyalty.earning.granting import Given, Rooms

EVER: Final = "ever"
ALL: Final = "*"
"""What stands for a rule where all together are counted."""

Counts = Mapping[str, Mapping[str, int]]
"""Points by day (`2026-03-10`, or EVER) and rule."""


def rooms(earning: Earning, counts: Counts, day: str, given: Iterable[Given]) -> Rooms:
    """What may be given to an order of that day, which takes up so much of them (`given`) so far."""
    own = _by_rule(given)
    rules = {
        rule.id: room for rule in earning.active if (room := _room(rule.caps, counts, day, rule.id, own)) is not None
    }
    return Rooms(rules, _room(earning.caps, counts, day, ALL, own))


def taken_up(before: Sequence[Given], given: Iterable[Given], forgiven: int) -> tuple[Given, ...]:
    """What an order takes up of limits: what rules give it, and of what they gave it `before` and do not any more, what
    was forgiven. That is of rules before it is of the programme's rate, which has no limit.
    """
    points = {each.rule: each.points for each in given}
    for each in reversed(before):
        kept = min(forgiven, max(0, each.points - points.get(each.rule, 0)))
        points[each.rule] = points.get(each.rule, 0) + kept
        forgiven -= kept
    names = dict.fromkeys([*(each.rule for each in before), *points])
    return tuple(Given(name, points[name]) for name in names if points.get(name))


def recounted(earning: Earning, counts: Counts, day: str, before: Iterable[Given], after: Iterable[Given]) -> Counts:
    """The counts once an order of that day was given something else than before."""
    was, becomes = _by_rule(before), _by_rule(after)
    found = {period: dict(rules) for period, rules in counts.items()}
    limited = {rule.id: rule.caps for rule in earning.active} | {ALL: earning.caps}
    for rule, caps in limited.items():
        moved = becomes.get(rule, 0) - was.get(rule, 0)
        if moved and caps.are_counted:
            for period in (day, EVER):
                of_period = found.setdefault(period, {})
                of_period[rule] = of_period.get(rule, 0) + moved
    return found


def together(*all_: Counts) -> Counts:
    found: dict[str, Counter[str]] = {}
    for counts in all_:
        for day, rules in counts.items():
            found.setdefault(day, Counter()).update(rules)
    return {day: dict(rules) for day, rules in found.items()}


def _room(caps: Caps, counts: Counts, day: str, rule: str, own: Mapping[str, int]) -> int | None:
    limits = ((caps.per_day, day), (caps.per_customer, EVER))
    # below zero is what somebody gave back whose counts have not followed yet
    left = [limit - max(0, counts.get(period, {}).get(rule, 0)) for limit, period in limits if limit is not None]
    return own.get(rule, 0) + max(0, min(left)) if left else None


def _by_rule(given: Iterable[Given]) -> dict[str, int]:
    points = {each.rule: each.points for each in given}
    return {**points, ALL: sum(points.values())}
