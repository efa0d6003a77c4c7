# tests/unit/loyalty/test_event_bonuses.py
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from crm.intake.event_types import EVENT_TYPES, RESERVED
from crm.kernel.errors import InvalidInputs, NotFound
from crm.loyalty.bonuses import defining, faults, matching
from crm.loyalty.bonuses.defining import EventBonusFields
from crm.loyalty.bonuses.definitions import (
    MOST_EVENT_BONUSES,
    MOST_FILTERS,
    Bonuses,
    Comparison,
    EventBonus,
    PropertyFilter,
)
from crm.loyalty.ledger.refusals import Archived
from crm.loyalty.programme import Programme
from crm.loyalty.programmes.defining import Decide

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


def test_all_that_is_wrong_with_a_bonus_is_told_at_once() -> None:
    wrong = replace(
        REVIEW, name=" ", event="Review", points=0, per_day=0, per_customer=10_001,
        filters=(
            PropertyFilter("a b", Comparison.IS, "x"),
            PropertyFilter("stars", Comparison.AT_LEAST, "many"),
            PropertyFilter("stars", Comparison.IS_SET, "5"),
            PropertyFilter("stars", Comparison.IS),
        ),
    )  # fmt: skip
    assert [fault.path for fault in faults.of_bonus(wrong)] == [
        "name", "event", "points", "per_day", "per_customer", "filters.0.property", "filters.1.value",
        "filters.2.value", "filters.3.value",
    ]  # fmt: skip
    many = replace(REVIEW, filters=(PropertyFilter("stars", Comparison.IS_SET),) * (MOST_FILTERS + 1))
    assert [(fault.path, fault.code) for fault in faults.of_bonus(many)] == [("filters", "TOO_MANY")]


@pytest.mark.parametrize("event", sorted({*EVENT_TYPES, "loyalty.joined", "points.spent"}))
def test_no_bonus_is_for_an_event_that_is_rapports_own(event: str) -> None:
    assert [fault.code for fault in faults.of_bonus(replace(REVIEW, event=event))] == ["RESERVED"]


def test_the_nouns_of_rapports_own_events_are_those_that_shops_may_not_use() -> None:
    assert faults.OURS == RESERVED


def with_bonuses(*bonuses: EventBonus) -> Programme:
    return Programme(currency="EUR", zone="UTC", bonuses=Bonuses(signup=5, events=bonuses))


def refused(decide: Decide, programme: Programme) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInputs) as told:
        decide(programme)
    return [(fault.path, fault.code) for fault in told.value.faults]


def test_no_two_bonuses_that_are_given_have_one_name() -> None:
    shared = replace(REVIEW, id="ebn_2", name="Shared")
    programme = with_bonuses(REVIEW, shared)
    assert refused(defining.changing("ebn_2", EventBonusFields(name="reviews")), programme) == [("name", "TAKEN")]
    given_up = defining.archiving("ebn_1", now=ARCHIVED)(programme)
    renamed = defining.changing("ebn_2", EventBonusFields(name="reviews"))(given_up)
    assert [bonus.name for bonus in renamed.bonuses.events] == ["Reviews", "reviews"]
    assert renamed.bonuses.signup == 5


def test_there_is_room_for_so_many_bonuses_and_the_archived_take_none() -> None:
    full = with_bonuses(*(replace(REVIEW, id=f"ebn_{n}", name=f"R{n}") for n in range(MOST_EVENT_BONUSES)))
    one_more = defining.adding("ebn_x", EventBonusFields("One more", "wish.made", 5))
    assert refused(one_more, full) == [("", "TOO_MANY")]
    assert one_more(defining.archiving("ebn_7", now=ARCHIVED)(full)).bonuses.for_event("wish.made")


def test_a_bonus_that_is_given_up_stays_so() -> None:
    programme = defining.archiving("ebn_1", now=ARCHIVED)(with_bonuses(REVIEW))
    assert defining.archiving("ebn_1", now=ARCHIVED + timedelta(days=1))(programme) == programme
    for bonus_id, refusal in (("ebn_1", Archived), ("ebn_none", NotFound)):
        with pytest.raises(refusal):
            defining.changing(bonus_id, EventBonusFields(points=9))(programme)
