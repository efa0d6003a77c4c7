# tests/unit/loyalty/tiers/test_merging.py
from datetime import UTC, date, datetime, timedelta

import pytest

from crm.loyalty.tiers.definitions import Tier, Tiers
from crm.loyalty.tiers.merging import Had, kept_beside
from crm.loyalty.tiers.record import Kept, Override

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SOON, LATER = NOW + timedelta(days=10), NOW + timedelta(days=99)
TIERS = Tiers(all=(Tier("b", "Bronze", 100), Tier("s", "Silver", 500), Tier("g", "Gold", 1000)))


def given(tier: str, until: datetime = SOON) -> Had:
    return Had(given=Override(tier, until))


def reached(tier: str, until: datetime = SOON) -> Had:
    return Had(reached=Override(tier, until))


@pytest.mark.parametrize(
    ("together", "had", "expected"),
    [
        ("g", [reached("s"), reached("b")], None),
        ("s", [reached("s"), reached("s", LATER)], None),  # it ends when both together say
        ("s", [reached("g"), reached("s")], Override("g", SOON)),
        (None, [reached("b", LATER), Had()], Override("b", LATER)),
        ("g", [given("s"), Had()], None),
        ("s", [given("s", LATER), Had()], Override("s", LATER)),  # what was given does not end sooner
        ("b", [given("s", LATER), given("g")], Override("g", SOON)),
        ("b", [given("g"), given("g", LATER)], Override("g", LATER)),
        ("b", [given("s"), reached("g", LATER)], Override("g", LATER)),
        (None, [Had(), Had()], None),
    ],
)
def test_the_highest_that_either_had_is_kept_beside_what_both_have_reached(
    together: str | None, had: list[Had], expected: Override | None
) -> None:
    assert kept_beside(together, had, TIERS) == expected
    assert kept_beside(together, had[::-1], TIERS) == expected


def test_what_has_no_end_is_kept_for_a_year_and_what_has_ended_is_not() -> None:
    kept = Kept(tier="g")
    assert Had.of(kept, zone="UTC", now=NOW) == reached("g", datetime(2027, 3, 10, tzinfo=UTC))
    ended = Kept(tier="g", ends_on=date(2026, 3, 10))
    assert Had.of(ended, zone="UTC", now=NOW) == Had()
    over = Kept(tier="g", override=Override("g", NOW), ends_on=date(2026, 12, 1))
    assert Had.of(over, zone="UTC", now=NOW) == Had()
    assert Had.of(Kept(), zone="UTC", now=NOW) == Had()
