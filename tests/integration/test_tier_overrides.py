# tests/integration/test_tier_overrides.py
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from crm.kernel.actor import Actor, Role
from crm.kernel.errors import InvalidInputs
from crm.loyalty import service
from crm.loyalty.service import TierOverride
from crm.loyalty.tiers.events import TierChanged
from tests.integration.points import ANN, STAFF, programme
from tests.integration.tiers import DAY, JUNE, THREE, bought, due_at, history, ruled, standing, told, wake

pytestmark = pytest.mark.usefixtures("shop", "ruled")

__all__ = ["programme", "ruled"]


def test_a_tier_given_by_hand_counts_until_its_end_and_then_what_was_reached() -> None:
    bought(JUNE, 100)
    until = JUNE + 30 * DAY
    said = TierOverride(tier_id="g", until=until, reason=" A late parcel ")
    service.override_tier("demo", ANN, said, actor=STAFF, now=JUNE + DAY)
    service.override_tier("demo", ANN, said, actor=STAFF, now=JUNE + DAY)
    assert standing(JUNE + 2 * DAY) == ("g", "2025-06-02", "2025-07-01")
    bought(JUNE + 3 * DAY, 400, "o2")
    assert standing(JUNE + 3 * DAY)[0] == "g"
    assert due_at() == until
    assert standing(until)[0] == "s"
    wake(until + DAY)
    assert history() == [
        ("2025-06-01", "b", "ATTAINED"), ("2025-06-02", "g", "OVERRIDDEN"), ("2025-07-01", "s", "OVERRIDE_ENDED"),
    ]  # fmt: skip
    given = service.tier_changes("demo", ANN, before=None, limit=100)[1]
    assert (given.actor, given.reason, given.until) == ("staff:s1", "A late parcel", until)
    assert standing(until + DAY) == ("s", "2025-06-04", "2026-12-31")


def test_a_tier_given_again_by_somebody_else_or_for_another_reason_is_written_and_had_since_before() -> None:
    said = TierOverride(tier_id="g", until=JUNE + 30 * DAY, reason="A late parcel")
    again = replace(said, reason="A complaint")
    given = [
        service.override_tier("demo", ANN, each, actor=Actor(Role.STAFF, who), now=JUNE + days * DAY)
        for days, (each, who) in enumerate(
            [(said, "s1"), (said, "s1"), (again, "s1"), (again, "s1"), (again, "s2"), (said, "s2")]
        )
    ]
    assert [one.replayed for one in given] == [False, True, False, True, False, False]
    written = service.tier_changes("demo", ANN, before=None, limit=100)[::-1]
    assert [(one.actor, one.reason) for one in written] == [
        ("staff:s1", "A late parcel"), ("staff:s1", "A complaint"), ("staff:s2", "A complaint"),
        ("staff:s2", "A late parcel"),
    ]  # fmt: skip
    assert [TierChanged.of(one) is not None for one in written] == [True, False, False, False]
    assert standing(JUNE + 6 * DAY) == ("g", "2025-06-01", "2025-07-01")


def test_who_is_given_nothing_is_taken_nothing() -> None:
    taken = TierOverride(tier_id=None, until=None, reason="A mistake")
    assert service.override_tier("demo", ANN, taken, actor=STAFF, now=JUNE).replayed
    assert history() == []


def test_a_tier_given_by_hand_can_be_taken_back() -> None:
    service.override_tier(
        "demo", ANN, TierOverride(tier_id="g", until=JUNE + 30 * DAY, reason="A guest"), actor=STAFF, now=JUNE
    )
    assert standing(JUNE)[0] == "g"
    taken = TierOverride(tier_id=None, until=None, reason="A mistake")
    service.override_tier("demo", ANN, taken, actor=STAFF, now=JUNE + DAY)
    assert standing(JUNE + DAY)[0] is None
    assert [each[1:] for each in history()] == [("g", "OVERRIDDEN"), (None, "OVERRIDE_ENDED")]


def test_all_that_is_wrong_with_a_tier_given_by_hand_is_told_at_once() -> None:
    with pytest.raises(InvalidInputs) as refused:
        service.override_tier(
            "demo", ANN, TierOverride(tier_id="x", until=JUNE - DAY, reason=" "), actor=STAFF, now=JUNE
        )
    assert {fault.path for fault in refused.value.faults} == {"reason", "until", "tier"}


def test_nobody_is_told_that_a_tier_ends_which_somebody_of_the_shop_gave() -> None:
    bought(JUNE, 500)
    said = TierOverride(tier_id="g", until=datetime(2027, 6, 1, tzinfo=UTC), reason="A guest")
    service.override_tier("demo", ANN, said, actor=STAFF, now=JUNE)
    assert due_at() == datetime(2026, 12, 31, 23, tzinfo=UTC)
    bought(datetime(2026, 12, 10, tzinfo=UTC), 10, "o2")
    assert told() == []


def test_progress_says_when_a_tier_that_was_given_ends_and_what_is_had_then() -> None:
    bought(JUNE, 500)
    said = TierOverride(tier_id="g", until=JUNE + 30 * DAY, reason="A guest")
    service.override_tier("demo", ANN, said, actor=STAFF, now=JUNE)
    found = service.tier_progress("demo", ANN, now=JUNE + DAY)
    assert found is not None
    assert (str(found.ends_on), found.ends_after, found.missing_to_stay) == ("2025-07-01", THREE[1], None)
    bought(JUNE + DAY, 500, "o2")
    reached = service.tier_progress("demo", ANN, now=JUNE + 2 * DAY)
    assert reached is not None
    assert (str(reached.ends_on), reached.missing_to_stay) == ("2027-01-01", 1000)  # then it was reached, too
