# tests/faults/consents.py
"""64 writers of one customer's consents at once, in threads of several processes, their event times shuffled: what
holds afterwards is what the event times say, whoever committed last.
"""

import multiprocessing
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier, Lock
from random import Random
from typing import Any, Final

from bench.figures import Report
from tests.faults import in_process
from tests.faults.racing import Attempt, overlap

FIGURES: Final = ("gateway.consent_races_wrong", "gateway.consent_writers_overlapping")
PROCESSES, THREADS = 4, 16
RACES, QUICK_RACES = 8, 2
SHOP = "consents"
TOPICS: Final = (None, "news", "sports")
STATES: Final = ("granted", "pending", "denied")
START: Final = datetime(2026, 1, 1, tzinfo=UTC)
MINUTES = 40
"""Fewer than writers: some things are said at one instant."""


@dataclass(frozen=True)
class Said:
    """What one writer says in one race; its number names its cause."""

    topic: str | None
    state: str
    minute: int


def run(report: Report, sabotage: str) -> None:
    in_process.found_shop(SHOP, zone="Europe/Vienna", currency="EUR")
    races = QUICK_RACES if report.quick else RACES
    said = [list(_said(Random(f"{report.seed}:{race}"))) for race in range(races)]
    attempts = _race(said, sabotage)
    again = sum(int(attempt.outcome) - 1 for attempt in attempts)
    by_race = [overlap(attempts[number : number + PROCESSES * THREADS]) for number in range(0, len(attempts), 64)]
    wrong = sum(_wrong(race, all_said) for race, all_said in enumerate(said))
    print(f"{races} races of 64 writers: {by_race} at work at one moment; {again} delivered again", flush=True)
    for figure, value in zip(FIGURES, (wrong, min(by_race)), strict=True):
        if report.wants(figure):
            report.tell(figure, value, n=len(attempts))


def _said(random: Random) -> Iterator[Said]:
    for _ in range(PROCESSES * THREADS):
        yield Said(random.choice(TOPICS), random.choice(STATES), random.randrange(MINUTES))


def _race(said: list[list[Said]], sabotage: str) -> list[Attempt]:
    """Every writer's attempts, race by race."""
    context = multiprocessing.get_context("spawn")
    barrier, one_by_one = context.Barrier(PROCESSES * THREADS), context.Lock()
    turns = one_by_one if sabotage == "consent_writers_overlapping" else None
    results: Any = context.Queue()
    processes = [
        context.Process(target=writers, args=(number, said, barrier, results, turns, sabotage), daemon=True)
        for number in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    found: list[tuple[int, Attempt]] = [results.get(timeout=300) for _ in range(len(said) * PROCESSES * THREADS)]
    for process in processes:
        process.join(30)
    return [attempt for _, attempt in sorted(found, key=lambda one: one[0])]


def writers(
    process: int, said: list[list[Said]], barrier: Barrier, results: Any, turns: Lock | None, sabotage: str
) -> None:
    """One process of them."""
    from tests.faults.sabotage import in_worker

    if sabotage:
        in_worker(sabotage)
    from crm.kernel.table import client

    client()  # made before the race, which is to be for the head
    threads = [
        threading.Thread(target=_write_all, args=(process * THREADS + thread, said, barrier, results, turns))
        for thread in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _write_all(writer: int, said: list[list[Said]], barrier: Barrier, results: Any, turns: Lock | None) -> None:
    for race, all_said in enumerate(said):
        barrier.wait(120)
        time.sleep(-time.monotonic() % 0.5)  # the barrier lets them go one by one; from this instant they all go
        if turns is not None:
            turns.acquire()
        started_at = time.monotonic()
        deliveries = _deliver(race, writer, all_said[writer])
        results.put((race, Attempt(started_at, time.monotonic(), str(deliveries))))
        if turns is not None:
            turns.release()


def _deliver(race: int, writer: int, said: Said) -> int:
    """As a queue does, until it is taken; how often that was."""
    from crm.consent import service
    from crm.kernel.actor import Actor, Role
    from crm.kernel.change import Change, retrying
    from crm.kernel.errors import Stale

    def attempt() -> None:
        change = Change(datetime.now(UTC))
        given = service.ConsentGiven("email", "marketing", said.state, "race", topic=said.topic)
        service.record(
            change,
            SHOP,
            _customer(race),
            [given],
            actor=Actor(Role.SERVICE, "race"),
            cause=f"event:{writer}",
            occurred_at=START + timedelta(minutes=said.minute),
            now=datetime.now(UTC),
            replayed=False,
        )
        change.commit()

    for delivery in range(1, 50):
        try:
            retrying(attempt)
        except Stale:
            continue
        return delivery
    raise TimeoutError("a writer was overtaken in 49 deliveries")


def _wrong(race: int, said: list[Said]) -> int:
    """1 where what is stored of the customer is not what was said, read in the order of event time."""
    from crm.consent import service

    customer = _customer(race)
    now = service.as_of(SHOP, customer, START + timedelta(days=1))
    counting = _head(customer)
    expected = {
        (topic, last.state, START + timedelta(minutes=last.minute))
        for topic in TOPICS
        if (last := _last(said, topic)) is not None
    }
    allowed = {topic: service.withheld(counting, "email", "marketing", topic) is None for topic in TOPICS}
    entries = service.entries(SHOP, customer, before=None, limit=len(said) + 1)
    right = (
        all(
            {(state.topic, state.state, state.occurred_at) for state in service.held(states)} == expected
            for states in (counting, now)
        )
        and allowed == {topic: _allowed(said, topic) for topic in TOPICS}
        and len(entries) == len(said)
    )
    return int(not right)


def _last(said: list[Said], topic: str | None) -> Said | None:
    """What holds: the latest yes since the latest no, else the latest request since then, else that no."""
    latest = {
        state: max((one for one in said if (one.topic, one.state) == (topic, state)), key=_minute, default=None)
        for state in STATES
    }
    no = latest["denied"]
    for state in ("granted", "pending"):
        one = latest[state]
        if one is not None and (no is None or one.minute > no.minute):
            return one
    return no


def _minute(said: Said) -> int:
    return said.minute


def _allowed(said: list[Said], topic: str | None) -> bool:
    """Decision 0054, told from the yes and the no that was said: requests change nothing."""
    settled = [one for one in said if one.state != "pending"]
    whole, own = _last(settled, None), _last(settled, topic)
    if topic is None or own is None:
        return whole is not None and whole.state == "granted"
    silenced = any(one.topic is None and one.state == "denied" and one.minute >= own.minute for one in settled)
    return own.state == "granted" and (not silenced or (whole is not None and whole.state == "granted"))


def _head(customer: str) -> list[Any]:
    from crm.consent.service import ConsentHead
    from crm.customers import service as customers

    head = customers.take_snapshot(SHOP, customer).head(ConsentHead)
    return list(head.states) if head else []


def _customer(race: int) -> str:
    return f"cus_race{race}"
