# crm/loyalty/earning/limits.py
"""What limits what an order may earn: what its customer was given before, and what is left of budgets."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from crm.kernel import clock
from crm.kernel.change import Change
from crm.kernel.errors import Stale
from crm.loyalty.earning import budgets, caps, drawing, repository
from crm.loyalty.earning.budgets import Drawn
from crm.loyalty.earning.caps import EVER, Counts
from crm.loyalty.earning.definitions import Earning
from crm.loyalty.earning.granting import Given, Rooms
from crm.loyalty.earning.models import EarnedCounts
from crm.loyalty.programme import Programme


class TakenUp(Struct, frozen=True):
    """What an order of that day takes up of limits, as it was and as it becomes, and what it held of budgets and holds
    then.
    """

    earning: Earning
    day: str
    was: Sequence[Given]
    becomes: Sequence[Given]
    held: Sequence[Drawn]
    holds: Sequence[Drawn]

    @property
    def places(self) -> set[str]:
        """What is written of it: counts by period, and budgets by rule."""
        periods = {self.day[:7], EVER} if self.earning.is_counted else set()
        return periods | {each.rule for each in {*self.held} ^ {*self.holds}}


def lessened(
    programme: Programme,
    placed_at: datetime,
    *,
    was: Sequence[Given],
    given: Iterable[Given],
    forgiven: int,
    held: Sequence[Drawn],
) -> TakenUp:
    """Of an order of which only so much is `forgiven` any more."""
    becomes = caps.taken_up(was, given, forgiven)
    points = {each.rule: each.points for each in becomes}
    holds = tuple(
        part
        for rule in dict.fromkeys(each.rule for each in held)
        for part in budgets.draw(rule, held, {}, min(points.get(rule, 0), budgets.held(held, rule)))
    )
    return TakenUp(programme.earning, _day(placed_at, programme), was, becomes, held, holds)


class Limits:
    """Of an order that takes up so much of them (`given`) so far, and holds so much of budgets; and what is to be
    written of them. With `few` writes it draws from its own share of a budget only.

    What is counted of the customer is read after the account, and written with it. Of one who was merged it is read of
    the `survivors` too, the last last, and written of that one: what they are given counts together.
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
        survivors: Sequence[str] = (),
    ) -> None:
        self._shop, self._order_id = shop, order_id
        self._earning = programme.earning
        self._given, self._drawn, self._few = given, drawn, few
        self._day = _day(placed_at, programme)
        periods = [self._day[:7], EVER] if self._earning.is_counted else []
        *others, self._holder_id = (customer_id, *survivors)
        self._items = repository.get_counts(shop, self._holder_id, periods) if periods else {}
        of_others = [repository.get_counts(shop, each, periods) for each in others if periods]
        counts = caps.together(*map(_counts, [self._items, *of_others]))
        self._left: dict[str, dict[int, int]] = {}
        self.rooms = caps.rooms(self._earning, counts, self._day, given)

    def with_budgets(self, most: Iterable[Given]) -> Rooms:
        """The rooms of an order that earns by each rule so much at most; budgets are read of which it may draw more
        than it holds, and of others it has no more than that.
        """
        limited = [rule for rule in self._earning.active if rule.budget is not None]
        held = {rule.id: budgets.held(self._drawn, rule.id) for rule in limited}
        points = {each.rule: min(each.points, self.rooms.rules.get(each.rule, each.points)) for each in most}
        more = {rule: points.get(rule.id, 0) - held[rule.id] for rule in limited}
        self._left = drawing.left(self._shop, self._order_id, more, own=self._few)
        return self.rooms.within({rule: held[rule] + sum(self._left.get(rule, {}).values()) for rule in held})

    def drawn(self, given: Sequence[Given]) -> tuple[Drawn, ...]:
        """What the order holds of budgets once it takes up so much."""
        points = {each.rule: each.points for each in given}
        rules = {rule.id for rule in self._earning.active if rule.budget is not None}
        return tuple(
            part
            for rule in sorted(rules)
            for part in budgets.draw(rule, self._drawn, self._left.get(rule, {}), points.get(rule, 0))
        )

    def write(
        self, change: Change, given: Sequence[Given], drawn: Sequence[Drawn], others: Sequence[TakenUp] = ()
    ) -> bool:
        """Add what it takes up, and what that is of budgets, with what `others` do; return whether the accounts are to
        be written with it.
        """
        own = TakenUp(self._earning, self._day, self._given, given, self._drawn, drawn)
        few = self._few or bool(others)
        return write(change, self._shop, self._holder_id, [*others, own], few=few, items=self._items)


def write(
    change: Change,
    shop: str,
    customer_id: str,
    taken_up: Sequence[TakenUp],
    *,
    few: bool = True,
    items: Mapping[str, EarnedCounts] | None = None,
) -> bool:
    """Add what a customer's orders take up of limits; `items` are counts that were read. Return whether any is another
    than it was.
    """
    held = [part for each in taken_up for part in each.held]
    holds = [part for each in taken_up for part in each.holds]
    rules = [rule for each in taken_up for rule in each.earning.rules]  # only the last draws
    drawing.write(change, shop, rules, held, holds, few=few)
    counted = [each for each in taken_up if each.earning.is_counted]
    missing = {period for each in counted for period in (each.day[:7], EVER)} - (items or {}).keys()
    all_ = {**(items or {}), **(repository.get_counts(shop, customer_id, sorted(missing)) if missing else {})}
    before = after = _counts(all_)
    for each in counted:
        after = caps.recounted(each.earning, after, each.day, each.was, each.becomes)
    if after == before:
        return False
    for period, item in all_.items():
        item.counts = {day: rules for day, rules in after.items() if _period(day) == period}
        change.write(item, when=None, otherwise=Stale())
    return True


def hand_over(change: Change, counts: EarnedCounts, to: EarnedCounts) -> None:
    """Add to `change`: what one customer was given is another's. Both accounts are held to in it."""
    to.counts = caps.together(to.counts, counts.counts)
    change.write(to, when=None, otherwise=Stale())
    change.delete(counts, when=None, otherwise=Stale())


def _counts(items: Mapping[str, EarnedCounts]) -> Counts:
    return {day: rules for item in items.values() for day, rules in item.counts.items()}


def _period(day: str) -> str:
    return EVER if day == EVER else day[:7]


def _day(placed_at: datetime, programme: Programme) -> str:
    return clock.local_day(placed_at, programme.zone).isoformat()
