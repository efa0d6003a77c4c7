# infra/local/dispatcher/bell.py
"""A hint that there may be something to fetch, so that waiting is cheap and fetching prompt. Nothing depends on it."""

import threading
import time


class Bell:
    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rung = 0

    def ring(self) -> None:
        with self._condition:
            self._rung += 1
            self._condition.notify_all()

    def heard(self) -> int:
        return self._rung

    def wait(self, since: int, seconds: float) -> int:
        """Wait until it rings again after `since`, or for `seconds`; return how often it has rung."""
        deadline = time.monotonic() + seconds
        with self._condition:
            while self._rung == since and (left := deadline - time.monotonic()) > 0:
                self._condition.wait(left)
            return self._rung
