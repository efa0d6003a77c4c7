# tests/unit/segmentation/test_traits.py
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from crm.segmentation import traits
from crm.segmentation.language.catalogue import ATTRIBUTES
from crm.segmentation.language.facts import Address, Facts, Profile, Rfm, Statistics
from crm.segmentation.traits import Choice, Number, Share, Typical

NOW = datetime(2026, 3, 31, 10, tzinfo=UTC)


def member(*countries: str, **said: Any) -> Facts:
    told = {name: said.pop(name) for name in ("gender", "locale", "birth_date") if name in said}
    profile = Profile(NOW, addresses=tuple(Address(each) for each in countries), **told)
    return Facts("cus", "Europe/Berlin", profile, **said)


def typical(*members: Facts) -> Typical:
    return traits.typical(traits.counted(members, now=NOW))


def choice(name: str, *members: Facts) -> Choice:
    (found,) = (each for each in typical(*members).choices if each.name == name)
    return found


def number(name: str, *values: int | None) -> Number:
    statistics = [Statistics(1, value or 0, value, NOW, NOW) for value in values]
    found = typical(*(member(statistics=each) for each in statistics))
    (told,) = (each for each in found.numbers if each.name == name)
    return told


def test_traits_are_words_of_the_language() -> None:
    assert {*traits.CHOICES, *traits.NUMBERS} <= set(ATTRIBUTES)


def test_a_share_is_one_of_all_members_and_the_most_frequent_come_first() -> None:
    people = [member("AT"), member("DE"), member("DE"), member()]
    assert choice("customer_countries", *people) == Choice(
        "customer_countries",
        3,
        (Share("DE", 2, Decimal("0.500000")), Share("AT", 1, Decimal("0.250000"))),
    )


def test_somebody_with_two_addresses_in_a_country_is_in_it_once_and_may_be_in_two_countries() -> None:
    found = choice("customer_countries", member("AT", "AT"), member("AT", "DE"))
    assert [(each.value, each.count) for each in found.shares] == [("AT", 2), ("DE", 1)]
    assert found.known == 2


def test_only_the_first_five_are_told_and_of_equals_those_first_by_name() -> None:
    found = choice("customer_countries", *(member(each) for each in ("CH", "AT", "DE", "FR", "IT", "ES")))
    assert [each.value for each in found.shares] == ["AT", "CH", "DE", "ES", "FR"]


@pytest.mark.parametrize(
    ("values", "mean", "median"),
    [([100], 100, 100), ([100, 201], 151, 151), ([1, 2, 2, 90], 24, 2), ([0, 0, 1], 0, 0), ([10, 20, None], 15, 15)],
)
def test_means_and_medians_are_of_those_who_are_known(values: list[int | None], mean: int, median: int) -> None:
    found = number("average_order_value", *values)
    assert (found.mean, found.median) == (Decimal(mean), Decimal(median))
    assert found.is_money
    assert found.known == len([value for value in values if value is not None])


def test_what_is_known_of_nobody_is_left_out() -> None:
    found = typical(member(), member())
    assert "age" not in {each.name for each in found.numbers}
    assert "gender" not in {each.name for each in found.choices}
    assert (found.members, found.spent) == (2, 0)


def test_revenue_is_what_all_of_them_spent() -> None:
    people = [member(statistics=Statistics(1, spent, spent, NOW, NOW)) for spent in (100, 100, 250)]
    assert typical(*people).spent == 450


def test_ages_are_those_of_the_day_and_groups_those_of_the_scores() -> None:
    people = [member(birth_date=date(1990, 4, 1)), member(birth_date=date(1990, 3, 31), rfm=Rfm("NEW", 5, 1, 1))]
    (age,) = (each for each in typical(*people).numbers if each.name == "age")
    assert (age.mean, age.median) == (Decimal("35.50"), Decimal("35.50"))
    assert choice("rfm_group", *people).shares == (Share("NEW", 1, Decimal("0.500000")),)


def test_nobody_is_typical_of_nothing() -> None:
    assert typical() == Typical(0, 0)
