# crm/loyalty/earning/drawing.py
"""Budgets of rules, as they are stored. That no share gives more than it has is a condition of the write, whatever was
read.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from crm.kernel.change import Change
from crm.kernel.errors import Stale
from crm.loyalty.earning import budgets, repository
from crm.loyalty.earning.budgets import Drawn
from crm.loyalty.earning.definitions import Rule
from crm.loyalty.earning.models import RuleBudget


def left(shop: str, order_id: str, more: Mapping[Rule, int], *, own: bool = False) -> dict[str, dict[int, int]]:
    """What shares have left, by rule, in the order in which this order draws from them: of a rule of which it draws no
    more none is read, and the others only where its own has not as much, all of them at once; and not where it is to
    draw from its own only.
    """
    shares = budgets.shares_for(order_id)
    found = _left(shop, [rule for rule, points in more.items() if points > 0], shares[:1])
    short = [rule for rule, points in more.items() if rule.id in found and found[rule.id][shares[0]] < points]
    for rule, others in _left(shop, [] if own else short, shares[1:]).items():
        found[rule] |= others
    return found


def write(
    change: Change,
    shop: str,
    rules: Iterable[Rule],
    before: Iterable[Drawn],
    after: Iterable[Drawn],
    *,
    few: bool = False,
) -> None:
    """Add what orders draw, or give back. The commit raises Stale where a share has not as much any more. With
    `few` writes, all that it gives back of a budget goes to one share: that has spent less then, maybe less than
    nothing, and all together as much as they have.
    """
    of = {rule.id: rule.budget or 0 for rule in rules}
    was, becomes = _by_share(before), _by_share(after)
    moved = {each: becomes[each] - was[each] for each in sorted(was.keys() | becomes.keys())}
    for (rule, share), points in (_gathered(moved) if few else moved).items():
        item, spent = RuleBudget.of(shop, rule, share), RuleBudget.spent
        if points > 0:
            fits = spent <= budgets.share_of(of[rule], share) - points
            change.update(item, [spent.add(points)], when=spent.does_not_exist() | fits, otherwise=Stale())
        elif points < 0:
            change.update(item, [spent.add(points)], when=None, otherwise=Stale())


def _by_share(drawn: Iterable[Drawn]) -> Counter[tuple[str, int]]:
    """Of all orders together."""
    found: Counter[tuple[str, int]] = Counter()
    for each in drawn:
        found[each.rule, each.share] += each.points
    return found


def _gathered(moved: Mapping[tuple[str, int], int]) -> dict[tuple[str, int], int]:
    """What goes back, at the first share of its rule to which anything does."""
    found: dict[tuple[str, int], int] = {}
    first: dict[str, tuple[str, int]] = {}
    for each, points in moved.items():
        place = first.setdefault(each[0], each) if points < 0 else each
        found[place] = found.get(place, 0) + points
    return found


def _left(shop: str, rules: Sequence[Rule], shares: Sequence[int]) -> dict[str, dict[int, int]]:
    spent = repository.get_spent(shop, [rule.id for rule in rules], shares) if rules else {}
    return {
        rule.id: {share: budgets.left_of(rule.budget or 0, share, spent[rule.id].get(share, 0)) for share in shares}
        for rule in rules
    }
