# infra/local/dispatcher/__main__.py
"""The process that stands in for Lambda's pollers, until SIGTERM."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.local.dispatcher.dispatch import Dispatcher
from infra.local.dispatcher.pace import SHRINK
from infra.local.locks import AlreadyRunning, hold
from infra.local.stopping import StopRequest
from infra.local.template import TEMPLATE
from infra.local.wiring import Wiring


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.local.dispatcher", description=__doc__)
    parser.add_argument("--endpoint", required=True, help="where the emulator listens")
    parser.add_argument("--state", type=Path, required=True, help="folder for stream positions")
    parser.add_argument("--template", type=Path, default=TEMPLATE)
    parser.add_argument("--concurrency", type=int, default=2, help="containers a queue source may have at most")
    options = parser.parse_args(arguments)

    stop, parent = StopRequest(), os.getppid()
    try:
        lock = hold(options.state / "dispatcher.lock", otherwise=f"Another dispatcher uses {options.state}.")
    except AlreadyRunning as error:
        print(error, file=sys.stderr)
        return 1
    with lock:
        wiring = Wiring.read(options.template, endpoint=options.endpoint)
        dispatcher = Dispatcher(wiring, endpoint=options.endpoint, state=options.state, concurrency=options.concurrency)
        dispatcher.start()
        print(f"dispatching; visibility timeouts and retry waits are 1/{SHRINK} of the template's", flush=True)
        # Without whoever started it, nobody would ever stop it.
        while os.getppid() == parent and not stop.wait(1):
            pass
        dispatcher.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
