# infra/local/dispatcher/worker.py
"""The inside of one warm Lambda container: a process that imports one handler and answers invocations.

Everything crosses the pipe as JSON bytes, so a handler sees and answers only what JSON can carry, as on AWS.
"""

import importlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

HOOK, HOOK_ARGUMENT = "CRM_WORKER_HOOK", "CRM_WORKER_HOOK_ARGUMENT"
"""Names `module:function`, called with the function's name before its handler is imported. Fault tests hook in here,
and find what they were told in the other.
"""


@dataclass
class Context:
    """What handlers may ask about their invocation (the parts of Lambda's context that mean something here)."""

    function_name: str
    memory_limit_in_mb: int
    invoked_function_arn: str
    aws_request_id: str
    deadline: float
    function_version: str = "$LATEST"
    log_group_name: str = ""
    log_stream_name: str = ""

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline - time.monotonic()) * 1000))


def serve(pipe: Connection, handler_path: str, environment: Mapping[str, str]) -> None:
    """Answer invocations until the pipe closes. Ctrl-C is for whoever started the dispatcher, not for a container."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(environment)
    try:
        handler = _import(handler_path, environment)
    # Isolation boundary: whatever an import raises is the function's error, told to whoever invokes it.
    except Exception as error:  # noqa: BLE001
        traceback.print_exc()
        pipe.send_bytes(_failure(error))
        return
    pipe.send_bytes(b'{"ready": true}')
    while True:
        try:
            request = json.loads(pipe.recv_bytes())
        except (EOFError, ConnectionResetError):
            return
        pipe.send_bytes(_answer(handler, request, environment))


def _import(handler_path: str, environment: Mapping[str, str]) -> Callable[..., Any]:
    if hook := environment.get(HOOK):
        module, function = hook.split(":")
        getattr(importlib.import_module(module), function)(environment["AWS_LAMBDA_FUNCTION_NAME"])
    module, function = handler_path.rsplit(".", 1)
    handler: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return handler


def _answer(handler: Callable[..., Any], request: Mapping[str, Any], environment: Mapping[str, str]) -> bytes:
    context = Context(
        environment["AWS_LAMBDA_FUNCTION_NAME"],
        int(environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]),
        request["arn"],
        request["id"],
        time.monotonic() + float(request["timeout"]),
    )
    try:
        answer = json.dumps({"answer": handler(request["event"], context)}).encode()
    # Isolation boundary: a handler's exception is its answer, and the container lives on.
    except Exception as error:  # noqa: BLE001
        traceback.print_exc()
        answer = _failure(error)
    sys.stdout.flush()
    sys.stderr.flush()
    return answer


def _failure(error: Exception) -> bytes:
    return json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)}).encode()
