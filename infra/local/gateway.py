# infra/local/gateway.py
"""`python -m infra.local.gateway PORT`: the gateway under uvicorn, on loopback, for as long as its parent lives."""

import os
import sys
import threading
import time

import uvicorn

_GRACE_SECONDS = 3


def main() -> int:
    config = uvicorn.Config(
        "api.app:app",
        host="127.0.0.1",
        port=int(sys.argv[1]),
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = uvicorn.Server(config)
    watcher = threading.Thread(target=_watch, args=(server, os.getppid()), daemon=True)
    watcher.start()
    server.run()
    return 0


def _watch(server: uvicorn.Server, parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    server.should_exit = True


if __name__ == "__main__":
    sys.exit(main())
