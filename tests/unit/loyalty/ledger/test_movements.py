# tests/unit/loyalty/ledger/test_movements.py
from datetime import timedelta
from typing import Any

import pytest

from crm.loyalty.expiry import Expiry
from crm.loyalty.ledger import movements, pools
from crm.loyalty.ledger.chain import FIRST, Entry, Posting, fingerprint
from crm.loyalty.ledger.movements import Account
from crm.loyalty.ledger.refusals import HoldExceeded, InsufficientPoints
from crm.loyalty.programme import Shortfall
from tests.unit.loyalty.book import START, Book


def book(**changed: Any) -> Book:
    """Points live for a month."""
    return Book(expiry=Expiry(1), **changed)


def with_two_pools() -> Book:
    """30 points until 10 April, 50 until 20 April."""
    given = book()
    given.adjust(30, "adjust:a1")
    given.wait(days=10)
    given.adjust(50, "adjust:a2")
    return given


def sides(entry: Entry) -> dict[str, int]:
    return {posting.account: posting.points for posting in entry.postings}


def test_what_one_account_gets_another_gives() -> None:
    given = with_two_pools()
    given.order(gross=20, points_spent=20)
    given.hold(40)
    given.capture("h1", 25)
    given.wait(days=40)
    assert [entry.movement for entry in given.entries] == [
        "adjust", "adjust", "redeem", "hold", "capture", "expire",
    ]  # fmt: skip
    assert all(sum(sides(entry).values()) == 0 for entry in given.entries)
    assert given.entries[2].postings == (Posting("customer:available", -20), Posting("programme:redeemed", 20))


def test_entries_are_numbered_and_each_names_the_fingerprint_of_the_one_before() -> None:
    given = with_two_pools()
    given.adjust(-20, "adjust:a3")
    assert [entry.number for entry in given.entries] == [1, 2, 3]
    assert given.entries[0].previous == FIRST
    assert [entry.previous for entry in given.entries[1:]] == [fingerprint(one) for one in given.entries[:2]]
    assert given.account.fingerprint == fingerprint(given.entries[2])


def test_debits_spend_what_expires_soonest_and_write_down_from_where() -> None:
    given = with_two_pools()
    [entry] = given.order(gross=40, points_spent=40)
    assert [(line.pool[:10], line.points) for line in entry.lines] == [("2026-04-10", 30), ("2026-04-20", 10)]
    assert given.open == {"2026-04-20": 40}


def test_nobody_spends_more_than_there_is_and_is_told_how_much_there_is() -> None:
    given = with_two_pools()
    with pytest.raises(InsufficientPoints) as told:
        given.redeem(81)
    assert (told.value.available, told.value.required) == (80, 81)
    with pytest.raises(InsufficientPoints):
        given.hold(81)
    with pytest.raises(InsufficientPoints):
        given.adjust(-81, "adjust:a3")
    given.redeem(80)
    assert given.balances == (0, 0, 0, 0)


def test_a_debit_of_nothing_or_less_is_a_bug() -> None:
    for points in (0, -5):
        with pytest.raises(ValueError, match="none to spend"):
            with_two_pools().redeem(points)


def test_what_is_held_cannot_be_spent() -> None:
    given = with_two_pools()
    given.hold(60)
    assert given.balances == (20, 0, 60, 0)
    with pytest.raises(InsufficientPoints):
        given.redeem(21)


def test_a_release_gives_back_with_the_original_expiry() -> None:
    given = with_two_pools()
    given.hold(60)
    given.release("h1")
    assert given.open == {"2026-04-10": 30, "2026-04-20": 50}
    assert given.balances == (80, 0, 0, 0)


def test_a_hold_that_runs_out_is_released_as_of_then() -> None:
    given = with_two_pools()
    held = given.hold(60, hours=2)
    given.wait(days=1)
    assert given.balances == (80, 0, 0, 0)
    assert given.entries[-1].movement == "release"
    assert given.entries[-1].occurred_at == held.ends_at


def test_a_capture_spends_what_expires_soonest_and_gives_the_rest_back() -> None:
    given = with_two_pools()
    given.hold(60)
    given.capture("h1", 35)
    assert given.open == {"2026-04-20": 45}
    assert given.balances == (45, 0, 0, 0)


def test_no_more_is_captured_than_is_held() -> None:
    given = with_two_pools()
    given.hold(60)
    with pytest.raises(HoldExceeded):
        given.capture("h1", 61)


def test_what_time_lets_go_after_it_would_have_expired_expires_then() -> None:
    given = with_two_pools()
    given.hold(60, hours=25 * 24)
    given.wait(days=25)  # 14 April: the first pool has ended, and nothing of it was open
    assert given.open == {"2026-04-20": 50}
    released = given.entries[-1]
    assert (released.movement, released.points) == ("release", 30)
    sides = {posting.account: posting.points for posting in released.postings}
    assert sides == {"customer:held": -60, "programme:expired": 30, "customer:available": 30}


