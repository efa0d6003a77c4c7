# tests/unit/loyalty/ledger/test_order_points.py
"""The refund matrix (docs/loyalty.md), case by case, and what else orders do to points."""

from itertools import permutations
from typing import Any

import pytest

from crm.loyalty.expiry import Expiry
from crm.loyalty.programme import Shortfall
from crm.orders import totals as totals_of
from crm.orders.totals import Line, Returned, totals
from tests.unit.loyalty.book import Book


def book(**changed: Any) -> Book:
    """Points live for a month."""
    return Book(**{"expiry": Expiry(1), **changed})


def said(given: Book) -> list[tuple[str, int]]:
    return [(entry.cause, entry.points) for entry in given.entries]


def test_a_newer_revision_posts_the_difference_and_an_older_one_is_no_news() -> None:
    given = book()
    for rev, gross, posted in ((1, 12_000, [120]), (2, 8_000, [-40]), (3, 8_000, []), (2, 12_000, []), (3, 9_000, [])):
        assert [entry.points for entry in given.order(gross=gross, rev=rev)] == posted


# --- (a) pending


def test_points_wait_for_the_return_window_and_can_be_spent_after_it() -> None:
    given = book(return_window_days=14)
    given.order(gross=12_050)
    assert given.balances == (0, 120, 0, 0)
    given.wait(days=15)
    assert given.balances == (120, 0, 0, 0)
    assert given.entries[-1].cause == "order:o1:mature"
    assert given.entries[-1].occurred_at.isoformat() == "2026-03-24T23:00:00+00:00"


def test_a_refund_while_points_are_pending_takes_them_from_what_is_pending() -> None:
    given = book(return_window_days=14)
    given.adjust(50)
    given.order(gross=10_000)
    given.order(gross=10_000, refunded=4_000)
    assert given.balances == (50, 60, 0, 0)
    given.order(gross=10_000, cancelled=True)
    assert given.balances == (50, 0, 0, 0)
    given.wait(days=15)
    assert given.balances == (50, 0, 0, 0)
    assert given.entries[-1].movement == "reverse"


# --- (b) available and unspent


def test_a_refund_of_unspent_points_takes_them_from_where_that_order_put_them() -> None:
    given = book()
    given.order("o1", gross=10_000)
    given.wait(days=10)
    given.order("o2", gross=10_000)
    given.order("o2", gross=10_000, refunded=10_000)
    assert given.open == {"2026-04-10": 100}
    assert [(each.cause, each.points) for each in given.entries[-1].reverses] == [("order:o2:earn:1", 100)]


# --- (c) spent


def spent_then_refunded(**policy: Any) -> Book:
    """100 earned and 60 of another order; 130 spent; the first order is refunded whole."""
    given = book(**policy)
    given.order("o1", gross=10_000)
    given.wait(days=1)
    given.order("o2", gross=6_000)
    given.redeem(130)
    given.order("o1", gross=10_000, refunded=10_000)
    return given


@pytest.mark.parametrize("shortfall", Shortfall)
def test_a_refund_of_spent_points_takes_others_first_whatever_the_policy(shortfall: Shortfall) -> None:
    """Of 40 until 15 April and 50 until 20 April the 60 of a refund leave 30 of the latter."""
    given = book(shortfall=shortfall)
    given.order("o1", gross=10_000)
    for cause, points in (("adjustment:a1:adjust", 40), ("adjustment:a2:adjust", 50)):
        given.wait(days=5)
        given.adjust(points, cause)
    given.redeem(100)
    given.order("o1", gross=10_000, refunded=6_000)
    assert (given.open, given.balances) == ({"2026-04-20": 30}, (30, 0, 0, 0))
    assert given.entries[-1].forgiven == 0


def test_a_refund_of_spent_points_is_forgiven_beyond_the_balance_where_the_policy_is_so_and_says_how_much() -> None:
    given = spent_then_refunded(shortfall=Shortfall.WITHIN_BALANCE)
    assert given.balances == (0, 0, 0, 0)
    assert (given.entries[-1].points, given.entries[-1].forgiven) == (-30, 70)


def test_a_refund_of_spent_points_leaves_a_balance_below_zero_where_the_policy_is_so() -> None:
    given = spent_then_refunded(shortfall=Shortfall.NEGATIVE)
    assert given.balances == (0, 0, 0, 70)
    assert given.account.balances.net == -70
    assert (given.entries[-1].points, given.entries[-1].forgiven) == (-100, 0)


