# tests/unit/loyalty/test_ledger.py
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.kernel.money import Money
from crm.loyalty.ledger import Earned, Movement, Withheld, correction, earned, movement, postings


@pytest.mark.parametrize(
    ("net", "currency", "points"),
    [(0, "EUR", 0), (99, "EUR", 0), (100, "EUR", 1), (1999, "EUR", 19), (1999, "JPY", 1999), (1999, "KWD", 1)],
)
def test_each_whole_unit_of_net_earns_a_point_whatever_digits_the_currency_has(
    net: int, currency: str, points: int
) -> None:
    assert earned(Money(net, currency), currency=currency) == Earned(points)


def test_an_order_in_another_currency_earns_nothing_and_says_why() -> None:
    assert earned(Money(10_000, "USD"), currency="EUR") == Earned(0, Withheld.OTHER_CURRENCY)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=20))
def test_an_order_in_parts_never_earns_more_than_the_same_order_whole(parts: list[int]) -> None:
    whole = earned(Money(sum(parts), "EUR"), currency="EUR").points
    assert sum(earned(Money(part, "EUR"), currency="EUR").points for part in parts) <= whole


def test_a_newer_revision_posts_the_difference_and_an_older_one_is_no_news() -> None:
    assert correction(80, order_rev=2, posted=120, posted_rev=1) == -40
    assert correction(120, order_rev=3, posted=120, posted_rev=2) == 0
    assert correction(120, order_rev=1, posted=80, posted_rev=2) is None
    assert correction(80, order_rev=2, posted=80, posted_rev=2) is None


@given(st.integers(-(10**9), 10**9))
def test_what_one_account_gets_another_gives(points: int) -> None:
    assert sum(postings(points).values()) == 0


def test_points_that_go_back_are_a_reversal() -> None:
    assert (movement(5), movement(-5)) == (Movement.EARN, Movement.REVERSE)
