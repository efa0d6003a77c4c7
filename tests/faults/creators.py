# tests/faults/creators.py
"""64 concurrent creators of one e-mail address, in threads of several processes: one wins."""

import multiprocessing
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier, Lock
from typing import Any, Final

from bench.figures import Report
from tests.faults import in_process
from tests.faults.racing import Attempt, overlap

FIGURES: Final = (
    "foundation.creators_winning",
    "foundation.creators_told_who_holds_it",
    "foundation.creators_overlapping",
)
PROCESSES, THREADS = 4, 16
SHOP = "creators"
WON, TOLD = "won", "IdentifierTaken"


def run(report: Report, sabotage: str) -> None:
    in_process.found_shop(SHOP, zone="Europe/Vienna", currency="EUR")
    attempts = _race(sabotage)
    outcomes = Counter(attempt.outcome for attempt in attempts)
    most = overlap(attempts)
    holders = _profiles()
    print(f"64 creators: {dict(outcomes)}; {most} at work at one moment; {holders} profiles stored", flush=True)
    # Whoever was told that they had won has a profile, and nobody else has.
    winners = outcomes[WON] if outcomes[WON] == holders else -1
    told = {FIGURES[0]: winners, FIGURES[1]: outcomes[TOLD], FIGURES[2]: most}
    for figure, value in told.items():
        if report.wants(figure):
            report.tell(figure, value, n=len(attempts))


def _race(sabotage: str) -> list[Attempt]:
    context = multiprocessing.get_context("spawn")
    barrier, one_by_one = context.Barrier(PROCESSES * THREADS), context.Lock()
    turns = one_by_one if sabotage == "creators_overlapping" else None
    results: Any = context.Queue()
    processes = [
        context.Process(target=creators, args=(barrier, results, turns, sabotage), daemon=True)
        for _ in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    attempts = [results.get(timeout=120) for _ in range(PROCESSES * THREADS)]
    for process in processes:
        process.join(30)
    return attempts


def creators(barrier: Barrier, results: Any, turns: Lock | None, sabotage: str) -> None:
    """One process of them."""
    from tests.faults.sabotage import in_worker

    if sabotage:
        in_worker(sabotage)
    from crm.kernel.table import client

    client()  # made before the race, which is to be for the address
    threads = [threading.Thread(target=_create, args=(barrier, results, turns)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _create(barrier: Barrier, results: Any, turns: Lock | None) -> None:
    from crm.customers import service
    from crm.kernel.errors import CrmError

    words = service.Words(fields={"email": "One@creators.example.com", "first_name": "One"})
    barrier.wait(60)
    time.sleep(-time.monotonic() % 0.5)  # the barrier lets them go one by one; from this instant they all go
    if turns is not None:
        turns.acquire()
    started_at = time.monotonic()
    try:
        service.create(SHOP, words, now=datetime.now(UTC))
        outcome = WON
    except CrmError as refusal:
        outcome = type(refusal).__name__
    results.put(Attempt(started_at, time.monotonic(), outcome))
    if turns is not None:
        turns.release()


def _profiles() -> int:
    from crm.customers import service

    return sum(len(service.list_shard(SHOP, shard, before=None, limit=100)) for shard in range(service.SHARDS))
