# bench/served.py
"""`python -m bench.served gateway|raw PORT`: what is measured over HTTP, each in a process of its own."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import uvicorn

from bench.throughput import raw_route, stubbed_store


def main() -> int:
    what, port = sys.argv[1], int(sys.argv[2])
    if what == "gateway":
        from api.app import app

        with stubbed_store():
            _serve(app, port)
    else:
        _serve(raw_route(json.loads(Path(os.environ["BENCH_ANSWER"]).read_text())), port)
    return 0


def _serve(application: Any, port: int) -> None:
    uvicorn.run(application, host="127.0.0.1", port=port, access_log=False, log_level="warning")


if __name__ == "__main__":
    sys.exit(main())
