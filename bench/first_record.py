# bench/first_record.py
"""A fresh process: import a handler, give it one event, and end. Imports nothing that it does not need."""

import json
import os
import sys
from importlib import import_module


class Context:
    """What handlers ask of Lambda's."""

    function_name = "bench"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-west-1:000000000000:function:bench"
    aws_request_id = "00000000-0000-0000-0000-000000000000"


def main() -> int:
    task = json.loads(os.environ["BENCH_TASK"])
    module, _, name = task["handler"].rpartition(".")
    answer = getattr(import_module(module), name)(task["event"], Context())
    print(json.dumps(answer)[:500])
    return 1 if answer.get("batchItemFailures") or answer.get("refused") else 0


if __name__ == "__main__":
    sys.exit(main())
