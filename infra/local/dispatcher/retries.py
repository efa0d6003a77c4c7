# infra/local/dispatcher/retries.py
"""What happens to stream records whose batch failed: bisected, tried again, or given up. Pure.

https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]


@dataclass(frozen=True)
class Batch:
    records: tuple[Record, ...]
    attempt: int = 0


@dataclass(frozen=True)
class Outcome:
    """`again` in this order; `given_up` goes to the on-failure destination."""

    again: tuple[Batch, ...] = ()
    given_up: tuple[Record, ...] = ()


def sequence_number(record: Record) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


def after_failure(batch: Batch, failed: Sequence[str], *, bisect: bool, max_retries: int | None) -> Outcome:
    """Return what is left to do of a failed batch, `failed` being the sequence numbers it reported.

    Everything from the lowest of them comes again, succeeded or not. Halving uses up no retry; a record that the
    batch has only now got to has had its first try.
    """
    lowest = min(range(len(batch.records)), key=lambda n: (sequence_number(batch.records[n]) not in failed, n))
    left = batch.records[lowest:]
    attempt = batch.attempt if lowest == 0 else 0
    if bisect and len(left) > 1:
        middle = (len(left) + 1) // 2
        return Outcome(again=(Batch(left[:middle], attempt), Batch(left[middle:], attempt)))
    if max_retries is not None and attempt >= max_retries:
        return Outcome(given_up=left)
    return Outcome(again=(Batch(left, attempt + 1),))


def too_old(batch: Batch, *, now: float, max_age: int | None) -> tuple[Batch, tuple[Record, ...]]:
    """Split off the records that have waited longer than `max_age` seconds."""
    if max_age is None:
        return batch, ()
    old = tuple(r for r in batch.records if now - float(r["dynamodb"]["ApproximateCreationDateTime"]) > max_age)
    if not old:
        return batch, ()
    kept = tuple(record for record in batch.records if record not in old)
    return Batch(kept, batch.attempt), old
