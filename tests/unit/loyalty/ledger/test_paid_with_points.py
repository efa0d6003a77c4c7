# tests/unit/loyalty/ledger/test_paid_with_points.py
"""What an order earns that was paid with points in part, its gift cards, taxes and shipping with it."""

from random import Random
from typing import Any

import pytest

from crm.orders import totals as totals_of
from crm.orders.totals import Line, Returned, totals
from tests.unit.loyalty.book import Book

HALF_PAID = {"a": Line("a", 2, 5_000, tax=2_000), "g": Line("g", 1, 10_000, gift_card=True)}
"""Goods of 100 euros with a tax of 20, a gift card of 100, and 20 of shipping; 120 of 240 are paid with points."""


def half_paid(*back: str, cancelled: bool = False) -> dict[str, Any]:
    lines, returned = list(HALF_PAID.values()), [Returned(line, 1) for line in back]
    worth, bill = totals(lines, returned, cancelled=cancelled), totals_of.bill(lines, returned, shipping=2_000)
    return {
        "gross": worth.gross, "refunded": worth.refunded, "total": bill.total, "returned": bill.returned,
        "points_spent": 12_000, "cancelled": cancelled,
    }  # fmt: skip


def test_of_goods_that_points_paid_for_with_gift_cards_taxes_and_shipping_their_own_share_earns_nothing() -> None:
    given = Book()
    given.adjust(12_000)
    given.order(**half_paid())
    assert given.orders["o1"].earned == 50


@pytest.mark.parametrize(
    ("back", "earned"), [(["g"], 50), (["g", "a"], 25), (["a"], 25), (["a", "a"], 0), (["a", "a", "g"], 0)]
)
def test_a_refund_makes_no_order_earn_more_that_was_paid_with_points(back: list[str], earned: int) -> None:
    given = Book()
    given.adjust(12_000)
    given.order(**half_paid())
    for count in range(1, len(back) + 1):
        entries = given.order(**half_paid(*back[:count]))
        assert not any(entry.movement == "earn" for entry in entries)
    assert given.orders["o1"].earned == earned
    given.order(**half_paid(*back, cancelled=True))
    assert given.balances == (12_000, 0, 0, 0)


def test_no_refund_makes_any_order_earn_more_whatever_is_rounded() -> None:
    draw = Random(9)  # noqa: S311
    for _ in range(300):
        total = draw.randint(1, 500)
        gross, spent = draw.randint(0, total), draw.randint(0, total)
        given, refunded, returned, earned = Book(rate=draw.randint(1, 900)), 0, 0, None
        for _ in range(6):
            revision: dict[str, Any] = {"gross": gross, "refunded": refunded, "total": total, "returned": returned}
            given.order(**revision, points_spent=spent)
            assert earned is None or given.orders["o1"].earned <= earned
            earned = given.orders["o1"].earned
            goods = draw.randint(0, gross - refunded)
            refunded, returned = refunded + goods, draw.randint(min(total, returned + goods), total)
