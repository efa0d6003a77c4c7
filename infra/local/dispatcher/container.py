# infra/local/dispatcher/container.py
"""A warm container seen from outside: started when needed, killed when its time is up, replaced when it died."""

import json
import multiprocessing
import os
import uuid
from collections.abc import Mapping
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any

from infra.local.declarations import Function
from infra.local.dispatcher.worker import HOOK, HOOK_ARGUMENT, serve
from infra.local.emulator import CREDENTIALS
from infra.local.template import ACCOUNT, REGION

_START_SECONDS = 60
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "CRM_LOCAL", "CRM_CLOCK_FILE")
_PRELOADED = ["boto3", "pynamodb.models", "pynamodb.transactions", "aws_lambda_powertools.utilities.batch", "msgspec"]


class InvocationFailed(Exception):
    """The handler raised, ran out of time, or its process died: `kind` says which, in Lambda's words."""

    def __init__(self, kind: str, message: str, *, request_id: str = "") -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.request_id = request_id


def forkserver() -> ForkServerContext:
    """Return the context all containers start from: libraries are imported once, functions and settings never."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return context


def environment(function: Function, *, endpoint: str) -> dict[str, str]:
    """Return all that the function finds in `os.environ`: the template's variables, Lambda's own, and no more."""
    return {
        **{name: os.environ[name] for name in (*_PASSED_ON, HOOK, HOOK_ARGUMENT) if name in os.environ},
        **CREDENTIALS,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_LAMBDA_FUNCTION_NAME": function.logical_id,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "POWERTOOLS_TRACE_DISABLED": "true",
        **function.environment,
    }


class Container:
    """One process of one function. Not shared between threads: Lambda gives a container one invocation at a time."""

    def __init__(self, function: Function, environment: Mapping[str, str], context: ForkServerContext) -> None:
        self.function = function
        self._environment = environment
        self._context = context
        self._process: ForkServerProcess | None = None
        self._pipe: Connection | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def invoke(self, event: Any) -> Any:
        """Return the handler's answer; raises InvocationFailed, and nothing else, for whatever went wrong inside."""
        request_id = str(uuid.uuid4())
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function.name}"
        request = {"id": request_id, "arn": arn, "event": event, "timeout": self.function.timeout}
        payload = json.dumps(request).encode()
        try:
            pipe = self._running()
            pipe.send_bytes(payload)
            answer = self._receive(pipe, self.function.timeout)
        except InvocationFailed as failure:
            failure.request_id = request_id
            raise
        except (EOFError, OSError) as error:
            self.stop()
            raise InvocationFailed("Runtime.ExitError", "the process died", request_id=request_id) from error
        if "errorType" in answer:
            raise InvocationFailed(answer["errorType"], answer["errorMessage"], request_id=request_id)
        return answer["answer"]

    def start(self) -> None:
        """Warm up. A handler that cannot be imported fails its invocations instead, as on AWS."""
        try:
            self._running()
        except (InvocationFailed, EOFError, OSError) as error:
            print(f"{self.function.logical_id} did not start: {error}", flush=True)

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        process, self._process = self._process, None
        pipe, self._pipe = self._pipe, None
        if process is not None:
            process.kill()
            process.join()
        if pipe is not None:
            pipe.close()

    def _running(self) -> Connection:
        if self._pipe is not None and self._process is not None and self._process.is_alive():
            return self._pipe
        self.stop()
        ours, theirs = self._context.Pipe()
        arguments = (theirs, self.function.handler, self._environment)
        self._process = self._context.Process(target=serve, args=arguments, daemon=True)
        self._process.start()
        # Else the end of the process would not close the pipe, and its death would go unseen.
        theirs.close()
        self._pipe = ours
        answer = self._receive(ours, _START_SECONDS)
        if "errorType" in answer:
            self.stop()
            raise InvocationFailed(answer["errorType"], answer["errorMessage"])
        return ours

    def _receive(self, pipe: Connection, seconds: float) -> Any:
        if not pipe.poll(seconds):
            self.stop()
            raise InvocationFailed("Sandbox.Timedout", f"Task timed out after {seconds:.2f} seconds")
        return json.loads(pipe.recv_bytes())
