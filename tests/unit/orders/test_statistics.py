# tests/unit/orders/test_statistics.py
from datetime import UTC, datetime

import pytest

from crm.orders.statistics import Counted, Sums, average, moved

AT = datetime(2026, 3, 1, tzinfo=UTC)


def test_currencies_are_kept_apart_and_leave_when_their_last_order_does() -> None:
    euros = Counted("EUR", 1000, 0, 1000, AT)
    yen = Counted("JPY", 500, 100, 400, AT)
    both = moved(moved({}, None, euros), None, yen)
    assert both == {"EUR": Sums(1, 1000, 0, 1000), "JPY": Sums(1, 500, 100, 400)}
    assert moved(both, yen, None) == {"EUR": Sums(1, 1000, 0, 1000)}


@pytest.mark.parametrize(("net", "orders", "mean"), [(100, 3, 33), (101, 2, 51), (0, 4, 0)])
def test_the_average_is_rounded_to_whole_minor_units_halves_up(net: int, orders: int, mean: int) -> None:
    assert average(Sums(orders, net, 0, net)) == mean


def test_the_average_of_no_orders_is_unknown_and_not_zero() -> None:
    assert average(Sums()) is None
