# tests/unit/loyalty/tiers/test_fold.py
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from msgspec.structs import replace

from crm.loyalty.tiers import fold
from crm.loyalty.tiers.amounts import Amounts, Days
from crm.loyalty.tiers.definitions import Basis, Downgrade, Regime, Tier, Tiers, Window
from crm.loyalty.tiers.fold import Given, Step, Why
from crm.loyalty.tiers.outlook import Outlook, outlook

ROLLING, CALENDAR, MEMBERSHIP = Window.ROLLING, Window.CALENDAR_YEAR, Window.MEMBERSHIP_YEAR
THREE = (Tier("b", "Bronze", 100), Tier("s", "Silver", 500), Tier("g", "Gold", 1000))
JOINED = date(2025, 3, 10)


def tiers(window: Window = CALENDAR, **said: Any) -> Tiers:
    return Tiers(window=window, all=said.pop("all", THREE), **said)


def given(amounts: Mapping[str, int], *regimes: Tiers | Regime, joined_on: date = JOINED) -> Given:
    """Points by day."""
    days = Days({date.fromisoformat(day): Amounts(points=points) for day, points in amounts.items()})
    ruled = [each if isinstance(each, Regime) else Regime(date.min, each) for each in regimes]
    return Given(days, ruled, joined_on)


def walk(what: Given, through: str = "2030-01-01") -> list[tuple[str, str | None]]:
    """The days on which the tier became another, and which."""
    _, steps = fold.advance(fold.beginning(what), what, date.fromisoformat(through))
    return [(step.on.isoformat(), step.after) for step in steps]


def tier(what: Given, on: str) -> str | None:
    return fold.advance(fold.beginning(what), what, date.fromisoformat(on))[0].tier


def seen(what: Given, on: str) -> Outlook:
    return outlook(fold.advance(fold.beginning(what), what, date.fromisoformat(on))[0], what)


@pytest.mark.parametrize("window", Window)
def test_a_tier_is_attained_on_the_day_on_which_enough_is_reached(window: Window) -> None:
    what = given({"2025-03-10": 60, "2025-04-01": 40, "2025-05-01": 900}, tiers(window))
    assert [tier(what, day) for day in ("2025-03-31", "2025-04-01", "2025-05-01")] == [None, "b", "g"]


def test_what_counts_is_points_or_spend_or_orders_as_the_programme_says() -> None:
    days = Days({JOINED: Amounts(points=100, spend=50_000, orders=1000)})
    for basis, expected in ((Basis.POINTS, "b"), (Basis.SPEND, "g"), (Basis.ORDERS, "g")):
        what = Given(days, [Regime(date.min, tiers(basis=basis))], JOINED)
        assert tier(what, "2025-03-10") == expected


def test_a_calendar_year_carries_its_tier_through_the_next() -> None:
    what = given({"2025-06-01": 1000}, tiers(downgrade=Downgrade.REEVALUATE))
    assert walk(what) == [("2025-06-01", "g"), ("2027-01-01", None)]


def test_a_membership_year_begins_on_the_day_of_joining() -> None:
    what = given({"2025-06-01": 1000}, tiers(MEMBERSHIP, downgrade=Downgrade.REEVALUATE))
    assert walk(what) == [("2025-06-01", "g"), ("2027-03-10", None)]


def test_who_joined_on_29_february_has_years_that_begin_on_the_28th_where_there_is_none() -> None:
    what = given({"2024-02-29": 1000}, tiers(MEMBERSHIP, downgrade=Downgrade.REEVALUATE), joined_on=date(2024, 2, 29))
    assert walk(what) == [("2024-02-29", "g"), ("2026-02-28", None)]


def test_what_was_reached_counts_for_twelve_months_where_the_window_rolls() -> None:
    what = given({"2025-06-01": 600, "2025-09-01": 400}, tiers(ROLLING, downgrade=Downgrade.REEVALUATE))
    assert walk(what) == [("2025-06-01", "s"), ("2025-09-01", "g"), ("2026-06-01", "b"), ("2026-09-01", None)]


def test_what_came_on_29_february_counts_through_the_28th_of_the_next_year() -> None:
    what = given({"2024-02-29": 100}, tiers(ROLLING), joined_on=date(2024, 2, 29))
    assert walk(what) == [("2024-02-29", "b"), ("2025-03-01", None)]


def test_a_tier_that_is_reached_again_within_the_year_is_carried_on() -> None:
    what = given({"2025-06-01": 1000, "2026-11-01": 1000}, tiers(downgrade=Downgrade.REEVALUATE))
    assert walk(what) == [("2025-06-01", "g"), ("2028-01-01", None)]


