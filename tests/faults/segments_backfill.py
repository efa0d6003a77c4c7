# tests/faults/segments_backfill.py
"""A segment is defined in a shop with customers: the operation that looks at them all is killed over and over, goes on
where it was, and ends right; and another asks the store for little more than it must.

`python -m tests.faults.segments_backfill TASK DELIVERY NOW KILL` is the worker: it does one step, and ends itself by
SIGKILL at one of its writes where KILL is not 0.
"""

import hashlib
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from math import ceil
from pathlib import Path
from typing import Any, Final

from bench.figures import Report
from tests.faults import segments_crowd as crowd

WRONG, REQUESTS = FIGURES = ("segments.backfill_wrong", "segments.backfill_requests")
SHOP: Final = "backfill"
CUSTOMERS: Final = 1_000
KILLS: Final = (3, 40, 90, 151, 220, 301, 90, 33)
"""At which write of each life the worker ends."""
LEAST_KILLS: Final = 4
LATELY, SALT = 30, "backfill"
FIRST: Final = f"random_bucket('{SALT}') < 50 AND customer_added_date >= -{LATELY}d"
SECOND: Final = f"random_bucket('{SALT}') >= 40 AND customer_added_date >= -{LATELY}d"
ROOT: Final = Path(__file__).parents[2]


