# tests/unit/loyalty/tiers/test_fold_day_by_day.py
"""The fold against one that looks at each day anew, by the words of docs/loyalty.md and by nothing of the fold's."""

import random
from calendar import monthrange
from datetime import date, timedelta

import pytest

from crm.loyalty.tiers import fold
from crm.loyalty.tiers.amounts import Amounts, Days
from crm.loyalty.tiers.definitions import Downgrade, Regime, Tier, Tiers, Window
from crm.loyalty.tiers.fold import Given

DAY = timedelta(days=1)
THRESHOLDS = {"b": 100, "s": 300, "g": 700}
LADDER = [None, "b", "s", "g"]


def year_later(day: date, years: int = 1) -> date:
    year = day.year + years
    return day.replace(year=year, day=min(day.day, monthrange(year, day.month)[1]))


def attained(points: int) -> int:
    return max(rank for rank, name in enumerate(LADDER) if name is None or THRESHOLDS[name] <= points)


class DayByDay:
    """Ranks: 0 is none."""

    def __init__(self, points: dict[date, int], tiers: Tiers, joined_on: date) -> None:
        self.points, self.tiers, self.joined_on = points, tiers, joined_on
        self.rank = self.carried = self.held = 0
        self.judged_on: date | None = None

    def sum(self, first: date, last: date) -> int:
        return sum(points for day, points in self.points.items() if first <= day <= last)

    def begin(self, day: date) -> date:
        """Of the year that a day is in."""
        if self.tiers.window is Window.CALENDAR_YEAR:
            return date(day.year, 1, 1)
        years = range(day.year - self.joined_on.year + 1)
        return max(begin for each in years if (begin := year_later(self.joined_on, each)) <= day)

    def window(self, day: date) -> date:
        if self.tiers.window is not Window.ROLLING:
            return self.begin(day)
        return year_later(day, -1) + DAY

    def lower(self, made: int) -> int:
        return made if self.tiers.downgrade is Downgrade.REEVALUATE else max(made, self.carried - 1)

    def next_judging(self, day: date) -> date:
        if self.tiers.window is Window.ROLLING:
            return year_later(day)
        while self.begin(day) == self.begin(day + DAY):
            day += DAY
        return day + DAY + timedelta(days=self.tiers.grace_days)

    def reach(self, day: date, there: int) -> None:
        """Reached again, it is carried no longer than it would be had anyway, and a higher one not at all."""
        is_promised = self.judged_on is not None and self.judged_on > day + timedelta(days=self.tiers.grace_days)
        if there > self.carried or (there == self.carried and not is_promised):
            self.carried, self.judged_on = 0, None

    def pass_day(self, day: date) -> str | None:
        rolling = self.tiers.window is Window.ROLLING
        there = attained(self.sum(self.window(day), day - DAY)) if day > self.joined_on else 0
        if rolling:
            self.reach(day, there)
            if self.judged_on and there < self.carried <= self.held:
                self.judged_on = max(self.judged_on, day + timedelta(days=self.tiers.grace_days))
            if not self.carried and there < self.rank:
                self.carried, self.judged_on = self.rank, day + timedelta(days=self.tiers.grace_days)
        elif day == self.begin(day) and day > self.joined_on:
            made = attained(self.sum(self.begin(day - DAY), day - DAY))
            if made >= self.carried:
                self.carried, self.judged_on = made, self.next_judging(day)
        if self.judged_on == day and self.carried:
            first = self.window(day) if rolling else self.begin(day - timedelta(days=self.tiers.grace_days) - DAY)
            made = attained(self.sum(first, day - DAY))
            is_step = made < self.carried and self.tiers.downgrade is Downgrade.ONE_STEP
            if made < self.carried:
                self.carried = self.lower(made)
            self.judged_on = self.next_judging(day)
            if rolling and self.carried <= made and not is_step:
                self.carried = 0
        there = attained(self.sum(self.window(day), day))
        self.held = there
        if rolling:
            self.reach(day, there)
        self.rank = max(there, self.carried)
        return LADDER[self.rank]


@pytest.mark.parametrize("seed", range(9))
def test_every_day_has_the_tier_that_looking_at_each_day_anew_gives(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311
    joined_on = draw.choice([date(2024, 2, 29), date(2024, 1, 1), date(2024, 6, 15)])
    tiers = Tiers(
        window=list(Window)[seed % 3], downgrade=draw.choice(list(Downgrade)), grace_days=draw.choice([0, 0, 20, 60]),
        all=tuple(Tier(name, name, points) for name, points in THRESHOLDS.items()),
    )  # fmt: skip
    points = {joined_on + timedelta(days=draw.randrange(1500)): draw.choice([50, 150, 400]) for _ in range(14)}
    naive = DayByDay(points, tiers, joined_on)
    days = Days({day: Amounts(points=each) for day, each in points.items()})
    given = Given(days, [Regime(date.min, tiers)], joined_on)
    last = joined_on + timedelta(days=2000)
    _, steps = fold.advance(fold.beginning(given), given, last)
    changes = {step.on: step.after for step in steps}
    had = None
    for number in range(2001):
        day = joined_on + timedelta(days=number)
        had = changes.get(day, had)
        assert naive.pass_day(day) == had, (day, tiers, points)