def test_one_step_down_is_kept_for_a_year_whatever_the_window() -> None:
    assert walk(given({"2025-06-01": 1000}, tiers(CALENDAR))) == [
        ("2025-06-01", "g"), ("2027-01-01", "s"), ("2028-01-01", "b"), ("2029-01-01", None),
    ]  # fmt: skip
    assert walk(given({"2025-06-01": 1000}, tiers(ROLLING))) == [
        ("2025-06-01", "g"), ("2026-06-01", "s"), ("2027-06-01", "b"), ("2028-06-01", None),
    ]  # fmt: skip


def test_one_step_down_is_none_below_what_was_reached() -> None:
    what = given({"2025-06-01": 1000, "2026-06-01": 500}, tiers(all=(*THREE, Tier("p", "Platinum", 1500))))
    assert walk(what, "2027-06-01") == [("2025-06-01", "g"), ("2027-01-01", "s")]


@pytest.mark.parametrize("grace_days", [0, 30])
def test_no_order_in_a_rolling_window_makes_a_tier_end_sooner(grace_days: int) -> None:
    """Silver's year of one step down is from 1 July 2026 to 30 June 2027 (and the grace)."""
    ruled = tiers(ROLLING, grace_days=grace_days)
    before = {"2025-07-01": 1000}
    end = seen(given(before, ruled), "2026-08-15").ends
    assert end is not None
    for first, second in permutations(["2025-08-20", "2025-09-01", "2026-07-20", "2026-09-01", "2027-05-01"], 2):
        more = given(before | {first: 250, second: 250}, ruled)
        assert not ruled.is_lower(tier(more, (end.on - timedelta(days=1)).isoformat()), "s"), (first, second)
    grown = given(before | {"2026-06-25": 500}, ruled)
    assert walk(grown, "2027-06-24")[-1] == ((date(2026, 7, 1) + timedelta(days=grace_days)).isoformat(), "s")
    assert tier(grown, (date(2027, 6, 24) + timedelta(days=grace_days)).isoformat()) == "s"


def test_reevaluating_leaves_what_was_reached() -> None:
    what = given({"2025-06-01": 1000, "2026-06-01": 100}, tiers(downgrade=Downgrade.REEVALUATE))
    assert walk(what, "2027-06-01") == [("2025-06-01", "g"), ("2027-01-01", "b")]


def test_a_tier_stays_for_the_days_of_grace() -> None:
    said: dict[str, Any] = {"downgrade": Downgrade.REEVALUATE, "grace_days": 31}
    assert walk(given({"2025-06-01": 1000}, tiers(**said))) == [("2025-06-01", "g"), ("2027-02-01", None)]
    assert walk(given({"2025-06-01": 1000}, tiers(ROLLING, **said))) == [("2025-06-01", "g"), ("2026-07-02", None)]


@pytest.mark.parametrize(("late", "kept"), [("2027-01-31", True), ("2027-02-01", False)])
def test_what_is_reached_in_the_grace_still_keeps_the_tier(*, late: str, kept: bool) -> None:
    what = given({"2025-06-01": 1000, "2026-06-01": 900, late: 100}, tiers(grace_days=31))
    assert tier(what, "2027-02-01") == ("g" if kept else "s")
    assert tier(what, "2027-12-31") == ("g" if kept else "s")


def test_what_is_reached_in_the_grace_counts_for_the_new_year_too() -> None:
    what = given({"2025-06-01": 500, "2027-01-15": 500}, tiers(grace_days=31))
    assert walk(what, "2029-01-31") == [("2025-06-01", "s")]


def test_what_is_reached_in_the_grace_keeps_a_rolling_tier() -> None:
    what = given({"2025-06-01": 1000, "2026-06-20": 1000}, tiers(ROLLING, grace_days=31))
    assert walk(what, "2027-06-19") == [("2025-06-01", "g")]


def test_grace_lets_nobody_attain_what_no_year_reached() -> None:
    what = given({"2025-06-01": 500, "2026-06-01": 499, "2027-01-10": 501}, tiers(grace_days=31))
    assert tier(what, "2027-02-01") == "s"


def test_a_tier_of_nothing_is_had_since_joining_and_for_good() -> None:
    member = Tier("m", "Member", 0)
    for window in Window:
        what = given({}, tiers(window, all=(member, *THREE)))
        assert walk(what) == [("2025-03-10", "m")]
        assert seen(what, "2026-01-01").ends is None


def test_a_refund_takes_a_tier_away_and_what_is_carried_protects_from_it() -> None:
    fresh = given({"2025-06-01": 900}, tiers())
    assert tier(fresh, "2025-06-02") == "s"
    carried = given({"2025-06-01": 1000, "2026-06-01": 0}, tiers())
    assert tier(carried, "2026-06-02") == "g"


