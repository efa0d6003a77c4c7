# infra/local/dispatcher/schedules.py
"""Schedules as an event source: asynchronous invocations, tried again after a wait, then sent to a destination."""

import json
import threading
import uuid
from datetime import UTC, datetime
from typing import Any

from infra.local.declarations import Schedule
from infra.local.dispatcher.bell import Bell
from infra.local.dispatcher.container import Container, InvocationFailed
from infra.local.dispatcher.destinations import Destinations
from infra.local.dispatcher.pace import async_wait, schedule_seconds
from infra.local.template import ACCOUNT, REGION


class SchedulePump:
    def __init__(self, schedule: Schedule, container: Container, destinations: Destinations, *, done: Bell) -> None:
        self.source = schedule
        self._container = container
        self._destinations = destinations
        self._done = done
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=schedule.name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop_taking(self) -> None:
        self._stopping.set()

    def finish(self, seconds: float) -> None:
        self._thread.join(seconds)
        self._container.stop()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(schedule_seconds(self.source.seconds)):
            self._fire(datetime.now(UTC))

    def _fire(self, now: datetime) -> None:
        event = json.loads(self.source.input) if self.source.input is not None else self._event(now)
        function = self.source.function
        for attempt in range(1, function.async_retries + 2):
            try:
                self._container.invoke(event)
            except InvocationFailed as failure:
                print(f"{function.logical_id} failed on schedule {self.source.name}: {failure}", flush=True)
                if attempt > function.async_retries:
                    self._destinations.invocation(function, event, failure, attempts=attempt, now=now)
                elif self._stopping.wait(async_wait(attempt)):
                    return
            else:
                self._done.ring()
                return

    def _event(self, now: datetime) -> dict[str, Any]:
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": ACCOUNT,
            "time": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "region": REGION,
            "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{self.source.name}"],
            "detail": {},
        }
