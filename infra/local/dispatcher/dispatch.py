# infra/local/dispatcher/dispatch.py
"""All event sources of a template, started and stopped together."""

import time
from pathlib import Path

from infra.local.clients import client
from infra.local.declarations import Function, QueueSource, Schedule, StreamSource
from infra.local.dispatcher.bell import Bell
from infra.local.dispatcher.container import Container, environment, forkserver
from infra.local.dispatcher.destinations import Destinations
from infra.local.dispatcher.positions import Positions
from infra.local.dispatcher.queues import QueuePump
from infra.local.dispatcher.schedules import SchedulePump
from infra.local.dispatcher.shards import Shard
from infra.local.dispatcher.streams import StreamPump
from infra.local.wiring import Wiring

_FINISH_SECONDS = 8
_DRAIN_SECONDS = 8


class Dispatcher:
    """What a queue's handler writes shows on the stream, what a function that knows a bus publishes shows in queues:
    each rings the other's bell. That only saves waiting; what no bell announces is found by polling all the same.
    """

    def __init__(self, wiring: Wiring, *, endpoint: str, state: Path, concurrency: int) -> None:
        self._endpoint = endpoint
        self._concurrency = concurrency
        self._context = forkserver()
        self._sqs = client("sqs", endpoint)
        self._dynamodb = client("dynamodb", endpoint)
        self._stream_client = client("dynamodbstreams", endpoint)
        self._positions = Positions(state)
        self._destinations = Destinations(wiring, self._sqs, client("s3", endpoint))
        self._written, self._published = Bell(), Bell()
        self._buses = set(wiring.buses)
        self._containers: list[Container] = []
        self._streams = [self._stream_pump(source) for source in wiring.stream_sources]
        self._pumps: list[QueuePump | SchedulePump] = [
            *(self._queue_pump(source) for source in wiring.queue_sources),
            *(self._schedule_pump(schedule) for schedule in wiring.schedules),
        ]

    def start(self) -> None:
        for stream in self._streams:
            stream.start()
        for pump in self._pumps:
            pump.start()

    def stop(self) -> None:
        """Take nothing more from queues, finish what is in hand, then drain the streams."""
        for pump in self._pumps:
            pump.stop_taking()
        deadline = time.monotonic() + _FINISH_SECONDS
        for pump in self._pumps:
            pump.finish(max(0, deadline - time.monotonic()))
        for stream in self._streams:
            stream.drain()
        deadline = time.monotonic() + _DRAIN_SECONDS
        for stream in self._streams:
            stream.finish(max(0, deadline - time.monotonic()))
        for container in self._containers:
            container.stop()

    def _queue_pump(self, source: QueueSource) -> QueuePump:
        containers = self._warm(source.function, min(source.concurrency, self._concurrency))
        return QueuePump(source, self._sqs, containers, hint=self._published, done=self._written)

    def _stream_pump(self, source: StreamSource) -> StreamPump:
        shard = Shard(source.name, source.table, self._dynamodb, self._stream_client, self._positions)
        containers = self._warm(source.function, source.lanes)
        return StreamPump(
            source, shard, containers, self._destinations, hint=self._written, done=self._rung_by(source.function)
        )

    def _schedule_pump(self, schedule: Schedule) -> SchedulePump:
        (container,) = self._warm(schedule.function, 1)
        return SchedulePump(schedule, container, self._destinations, done=self._rung_by(schedule.function))

    def _rung_by(self, function: Function) -> Bell:
        return self._published if self._buses & set(function.environment.values()) else Bell()

    def _warm(self, function: Function, count: int) -> list[Container]:
        """Return containers, the first of them started, so that the first event does not wait for imports."""
        variables = environment(function, endpoint=self._endpoint)
        containers = [Container(function, variables, self._context) for _ in range(count)]
        containers[0].start()
        self._containers += containers
        return containers
