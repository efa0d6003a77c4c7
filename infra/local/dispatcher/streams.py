# infra/local/dispatcher/streams.py
"""A table's stream as an event source: in order within a key, one batch at a time, until it is done or given up."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.declarations import StreamSource
from infra.local.dispatcher.batches import failed_items
from infra.local.dispatcher.bell import Bell
from infra.local.dispatcher.container import Container, InvocationFailed
from infra.local.dispatcher.destinations import Destinations
from infra.local.dispatcher.filters import wanted
from infra.local.dispatcher.pace import PACE, stream_wait
from infra.local.dispatcher.retries import Batch, Record, after_failure, sequence_number, too_old
from infra.local.dispatcher.shards import Shard

_IDLE_SECONDS = 0.25
_PAUSE_AFTER_ERROR = 0.5
_WINDOW_POLL_SECONDS = 0.25

Invoke = Callable[[Any], Any]


class StreamPump:
    """One source mapping. `containers` is as many as records of different keys may be handled at once."""

    def __init__(
        self,
        source: StreamSource,
        shard: Shard,
        containers: Sequence[Container],
        destinations: Destinations,
        *,
        hint: Bell,
        done: Bell,
    ) -> None:
        self.source = source
        self._shard = shard
        self._containers = containers
        self._destinations = destinations
        self._hint = hint
        self._done = done
        self._draining = threading.Event()
        self._gone = threading.Event()
        self._lanes = ThreadPoolExecutor(len(containers), thread_name_prefix=source.name)
        self._thread = threading.Thread(target=self._run, name=source.name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def drain(self) -> None:
        """Stop once there is nothing left to read."""
        self._draining.set()
        self._hint.ring()

    def finish(self, seconds: float) -> None:
        """Wait for the end of the drain; after `seconds`, write down what is left for the next start."""
        self._thread.join(seconds)
        self._gone.set()
        self._thread.join(1)
        for container in self._containers:
            container.stop()
        self._thread.join()

    def _run(self) -> None:
        rung = self._hint.heard()
        unfinished: list[Record] = []
        while not unfinished and not self._gone.is_set():
            try:
                read_at = time.monotonic()
                records = self._gather()
                if records:
                    unfinished = self._handle(records)
                    self._draining.wait(max(0, PACE - (time.monotonic() - read_at)))
                elif self._draining.is_set():
                    break
                else:
                    rung = self._hint.wait(rung, _IDLE_SECONDS)
            except (ClientError, BotoCoreError) as error:
                if not self._gone.wait(_PAUSE_AFTER_ERROR):
                    print(f"{self.source.name} cannot read {self.source.table}: {error}", flush=True)
        self._lanes.shutdown(wait=True)
        if self._gone.is_set() and (left := self._shard.leave(unfinished)):
            print(f"{self.source.name}: {left} stream records kept for the next start", flush=True)

    def _gather(self) -> list[Record]:
        most = self.source.batch_size * len(self._containers)
        records = self._shard.read(most)
        deadline = time.monotonic() + self.source.window
        while records and len(records) < most and not self._draining.is_set() and time.monotonic() < deadline:
            self._draining.wait(_WINDOW_POLL_SECONDS)
            records += self._shard.read(most - len(records))
        return records

    def _handle(self, records: list[Record]) -> list[Record]:
        """Hand on what the filters let through; return, of those, what a stop left unfinished."""
        lanes: dict[int, list[Record]] = {}
        for record in records:
            if wanted(record, self.source.filters):
                lane = crc32(repr(record["dynamodb"]["Keys"]).encode()) % len(self._containers)
                lanes.setdefault(lane, []).append(record)
        futures = [self._lanes.submit(self._lane, self._containers[lane], some) for lane, some in lanes.items()]
        unfinished = sorted((record for future in futures for record in future.result()), key=sequence_number)
        if not unfinished:
            self._shard.handled(records)
        return unfinished

    def _lane(self, container: Container, records: list[Record]) -> list[Record]:
        size = self.source.batch_size
        pending = deque(Batch(tuple(records[start : start + size])) for start in range(0, len(records), size))
        while pending and not self._gone.is_set():
            batch, old = too_old(pending.popleft(), now=time.time(), max_age=self.source.max_age)
            if old:
                self._give_up(old, "RecordAgeExceeded", batch.attempt)
            if not batch.records:
                continue
            failed = self._failed(container, batch)
            if not failed:
                continue
            if self._gone.is_set():
                pending.appendleft(batch)
                break
            outcome = after_failure(batch, failed, bisect=self.source.bisect, max_retries=self.source.max_retries)
            if outcome.given_up:
                self._give_up(outcome.given_up, "RetryAttemptsExhausted", batch.attempt + 1)
            pending.extendleft(reversed(outcome.again))
            if outcome.again:
                self._gone.wait(stream_wait(outcome.again[0].attempt))
        return [record for batch in pending for record in batch.records]

    def _failed(self, container: Container, batch: Batch) -> list[str]:
        numbers = [sequence_number(record) for record in batch.records]
        try:
            answer = container.invoke({"Records": list(batch.records)})
        except InvocationFailed as failure:
            print(f"{self.source.function.logical_id} failed with {len(numbers)} records: {failure}", flush=True)
            return numbers
        self._done.ring()
        return failed_items(answer, numbers) if self.source.partial else []

    def _give_up(self, records: Sequence[Record], reason: str, attempts: int) -> None:
        print(f"{self.source.name} gives up {len(records)} records: {reason}", flush=True)
        now = datetime.now(UTC)
        self._destinations.stream_records(self.source, records, reason=reason, attempts=attempts, now=now)