def test_what_the_shop_gives_back_after_it_would_have_expired_can_be_spent_for_thirty_days_once() -> None:
    given = with_two_pools()
    given.hold(60, hours=26 * 24)
    given.wait(days=25)
    given.release("h1", by_shop=True)
    assert given.open == {"2026-04-20": 50, "2026-05-14": 30}
    given.wait(days=10)
    given.hold(30, "h2", hours=25 * 24)
    given.wait(days=24)
    given.release("h2", by_shop=True)
    assert given.balances == (0, 0, 0, 0)


def test_nobody_keeps_points_from_expiring_by_setting_them_aside() -> None:
    given = Book(expiry=Expiry(1))
    given.adjust(100)
    for hours in (24 * 30, 24 * 10):
        given.hold(100, f"h{hours}", hours=hours)
        given.wait(hours=hours)
        if not given.balances[0]:
            break
    assert given.balances == (0, 0, 0, 0)
    assert given.now - START < timedelta(days=41)


def test_points_expire_at_the_end_of_their_day_as_of_then() -> None:
    given = with_two_pools()
    given.redeem(10)
    given.wait(days=25)
    assert given.balances == (50, 0, 0, 0)
    assert given.entries[-1].movement == "expire"
    assert given.entries[-1].occurred_at.isoformat() == "2026-04-10T22:00:00+00:00"
    assert sides(given.entries[-1]) == {"customer:available": -20, "programme:expired": 20}


def test_points_that_never_expire_stay() -> None:
    given = Book()
    given.adjust(30)
    given.wait(days=20 * 365)
    assert given.balances == (30, 0, 0, 0)


def test_an_adjustment_says_who_made_it() -> None:
    given = with_two_pools()
    assert given.entries[0].actor == "staff:s1"
    assert sides(given.adjust(-15, "adjust:a3")) == {"customer:available": -15, "programme:adjusted": 15}


def test_a_reversal_names_what_it_reverses_and_gives_back_what_it_took() -> None:
    given = with_two_pools()
    entry = given.reverse(given.redeem(40))
    assert [(each.cause, each.points) for each in entry.reverses] == [("hold:rdn_r1:capture", 40)]
    assert given.open == {"2026-04-10": 30, "2026-04-20": 50}


def test_a_reversal_of_more_than_there_was_is_a_bug() -> None:
    given = with_two_pools()
    spent = given.adjust(-40, "adjust:a3")
    given.entries.clear()
    with pytest.raises(ValueError, match="more are reversed"):
        given.take(
            movements.give_back(
                given.account, pools.portions(spent.lines), reverses=[], grace=given.grace,
                occasion=given.occasion("x"),
            )
        )  # fmt: skip


def test_whatever_comes_in_pays_what_is_owed_first() -> None:
    given = book()
    given.order(gross=10_000)
    given.redeem(70)
    given.order(gross=10_000, cancelled=True)
    assert given.balances == (0, 0, 0, 70)
    given.adjust(50)
    assert given.balances == (0, 0, 0, 20)
    assert sides(given.entries[-1]) == {"customer:owed": 50, "programme:adjusted": -50}
    given.order("o2", gross=5_000)
    assert given.balances == (30, 0, 0, 0)


def test_a_reversal_pays_what_is_owed_too() -> None:
    given = book()
    given.order(gross=10_000)
    spent = given.redeem(70)
    given.order(gross=10_000, cancelled=True)
    given.reverse(spent)
    assert given.balances == (0, 0, 0, 0)


def test_a_merge_moves_points_with_their_expiry_and_what_is_owed() -> None:
    given = with_two_pools()
    gone = movements.transfer_out(
        given.account, to="cus_2", most_pools=40, occasion=given.occasion("merge:m1:transfer:out")
    )
    taken = movements.transfer_in(Account("demo", "cus_2"), gone.entry, occasion=given.occasion("merge:m1:transfer:in"))
    assert gone.account.balances.available == 0
    assert {name[:10]: pool.remaining for name, pool in taken.account.pools.items()} == given.open
    both = [sides(gone.entry), sides(taken.entry)]
    assert sum(each["programme:transferred"] for each in both) == 0


def test_a_merge_moves_many_pools_in_steps() -> None:
    given = with_two_pools()
    first = movements.transfer_out(
        given.account, to="cus_2", most_pools=1, occasion=given.occasion("merge:m1:transfer:1")
    )
    assert first.account.balances.available == 50
    second = movements.transfer_out(
        first.account, to="cus_2", most_pools=1, occasion=given.occasion("merge:m1:transfer:2")
    )
    assert second.account.balances.available == 0


def test_who_takes_over_a_debt_pays_it() -> None:
    owing = book(shortfall=Shortfall.RECOVER)
    owing.order(gross=10_000)
    owing.redeem(70)
    owing.order(gross=10_000, cancelled=True)
    rich = with_two_pools()
    gone = movements.transfer_out(
        owing.account, to="cus_2", most_pools=40, occasion=owing.occasion("merge:m1:transfer:out")
    )
    taken = movements.transfer_in(rich.account, gone.entry, occasion=rich.occasion("merge:m1:transfer:in"))
    assert gone.account.balances.owed == 0
    assert taken.account.balances.available == 10
