# tests/unit/loyalty/ledger/test_order_holds.py
"""The refund matrix (docs/loyalty.md): orders that are paid with what was set aside for them."""

from itertools import permutations
from typing import Any

import pytest

from crm.loyalty.verification.judging import verify
from tests.unit.loyalty.book import Book
from tests.unit.loyalty.ledger.test_order_points import book
from tests.unit.loyalty.test_verification import stored


def test_an_order_captures_the_hold_that_was_made_for_it_and_the_rest_of_it_comes_back() -> None:
    given = book(rate=0)
    given.adjust(100)
    given.hold(80, order_id="o1")
    given.order(gross=10_000, points_spent=70)
    assert given.balances == (30, 0, 0, 0)
    assert (given.entries[-1].cause, given.entries[-1].points) == ("hold:h1:capture", 10)
    given.order(gross=10_000, points_spent=70, cancelled=True)
    assert given.balances == (100, 0, 0, 0)


@pytest.mark.parametrize("points_spent", [70, 0])  # also where the shop does not say so
def test_an_order_whose_hold_was_captured_before_it_came_spends_nothing_more(points_spent: int) -> None:
    given = book(rate=0)
    given.adjust(100)
    given.hold(80, order_id="o1")
    given.capture("h1", 70)
    assert given.order(gross=10_000, points_spent=points_spent) == []
    given.order(gross=10_000, points_spent=points_spent, refunded=10_000)
    assert given.balances == (100, 0, 0, 0)


@pytest.mark.parametrize("how", ["no hold", "a hold", "a hold captured before"])
def test_an_order_edited_to_be_paid_with_more_points_or_fewer_posts_the_difference(how: str) -> None:
    given = book(rate=0)
    given.adjust(100)
    if how != "no hold":
        given.hold(60, order_id="o1")
    if how == "a hold captured before":
        given.capture("h1", 60)
    for points_spent, left in ((30, 70), (80, 20), (50, 50), (0, 100)):
        given.order(gross=10_000, points_spent=points_spent)
        assert given.balances == (left, 0, 0, 0)


def test_an_order_captures_all_holds_that_were_made_for_it_those_that_end_soonest_first() -> None:
    given = book(rate=0)
    given.adjust(150)
    for hold_id, hours in (("h1", 3), ("h2", 1), ("h3", 2)):
        given.hold(50, hold_id, hours=hours, order_id="o1")
    given.order(gross=10_000, points_spent=80)
    assert [entry.cause for entry in given.entries[-2:]] == ["hold:h2:capture", "hold:h3:capture"]
    assert (given.balances, given.orders["o1"].short) == ((20, 0, 50, 0), 0)
    given.wait(hours=3)
    assert given.balances == (70, 0, 0, 0)


def test_an_order_that_is_cancelled_lets_the_holds_for_it_go() -> None:
    given = book(rate=0)
    given.adjust(100)
    given.hold(60, order_id="o1")
    given.order(gross=10_000, cancelled=True)
    assert (given.balances, given.entries[-1].cause) == ((100, 0, 0, 0), "hold:h1:release")


TOLD: dict[str, dict[str, Any]] = {
    "order": {"rev": 1}, "refund": {"rev": 2, "refunded": 5_000},
    "cancel": {"rev": 3, "refunded": 5_000, "cancelled": True},
}  # fmt: skip


