# tests/unit/loyalty/test_event_bonuses.py
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from crm.loyalty.bonuses import definitions, matching
from crm.loyalty.bonuses.definitions import (
    MOST_EVENT_BONUSES,
    Bonuses,
    Comparison,
    EventBonus,
    PropertyFilter,
)

ARCHIVED = datetime(2026, 3, 1, tzinfo=UTC)
REVIEW = EventBonus(id="ebn_1", name="Reviews", event="review.written", points=50)
SAID: dict[str, Any] = {
    "stars": 5, "shown": True, "price": Decimal("12.90"), "code": "007", "photos": ["a.jpg", "b.jpg"],
    "product": {"sku": "tea-1", "kinds": []}, "note": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "comparison", "value", "fulfilled"),
    [
        ("stars", Comparison.IS, "5", True),
        ("stars", Comparison.IS, "5.0", True),
        ("stars", Comparison.IS_NOT, "4", True),
        ("stars", Comparison.IS_NOT, "5", False),
        ("stars", Comparison.AT_LEAST, "4", True),
        ("stars", Comparison.AT_LEAST, "6", False),
        ("price", Comparison.AT_MOST, "12.9", True),
        ("code", Comparison.AT_LEAST, "7", True),
        ("shown", Comparison.IS, "true", True),
        ("shown", Comparison.AT_LEAST, "0", False),
        ("product.sku", Comparison.IS, "tea-1", True),
        ("product.sku", Comparison.AT_LEAST, "1", False),
        ("product", Comparison.IS, "tea-1", False),
        ("product", Comparison.IS_SET, None, True),
        ("photos", Comparison.IS, "b.jpg", True),
        ("photos", Comparison.IS_NOT, "b.jpg", False),
        ("photos", Comparison.IS_NOT, "c.jpg", True),
        ("product.kinds", Comparison.IS_SET, None, False),
        ("note", Comparison.IS_SET, None, False),
        # What the event does not have fulfils nothing, not even that it is something else.
        ("colour", Comparison.IS_NOT, "red", False),
        ("stars.many", Comparison.IS_SET, None, False),
    ],
)
def test_an_event_earns_where_its_properties_are_as_the_bonus_asks(
    path: str, comparison: Comparison, value: str | None, fulfilled: bool
) -> None:
    bonus = replace(REVIEW, filters=(PropertyFilter(path, comparison, value),))
    assert matching.fulfils(bonus, SAID) is fulfilled


def test_all_filters_must_be_fulfilled() -> None:
    both = (PropertyFilter("stars", Comparison.AT_LEAST, "4"), PropertyFilter("shown", Comparison.IS, "true"))
    assert matching.fulfils(replace(REVIEW, filters=both), SAID)
    assert not matching.fulfils(replace(REVIEW, filters=both), SAID | {"shown": False})
    assert matching.fulfils(REVIEW, {})


def test_a_bonus_is_given_as_often_as_it_may_on_a_day_and_ever() -> None:
    capped = replace(REVIEW, per_day=1, per_customer=3)
    found = [matching.is_within_caps(capped, today=today, ever=ever) for today, ever in ((0, 2), (1, 1), (0, 3))]
    assert found == [True, False, False]
    assert matching.is_within_caps(REVIEW, today=99, ever=999)


def test_an_archived_bonus_is_for_no_event() -> None:
    other = replace(REVIEW, id="ebn_2", event="wishlist.shared")
    bonuses = Bonuses(events=(REVIEW, other, replace(REVIEW, id="ebn_3", archived_at=ARCHIVED)))
    assert [bonus.id for bonus in bonuses.for_event("review.written")] == ["ebn_1"]


def test_all_that_is_wrong_with_bonuses_is_told_at_once() -> None:
    wrong = replace(
        REVIEW, name=" ", event="Review", points=0, per_day=0, per_customer=10_001,
        filters=(
            PropertyFilter("a b", Comparison.IS, "x"),
            PropertyFilter("stars", Comparison.AT_LEAST, "many"),
            PropertyFilter("stars", Comparison.IS_SET, "5"),
            PropertyFilter("stars", Comparison.IS),
        ),
    )  # fmt: skip
    found = definitions.faults(Bonuses(signup=-1, birthday=2_000_000, events=(wrong,)))
    assert [fault.path for fault in found] == [
        "signup", "birthday", "events[0].name", "events[0].event", "events[0].points", "events[0].perDay",
        "events[0].perCustomer", "events[0].filters[0].property", "events[0].filters[1].value",
        "events[0].filters[2].value", "events[0].filters[3].value",
    ]  # fmt: skip


def test_archived_bonuses_count_for_nothing() -> None:
    many = tuple(replace(REVIEW, id=f"ebn_{number}") for number in range(MOST_EVENT_BONUSES + 1))
    assert [fault.code for fault in definitions.faults(Bonuses(events=many))] == ["TOO_MANY"]
    archived = replace(many[0], event="", archived_at=ARCHIVED)
    assert definitions.faults(Bonuses(signup=10, birthday=20, events=(archived, *many[1:]))) == []
