# tests/unit/kpis/test_contributions.py
from datetime import UTC, date, datetime
from typing import Any

import pytest

from crm.kpis.contributions import CellKey, addends, difference, total
from crm.kpis.facts import ANSWER, ORDER, REFUND, AnswerFact, Fact, FactKey, OrderFact, RefundFact

DAY, NEXT_DAY = date(2026, 3, 1), date(2026, 3, 2)
AT = datetime(2026, 3, 1, 11, tzinfo=UTC)
COMMON: dict[str, Any] = {"customer_id": "ann", "rev": 1, "at": AT, "day": DAY}


def order(net: int = 1500, gross: int = 2000, *, currency: str = "EUR", cancelled: bool = False) -> OrderFact:
    key = FactKey("demo", ORDER, "o1")
    return OrderFact(key=key, currency=currency, cancelled=cancelled, gross=gross, net=net, **COMMON)


def refund(amount: int = 500, *, cancelled: bool = False) -> RefundFact:
    key = FactKey("demo", REFUND, "o1#r1")
    return RefundFact(key=key, currency="EUR", cancelled=cancelled, amount=amount, **COMMON)


def answer(group: str | None) -> AnswerFact:
    return AnswerFact(key=FactKey("demo", ANSWER, "a1"), group=group, **COMMON)


def counted(fact: Fact, *, test: bool = False) -> dict[str, int]:
    return {f"{cell.metric} {cell.dimension}": amount for cell, amount in addends(fact, day=DAY, test=test).items()}


def test_an_order_counts_once_in_all_and_once_in_its_currency_with_its_money_in_that_currency_only() -> None:
    assert counted(order(currency="CHF")) == {
        "orders all": 1,
        "orders CHF": 1,
        "gross_revenue CHF": 2000,
        "net_revenue CHF": 1500,
    }


def test_a_refund_counts_on_its_own() -> None:
    assert counted(refund()) == {"refunded EUR": 500}


@pytest.mark.parametrize("fact", [order(cancelled=True), refund(cancelled=True), answer(None)])
def test_cancelled_orders_their_refunds_and_answers_without_a_score_count_nowhere(fact: Fact) -> None:
    assert counted(fact) == {}


@pytest.mark.parametrize("fact", [order(), refund(), answer("promoter")])
def test_test_customers_count_nowhere(fact: Fact) -> None:
    assert counted(fact, test=True) == {}


@pytest.mark.parametrize(
    ("group", "cells"),
    [
        ("promoter", {"nps_responses all": 1, "nps_promoters all": 1}),
        ("passive", {"nps_responses all": 1}),
        ("detractor", {"nps_responses all": 1, "nps_detractors all": 1}),
    ],
)
def test_an_answer_counts_as_a_response_and_in_its_group(group: str, cells: dict[str, int]) -> None:
    assert counted(answer(group)) == cells


def test_an_order_that_moves_to_another_day_leaves_the_one_and_counts_in_the_other() -> None:
    changed = difference(addends(order(), day=DAY, test=False), addends(order(), day=NEXT_DAY, test=False))
    assert {(cell.day, cell.metric): amount for cell, amount in changed.items() if cell.dimension == "EUR"} == {
        (DAY, "orders"): -1,
        (DAY, "gross_revenue"): -2000,
        (DAY, "net_revenue"): -1500,
        (NEXT_DAY, "orders"): 1,
        (NEXT_DAY, "gross_revenue"): 2000,
        (NEXT_DAY, "net_revenue"): 1500,
    }


def test_a_correction_changes_only_what_it_corrects() -> None:
    changed = difference(addends(order(1500), day=DAY, test=False), addends(order(900), day=DAY, test=False))
    assert changed == {CellKey(DAY, "net_revenue", "EUR"): -600}


def test_what_cancels_out_is_not_written() -> None:
    cell = CellKey(DAY, "orders", "all")
    assert total([{cell: 1}, {cell: -1}]) == {}
