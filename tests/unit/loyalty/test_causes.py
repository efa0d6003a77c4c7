# tests/unit/loyalty/test_causes.py
from collections.abc import Callable

import pytest

from crm.loyalty import causes, stored
from crm.loyalty.causes import WORDS, Why
from crm.loyalty.ledger.chain import Entry
from crm.loyalty.models import LedgerEntry
from tests.unit.loyalty.book import Book


def told(entry: Entry) -> Why:
    return causes.why(stored.item_of(entry))


def full() -> Book:
    book = Book(return_window_days=1)
    book.adjust(100, "adjustment:a1:adjust")
    return book


def expired(book: Book) -> Entry:
    book.wait(days=900)
    return book.entries[-1]


def kept(book: Book) -> Book:
    book.order(gross=10_000, points_spent=40)
    return book


def matured(book: Book) -> Entry:
    kept(book).wait(days=9)
    return book.entries[-1]


def redeemed(book: Book) -> Entry:
    book.redeem(5)
    return book.entries[-2]


def captured(book: Book) -> Entry:
    book.hold(5)
    return book.capture("h1", 5)


CASES: dict[Why, Callable[[Book], Entry]] = {
    Why.ORDER: lambda book: kept(book).entries[-1],
    Why.ORDER_CHANGED: lambda book: kept(book).order(gross=10_000, cancelled=True, points_spent=40)[-1],
    Why.MATURED: matured,
    Why.PAID: lambda book: kept(book).entries[-2],
    Why.PAYMENT_RETURNED: lambda book: kept(book).order(gross=10_000, refunded=5_000, points_spent=40)[0],
    Why.REWARD: redeemed,
    Why.REWARD_GIVEN: lambda book: book.redeem(5),
    Why.CANCELLED: lambda book: book.reverse(book.redeem(5)),
    Why.CORRECTED: lambda book: book.reverse(captured(book)),
    Why.GIVEN: lambda book: book.entries[-1],
    Why.TAKEN: lambda book: book.adjust(-5, "adjustment:a2:adjust"),
}


@pytest.mark.parametrize("why", CASES)
def test_an_entry_says_why_points_moved(why: Why) -> None:
    assert told(CASES[why](full())) is why


def test_what_is_set_aside_is_spent_or_comes_back_by_somebody_or_by_time() -> None:
    book = full()
    book.hold(10)
    assert told(book.entries[-1]) is Why.HELD
    assert told(book.capture("h1", 4)) is Why.CAPTURED
    book.hold(10, "h2")
    item = stored.item_of(book.release("h2"))
    assert causes.why(item) is Why.HOLD_ENDED
    item.actor = "staff:s1"
    assert causes.why(item) is Why.RELEASED


def test_what_a_reward_took_and_did_not_give_says_who_let_it_go() -> None:
    book = full()
    book.hold(10, "rdn_2")
    item = stored.item_of(book.release("rdn_2"))
    assert (causes.why(item), causes.redemption_of(item), causes.hold_of(item)) == (
        Why.REWARD_INTERRUPTED, "rdn_2", None,
    )  # fmt: skip
    item.actor = "customer:cus_1"
    assert causes.why(item) is Why.CANCELLED
    book.hold(10, "h1")
    item = stored.item_of(book.entries[-1])
    assert (causes.redemption_of(item), causes.hold_of(item)) == (None, "h1")


def test_what_happened_at_one_instant_has_its_place_by_when_it_was_posted() -> None:
    book = full()
    book.redeem(10)
    places = [str(stored.item_of(entry).timeline_key) for entry in book.entries]
    assert places == sorted(places)


def test_an_order_whose_number_looks_like_a_cause_is_an_order() -> None:
    item = LedgerEntry.of("demo", "cus_1", "order:a:spend:b:earn:2")
    item.movement = "reverse"
    assert causes.why(item) is Why.ORDER_CHANGED


@pytest.mark.parametrize(
    ("cause", "why"),
    [
        ("account:enroll:signup", Why.ENROLLED),
        ("birthday:2026:bonus", Why.BIRTHDAY),
        ("event:e1:review:7", Why.EVENT),
    ],
)
def test_a_bonus_says_what_it_is_for(cause: str, why: Why) -> None:
    item = LedgerEntry.of("demo", "cus_1", cause)
    item.movement = "earn"
    assert causes.why(item) is why


def test_a_cause_that_this_code_does_not_know_is_told_as_such() -> None:
    item = LedgerEntry.of("demo", "cus_1", "quiz:7:prize")
    item.movement = "earn"
    assert causes.why(item) is Why.OTHER


def test_there_are_words_for_each_cause() -> None:
    assert set(WORDS) == set(Why)
