# infra/local/stopping.py
"""Being asked to stop."""

import signal
import time
from types import FrameType

_LOOK_AGAIN_SECONDS = 0.05


class StopRequest:
    """Listens to Ctrl-C, SIGTERM and a closed terminal. A plain flag: the lock of a threading.Event might be held by
    the very wait that a signal's handler interrupts.
    """

    def __init__(self) -> None:
        self.made = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._make)

    def wait(self, seconds: float) -> bool:
        """Return True as soon as it has been made, False after `seconds`."""
        deadline = time.monotonic() + seconds
        while not self.made and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, _LOOK_AGAIN_SECONDS))
        return self.made

    def _make(self, _number: int, _frame: FrameType | None) -> None:
        self.made = True
