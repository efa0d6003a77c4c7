# infra/local/terminal.py
"""Who Ctrl-C reaches."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def own_ctrl_c() -> Iterator[None]:
    """On a terminal, take Ctrl-C alone: `make` would die of it too, and say that a clean stop was an error."""
    terminal = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None
    if terminal is None or os.getpgrp() == os.getpid() or os.tcgetpgrp(terminal) != os.getpgrp():
        yield
        return
    group = os.getpgrp()
    # Whoever writes to the terminal or takes it back while in the background is stopped by these.
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    os.setpgid(0, 0)
    os.tcsetpgrp(terminal, os.getpgrp())
    try:
        yield
    finally:
        os.tcsetpgrp(terminal, group)