def test_an_order_told_late_puts_right_a_downgrade_that_it_would_have_prevented() -> None:
    before = {"2025-06-01": 1000, "2026-06-01": 900}
    assert tier(given(before, tiers()), "2027-01-10") == "s"
    what = given(before | {"2026-12-31": 100}, tiers())
    state, _ = fold.advance(fold.beginning(what), what, date(2027, 1, 10))
    assert (state.tier, state.since) == ("g", date(2025, 6, 1))


def test_a_tier_that_is_left_and_attained_anew_is_had_since_then() -> None:
    what = given({"2025-06-01": 1000, "2026-08-01": 1000}, tiers(ROLLING))
    assert walk(what, "2026-12-31") == [("2025-06-01", "g"), ("2026-06-01", "s"), ("2026-08-01", "g")]


def test_whoever_has_a_tier_keeps_it_as_long_as_they_were_told_when_thresholds_are_raised() -> None:
    dearer = tiers(all=tuple(replace(each, threshold=each.threshold * 10) for each in THREE))
    what = given({"2025-06-01": 1000}, tiers(), Regime(date(2025, 8, 1), dearer))
    assert walk(what, "2028-01-01") == [("2025-06-01", "g"), ("2027-01-01", "s"), ("2028-01-01", "b")]
    rolling = given({"2025-06-01": 1000}, tiers(ROLLING), Regime(date(2025, 8, 1), replace(dearer, window=ROLLING)))
    assert walk(rolling, "2026-08-01") == [("2025-06-01", "g"), ("2026-08-01", "s")]


@pytest.mark.parametrize("window", Window)
@pytest.mark.parametrize("edited", ["2025-06-02", "2025-12-30", "2026-01-01", "2026-03-10", "2026-05-31"])
@pytest.mark.parametrize("grace_days", [0, 20])
def test_no_edit_of_the_definitions_takes_a_tier_before_the_day_that_was_promised(
    window: Window, edited: str, grace_days: int
) -> None:
    day = date.fromisoformat(edited)
    amounts = {"2025-06-01": 1000}
    before = tiers(window, downgrade=Downgrade.REEVALUATE, grace_days=grace_days)
    promised = seen(given(amounts, before), (day - timedelta(days=1)).isoformat()).ends
    assert promised is not None
    dearer = tuple(replace(each, threshold=each.threshold * 10) for each in THREE)
    archived = (*THREE[:2], replace(THREE[2], archived_at=datetime(2025, 6, 2, tzinfo=UTC)))
    for changed in (
        replace(before, all=dearer), replace(before, all=archived), replace(before, grace_days=0),
        *(replace(before, window=each, all=every) for each in Window for every in (THREE, dearer)),
    ):  # fmt: skip
        what = given(amounts, before, Regime(day, changed))
        assert tier(what, (promised.on - timedelta(days=1)).isoformat()) == "g"
        assert tier(what, (promised.on + timedelta(days=400)).isoformat()) != "g"


def test_edits_promise_nothing_anew() -> None:
    edits = [Regime(date(2025, 7 + each, 1), tiers(grace_days=each % 2)) for each in range(6)]
    what = given({"2025-06-01": 1000}, tiers(), *edits[:1], *edits[2::2])
    assert walk(what, "2027-06-01") == [("2025-06-01", "g"), ("2027-01-01", "s")]


