# tests/unit/loyalty/test_remaining.py
from crm.loyalty import expiry, remaining, stored
from crm.loyalty.expiry import Expiry, Rounding
from crm.loyalty.ledger.chain import Entry
from crm.loyalty.remaining import Credit, Part
from tests.unit.loyalty.book import START, Book


def left(book: Book, entry: Entry) -> list[int]:
    found = remaining.credits_of(stored.item_of(entry), book.account.pools, now=book.now)
    return [each.remaining for each in found]


def saver() -> tuple[Book, Entry, Entry]:
    """100 points, and 50 more that expire at the same time."""
    book = Book(expiry=Expiry(1, Rounding.MONTH))
    return book, book.adjust(100, "adjustment:a1:adjust"), book.adjust(50, "adjustment:a2:adjust")


def test_what_came_first_goes_first_and_is_there_again_when_it_comes_back() -> None:
    book, first, second = saver()
    spent = book.redeem(120)
    assert (left(book, first), left(book, second)) == ([0], [30])
    book.reverse(spent)
    assert (left(book, first), left(book, second)) == ([100], [50])


def test_a_credit_says_when_it_expires_and_nothing_is_left_of_it_then_posted_or_not() -> None:
    book, first, _ = saver()
    item = stored.item_of(first)
    ends_at = expiry.ends_at(book.pool())
    assert ends_at is not None
    [before] = remaining.credits_of(item, book.account.pools, now=START)
    assert before == Credit(100, 100, ends_at)
    [after] = remaining.credits_of(item, book.account.pools, now=ends_at)
    assert after.remaining == 0


def test_a_debit_says_which_points_it_took_and_its_reversal_which_came_back() -> None:
    book, _, _ = saver()
    pool = expiry.ends_at(book.pool())
    spent = book.adjust(-120, "adjustment:a3:adjust")
    back = stored.item_of(book.reverse(spent))
    assert remaining.taken(stored.item_of(spent)) == remaining.returned(back) == [Part(120, pool)]
    assert remaining.credited(back) == []
