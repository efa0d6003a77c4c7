# tests/unit/loyalty/account_machine.py
"""Everything that can happen to an account, in any order, against a model in which each point is a token."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from msgspec.structs import replace

from crm.loyalty import expiry
from crm.loyalty.expiry import IDLE, Expiry, Kind
from crm.loyalty.holding import MOST_FOR_ORDER, MOST_HOLDS
from crm.loyalty.ledger import pools
from crm.loyalty.ledger.chain import Entry
from crm.loyalty.ledger.refusals import InsufficientPoints
from crm.loyalty.programme import Programme, Shortfall
from tests.unit.loyalty.book import PLAIN, START, Book
from tests.unit.loyalty.tokens import FAR, WAITING, Tokens

NAMES = st.sampled_from(["o1", "o2", "o3"])
POINTS = st.integers(1, 40)


class AccountMachine(RuleBasedStateMachine):
    @initialize(
        months=st.sampled_from([0, 1, 2]), window=st.sampled_from([0, 0, 3, 14]),
        shortfall=st.sampled_from(Shortfall), most_owed=st.sampled_from([None, 10]), kind=st.sampled_from(Kind),
    )  # fmt: skip
    def begin(self, months: int, window: int, shortfall: Shortfall, most_owed: int | None, kind: Kind) -> None:
        programme = replace(
            PLAIN, expiry=Expiry(months, kind=kind) if months else None, return_window_days=window, shortfall=shortfall,
            most_owed=most_owed,
        )  # fmt: skip
        kept: dict[str, Any] = {"months": months, "window": window, "policy": shortfall, "most_owed": most_owed}
        kept["waits"] = bool(months) and kind is Kind.INACTIVITY
        self.book, self.other_book = self.books(programme)
        self.tokens, self.other_tokens = (Tokens(START, **kept) for _ in range(2))
        self.causes = 0
        self.spent: list[tuple[str, Entry]] = []
        self.gifts: list[tuple[datetime, Entry]] = []

    def books(self, programme: Programme) -> tuple[Book, Book]:
        """Of two customers, one of whom may be merged into the other."""
        return Book(programme), Book(programme, customer_id="cus_2")

    @rule(days=st.integers(0, 40), hours=st.integers(0, 23))
    def time_passes(self, days: int, hours: int) -> None:
        self._wait(days=days, hours=hours)

    def _wait(self, *, days: int = 0, hours: int = 0) -> None:
        for book, tokens in ((self.book, self.tokens), (self.other_book, self.other_tokens)):
            book.wait(days=days, hours=hours)
            tokens.wait(book.now)

    @rule(hours=st.integers(1, 30))
    def a_clock_is_behind(self, hours: int) -> None:
        """Of whoever moves them next; what they have done they have done."""
        posted = [book.account.posted_at or START for book in (self.book, self.other_book)]
        for book, tokens in ((self.book, self.tokens), (self.other_book, self.other_tokens)):
            book.turn_back(hours, max(posted))
            tokens.now = book.now

    @rule(
        name=NAMES, gross=st.integers(1, 60), refunded=st.integers(0, 60), back=st.sampled_from([0, 0, 0, 1, 2]),
        points_spent=st.sampled_from([0, 0, 5, 30, 200]), cancelled=st.sampled_from([False] * 5 + [True]),
    )  # fmt: skip
    def an_order_is_told(
        self, name: str, gross: int, refunded: int, back: int, points_spent: int, *, cancelled: bool
    ) -> None:
        """Its next revision, or an older one again."""
        rev = max(1, self.book.revs.get(name, 0) + 1 - back)
        known = self.book.revs.get(name, 0)
        refunded = min(refunded, gross)
        self.book.order(
            name, gross=100 * gross, refunded=100 * refunded, rev=rev, points_spent=points_spent, cancelled=cancelled
        )
        self.book.revs[name] = max(rev, known)
        self.tokens.order(
            name, rev, gross=gross, refunded=refunded, points_spent=points_spent, cancelled=cancelled,
            placed=self.book.placed[name],
        )  # fmt: skip
        self._wait()  # what an old order earns may have expired before it is told

    @rule(points=POINTS)
    def points_are_given(self, points: int) -> None:
        self.gifts.append((self.tokens.adjust(points), self.book.adjust(points, self._cause())))

    @precondition(lambda self: self.gifts)
    @rule(data=st.data())
    def a_gift_is_taken_back(self, data: st.DataObject) -> None:
        ends, entry = self.gifts.pop(data.draw(st.integers(0, len(self.gifts) - 1)))
        self.book.reverse(entry)
        self.tokens.unadjust(entry.points, ends)

    @rule(points=POINTS)
    def points_are_taken(self, points: int) -> None:
        self._spend(points, lambda cause: self.book.adjust(-points, cause), is_active=False)

    @precondition(lambda self: len(self.book.holds) < MOST_HOLDS)
    @rule(points=POINTS)
    def points_are_redeemed(self, points: int) -> None:
        self._spend(points, lambda cause: self.book.redeem(points, cause))

    def _spend(self, points: int, move: Callable[[str], Entry], *, is_active: bool = True) -> None:
        cause = self._cause()
        entry = self._unless_short(lambda: move(cause))
        assert self.tokens.spend(points, cause, is_active=is_active) is (entry is not None)
        if entry:
            self.spent.append((cause, entry))

    @precondition(lambda self: self.spent)
    @rule(data=st.data())
    def a_debit_is_reversed(self, data: st.DataObject) -> None:
        cause, entry = self.spent.pop(data.draw(st.integers(0, len(self.spent) - 1)))
        self.book.reverse(entry)
        self.tokens.give_back(cause)

    @rule(back=st.booleans())
    def a_customer_is_merged_into_the_other(self, back: bool) -> None:
        books, tokens = (self.book, self.other_book), (self.tokens, self.other_tokens)
        books[back].transfer(books[not back], self._cause())
        tokens[back].hand_over(tokens[not back])

    @precondition(lambda self: len(self.book.holds) < MOST_HOLDS)
    @rule(points=POINTS, hours=st.integers(1, 24 * 30), order=st.none() | NAMES)
    def points_are_held(self, points: int, hours: int, order: str | None) -> None:
        hold_id = self._cause()
        if sum(held.order_id == order for held in self.book.holds.values()) >= MOST_FOR_ORDER:
            order = None
        held = self._unless_short(lambda: self.book.hold(points, hold_id, hours=hours, order_id=order))
        ends = self.book.now + timedelta(hours=hours)
        assert self.tokens.hold(hold_id, points, ends, order) is (held is not None)

    @precondition(lambda self: self.book.holds)
    @rule(data=st.data())
    def a_hold_is_captured(self, data: st.DataObject) -> None:
        holds = self.book.holds
        held = holds[name := data.draw(st.sampled_from(sorted(holds)))]
        points = data.draw(st.integers(1, held.points))
        entry = self.book.capture(name, points)
        self.tokens.capture(name, points)
        if not held.order_id:
            self.spent.append((f"{name}, captured", entry))

    @precondition(lambda self: self.book.holds)
    @rule(data=st.data(), by_shop=st.booleans())
    def a_hold_is_released(self, data: st.DataObject, *, by_shop: bool) -> None:
        hold_id = data.draw(st.sampled_from(sorted(self.book.holds)))
        self.book.release(hold_id, by_shop=by_shop)
        self.tokens.release(hold_id, by_shop=by_shop)

    @invariant()
    def both_agree(self) -> None:
        if hasattr(self, "book"):
            assert self._found(self.book) == self.tokens.state()
            assert self._found(self.other_book) == self.other_tokens.state()

    def _cause(self) -> str:
        self.causes += 1
        return f"c{self.causes}"

    @staticmethod
    def _unless_short(move: Any) -> Any:
        try:
            return move()
        except InsufficientPoints:
            return None

    @staticmethod
    def _found(book: Book) -> dict[str, Any]:
        account = book.account
        now = account.balances
        assert not (now.available and now.owed)
        assert now.available == pools.remaining(account.pools)
        causes = [entry.cause for entry in book.entries]
        assert len(set(causes)) == len(causes), "a cause that repeats stops a stored account for good"
        left: dict[datetime, int] = {}
        for name, pool in account.pools.items():
            if pool.remaining:
                left[_ends(name)] = left.get(_ends(name), 0) + pool.remaining
        orders = {name: (one.earned, one.forgiven, one.spent, one.short) for name, one in book.orders.items()}
        forgiven = [(one.points, one.order_id) for one in account.pardons]
        return {
            "balances": (now.available, now.pending, now.held, now.owed),
            "open": left,
            "orders": orders,
            "pardons": forgiven,
        }


def _ends(pool: str) -> datetime:
    """As tokens have it."""
    if not expiry.is_idle(pool):
        return expiry.ends_at(pool) or FAR
    year, month = map(int, pool.removeprefix(IDLE).split("-"))
    return datetime(year + WAITING, month, 1, tzinfo=UTC)
