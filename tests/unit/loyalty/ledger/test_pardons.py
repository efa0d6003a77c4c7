# tests/unit/loyalty/ledger/test_pardons.py
"""Points are forgiven because they were spent: if that is undone, the claim comes first."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
from msgspec.structs import replace

from crm.loyalty.expiry import Expiry
from crm.loyalty.ledger import claims, movements, pardons
from crm.loyalty.ledger.chain import Reversed
from crm.loyalty.ledger.claims import Claimed
from crm.loyalty.ledger.pardons import MOST, Claim, Debit, Pardon
from crm.loyalty.programme import Shortfall
from crm.loyalty.verification.judging import verify
from tests.unit.loyalty.book import Book
from tests.unit.loyalty.test_verification import stored

Undo = Callable[[], object]
Spend = Callable[[Book, int], Undo]

POLICIES: list[dict[str, Any]] = [
    {"shortfall": Shortfall.WITHIN_BALANCE}, {"shortfall": Shortfall.NEGATIVE, "most_owed": 0},
    {"shortfall": Shortfall.NEGATIVE, "most_owed": 30}, {"shortfall": Shortfall.RECOVER, "most_owed": 30},
]  # fmt: skip


def held_and_released(given: Book, points: int) -> Undo:
    given.hold(points)
    return lambda: given.release("h1")


def held_until_it_runs_out(given: Book, points: int) -> Undo:
    given.hold(points)
    return lambda: given.wait(hours=2)


def in_a_voucher_that_is_cancelled(given: Book, points: int) -> Undo:
    redeemed = given.redeem(points)
    return lambda: given.reverse(redeemed)


def captured_and_reversed(given: Book, points: int) -> Undo:
    given.hold(points)
    captured = given.capture("h1", points)
    return lambda: given.reverse(captured)


def on_an_order_that_is_refunded_too(given: Book, points: int) -> Undo:
    given.order("o2", gross=points, points_spent=points)
    return lambda: given.order("o2", gross=points, points_spent=points, refunded=points)


def held_for_an_order_that_is_cancelled(given: Book, points: int) -> Undo:
    given.hold(points, order_id="o2")
    given.order("o2", gross=points, points_spent=points - 10)
    return lambda: given.order("o2", gross=points, cancelled=True)


def held_for_an_order_that_is_cancelled_when_it_comes(given: Book, points: int) -> Undo:
    given.hold(points, order_id="o2")
    return lambda: given.order("o2", gross=points, cancelled=True)


SPENDINGS = [
    held_and_released, held_until_it_runs_out, in_a_voucher_that_is_cancelled, captured_and_reversed,
    on_an_order_that_is_refunded_too, held_for_an_order_that_is_cancelled,
    held_for_an_order_that_is_cancelled_when_it_comes,
]  # fmt: skip


def refund(given: Book) -> None:
    given.order("o1", gross=10_000, refunded=10_000)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("points", [100, 70])
@pytest.mark.parametrize("spend", SPENDINGS)
def test_a_refund_of_what_is_spent_and_comes_back_ends_as_if_it_had_come_back_before(
    spend: Spend, points: int, policy: dict[str, Any]
) -> None:
    ends = []
    for refunded_first in (False, True):
        given = Book(**policy)
        given.order("o1", gross=10_000)
        undo = spend(given, points)
        steps: list[Undo] = [undo, lambda given=given: refund(given)]  # type: ignore[misc]
        for step in reversed(steps) if refunded_first else steps:
            step()
        ends.append((given.balances, given.orders["o1"].forgiven, given.account.pardons))
        assert verify(given.entries, stored(given)) == []
    assert ends[0] == ends[1] == ((0, 0, 0, 0), 0, ())


def test_what_is_claimed_is_an_entry_of_its_own_that_reverses_what_was_earned() -> None:
    given = Book(shortfall=Shortfall.WITHIN_BALANCE)
    given.order("o1", gross=10_000)
    given.hold(100)
    refund(given)
    assert given.account.pardons == (Pardon(3, 100, "o1"),)
    given.release("h1")
    entry = given.entries[-1]
    assert (entry.cause, entry.movement, entry.points) == ("hold:h1:release:claim:3", "reverse", -100)
    assert [(each.cause, each.points) for each in entry.reverses] == [("order:o1:earn:1", 100)]
    assert (entry.order_id, given.orders["o1"].credits) == ("o1", ())


def test_what_is_set_aside_after_points_were_forgiven_are_other_points() -> None:
    given = Book(shortfall=Shortfall.WITHIN_BALANCE)
    given.order("o1", gross=10_000)
    given.redeem(100)
    refund(given)
    given.adjust(50)
    given.hold(50)
    given.release("h1")
    assert given.balances == (50, 0, 0, 0)


def test_an_order_that_earns_again_what_was_forgiven_has_no_claim_against_it() -> None:
    given = Book(shortfall=Shortfall.WITHIN_BALANCE)
    given.order("o1", gross=10_000)
    given.hold(100)
    refund(given)
    given.order("o1", gross=10_000, refunded=4_000)
    assert (given.orders["o1"].forgiven, given.account.pardons) == (40, (Pardon(3, 40, "o1"),))
    given.release("h1")
    assert (given.balances, given.orders["o1"].forgiven) == ((60, 0, 0, 0), 0)
    given.order("o1", gross=10_000)
    assert given.balances == (100, 0, 0, 0)


def test_a_gift_that_was_forgiven_when_it_was_taken_back_is_claimed_too() -> None:
    given = Book(shortfall=Shortfall.WITHIN_BALANCE)
    gift = given.adjust(100)
    given.hold(60)
    given.reverse(gift)
    given.release("h1")
    assert given.balances == (0, 0, 0, 0)
    claimed = given.entries[-1]
    assert [(each.cause, each.points) for each in claimed.reverses] == [(gift.cause, 60)]
    assert {(each.account, each.points) for each in claimed.postings} == {
        ("customer:available", -60), ("programme:adjusted", 60)
    }  # fmt: skip


def test_what_expired_as_it_came_back_pays_first_and_then_what_expires_soonest() -> None:
    """Of 50 that were earned 20 are spent; 30 until 10 April and 40 until 20 May are held to 14 April. 50 are claimed
    then: the 30 that are too late, and 20 of the others that came back; not of what was given since.
    """
    given = Book(expiry=Expiry(1), shortfall=Shortfall.WITHIN_BALANCE)
    given.order("o1", gross=5_000)
    given.redeem(20)
    given.wait(days=10)
    given.programme = replace(given.programme, expiry=Expiry(2))
    given.adjust(40)
    given.hold(70, hours=25 * 24)
    given.order("o1", gross=5_000, refunded=5_000)
    assert given.entries[-1].forgiven == 50
    given.programme = replace(given.programme, expiry=Expiry(1))
    given.adjust(10, "adjustment:a2:adjust")
    given.wait(days=26)
    assert (given.open, given.balances) == ({"2026-04-20": 10, "2026-05-20": 20}, (30, 0, 0, 0))


def test_what_is_given_thirty_days_more_is_claimed_too() -> None:
    given = Book(expiry=Expiry(1), shortfall=Shortfall.WITHIN_BALANCE)
    given.order("o1", gross=10_000)
    given.hold(100, hours=60 * 24)
    refund(given)
    given.wait(days=20)
    given.adjust(50)
    given.wait(days=20)
    given.release("h1", by_shop=True)
    assert (given.open, given.balances) == ({"2026-04-30": 50}, (50, 0, 0, 0))


def test_no_more_is_claimed_than_an_order_has_left_to_be_reversed() -> None:
    given = Book(shortfall=Shortfall.WITHIN_BALANCE)
    given.order("o1", gross=10_000)
    held = given.hold(100)
    refund(given)
    occasion = given.occasion("hold:h1:release")
    moved = movements.release(given.account, held.portions, subject="hold:h1", grace=None, occasion=occasion)
    debits = [Debit(held.number, 100)]
    assert claims.claim(moved, debits, {}, occasion=occasion) == Claimed(moved.account)
    some = claims.claim(moved, debits, {"o1": [Reversed("order:o1:earn:1", 30)]}, occasion=occasion)
    assert [entry.points for entry in some.entries] == [-30]
    assert some.account.pardons == (Pardon(3, 70, "o1"),)


def test_two_refunds_that_forgave_are_claimed_of_what_the_order_earned_and_of_each_entry_once() -> None:
    given = Book(shortfall=Shortfall.WITHIN_BALANCE)
    given.order("o1", gross=10_000)
    given.order("o1", gross=15_000)
    given.hold(150)
    given.order("o1", gross=15_000, refunded=6_000)
    given.order("o1", gross=15_000, refunded=15_000)
    given.release("h1")
    assert [[(each.cause, each.points) for each in entry.reverses] for entry in given.entries[-2:]] == [
        [("order:o1:earn:2", 50), ("order:o1:earn:1", 10)], [("order:o1:earn:1", 90)],
    ]  # fmt: skip
    assert (given.balances, given.orders["o1"].credits) == ((0, 0, 0, 0), ())


def test_what_came_back_of_two_spendings_of_one_pool_and_paid_a_debt_is_claimed_of_what_is_left() -> None:
    given = Book(shortfall=Shortfall.NEGATIVE, most_owed=60)
    given.order("o1", gross=14_000)
    given.order("o2", gross=14_000, points_spent=70)
    given.order("o2", gross=14_000, points_spent=140)
    given.redeem(given.balances[0])
    refund(given)
    given.order("o2", gross=14_000, points_spent=40)
    assert given.balances[0] == 0
    assert verify(given.entries, stored(given)) == []


@pytest.mark.parametrize("how", ["an order captures it", "somebody does"])
def test_what_is_left_of_a_hold_for_an_order_pays_first_what_was_forgiven(how: str) -> None:
    given = Book(shortfall=Shortfall.WITHIN_BALANCE)
    given.order("o1", gross=10_000)
    given.hold(100, order_id="o2")
    refund(given)
    if how == "somebody does":
        given.capture("h1", 60)
    given.order("o2", gross=100, points_spent=60)
    assert (given.balances, given.orders["o1"].forgiven) == ((0, 0, 0, 0), 60)
    assert ("hold:h1:capture:claim:3", -40) in [(entry.cause, entry.points) for entry in given.entries]


def test_what_expired_as_it_came_back_is_claimed_of_that_and_nobody_owes_it() -> None:
    given = Book(shortfall=Shortfall.WITHIN_BALANCE, expiry=Expiry(1))
    given.order("o1", gross=10_000)
    given.wait(days=10)
    given.hold(100, hours=24 * 25)
    refund(given)
    given.wait(days=26)
    assert (given.balances, given.account.pardons) == ((0, 0, 0, 0), ())
    assert given.entries[-1].cause == "hold:h1:release:claim:3"
    sides = {posting.account: posting.points for posting in given.entries[-1].postings}
    assert sides == {"programme:expired": -100, "programme:issued": 100}
    assert verify(given.entries, stored(given)) == []


# --- by themselves


def test_the_oldest_pardon_is_claimed_first_and_none_of_before_its_points_were_taken() -> None:
    one, two = Pardon(5, 10, "o1"), Pardon(9, 20, "o2")
    assert pardons.claims([one, two], [Debit(3, 15)]) == (Claim(one, 10), Claim(two, 5))
    assert pardons.claims([one, two], [Debit(7, 50)]) == (Claim(two, 20),)
    assert pardons.claims([one, two], [Debit(11, 50)]) == ()
    for debits in permutations([Debit(3, 10), Debit(7, 20)]):  # what has the choice pays what the other could not
        assert pardons.claims([one, two], debits) == (Claim(one, 10), Claim(two, 20))
    assert pardons.claims([one], [Debit(3, 8), Debit(4, 8)]) == (Claim(one, 10),)


def test_of_more_pardons_than_are_kept_the_smallest_is_given_up() -> None:
    kept: tuple[Pardon, ...] = ()
    for number in range(MOST + 2):
        kept = pardons.granted(kept, Pardon(number, 50 - number % 7, "o1"))
    assert len(kept) == MOST
    assert [one.number for one in kept] == sorted(one.number for one in kept)
    assert not {5, 6} & {one.number for one in kept}


def test_an_order_withdraws_its_own_pardons_the_newest_first() -> None:
    kept = (Pardon(5, 10, "o1"), Pardon(7, 10, "o2"), Pardon(9, 10, "o1"))
    assert pardons.withdrawn(kept, "o1", 15) == (Pardon(5, 5, "o1"), Pardon(7, 10, "o2"))