def test_a_balance_goes_no_further_below_zero_than_its_limit() -> None:
    given = spent_then_refunded(shortfall=Shortfall.NEGATIVE, most_owed=50)
    assert given.balances == (0, 0, 0, 50)
    assert given.entries[-1].forgiven == 20


def test_a_refund_of_spent_points_is_recovered_from_what_is_earned_next_where_the_policy_is_so() -> None:
    given = spent_then_refunded(shortfall=Shortfall.RECOVER)
    given.order("o3", gross=5_000)
    assert given.balances == (0, 0, 0, 20)
    given.order("o4", gross=5_000)
    assert given.balances == (30, 0, 0, 0)


def test_what_was_forgiven_is_earned_only_once_when_the_order_is_edited_up_again() -> None:
    given = spent_then_refunded(shortfall=Shortfall.WITHIN_BALANCE)
    given.order("o1", gross=10_000)
    assert given.balances == (30, 0, 0, 0)
    assert (given.orders["o1"].earned, given.orders["o1"].forgiven) == (100, 0)


def test_what_was_forgiven_stays_forgiven_at_the_next_revision() -> None:
    given = spent_then_refunded(shortfall=Shortfall.WITHIN_BALANCE)
    given.adjust(500)
    assert given.order("o1", gross=10_000, refunded=10_000) == []
    assert given.balances == (500, 0, 0, 0)


# --- (d) expired already


def test_a_refund_of_points_that_have_expired_takes_nothing_a_second_time() -> None:
    given = book()
    given.order("o1", gross=10_000)
    given.redeem(30)
    given.wait(days=40)
    given.adjust(500)
    given.order("o1", gross=10_000, refunded=7_000)
    assert given.balances == (500, 0, 0, 0)
    assert given.entries[-1].points == 0
    sides = {posting.account: posting.points for posting in given.entries[-1].postings}
    assert sides == {"programme:expired": -70, "programme:issued": 70}


def test_of_points_that_were_partly_spent_before_the_rest_expired_only_the_spent_are_owed() -> None:
    given = book()
    given.order("o1", gross=10_000)
    given.redeem(30)
    given.wait(days=40)
    given.order("o1", gross=10_000, refunded=10_000)
    assert given.balances == (0, 0, 0, 30)


# --- (e) paid partly with points


def paid_with_points(**changed: Any) -> Book:
    """60 points until 10 April and 60 until 20 April, of which 90 (0.90 euros) paid for an order of 100 euros."""
    given = book(**changed)
    given.adjust(60, "adjust:a1")
    given.wait(days=10)
    given.adjust(60, "adjust:a2")
    given.order(gross=10_000, points_spent=90)
    return given


def test_an_order_paid_partly_with_points_spends_them_and_earns_on_the_rest_only() -> None:
    given = paid_with_points()
    assert said(given)[2:] == [("order:o1:spend:1", -90), ("order:o1:earn:1", 99)]
    assert given.open == {"2026-04-20": 30 + 99}


def test_a_refund_of_an_order_paid_partly_with_points_gives_its_share_back_with_the_original_expiry() -> None:
    given = paid_with_points(rate=0)
    given.order(gross=10_000, points_spent=90, refunded=5_000)
    assert given.open == {"2026-04-10": 15, "2026-04-20": 60}
    assert [(each.cause, each.points) for each in given.entries[-1].reverses] == [("order:o1:spend:1", 45)]
    given.order(gross=10_000, points_spent=90, refunded=10_000)
    assert given.open == {"2026-04-10": 60, "2026-04-20": 60}


def billed(*back: Returned, cancelled: bool = False) -> dict[str, Any]:
    """An article of 1 euro and a gift card of 50, with a tax of 20 cents and 8.80 of shipping: 60 euros."""
    lines = [Line("a", 1, 100, tax=20), Line("g", 1, 5_000, gift_card=True)]
    worth, bill = totals(lines, back, cancelled=cancelled), totals_of.bill(lines, back, shipping=880)
    return {
        "gross": worth.gross, "refunded": worth.refunded, "total": bill.total, "returned": bill.returned,
        "points_spent": 6_000, "cancelled": cancelled,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("back", "points"),
    [(["a"], 120), (["g"], 5_000), (["a", "g"], 5_120)],
)
def test_points_paid_for_gift_cards_taxes_and_shipping_too_and_come_back_with_what_is_given_back(
    back: list[str], points: int
) -> None:
    given = book(rate=0)
    given.adjust(6_000)
    given.order(**billed())
    assert given.balances == (0, 0, 0, 0)
    given.order(**billed(*(Returned(line, 1) for line in back)))
    assert given.balances == (points, 0, 0, 0)
    given.order(**billed(*(Returned(line, 1) for line in back), cancelled=True))
    assert given.balances == (6_000, 0, 0, 0)  # what paid for shipping comes back where the order is cancelled


