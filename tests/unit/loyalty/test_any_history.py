# tests/unit/loyalty/test_any_history.py
"""Whatever happens to an account, its ledger is found to be right, and nothing stops it."""

from collections.abc import Callable
from contextlib import suppress
from random import Random

import pytest

from crm.loyalty.expiry import Expiry, Kind
from crm.loyalty.ledger.chain import Entry
from crm.loyalty.ledger.refusals import InsufficientPoints
from crm.loyalty.programme import Shortfall
from crm.loyalty.verification.judging import verify
from tests.unit.loyalty.book import Book
from tests.unit.loyalty.test_verification import stored

Step = Callable[[], object]

ORDERS, STEPS = ("o1", "o2"), 60


class History:
    """Orders that were paid with points and are edited, refunded and cancelled, while points are set aside, captured,
    let go, redeemed, given, and all of that undone: so that much is forgiven, and claimed again.
    """

    def __init__(self, seed: int) -> None:
        self._draw, self._done = Random(seed), 0  # noqa: S311
        self._undoable: list[Step] = []
        kinds = [None, Expiry(1), Expiry(1, kind=Kind.INACTIVITY), Expiry(2, kind=Kind.INACTIVITY)]
        self.book = Book(
            expiry=self._draw.choice(kinds), return_window_days=self._draw.choice([0, 0, 3]),
            shortfall=self._draw.choice(list(Shortfall)), most_owed=self._draw.choice([None, 0, 10, 40]),
        )  # fmt: skip

    def pass_by(self) -> None:
        steps: list[Step] = [
            self._order, self._order, self._order, self._hold, self._capture, self._release, self._redeem, self._give,
            self._undo, self._wait,
        ]  # fmt: skip
        for self._done in range(STEPS):
            with suppress(InsufficientPoints):
                self._draw.choice(steps)()

    def _order(self) -> None:
        gross = self._draw.choice([2_000, 4_000])
        refunded = self._draw.choice([0, gross, self._draw.randint(0, gross)])
        self.book.order(
            self._draw.choice(ORDERS), gross=gross, refunded=refunded,
            points_spent=self._draw.choice([0, self._draw.randint(1, 60)]), cancelled=self._draw.random() < 0.1,
        )  # fmt: skip

    def _hold(self) -> None:
        if self.book.balances[0] and len(self.book.holds) < 5:
            points, order_id = self._some(self.book.balances[0]), self._draw.choice([None, None, "o1", "o2"])
            self.book.hold(points, f"h{self._done}", hours=self._draw.choice([1, 30, 900]), order_id=order_id)

    def _capture(self) -> None:
        if self.book.holds:
            name = self._draw.choice(sorted(self.book.holds))
            entry = self.book.capture(name, self._some(self.book.holds[name].points))
            if entry.order_id is None:
                self._can_undo(entry)

    def _release(self) -> None:
        if self.book.holds:
            self.book.release(self._draw.choice(sorted(self.book.holds)), by_shop=self._draw.random() < 0.5)

    def _redeem(self) -> None:
        if self.book.balances[0]:
            cause = f"redemption:r{self._done}:redeem"
            self._can_undo(self.book.redeem(self._some(self.book.balances[0]), cause))

    def _give(self) -> None:
        self._can_undo(self.book.adjust(self._some(40), f"adjustment:a{self._done}:adjust"))

    def _undo(self) -> None:
        if self._undoable:
            self._undoable.pop(self._draw.randrange(len(self._undoable)))()

    def _can_undo(self, entry: Entry) -> None:
        self._undoable.append(lambda: self.book.reverse(entry))

    def _wait(self) -> None:
        self.book.wait(days=self._draw.choice([0, 0, 1, 4, 40]), hours=2)

    def _some(self, points: int) -> int:
        """Often all."""
        return self._draw.choice([points, self._draw.randint(1, points)])


@pytest.mark.parametrize("part", range(3))
def test_whatever_happened_the_ledger_is_found_to_be_right(part: int) -> None:
    for seed in range(part * 50, part * 50 + 50):
        history = History(seed)
        history.pass_by()
        assert list(verify(history.book.entries, stored(history.book))) == [], seed
