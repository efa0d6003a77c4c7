# crm/kernel/pace.py
"""How much of the table, and of their own time, the steps of a walk over all of a shop's customers take."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

from crm.kernel.meter import metering
from crm.kernel.operations import Operation

LONGEST: Final = 20.0
"""Seconds of a step: a page that is begun is done."""
PER_SECOND: Final = 250
"""Customers who are written at most: half of what a new table takes is left to the shop."""


class Pace:
    """Of a step that begins."""

    def __init__(self) -> None:
        self._began = monotonic()

    @property
    def is_long(self) -> bool:
        return monotonic() - self._began >= LONGEST

    def rest(self, count: int, *, now: datetime) -> datetime | None:
        """Until when, after so many customers, no more are walked to."""
        seconds = int(count / PER_SECOND - (monotonic() - self._began))
        return now + timedelta(seconds=seconds) if seconds > 0 else None


@contextmanager
def counting(operation: Operation) -> Iterator[None]:
    """Add to an operation what a step asks of the store, unless it fails."""
    with metering() as meter:
        yield
    operation.request_count += meter.requests
    operation.read_units += meter.read_units
    operation.write_units += meter.write_units
