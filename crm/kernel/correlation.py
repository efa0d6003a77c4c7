# crm/kernel/correlation.py
"""Whose request, or which delivery, the present work is done for (docs/decisions/0058-correlation.md).

Bound at the edges: the gateway binds its request's id, a function that of each record. What is written meanwhile
(`Change`), sent or logged carries it. Nothing is ever decided by it.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

ATTRIBUTE = "correlation"
"""Of a message in a queue."""

_current: ContextVar[str | None] = ContextVar("correlation", default=None)
_marked: list[Any] = []


def current() -> str | None:
    return _current.get()


@contextmanager
def bound(correlation_id: str | None) -> Iterator[None]:
    """Threads started by `asyncio.to_thread` inside work for the same."""
    token = _current.set(correlation_id)
    try:
        yield
    finally:
        _current.reset(token)


def attributes() -> dict[str, Any]:
    """What a message in a queue is given, so that whoever takes it works for the same."""
    found = current()
    return {ATTRIBUTE: {"DataType": "String", "StringValue": found}} if found else {}


def mark_logs() -> None:
    """Let every log record of the process carry `correlation_id`, whoever's logger it is, while one is bound."""
    if _marked:
        return
    make = logging.getLogRecordFactory()

    def marked(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        if (found := current()) is not None:
            record.correlation_id = found
        return record

    logging.setLogRecordFactory(marked)
    _marked.append(marked)
