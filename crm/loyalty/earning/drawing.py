# crm/loyalty/earning/drawing.py
"""Budgets of rules, as they are stored. That no share gives more than it has is a condition of the write, whatever was
read.
"""

from collections.abc import Iterable, Sequence

from crm.kernel.change import Change
from crm.kernel.errors import Stale
from crm.loyalty.earning import budgets, repository
from crm.loyalty.earning.budgets import Drawn
from crm.loyalty.earning.definitions import Rule
from crm.loyalty.earning.models import RuleBudget


def left(shop: str, order_id: str, rule: Rule, more: int) -> dict[int, int]:
    """What shares have left, in the order in which this order draws from them: the others are read only where its own
    has not as much as `more`.
    """
    if more <= 0:
        return {}
    shares = budgets.shares_for(order_id)
    found = _left(shop, rule, shares[:1])
    return found if found[shares[0]] >= more else found | _left(shop, rule, shares[1:])


def write(change: Change, shop: str, rules: Iterable[Rule], before: Iterable[Drawn], after: Iterable[Drawn]) -> None:
    """Add what an order draws, or gives back. The commit raises Stale where a share has not as much any more."""
    of = {rule.id: rule.budget or 0 for rule in rules}
    was, becomes = ({(each.rule, each.share): each.points for each in drawn} for drawn in (before, after))
    for rule, share in sorted(was.keys() | becomes.keys()):
        points = becomes.get((rule, share), 0) - was.get((rule, share), 0)
        item, spent = RuleBudget.of(shop, rule, share), RuleBudget.spent
        if points > 0:
            fits = spent <= budgets.share_of(of[rule], share) - points
            change.update(item, [spent.add(points)], when=spent.does_not_exist() | fits, otherwise=Stale())
        elif points < 0:
            change.update(item, [spent.add(points)], when=None, otherwise=Stale())


def _left(shop: str, rule: Rule, shares: Sequence[int]) -> dict[int, int]:
    spent = repository.get_spent(shop, rule.id, shares)
    return {share: max(0, budgets.share_of(rule.budget or 0, share) - spent.get(share, 0)) for share in shares}
