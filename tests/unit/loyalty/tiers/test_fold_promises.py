# tests/unit/loyalty/tiers/test_fold_promises.py
"""What is shown on a day is had until then, whatever orders and edits come, where orders only add."""

import random
from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from crm.loyalty.models import LoyaltyAccount
from crm.loyalty.tiers import fold, record
from crm.loyalty.tiers.amounts import Amounts, Days
from crm.loyalty.tiers.definitions import Downgrade, Regime, Tier, Tiers, Window
from crm.loyalty.tiers.fold import Given, State
from crm.loyalty.tiers.outlook import outlook

DAY = timedelta(days=1)
SPAN = 900
TWO = (Tier("s", "Silver", 500), Tier("g", "Gold", 2000))
THREE = ("b", "s", "g")


def given(points: dict[date, int], regimes: list[Regime], joined_on: date) -> Given:
    return Given(Days({day: Amounts(points=each) for day, each in points.items()}), regimes, joined_on)


def at(what: Given, day: date) -> State:
    return fold.advance(fold.beginning(what), what, day)[0]


def drawn(draw: random.Random) -> Tiers:
    thresholds = sorted(draw.sample([50, 100, 150, 200, 300, 500, 800], 3))
    return Tiers(
        window=draw.choice(list(Window)),
        downgrade=draw.choice(list(Downgrade)),
        grace_days=draw.choice([0, 0, 30, 60]),
        all=tuple(Tier(name, name, each) for name, each in zip(THREE, thresholds, strict=True)),
    )


def rank(tier: str | None) -> int:
    return THREE.index(tier) if tier else -1


@pytest.mark.parametrize("grace_days", [0, 30])
def test_buying_more_after_an_edit_ends_no_tier_sooner_than_was_told(grace_days: int) -> None:
    years = Tiers(window=Window.CALENDAR_YEAR, downgrade=Downgrade.REEVALUATE, grace_days=grace_days, all=TWO)
    regimes = [Regime(date.min, years), Regime(date(2025, 7, 14), replace(years, window=Window.ROLLING))]
    silver, gold = {date(2025, 1, 10): 600}, {date(2025, 8, 1): 2000}
    until = date(2027, 1, 1) + timedelta(days=grace_days)
    shown = at(given(silver, regimes[:1], date(2025, 1, 10)), date(2025, 7, 1))
    ends = outlook(shown, given(silver, regimes[:1], date(2025, 1, 10))).ends
    assert (shown.tier, ends and ends.on) == ("s", until)
    what = given(silver | gold, regimes, date(2025, 1, 10))
    _, steps = fold.advance(fold.beginning(what), what, date(2028, 1, 1))
    assert [(step.on, step.after) for step in steps][1:] == [
        (date(2025, 8, 1), "g"), (date(2026, 8, 1) + timedelta(days=grace_days), "s"), (until, None),
    ]  # fmt: skip


@pytest.mark.parametrize("seeds", [range(each, each + 20) for each in range(0, 120, 20)])
def test_what_is_shown_on_a_day_is_had_until_then(seeds: range) -> None:
    for seed in seeds:
        draw = random.Random(seed)  # noqa: S311
        joined_on = date(2024, 1, 1) + timedelta(days=draw.randrange(400))
        points = {joined_on + timedelta(days=draw.randrange(SPAN)): draw.choice([50, 100, 300, 600]) for _ in range(8)}
        edits = sorted(joined_on + timedelta(days=draw.randrange(200, 700)) for _ in range(draw.randrange(1, 4)))
        regimes = [Regime(day, drawn(draw)) for day in (date.min, *edits)]
        what = given(points, regimes, joined_on)
        for day in (edits[0] - DAY, joined_on + timedelta(days=draw.randrange(SPAN))):
            by_then = {each: some for each, some in points.items() if each <= day}
            known = given(by_then, [each for each in regimes if each.since <= day], joined_on)
            shown = at(known, day)
            assert at(what, day) == shown
            end = outlook(shown, known).ends
            last = (end.on if end else day + DAY) - DAY
            then, steps = fold.advance(shown, what, last)
            assert then == at(what, last)  # as if nobody had looked
            assert all(rank(step.after) >= rank(shown.tier) for step in steps), (seed, day, shown, end, steps)


def test_what_was_promised_is_kept_with_what_an_account_goes_on_from() -> None:
    day = date(2026, 1, 1)
    head, state = LoyaltyAccount.of("demo", "cus_1"), State(day, "g", day, "g", day + DAY, "s", day + 9 * DAY)
    record.put_kept(head, record.Kept(folded=state))
    assert record.kept_of(head).folded == state
