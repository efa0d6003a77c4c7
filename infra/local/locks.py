# infra/local/locks.py
"""What only one process may do at a time."""

import contextlib
import fcntl
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO


class AlreadyRunning(Exception):
    pass


def hold(path: Path, *, otherwise: str) -> AbstractContextManager[None]:
    """Hold the lock at `path` until the context ends or the process dies; raises AlreadyRunning, saying `otherwise`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise AlreadyRunning(otherwise) from error
    return _held(file)


@contextlib.contextmanager
def _held(file: IO[str]) -> Iterator[None]:
    with file:
        yield
