# tests/faults/racing.py
"""Several at once."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass


@dataclass(frozen=True)
class Attempt:
    started_at: float
    ended_at: float
    outcome: str


def overlap(attempts: Iterable[Attempt]) -> int:
    """How many were at work at one moment, at most."""
    edges = [edge for attempt in attempts for edge in ((attempt.started_at, 1), (attempt.ended_at, -1))]
    working = most = 0
    for _, step in sorted(edges):
        working += step
        most = max(most, working)
    return most


def race(callers: Sequence[Callable[[], str]]) -> list[Attempt]:
    """Each in a thread of its own, from when all are there; what became of them, in their order."""
    together = threading.Barrier(len(callers))

    def call(caller: Callable[[], str]) -> Attempt:
        together.wait(60)
        before = time.monotonic()
        outcome = caller()
        return Attempt(before, time.monotonic(), outcome)

    with ThreadPoolExecutor(len(callers)) as threads:
        return list(threads.map(call, callers))
