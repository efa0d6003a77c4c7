# crm/loyalty/earning/limits.py
"""What limits what an order may earn: what its customer was given before, and what is left of budgets."""

from collections.abc import Sequence
from datetime import datetime

from crm.kernel import clock
from crm.kernel.change import Change
from crm.kernel.errors import Stale
from crm.loyalty.earning import budgets, caps, drawing, repository
from crm.loyalty.earning.budgets import Drawn
from crm.loyalty.earning.caps import EVER, Counts
from crm.loyalty.earning.granting import Given, Rooms
from crm.loyalty.programme import Programme


class Limits:
    """Of an order that takes up so much of them (`given`) so far, and holds so much of budgets; and what is to be
    written of them. With `few` writes it draws from its own share of a budget only.

    What is counted of the customer is read after the account, and written with it.
    """

    def __init__(
        self,
        shop: str,
        customer_id: str,
        order_id: str,
        programme: Programme,
        *,
        placed_at: datetime,
        given: Sequence[Given],
        drawn: Sequence[Drawn],
        few: bool = False,
    ) -> None:
        self._shop, self._order_id, self._earning = shop, order_id, programme.earning
        self._given, self._drawn, self._few = given, drawn, few
        self._day = clock.local_day(placed_at, programme.zone).isoformat()
        counted = self._earning.is_counted
        self._items = repository.get_counts(shop, customer_id, [self._day[:7], EVER]) if counted else {}
        self._counts: Counts = {day: rules for item in self._items.values() for day, rules in item.counts.items()}
        self._left: dict[str, dict[int, int]] = {}
        self.rooms = caps.rooms(self._earning, self._counts, self._day, given)

    def with_budgets(self, wanted: Sequence[Given]) -> Rooms:
        """The rooms of an order that would earn so much but for budgets; those are read."""
        limited = {rule.id: rule for rule in self._earning.active if rule.budget is not None}
        rooms = {}
        for each in wanted:
            if each.rule in limited:
                held = budgets.held(self._drawn, each.rule)
                more = each.points - held
                left = drawing.left(self._shop, self._order_id, limited[each.rule], more, own=self._few)
                self._left[each.rule], rooms[each.rule] = left, held + sum(left.values())
        return self.rooms.within(rooms)

    def drawn(self, given: Sequence[Given]) -> tuple[Drawn, ...]:
        """What the order holds of budgets once it takes up so much."""
        points = {each.rule: each.points for each in given}
        rules = {rule.id for rule in self._earning.active if rule.budget is not None}
        return tuple(
            part
            for rule in sorted(rules)
            for part in budgets.draw(rule, self._drawn, self._left.get(rule, {}), points.get(rule, 0))
        )

    def write(self, change: Change, given: Sequence[Given], drawn: Sequence[Drawn]) -> bool:
        """Add what it takes up, and what that is of budgets; return whether the account is to be written with it."""
        drawing.write(change, self._shop, self._earning.rules, self._drawn, drawn, few=self._few)
        counts = caps.recounted(self._earning, self._counts, self._day, self._given, given)
        if counts == self._counts:
            return False
        for period, item in self._items.items():
            item.counts = {day: rules for day, rules in counts.items() if (day == EVER) == (period == EVER)}
            change.write(item, when=None, otherwise=Stale())
        return True
