# tests/unit/loyalty/test_programme.py
from decimal import Decimal

from crm.loyalty.programme import Programme


def test_what_points_pay_is_rounded_up_to_the_smallest_unit() -> None:
    thirds = Programme(currency="EUR", zone="UTC", point_value=Decimal("0.003"))
    assert [thirds.worth(points) for points in (0, 1, 3, 4, 10)] == [0, 1, 1, 2, 3]
    assert Programme(currency="JPY", zone="UTC").worth(150) == 2