@pytest.mark.parametrize(
    ("points_spent", "paid"), [(0, 60), (50, 50), (80, 80)]
)  # the shop does not say; says less, or more, than was held
@pytest.mark.parametrize("deeds", [("order",), ("order", "refund"), ("order", "refund", "cancel")])
def test_a_hold_its_capture_and_its_order_end_alike_in_whatever_order_they_come(
    deeds: tuple[str, ...], points_spent: int, paid: int
) -> None:
    """Nothing is captured that is not held, and no hold that its order has captured or let go: that capture is refused,
    or told what was done. 99 of 100 euros earn, and 49 of 50, since less than a euro was paid with points.
    """
    left = {"order": 200 - paid + 99, "refund": 200 - paid // 2 + 49, "cancel": 200}[deeds[-1]]
    ends = set()
    for order in permutations(("hold", "capture", *deeds)):
        if order.index("capture") < order.index("hold"):
            continue
        given = book()
        given.adjust(200)
        for deed in order:
            if deed == "hold":
                given.hold(60, order_id="o1")
            elif deed != "capture":
                given.order(gross=10_000, points_spent=points_spent, **TOLD[deed])
            elif given.holds:
                given.capture("h1", 60)
        state = given.orders["o1"]
        ends.add((given.balances, tuple(given.open.items()), state.earned, state.spent, state.short))
    assert len(ends) == 1, ends
    assert [end[0] for end in ends] == [(left, 0, 0, 0)]


def news() -> Book:
    """Two holds of 60 for an order that has been told of; what comes next is stored before it is told."""
    given = book(rate=0)
    given.adjust(120)
    given.hold(60, "h1", order_id="o1", hours=200)
    given.hold(60, "h2", order_id="o1", hours=100)
    given.order(gross=10_000)
    return given


@pytest.mark.parametrize("said", [{"points_spent": 120}, {"points_spent": 90}, {"cancelled": True}])
def test_a_capture_that_overtakes_what_its_order_tells_leaves_no_other_hold_open(said: dict[str, Any]) -> None:
    ends = []
    for first in ("told", "captured"):
        given = news()
        if first == "told":
            given.order(gross=10_000, **said)
        else:
            given.write("o1", gross=10_000, **said)
            given.capture("h1", 60)
            assert given.order(gross=10_000, rev=2, **said) == []
        state = given.orders["o1"]
        ends.append((given.balances, state.spent, state.short, list(given.holds)))
        assert verify(given.entries, stored(given)) == []
    spent = said.get("points_spent", 0)
    assert ends[0] == ends[1] == ((120 - spent, 0, 0, 0), spent, 0, [])


HOLDS, REFUND = ("h1", "h2"), ("order", "refund")
STEPS = [("order",), ("order", "edit"), REFUND, (*REFUND, "cancel")]


@pytest.mark.parametrize(
    ("before", "points_spent", "told"),
    [
        *((HOLDS, points, told) for points in (0, 50, 80, 120) for told in STEPS),
        ((), 80, REFUND),  # a hold may come late, too
    ],
)
def test_several_holds_a_capture_and_their_order_end_alike_in_whatever_order_they_come(
    before: tuple[str, ...], points_spent: int, told: tuple[str, ...]
) -> None:
    """Also where the newest that there is of an order is stored, and a capture comes before it is told."""
    ends: dict[Any, tuple[str, ...]] = {}
    newest = told[-1]
    said: dict[str, dict[str, Any]] = {
        deed: {"gross": 10_000, "points_spent": points_spent, **TOLD.get(deed, {"rev": 2})} for deed in told
    }
    if newest == "edit":
        said["order"]["points_spent"] = 0
    holds = [name for name in HOLDS if name not in before]
    for order in permutations((*holds, "capture", *told, "stored")):
        if order.index("stored") > order.index(newest) or (holds and order.index("capture") < order.index("h1")):
            continue
        given = book() if newest != "edit" else book(rate=0)  # nothing else is there to pay with
        given.adjust(120 if before else 200)
        for deed in (*before, *order):
            if deed == "stored":
                given.write(**said[newest])
            elif deed == "capture":
                if "h1" in given.holds:  # or it is refused, or told what was done
                    given.capture("h1", 60)
            elif deed in said:
                given.order(**said[deed])
            else:
                given.hold(60, deed, hours=2 if deed == "h1" else 1, order_id="o1")
        assert newest != "cancel" or not given.holds
        given.wait(hours=3)  # until then a hold may be open that nobody asked for
        state = given.orders["o1"]
        ends.setdefault((given.balances, state.earned, state.spent, state.short), order)
    assert len(ends) == 1, ends