def test_a_gift_card_alone_that_was_paid_with_points_gives_them_back() -> None:
    given = book(rate=0)
    given.adjust(5_000)
    given.order(gross=0, total=5_000, points_spent=5_000)
    given.order(gross=0, total=5_000, returned=5_000, points_spent=5_000)
    assert given.balances == (5_000, 0, 0, 0)


def test_of_several_spendings_the_newest_goes_back_first() -> None:
    given = book(rate=0)
    given.adjust(30, "adjustment:a1:adjust")
    given.order(gross=10_000, points_spent=30)
    given.wait(days=10)
    given.adjust(30, "adjustment:a2:adjust")
    given.order(gross=10_000, points_spent=60)
    given.order(gross=10_000, points_spent=30)
    assert given.open == {"2026-04-20": 30}
    assert [(each.cause, each.points) for each in given.entries[-1].reverses] == [("order:o1:spend:2", 30)]


def test_what_goes_back_of_points_is_rounded_down_over_all_refunds_together() -> None:
    given = book(rate=0)
    given.adjust(10)
    for refunded, left in ((0, 0), (3_333, 3), (3_334, 3), (6_666, 6), (10_000, 10)):
        given.order(gross=10_000, refunded=refunded, points_spent=10)
        assert given.balances == (left, 0, 0, 0)


def test_what_is_added_to_an_order_that_is_told_late_expires_when_the_order_did() -> None:
    """It happened while the first points lived; those of it that are told after their end were lost with them."""
    given = book()
    given.order(gross=10_000)
    given.wait(days=20)
    edited = given.now
    given.wait(days=16)
    given.occasion = lambda cause, at=None, **others: Book.occasion(given, cause, at or edited, **others)  # type: ignore[method-assign]
    given.order(gross=15_000)
    given.wait(minutes=1)
    assert given.balances == (0, 0, 0, 0)


def test_points_given_back_after_their_expiry_can_be_spent_for_thirty_days() -> None:
    given = paid_with_points(rate=0)
    given.wait(days=22)  # 11 April
    given.order(gross=10_000, points_spent=90, cancelled=True)
    assert given.open == {"2026-04-20": 60, "2026-05-11": 60}


def test_an_order_that_is_not_covered_spends_what_there_is_and_gives_back_no_more() -> None:
    given = book(rate=0)
    given.adjust(40)
    given.order(gross=10_000, points_spent=90)
    assert given.balances == (0, 0, 0, 0)
    assert given.orders["o1"].short == 50
    given.order(gross=10_000, points_spent=90, refunded=5_000)
    assert given.balances == (0, 0, 0, 0)
    given.order(gross=10_000, points_spent=90, refunded=10_000)
    assert given.balances == (40, 0, 0, 0)


# --- (f) partial lines and units


def test_partial_refunds_of_lines_and_units_take_back_exactly_the_whole() -> None:
    lines = [Line("a", 3, 3_333), Line("b", 7, 1_499, discount=5)]
    returns = [Returned("a", 1), Returned("b", 2), Returned("b", 5), Returned("a", 2)]
    given = book()
    given.adjust(100)
    for count in range(len(returns) + 1):
        worth = totals(lines, returns[:count], cancelled=False)
        given.order(gross=worth.gross, refunded=worth.refunded, points_spent=37)
    assert given.balances == (100, 0, 0, 0)
    assert sum(points for cause, points in said(given) if ":earn:" in cause) == 0
    assert sum(points for cause, points in said(given) if ":spend:" in cause) == 0


# --- (g) out of order, (h) before the order


def test_two_partial_refunds_that_come_out_of_order_end_as_if_they_had_not() -> None:
    revisions: list[dict[str, Any]] = [
        {"rev": 1, "refunded": 0},
        {"rev": 2, "refunded": 3_333},
        {"rev": 3, "refunded": 5_000},
    ]
    for permutation in permutations(revisions):
        given = book()
        given.adjust(30)
        for revision in permutation:
            given.order(gross=10_000, points_spent=30, **revision)
        assert given.balances == (30 - 15 + 49, 0, 0, 0), permutation