def test_thresholds_that_are_lowered_count_from_that_day() -> None:
    cheaper = tiers(all=tuple(replace(each, threshold=each.threshold // 2) for each in THREE))
    what = given({"2025-06-01": 500}, tiers(), Regime(date(2025, 8, 1), cheaper))
    _, steps = fold.advance(fold.beginning(what), what, date(2025, 9, 1))
    assert [(step.on.isoformat(), step.after, step.why) for step in steps] == [
        ("2025-06-01", "s", Why.ATTAINED), ("2025-08-01", "g", Why.REDEFINED),
    ]  # fmt: skip


def test_tiers_that_are_defined_later_count_what_was_before_them() -> None:
    what = given({"2025-06-01": 500}, Tiers(), Regime(date(2025, 8, 1), tiers()))
    assert walk(what, "2025-12-31") == [("2025-08-01", "s")]


def test_other_names_and_benefits_change_nobodys_tier() -> None:
    named = tiers(all=(*THREE[:2], replace(THREE[2], name="Aurum", benefits=("More",))), notice_days=5)
    what = given({"2025-06-01": 1000}, tiers(), Regime(date(2026, 12, 31), named))
    assert walk(what, "2027-01-01") == [("2025-06-01", "g"), ("2027-01-01", "s")]


def test_an_archived_tier_is_kept_by_those_who_have_it_and_attained_by_nobody_else() -> None:
    without = tiers(all=(THREE[0], replace(THREE[1], archived_at=datetime(2025, 8, 1, tzinfo=UTC)), THREE[2]))
    regimes = (tiers(), Regime(date(2025, 8, 1), without))
    assert walk(given({"2025-06-01": 500}, *regimes), "2027-12-31") == [("2025-06-01", "s"), ("2027-01-01", "b")]
    assert tier(given({"2025-09-01": 500}, *regimes), "2025-09-01") == "b"
    what = given({"2025-06-01": 1000}, *regimes)
    assert walk(what, "2027-12-31") == [("2025-06-01", "g"), ("2027-01-01", "b")]


def test_going_on_from_what_was_come_to_ends_where_all_of_it_does() -> None:
    for window in Window:
        for downgrade in Downgrade:
            what = given(
                {"2025-03-10": 400, "2025-07-01": 700, "2026-02-01": 300, "2026-09-09": 150, "2027-05-05": 500},
                tiers(window, downgrade=downgrade, grace_days=20),
            )
            whole, steps = fold.advance(fold.beginning(what), what, date(2029, 6, 1))
            state, parts = fold.beginning(what), list[Step]()
            while state.day < whole.day:
                state, more = fold.advance(state, what, min(whole.day, state.day + timedelta(days=13)))
                parts += more
            assert (state, tuple(parts)) == (whole, steps)


def test_progress_says_what_the_next_tier_takes_and_what_is_needed_to_stay() -> None:
    what = given({"2025-06-01": 600, "2026-03-01": 150}, tiers())
    found = seen(what, "2026-04-01")
    assert (found.since, found.counted) == (date(2026, 1, 1), 150)
    assert found.next_tier is not None
    assert (found.next_tier.id, found.missing) == ("g", 850)
    assert found.ends is not None
    assert (found.ends.on, found.ends.after, found.ends.missing) == (date(2027, 1, 1), "b", 350)


@pytest.mark.parametrize("window", Window)
@pytest.mark.parametrize("downgrade", Downgrade)
@pytest.mark.parametrize("grace_days", [0, 30])
def test_what_is_needed_to_stay_is_exactly_what_keeps_the_tier(
    window: Window, downgrade: Downgrade, grace_days: int
) -> None:
    ruled = tiers(window, downgrade=downgrade, grace_days=grace_days, all=THREE[:2])
    amounts = {"2025-06-01": 600, "2025-08-01": 200, "2026-04-01": 150}
    found = seen(given(amounts, ruled), "2026-05-01")
    assert found.ends is not None
    assert found.ends.missing is not None
    last = (found.ends.on - timedelta(days=1)).isoformat()
    assert tier(given(amounts | {last: found.ends.missing}, ruled), found.ends.on.isoformat()) == "s"
    assert tier(given(amounts | {last: found.ends.missing - 1}, ruled), found.ends.on.isoformat()) == found.ends.after


@pytest.mark.parametrize("window", Window)
@pytest.mark.parametrize("downgrade", Downgrade)
@pytest.mark.parametrize("grace_days", [0, 30])
@pytest.mark.parametrize("archived", [1, 2])
def test_of_an_archived_tier_only_what_attains_a_higher_one_keeps_anybody_from_a_lower(
    window: Window, downgrade: Downgrade, grace_days: int, archived: int
) -> None:
    before = tiers(window, downgrade=downgrade, grace_days=grace_days)
    every = [*THREE]
    every[archived] = replace(every[archived], archived_at=datetime(2025, 9, 1, tzinfo=UTC))
    ruled = (before, Regime(date(2025, 9, 1), replace(before, all=tuple(every))))
    amounts = {"2025-06-01": THREE[archived].threshold}
    found = seen(given(amounts, *ruled), "2025-10-01").ends
    assert found is not None
    last = (found.on - timedelta(days=1)).isoformat()

    def falls(more: int) -> bool:
        then = tier(given(amounts | {last: more}, *ruled), found.on.isoformat())
        return before.is_lower(then, THREE[archived].id)

    if archived == 2:
        assert (found.missing, falls(10_000)) == (None, True)
    else:
        assert found.missing is not None
        assert (falls(found.missing), falls(found.missing - 1)) == (False, True)


def test_whoever_has_the_highest_tier_has_none_to_come() -> None:
    found = seen(given({"2025-06-01": 5000}, tiers()), "2025-06-01")
    assert (found.next_tier, found.missing) == (None, 0)


def test_sums_of_days_do_not_depend_on_how_they_are_told() -> None:
    told = [("2025-06-01", 600), ("2026-03-01", 150), ("2026-12-01", 900)]
    walks = {tuple(walk(given(dict(order), tiers(ROLLING)))) for order in permutations(told)}
    assert len(walks) == 1
