# tests/unit/segmentation/test_sold.py
"""What is offered of what a shop sells."""

from typing import Any

from crm.segmentation import sold
from crm.segmentation.language.catalogue import ATTRIBUTES, FUNCTIONS
from crm.segmentation.language.facts import Line, Order
from tests.asking import NOW


def order(*lines: Line, **said: Any) -> Order:
    return Order("o", NOW, "EUR", 100, lines=lines, **said)


def test_what_most_customers_have_bought_comes_first_however_often_one_of_them_did() -> None:
    lamp, desk = Line("LAMP", 1, "Light", frozenset({"oak"})), Line("DESK", 1, "Office", frozenset({"oak", "new"}))
    found = sold.words([[order(desk)] * 9, [order(lamp), order(lamp, desk)], [order(lamp)], []])
    assert found["products_purchased.sku"] == ["DESK", "LAMP"]
    assert sold.words([[order(desk)] * 9, [order(lamp)], [order(lamp)]])["products_purchased.sku"] == ["LAMP", "DESK"]
    assert found["products_purchased.category"] == ["Light", "Office"]
    assert found["products_purchased.tag"] == ["oak", "new"]


def test_channels_are_those_of_orders_and_what_none_names_is_no_word() -> None:
    found = sold.words([[order(channel="web")], [order(channel="pos"), order()], [order(channel="pos")]])
    assert found["orders_placed.channel"] == found["last_order_channel"] == ["pos", "web"]


def test_a_coupon_that_may_be_one_persons_is_not_told() -> None:
    everybody = [[order(coupon="SPRING")] for _ in range(5)]
    assert sold.words([*everybody, [order(coupon="FOR-ANNA")] * 9])["orders_placed.coupon"] == ["SPRING"]


def test_what_is_kept_is_bounded() -> None:
    skus = [f"SKU-{number:04}" for number in range(sold.MOST + 50)]
    found = sold.words([[order(*(Line(sku, 1) for sku in [*skus, "x" * (sold.LONGEST + 1)]))]])
    assert found["products_purchased.sku"] == skus[: sold.MOST]


def test_words_are_of_what_queries_can_ask() -> None:
    for name in sold.WORDS:
        function, _, argument = name.partition(".")
        assert name in ATTRIBUTES or argument in FUNCTIONS[function].parameter
