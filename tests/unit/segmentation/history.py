# tests/unit/segmentation/history.py
"""One customer's memberships, kept as the engine keeps them, without a store."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from crm.segmentation.causes import by_time
from crm.segmentation.language.catalogue import Catalogue
from crm.segmentation.language.compiling import Compiled, understand
from crm.segmentation.language.facts import Fact, Facts, Profile, Statistics
from crm.segmentation.language.reading import Reads
from crm.segmentation.language.truth import Moment
from crm.segmentation.language.verdicts import Verdict
from crm.segmentation.transitions import Interval, Outcome, Question, Standing, settle

ZONE = "Europe/Vienna"
START = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY, HOUR, INSTANT = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)
LATELY, REPEAT = "last_order_date > -30d", "number_of_orders >= 2"
Times = list[tuple[datetime, datetime | None]]


def compiled(query: str) -> Compiled:
    understood = understand(query, Catalogue("EUR"))
    assert understood.compiled is not None, understood.mistakes
    return understood.compiled


class History:
    """`queries` by the id of their segment."""

    def __init__(self, queries: Mapping[str, str], zone: str = ZONE, **known: Any) -> None:
        self.segments = {name: compiled(query) for name, query in queries.items()}
        self.versions = dict.fromkeys(queries, 1)
        self.since: dict[str, datetime] = {}
        self.standing = Standing({}, {})
        self.stays: dict[tuple[str, datetime, int], Interval] = {}
        self.revision = 0
        self.orders: list[datetime] = []
        self.facts = Facts("cus_1", zone, known.pop("profile", Profile(START)), **known)

    @property
    def wakes_at(self) -> datetime | None:
        return min((flip.at for flip in self.standing.flips.values()), default=None)

    def settle(
        self,
        cause: str,
        occurred_at: datetime,
        now: datetime,
        *,
        touched: frozenset[str] | None = None,
        redefined: Mapping[str, str] | None = None,
    ) -> Outcome:
        """`touched`: those that the cause may have changed; all, unless it says which."""
        asked = [
            Question(
                name, self.versions[name], segment.evaluate_at, segment.reads, self.since.get(name),
                touched=touched is None or name in touched, redefined=(redefined or {}).get(name),
            )
            for name, segment in ((name, Asked(segment)) for name, segment in self.segments.items())
            if touched is None or name in touched or name in (redefined or {}) or self._is_due(name, now)
        ]  # fmt: skip
        outcome = settle(self.standing, asked, self.facts, cause=cause, occurred_at=occurred_at, now=now)
        self.revision += 1
        for stay in outcome.changed:
            key = (stay.segment_id, stay.entered_at, stay.begun_in or self.revision)
            assert bool(stay.begun_in) == (key in self.stays)
            assert self.stays.get(key, stay).left_at is None or not stay.begun_in
            self.stays[key] = replace(stay, begun_in=key[2])
        open_ = {name: replace(stay, begun_in=stay.begun_in or self.revision) for name, stay in outcome.open.items()}
        self.standing = Standing(open_, outcome.flips, outcome.as_of)
        return outcome

    def wake(self, now: datetime) -> None:
        """A timer fires, however late."""
        if self.wakes_at and self.wakes_at <= now:
            self.settle(by_time(self.wakes_at), self.wakes_at, now, touched=frozenset())

    def wake_on_time(self, now: datetime) -> None:
        while self.wakes_at and self.wakes_at <= now:
            self.wake(self.wakes_at)

    def know_orders(self) -> None:
        last = max(self.orders, default=None)
        self.facts = replace(
            self.facts,
            statistics=Statistics(
                order_count=len(self.orders), first_order_at=min(self.orders, default=None), last_order_at=last
            ),
            told={Fact.STATISTICS: last} if last else {},
        )

    def order(self, placed_at: datetime, now: datetime | None = None) -> None:
        self.orders.append(placed_at)
        self.know_orders()
        self.settle(f"order:{len(self.orders)}", placed_at, now or placed_at)

    def times(self, name: str = "lately") -> Times:
        found = [
            stay for _, stay in sorted(self.stays.items(), key=lambda each: each[0][1:]) if stay.segment_id == name
        ]
        return [(stay.entered_at, stay.left_at) for stay in found]

    def causes(self) -> list[str]:
        """All of them, in the order of what they did."""
        told = [(stay.entered_at, stay.entered_cause) for stay in self.stays.values()]
        told += [(stay.left_at, stay.left_cause or "") for stay in self.stays.values() if stay.left_at]
        return [cause for _, cause in sorted(told)]

    def members(self) -> set[str]:
        return set(self.standing.open)

    def true_at(self, now: datetime) -> set[str]:
        """From scratch."""
        moment = Moment(self.facts, now)
        return {name for name, segment in self.segments.items() if segment.at(moment).member}

    def _is_due(self, name: str, now: datetime) -> bool:
        flip = self.standing.flips.get(name)
        return flip is not None and flip.at <= now


class Asked:
    """A segment, and how often it was asked."""

    def __init__(self, segment: Compiled) -> None:
        self.segment = segment
        self.asked = 0

    @property
    def reads(self) -> Reads:
        return self.segment.reads

    def evaluate_at(self, moment: Moment) -> Verdict:
        self.asked += 1
        return self.segment.at(moment)
