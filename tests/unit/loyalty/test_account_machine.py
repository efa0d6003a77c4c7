# tests/unit/loyalty/test_account_machine.py
"""Everything that can happen to an account, in any order, against a model in which each point is a token."""

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from crm.loyalty import expiry, pools
from crm.loyalty.expiry import Expiry
from crm.loyalty.programme import Shortfall
from crm.loyalty.refusals import InsufficientPoints
from tests.unit.loyalty.book import START, Book
from tests.unit.loyalty.tokens import FAR, Tokens

NAMES = st.sampled_from(["o1", "o2", "o3"])
POINTS = st.integers(1, 40)


class AccountMachine(RuleBasedStateMachine):
    @initialize(
        months=st.sampled_from([0, 1, 2]), window=st.sampled_from([0, 0, 3, 14]),
        shortfall=st.sampled_from(Shortfall), most_owed=st.sampled_from([None, 10]),
    )  # fmt: skip
    def begin(self, months: int, window: int, shortfall: Shortfall, most_owed: int | None) -> None:
        self.book = Book(
            expiry=Expiry(months) if months else None, return_window_days=window, shortfall=shortfall,
            most_owed=most_owed,
        )  # fmt: skip
        self.tokens = Tokens(START, months=months, window=window, policy=shortfall, most_owed=most_owed)
        self.causes = 0
        self.spent: list[tuple[str, Any]] = []

    @rule(days=st.integers(0, 40), hours=st.integers(0, 23))
    def time_passes(self, days: int, hours: int) -> None:
        self.book.wait(days=days, hours=hours)
        self.tokens.wait(self.book.now)

    @rule(
        name=NAMES, gross=st.integers(1, 60), refunded=st.integers(0, 60), back=st.integers(0, 2),
        points_spent=st.sampled_from([0, 0, 5, 30, 200]),
    )  # fmt: skip
    def an_order_is_told(self, name: str, gross: int, refunded: int, back: int, points_spent: int) -> None:
        """Its next revision, or an older one again. Points are spent on it once; what gives them back gives all."""
        rev = max(1, self.book.revs.get(name, 0) + 1 - back)
        known = self.book.revs.get(name, 0)
        refunded = min(refunded, gross)
        stands = self.book.orders.get(name)
        if stands and stands.spendings:
            refunded = gross if refunded else 0
            points_spent = max(stands.spent, stands.captured)
        self.book.order(name, gross=100 * gross, refunded=100 * refunded, rev=rev, points_spent=points_spent)
        self.book.revs[name] = max(rev, known)
        self.tokens.order(
            name, rev, gross=gross, refunded=refunded, points_spent=points_spent, placed=self.book.placed[name]
        )

    @rule(points=POINTS)
    def points_are_given(self, points: int) -> None:
        self.book.adjust(points, self._cause())
        self.tokens.adjust(points)

    @rule(points=POINTS)
    def points_are_redeemed(self, points: int) -> None:
        cause = self._cause()
        entry = self._unless_short(lambda: self.book.redeem(points, cause))
        assert self.tokens.spend(points, cause) is (entry is not None)
        if entry:
            self.spent.append((cause, entry))

    @precondition(lambda self: self.spent)
    @rule(data=st.data())
    def a_redemption_is_reversed(self, data: st.DataObject) -> None:
        cause, entry = self.spent.pop(data.draw(st.integers(0, len(self.spent) - 1)))
        self.book.reverse(entry)
        self.tokens.give_back(cause)

    @rule(points=POINTS, hours=st.integers(1, 24 * 50), order=st.none() | NAMES)
    def points_are_held(self, points: int, hours: int, order: str | None) -> None:
        hold_id = self._cause()
        if order and any(one.order_id == order for one in self.book.holds.values()):
            order = None  # one hold an order
        held = self._unless_short(lambda: self.book.hold(points, hold_id, hours=hours, order_id=order))
        ends = self.book.now + timedelta(hours=hours)
        assert self.tokens.hold(hold_id, points, ends, order) is (held is not None)

    @precondition(lambda self: self.book.holds)
    @rule(data=st.data())
    def a_hold_is_captured(self, data: st.DataObject) -> None:
        held = self.book.holds[data.draw(st.sampled_from(sorted(self.book.holds)))]
        points = data.draw(st.integers(1, held.points))
        if held.order_id and (stands := self.book.orders.get(held.order_id)) and stands.spent:
            return  # the tokens of two spendings of one order cannot be told apart
        self.book.capture(held.hold_id, points)
        self.tokens.capture(held.hold_id, points)

    @precondition(lambda self: self.book.holds)
    @rule(data=st.data())
    def a_hold_is_released(self, data: st.DataObject) -> None:
        hold_id = data.draw(st.sampled_from(sorted(self.book.holds)))
        self.book.release(hold_id)
        self.tokens.release(hold_id)

    @invariant()
    def both_agree(self) -> None:
        if not hasattr(self, "book"):
            return
        assert self._found() == self.tokens.state()

    @invariant()
    def what_is_owed_leaves_nothing_to_spend(self) -> None:
        if hasattr(self, "book"):
            available, *_, owed = self.book.balances
            assert not (available and owed)
            assert available == pools.remaining(self.book.account.pools)

    def _cause(self) -> str:
        self.causes += 1
        return f"c{self.causes}"

    @staticmethod
    def _unless_short(move: Any) -> Any:
        try:
            return move()
        except InsufficientPoints:
            return None

    def _found(self) -> dict[str, Any]:
        left = {
            expiry.ends_at(name) or FAR: pool.remaining
            for name, pool in self.book.account.pools.items()
            if pool.remaining
        }
        orders = {name: (one.earned, one.forgiven, one.spent, one.short) for name, one in self.book.orders.items()}
        return {"balances": self.book.balances, "open": left, "orders": orders}


SMALL = settings(
    max_examples=60, stateful_step_count=30, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


def test_whatever_happens_in_any_order_the_ledger_says_what_a_count_of_every_point_says() -> None:
    run_state_machine_as_test(AccountMachine, settings=SMALL)