def test_a_refund_that_comes_before_its_order_leaves_what_the_order_is_then_worth() -> None:
    """The order's shell keeps the refund (crm/orders); what comes first to our ears is the order as refunded."""
    given = book()
    given.order(gross=10_000, refunded=4_000, rev=2)
    assert given.order(gross=10_000, rev=1) == []
    assert said(given) == [("order:o1:earn:2", 60)]


# --- (i) chargeback after a refund


def test_a_chargeback_after_a_refund_takes_back_what_the_refund_left_and_no_more() -> None:
    given = book()
    given.order(gross=10_000)
    given.order(gross=10_000, refunded=7_000)
    given.order(gross=10_000, refunded=7_000, cancelled=True)
    assert [points for _, points in said(given)] == [100, -70, -30]
    assert given.order(gross=10_000, refunded=10_000, cancelled=True) == []


# --- (j) edited


def test_an_order_edited_up_and_down_posts_the_differences() -> None:
    given = book()
    for gross, balance in ((10_000, 100), (15_000, 150), (12_000, 120), (20_000, 200), (0, 0)):
        given.order(gross=gross)
        assert given.balances == (balance, 0, 0, 0)
    assert [(each.cause, each.points) for each in given.entries[2].reverses] == [("order:o1:earn:2", 30)]
    assert [(each.cause, each.points) for each in given.entries[4].reverses] == [
        ("order:o1:earn:4", 80), ("order:o1:earn:2", 20), ("order:o1:earn:1", 100),
    ]  # fmt: skip


def test_what_is_added_to_an_order_waits_and_expires_with_it() -> None:
    given = book(return_window_days=14)
    given.order(gross=10_000)
    given.wait(days=5)
    given.order(gross=15_000)
    assert given.balances == (0, 150, 0, 0)
    given.wait(days=10)
    given.order(gross=16_000)
    assert given.open == {"2026-04-10": 160}


def test_what_is_added_to_an_order_whose_points_have_expired_lives_for_thirty_days() -> None:
    given = book()
    given.order(gross=10_000)
    given.wait(days=40)
    given.order(gross=15_000)
    assert given.open == {"2026-05-19": 50}


# --- (k) taxes, shipping, gift cards; (l) the part paid with points


def test_taxes_shipping_and_gift_cards_earn_nothing() -> None:
    """Net leaves them out (crm/orders/totals.py): of 178.00 in all 100.00 earn, and of a gift card given back none."""
    lines = [Line("a", 1, 10_000, tax=2_000), Line("g", 1, 5_000, gift_card=True)]
    given = book()
    for back in ([], [Returned("g", 1)]):
        worth, bill = totals(lines, back, cancelled=False), totals_of.bill(lines, back, shipping=800)
        assert bill.total == 17_800
        given.order(gross=worth.gross, refunded=worth.refunded, total=bill.total, returned=bill.returned)
        assert given.balances == (100, 0, 0, 0)


@pytest.mark.parametrize(("points_spent", "earned"), [(0, 100), (1, 99), (100, 99), (101, 98), (10_000, 0)])
def test_nothing_is_earned_on_the_part_paid_with_points(points_spent: int, earned: int) -> None:
    given = book()
    given.adjust(20_000)
    given.order(gross=10_000, points_spent=points_spent)
    assert given.orders["o1"].earned == earned


def test_orders_are_corrected_each_by_itself() -> None:
    given = book()
    given.order("o1", gross=10_000)
    given.order("o2", gross=999)
    given.order("o1", gross=10_000, cancelled=True)
    assert given.balances == (9, 0, 0, 0)


def test_an_order_in_another_currency_earns_nothing_and_the_programme_it_began_with_decides() -> None:
    given = book()
    given.order("o1", gross=10_000, currency="USD")
    assert given.orders["o1"].withheld == "OTHER_CURRENCY"
    given.order("o2", gross=10_000)
    given.programme = Book(currency="USD").programme
    given.order("o2", gross=8_000)
    assert given.balances == (80, 0, 0, 0)


def test_an_old_order_that_is_told_late_earns_what_expired_when_it_would_have() -> None:
    given = book()
    placed = given.now
    given.wait(days=60)
    given.order(gross=10_000, placed_at=placed)
    given.wait(minutes=1)
    assert given.balances == (0, 0, 0, 0)
    assert given.entries[-1].occurred_at.isoformat() == "2026-04-10T22:00:00+00:00"
