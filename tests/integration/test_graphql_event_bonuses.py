# tests/integration/test_graphql_event_bonuses.py
"""Bonuses for a shop's own events, as staff define them and customers earn them."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from crm.loyalty import service
from crm.loyalty.bonuses import defining
from crm.touchpoints.events import TouchpointRecorded
from crm.touchpoints.models import Touchpoint
from tests.asking import NOW, answer, as_customer, as_staff, ask, codes
from tests.integration.points import ANN, balances
from tests.integration.rewards import founded

pytestmark = pytest.mark.usefixtures("shop")

LATER = NOW + timedelta(minutes=2)
BONUS = "bonusId name event points filters { property comparison value } perDay perCustomer archivedAt"
SHOWN = f"bonus {{ {BONUS} }} programme {{ version effectiveAt }}"
GOOD_REVIEWS: dict[str, Any] = {
    "name": "Good reviews", "event": "review.written", "points": 50, "perDay": 1, "perCustomer": 3,
    "filters": [
        {"property": "review.stars", "comparison": "AT_LEAST", "value": "4"},
        {"property": "photos", "comparison": "IS_SET"},
    ],
}  # fmt: skip


def changed(mutation: str, selection: str = SHOWN, *, now: datetime = NOW, **given: Any) -> Any:
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    text = f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ {selection} userErrors {{ code field }} }} }}"
    return ask(text, {"input": given}, now=now)[mutation]


def created(**given: Any) -> str:
    answered = changed("loyaltyEventBonusCreate", **GOOD_REVIEWS | given)
    assert answered["userErrors"] == []
    return str(answered["bonus"]["bonusId"])


def refused(mutation: str, **given: Any) -> dict[str, str]:
    errors = changed(mutation, "__typename", **given)["userErrors"]
    return {".".join(error["field"][1:]): error["code"] for error in errors}


def in_programme(now: datetime = LATER) -> list[dict[str, Any]]:
    text = f"{{ loyaltyProgramme {{ current {{ eventBonuses {{ {BONUS} }} }} }} }}"
    return list(ask(text, now=now)["loyaltyProgramme"]["current"]["eventBonuses"])


def given_for(event_id: str, at: datetime, **properties: Any) -> list[int]:
    item = Touchpoint.of("demo", ANN, "review.written", event_id, occurred_at=at)
    item.direction, item.recorded_at, item.properties = "inbound", at, properties
    item.rev, item.cause = 1, f"event:{event_id}:touchpoint"
    item.save()
    return [one.points for one in service.give_for_event(TouchpointRecorded.of(item), now=at)]


def test_a_bonus_is_made_changed_and_archived_each_time_as_the_next_version() -> None:
    made = changed("loyaltyEventBonusCreate", **GOOD_REVIEWS)
    bonus_id = made["bonus"]["bonusId"]
    without = {"property": "photos", "comparison": "IS_SET", "value": None}
    assert made == {
        "bonus": GOOD_REVIEWS
        | {"bonusId": bonus_id, "archivedAt": None, "filters": [GOOD_REVIEWS["filters"][0], without]},
        "programme": {"version": 1, "effectiveAt": "2026-03-10T12:02:00.000000Z"},
        "userErrors": [],
    }
    more = changed("loyaltyEventBonusUpdate", bonusId=bonus_id, points=75, perDay=None, filters=[])
    assert more["bonus"] == made["bonus"] | {"points": 75, "perDay": None, "filters": []}
    for _ in range(2):
        given_up = changed("loyaltyEventBonusArchive", bonusId=bonus_id)
        assert (given_up["programme"]["version"], given_up["bonus"]["archivedAt"] is not None) == (3, True)
    assert in_programme(NOW) == []
    assert in_programme() == [given_up["bonus"]]


def test_what_only_the_programme_can_say_is_told_with_the_rest() -> None:
    bonus_id = created()
    assert refused("loyaltyEventBonusCreate", **GOOD_REVIEWS | {"name": "GOOD reviews"}) == {"name": "TAKEN"}
    early = {"effectiveAt": "2025-01-01T00:00:00Z"}
    assert refused("loyaltyEventBonusCreate", **GOOD_REVIEWS, **early) == {"name": "TAKEN", "effectiveAt": "INVALID"}
    assert refused("loyaltyEventBonusUpdate", bonusId=bonus_id, points=9, expectedVersion=0) == {
        "expectedVersion": "VERSION_MISMATCH"
    }
    for mutation in ("loyaltyEventBonusUpdate", "loyaltyEventBonusArchive"):
        assert refused(mutation, bonusId="ebn_none") == {"bonusId": "NOT_FOUND"}
    changed("loyaltyEventBonusArchive", bonusId=bonus_id)
    assert refused("loyaltyEventBonusUpdate", bonusId=bonus_id, points=9) == {"bonusId": "ARCHIVED"}


def test_there_are_no_more_bonuses_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(defining, "BONUSES", replace(defining.BONUSES, most=1))
    created()
    assert refused("loyaltyEventBonusCreate", **GOOD_REVIEWS | {"name": "Others"}) == {"": "TOO_MANY"}


def test_what_staff_define_customers_earn_from_when_it_counts() -> None:
    founded()
    bonus_id = created()
    good = {"review": {"stars": 5}, "photos": ["a.jpg"]}
    assert given_for("e0", NOW, **good) == []
    assert given_for("e1", LATER, **good) == [50]
    assert given_for("e2", LATER, review={"stars": 3}, photos=["a.jpg"]) == [0]
    assert given_for("e3", LATER, **good) == [0]  # once a day
    changed("loyaltyEventBonusUpdate", now=LATER, bonusId=bonus_id, points=20, perDay=None)
    assert given_for("e4", LATER + timedelta(minutes=2), **good) == [20]
    changed("loyaltyEventBonusArchive", now=LATER, bonusId=bonus_id, effectiveAt="2026-03-11T00:00:00Z")
    assert given_for("e5", NOW + timedelta(days=1), **good) == []
    assert balances() == (70, 0, 0)


def test_bonuses_are_defined_and_read_by_those_who_may() -> None:
    text = 'mutation { loyaltyEventBonusArchive(input: {bonusId: "b"}) { userErrors { code } } }'
    assert codes(answer(text, principal=as_staff("loyalty:read"))) == ["FORBIDDEN"]
    asked = "{ loyaltyProgramme { newest { eventBonuses { bonusId } } } }"
    assert codes(answer(asked, principal=as_customer(ANN))) == ["FORBIDDEN"]
