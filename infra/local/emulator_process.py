# infra/local/emulator_process.py
"""hypercorn, ended cleanly when whoever started it is gone: else a killed run would leave an emulator behind for good.

Runs in the emulator's virtual environment, so it imports nothing of ours.
"""

import os
import runpy
import signal
import threading
import time

_LOOK_AGAIN_SECONDS = 1


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_AGAIN_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()
    runpy.run_module("hypercorn", run_name="__main__", alter_sys=True)