def run(report: Report, sabotage: str) -> None:
    size = CUSTOMERS // 5 if report.quick or sabotage else CUSTOMERS
    now = datetime.now(UTC)
    crowd.found(SHOP, {}, zone="UTC", currency="EUR", now=now - timedelta(days=100))
    ids = crowd.seed(SHOP, range(size), now=now - timedelta(days=10))
    ids += crowd.seed(SHOP, range(size, size + size // 4), now=now - timedelta(days=60))
    recent = set(ids[:size])
    segment_id, operation_id = _defined()
    kills = [min(kill, size // 4) for kill in KILLS]
    died = _run(operation_id, kills, lost="backfill_wrong" in sabotage)
    wrong = _wrong(segment_id, {each for each in recent if _bucket(each) < 50}, ids, "the killed")
    operation_id = _redefined(segment_id)
    _run(operation_id, [], sabotage="backfill_requests" if "backfill_requests" in sabotage else "")
    wrong += _wrong(segment_id, {each for each in recent if _bucket(each) >= 40}, ids, "the other")
    asked, least = _asked(operation_id), _least(ids)
    for line in wrong[:10]:
        print(line)
    print(f"{len(ids)} customers: killed {died} times; undisturbed it asks {asked} requests, {least} are the least: "
          "a page of the list and a batch read for each of its heads, and a write a customer", flush=True)  # fmt: skip
    if report.wants(WRONG):
        report.tell(WRONG, len(wrong) if died >= LEAST_KILLS or wrong else float("nan"), n=2 * len(ids))
    if report.wants(REQUESTS):
        report.tell(REQUESTS, asked / least, n=len(ids))


def _defined() -> tuple[str, str]:
    from crm.kernel.actor import SYSTEM
    from crm.segmentation import service as segmentation
    from crm.segmentation.service import DYNAMIC, SegmentFields

    fields = SegmentFields(name="Half of the new", query=FIRST)
    edited = segmentation.create(SHOP, DYNAMIC, fields, actor=SYSTEM, now=datetime.now(UTC))
    assert edited.operation is not None
    return edited.definition.segment_id, edited.operation.operation_id


def _redefined(segment_id: str) -> str:
    from crm.kernel.actor import SYSTEM
    from crm.segmentation import service as segmentation
    from crm.segmentation.service import SegmentFields

    fields = SegmentFields(query=SECOND)
    edited = segmentation.update(SHOP, segment_id, fields, actor=SYSTEM, now=datetime.now(UTC))
    assert edited.operation is not None
    return edited.operation.operation_id


def _run(operation_id: str, kills: list[int], *, lost: bool = False, sabotage: str = "") -> int:
    """Deliver its tasks until it is over; returns how often the worker died. `lost`: what a step had done when it died
    counts as done.
    """
    from crm.kernel import operations
    from crm.kernel.operations import GOING_ON, Task

    died, delivery, revision = 0, 1, -1
    while (operation := operations.get(SHOP, operation_id)).status in GOING_ON:
        delivery = delivery + 1 if operation.rev == revision else 1
        revision = int(operation.rev)
        now = max(datetime.now(UTC), operation.waits_until or datetime.now(UTC)) + timedelta(seconds=1)
        task = Task(SHOP, operation_id, revision).text()
        kill = kills.pop(0) if kills else 0
        module = "tests.faults.segments_backfill"
        command = [sys.executable, "-m", module, task, str(delivery), now.isoformat(), str(kill), sabotage]
        done = subprocess.run(command, cwd=ROOT, env=dict(os.environ), check=False, capture_output=True, text=True)
        assert done.returncode in {0, -signal.SIGKILL}, done.stderr
        died += done.returncode != 0
        if done.returncode and lost:
            operation.status = operations.DONE
            operations.move(operation, "step", now=now)
        assert delivery < 20, f"revision {revision} was delivered {delivery} times"
    assert operation.status == operations.DONE, operation.status
    return died


def _bucket(customer_id: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{SALT}\n{customer_id}".encode()).digest()[:8], "big") % 100


def _wrong(segment_id: str, members: set[str], ids: list[str], when: str) -> list[str]:
    """Who is a member and should not be, or the other way, by the head, by the list, or by another version."""
    from crm.customers import service as customers
    from crm.customers.service import SegmentsHead
    from crm.segmentation import service as segmentation

    version = segmentation.current(SHOP, now=datetime.now(UTC)).version
    listed = Counter(_listed(segment_id))
    found = []
    for customer_id in ids:
        head = customers.take_snapshot(SHOP, customer_id).head(SegmentsHead)
        stays = [state for state in head.open if state.segment_id == segment_id] if head else []
        is_right = len(stays) == listed[customer_id] == (customer_id in members)
        if head is None or not is_right or head.definitions_version != version:
            found.append(f"{when}: {customer_id} should{' ' if customer_id in members else ' not '}be a member: "
                         f"{len(stays)} stays, {listed[customer_id]} times listed, {head and head.definitions_version} "
                         f"of version {version}")  # fmt: skip
    return found


def _listed(segment_id: str) -> Iterator[str]:
    from crm.segmentation import service as segmentation

    for shard in range(segmentation.SHARDS):
        yield from (
            stay.customer_id for stay in segmentation.list_members(SHOP, segment_id, shard, after=None, limit=10_000)
        )


def _asked(operation_id: str) -> int:
    from crm.kernel import operations

    return int(operations.get(SHOP, operation_id).request_count)


def _least(ids: list[str]) -> int:
    """Of the list of customers the pages; of each page three heads (profile, segments, by hand) in batches; and one
    write a customer.
    """
    from crm.customers import service as customers
    from crm.kernel.ids import shard_of

    shards = Counter(shard_of(each, customers.SHARDS) for each in ids)
    pages = sum(ceil(size / 100) for size in shards.values())
    batches = sum(ceil(3 * min(100, size - start) / 100) for size in shards.values() for start in range(0, size, 100))
    return pages + batches + len(ids)


def main() -> None:
    """One step."""
    from crm.bulk import service as bulk
    from crm.kernel.aws import sqs_client
    from crm.kernel.table import client, connection

    task, delivery, now, kill, sabotaged = sys.argv[1:6]
    connection()
    if sabotaged:
        from tests.faults.sabotage import in_worker

        in_worker(sabotaged)
    writes = count(1)

    def die(**_: Any) -> None:
        if int(kill) and next(writes) == int(kill):
            os.kill(os.getpid(), signal.SIGKILL)

    when = "before" if int(kill) % 2 else "after"
    client().meta.events.register(f"{when}-call.dynamodb.TransactWriteItems", die)
    sqs_client().meta.events.register(f"{when}-call.sqs.SendMessage", die)
    bulk.run(task, delivery=int(delivery), now=datetime.fromisoformat(now))


if __name__ == "__main__":
    main()
