# tests/unit/loyalty/test_programme.py
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.kernel.money import Money
from crm.loyalty.programme import Earned, Programme, Withheld

EUROS = Programme(currency="EUR", zone="Europe/Vienna")


@pytest.mark.parametrize(
    ("net", "currency", "points"),
    [(0, "EUR", 0), (99, "EUR", 0), (100, "EUR", 1), (1999, "EUR", 19), (1999, "JPY", 1999), (1999, "KWD", 1)],
)
def test_each_whole_unit_of_net_earns_a_point_whatever_digits_the_currency_has(
    net: int, currency: str, points: int
) -> None:
    assert Programme(currency=currency, zone="UTC").earned(Money(net, currency)) == Earned(points)


def test_a_rate_is_exact() -> None:
    programme = Programme(currency="EUR", zone="UTC", rate=Decimal("0.1"))
    assert programme.earned(Money(3000, "EUR")).points == 3  # 0.1 * 30 is less than 3 in no float


def test_an_order_in_another_currency_earns_nothing_and_says_why() -> None:
    assert EUROS.earned(Money(10_000, "USD")) == Earned(0, Withheld.OTHER_CURRENCY)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=20), st.decimals(0, 100, places=3))
def test_an_order_in_parts_never_earns_more_than_the_same_order_whole(parts: list[int], rate: Decimal) -> None:
    programme = Programme(currency="EUR", zone="UTC", rate=rate)
    whole = programme.earned(Money(sum(parts), "EUR")).points
    assert sum(programme.earned(Money(part, "EUR")).points for part in parts) <= whole


def test_nothing_is_earned_on_what_was_paid_with_points_not_even_on_part_of_a_cent() -> None:
    assert EUROS.earned(Money(10_000, "EUR"), points_spent=1000) == Earned(90)
    assert EUROS.earned(Money(10_000, "EUR"), points_spent=20_000) == Earned(0)
    thirds = Programme(currency="EUR", zone="UTC", point_value=Decimal("0.003"))
    assert [thirds.worth(points) for points in (0, 1, 3, 4, 10)] == [0, 1, 1, 2, 3]
    assert Programme(currency="JPY", zone="UTC").worth(150) == 2
