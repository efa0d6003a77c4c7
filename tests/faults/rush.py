# tests/faults/rush.py
"""One caller, 64 requests at a time from processes that know nothing of each other: a bucket gives no more points than
it holds and time puts back.
"""

import threading
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Final

from bench.figures import Report
from tests.faults.creators import Attempt, overlap

(OVERDRAWN,) = FIGURES = ("gateway.bucket_overdrawn",)
CALLERS: Final = 64
MOST, PER_SECOND = 400, 200
POINTS: Final = 7
GIVEN, TOLD_TO_WAIT = "given", "told to wait"


def run(report: Report, sabotage: str) -> None:
    if sabotage:
        from tests.faults.sabotage import in_worker

        in_worker(sabotage)
    attempts: list[Attempt] = []
    requests: list[int] = []
    rounds = 5 if report.quick else 15
    started = threading.Barrier(CALLERS)
    callers = [threading.Thread(target=_call, args=(started, rounds, attempts, requests)) for _ in range(CALLERS)]
    began_at = time.monotonic()
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    took = time.monotonic() - began_at
    outcomes = Counter(attempt.outcome for attempt in attempts)
    taken, most = outcomes[GIVEN] * POINTS, MOST + took * PER_SECOND
    print(
        f"{dict(outcomes)} in {took:.1f} s, {overlap(attempts)} at one moment; {taken} points of {most:.0f}; "
        f"{sum(requests) / len(requests):.2f} store requests a charge",
        flush=True,
    )
    # Where nobody was refused or nobody given anything, nothing was tried.
    tried = outcomes[TOLD_TO_WAIT] > 0 and taken >= MOST - POINTS and overlap(attempts) >= CALLERS // 8
    overdrawn = max(0.0, taken - most)
    report.tell(OVERDRAWN, overdrawn if tried or overdrawn else float("nan"), n=len(attempts))


def _call(started: threading.Barrier, rounds: int, attempts: list[Attempt], requests: list[int]) -> None:
    """Each thread is a process of its own as far as the bucket goes: it has its own memory of it."""
    from crm.kernel import buckets  # late: it reads the environment

    size, full_at = buckets.Size(MOST, PER_SECOND), 0
    started.wait(60)
    for _ in range(rounds):
        before = time.monotonic()
        charge = buckets.charge("rush", "staff#one", POINTS, size, now=datetime.now(UTC), full_at=full_at)
        full_at = charge.full_at
        attempts.append(Attempt(before, time.monotonic(), TOLD_TO_WAIT if charge.wait else GIVEN))
        requests.append(charge.requests)
