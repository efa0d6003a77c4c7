# crm/loyalty/earning/budgets.py
"""What an order draws of the points that a rule may give in all. Pure.

A budget lies in eight shares, so that many who earn at once do not wait for one item. Each order draws from its own
first, and from the others where that is too empty.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from crm.kernel.ids import shard_of

SHARES: Final = 8


class Drawn(Struct, frozen=True):
    """Points that an order holds of a share of a rule's budget."""

    rule: str
    share: int
    points: int


class Use(Struct, frozen=True):
    """How much of a budget is given, and what orders can still be: of one that was lowered, only what shares have left
    that had given less than theirs.
    """

    given: int
    left: int


def use(budget: int, spent: Mapping[int, int]) -> Use:
    """`spent`: what shares have given; those that are not in it, nothing."""
    left = (left_of(budget, share, spent.get(share, 0)) for share in range(SHARES))
    return Use(sum(spent.values()), sum(left))


def share_of(budget: int, share: int) -> int:
    """The shares sum to the budget."""
    return budget // SHARES + (share < budget % SHARES)


def left_of(budget: int, share: int, spent: int) -> int:
    return max(0, share_of(budget, share) - spent)


def shares_for(order_id: str) -> list[int]:
    """All of them, in the order in which an order draws from them."""
    own = shard_of(order_id, SHARES)
    return [(own + step) % SHARES for step in range(SHARES)]


def held(drawn: Iterable[Drawn], rule: str) -> int:
    return sum(each.points for each in drawn if each.rule == rule)


def draw(rule: str, drawn: Iterable[Drawn], left: Mapping[int, int], points: int) -> tuple[Drawn, ...]:
    """So that the order holds `points` of the rule's budget: more of what shares have left, or less of what it drew
    last.
    """
    found = {each.share: each.points for each in drawn if each.rule == rule}
    missing = points - sum(found.values())
    for share, most in left.items():
        more = max(0, min(missing, most))
        found[share] = found.get(share, 0) + more
        missing -= more
    for share in reversed(list(found)):
        less = max(0, min(-missing, found[share]))
        found[share] -= less
        missing += less
    if missing:
        raise ValueError(f"{missing} points more are drawn than are left")
    return tuple(Drawn(rule, share, part) for share, part in found.items() if part)
