# tests/faults/rush.py
"""One caller, 64 requests at a time from processes that know nothing of each other: however much of their prices goes
back, and however dear they are, no more is used than a bucket holds and time puts back.
"""

import asyncio
import random
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Final, NamedTuple

from bench.figures import Report
from tests.faults.racing import Attempt, overlap

(OVERDRAWN,) = FIGURES = ("gateway.bucket_overdrawn",)
CALLERS: Final = 64
MOST, PER_SECOND = 400, 200
CHEAP, DEAR = 7, 3 * MOST
USED_OF: Final = {CHEAP: 6, DEAR: MOST * 7 // 8}
GIVEN, TOLD_TO_WAIT = "given", "told to wait"


class Asked(NamedTuple):
    used: int
    requests: int


def run(report: Report, sabotage: str) -> None:
    if sabotage:
        from tests.faults.sabotage import in_worker

        in_worker(sabotage)
    attempts: list[Attempt] = []
    asked: list[Asked] = []
    rounds = 5 if report.quick else 15
    started = threading.Barrier(CALLERS)
    callers = [threading.Thread(target=_call, args=(seed, started, rounds, attempts, asked)) for seed in range(CALLERS)]
    began_at = time.monotonic()
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    took = time.monotonic() - began_at
    outcomes = Counter(attempt.outcome for attempt in attempts)
    used, most = sum(each.used for each in asked), MOST + took * PER_SECOND
    print(
        f"{dict(outcomes)} in {took:.1f} s, {overlap(attempts)} at one moment; {used} points used of {most:.0f}; "
        f"{sum(each.requests for each in asked) / len(asked):.2f} store requests a charge",
        flush=True,
    )
    # Where nobody was refused or nobody given anything, nothing was tried.
    tried = outcomes[TOLD_TO_WAIT] > 0 and used >= USED_OF[DEAR] and overlap(attempts) >= CALLERS // 8
    overdrawn = max(0.0, used - most)
    report.tell(OVERDRAWN, overdrawn if tried or overdrawn else float("nan"), n=len(attempts))


def _call(seed: int, started: threading.Barrier, rounds: int, attempts: list[Attempt], asked: list[Asked]) -> None:
    """Each thread is a process of its own as far as the bucket goes: it has its own memory of it and of what goes back.
    All begin with a price beyond the bucket, for which only a full one is enough: one of them gets it, and some back.
    """
    from crm.kernel.buckets import Size  # late: it reads the environment
    from schema.budget import Budgets
    from schema.principal import Kind, Principal

    draw = random.Random(seed)
    caller = Principal(Kind.STAFF, "rush", subject="one")
    budgets = Budgets({kind: Size(MOST, PER_SECOND) for kind in Kind})
    started.wait(60)
    for number in range(rounds):
        before, price = time.monotonic(), draw.choice([CHEAP, DEAR, DEAR]) if number else DEAR
        charge = asyncio.run(budgets.charge(caller, price, now=datetime.now(UTC)))
        assert charge is not None, "the store did not answer"
        given = charge.wait == 0
        if given:
            budgets.settle(caller, charge, USED_OF[price])
        attempts.append(Attempt(before, time.monotonic(), GIVEN if given else TOLD_TO_WAIT))
        asked.append(Asked(USED_OF[price] if given else 0, charge.requests))
