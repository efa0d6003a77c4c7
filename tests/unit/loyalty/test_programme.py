# tests/unit/loyalty/test_programme.py
from decimal import Decimal

from crm.loyalty.programme import Programme
from crm.loyalty.programmes import faults


def test_what_points_pay_is_rounded_up_to_the_smallest_unit() -> None:
    thirds = Programme(currency="EUR", zone="UTC", point_value=Decimal("0.003"))
    assert [thirds.worth(points) for points in (0, 1, 3, 4, 10)] == [0, 1, 1, 2, 3]
    assert Programme(currency="JPY", zone="UTC").worth(150) == 2


def test_a_programme_that_earns_nothing_is_one_and_one_that_earns_less_is_told_that_nothing_is_the_least() -> None:
    assert faults.of_fields({"points_per_unit": Decimal(0), "breakage": Decimal(0)}) == []
    told = faults.of_fields({"points_per_unit": Decimal(-1), "breakage": Decimal(2)})
    assert [(one.path, one.message) for one in told] == [
        ("points_per_unit", "must be 0 to 1,000"), ("breakage", "must be 0 to 1"),
    ]  # fmt: skip
