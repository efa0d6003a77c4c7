# tests/unit/loyalty/test_undoing.py
from collections.abc import Callable

import pytest

from crm.loyalty import stored, undoing
from crm.loyalty.ledger.chain import Entry
from tests.unit.loyalty.book import Book


def spent(book: Book, hold_id: str = "h1", order_id: str | None = None) -> Entry:
    book.hold(10, hold_id, order_id=order_id)
    return book.capture(hold_id, 4)


def held(book: Book) -> Entry:
    book.hold(10)
    return book.entries[-1]


def paid(book: Book) -> Entry:
    return next(entry for entry in book.order(gross=10_000, points_spent=40) if entry.movement == "redeem")


UNDONE_BY_HAND: dict[str, Callable[[Book], Entry]] = {
    "adjustment:a1:reverse": lambda book: book.entries[0],
    "adjustment:a2:reverse": lambda book: book.adjust(-5, "adjustment:a2:adjust"),
    "hold:h1:reverse": spent,
}
NOT_BY_HAND: dict[str, Callable[[Book], Entry]] = {
    "loyaltyRedemptionCancel": lambda book: spent(book, "rdn_1"),
    "loyaltyPointsRelease": held,
    "telling of the order": paid,
    "cannot be reversed": lambda book: book.reverse(book.entries[0]),
}


def book() -> Book:
    one = Book(return_window_days=1)
    one.adjust(100, "adjustment:a1:adjust")
    return one


@pytest.mark.parametrize("cause", UNDONE_BY_HAND)
def test_what_staff_gave_or_took_and_what_a_till_spent_is_undone_by_hand_under_one_cause(cause: str) -> None:
    entry = stored.item_of(UNDONE_BY_HAND[cause](book()))
    assert (undoing.refusal(entry), undoing.undone_by(entry), undoing.by_hand(entry)) == (None, cause, cause)


@pytest.mark.parametrize("instead", NOT_BY_HAND)
def test_what_is_not_undone_by_hand_says_what_undoes_it(instead: str) -> None:
    entry = stored.item_of(NOT_BY_HAND[instead](book()))
    assert instead in (undoing.refusal(entry) or "")
    assert not (undoing.undone_by(entry) or "").endswith(":reverse")


def test_what_a_hold_paid_for_an_order_comes_back_with_the_order() -> None:
    assert "telling of the order" in (undoing.refusal(stored.item_of(spent(book(), order_id="o1"))) or "")


def test_what_a_reward_cost_is_undone_with_its_voucher() -> None:
    one = book()
    taken = stored.item_of(spent(one, "rdn_1"))
    set_aside = next(stored.item_of(entry) for entry in one.entries if entry.movement == "hold")
    assert (undoing.undone_by(taken), undoing.undone_by(set_aside)) == ("redemption:rdn_1:cancel", None)
