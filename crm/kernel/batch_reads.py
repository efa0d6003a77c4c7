# crm/kernel/batch_reads.py
"""Many items by their exact keys."""

from collections.abc import Iterator, Sequence
from typing import Any

from crm.kernel.change import wait_before
from crm.kernel.table import client

MOST_KEYS = 100  # BatchGetItem's limit
ATTEMPTS = 8


def read(table: str, keys: Sequence[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    """The raw items that exist, each once, in any order, strongly consistent; what a throttled table leaves over is
    asked again.

    Raises TimeoutError where it kept leaving keys over.
    """
    distinct = list(dict.fromkeys(keys))  # BatchGetItem refuses a key that it is given twice
    for start in range(0, len(distinct), MOST_KEYS):
        wanted = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in distinct[start : start + MOST_KEYS]]
        for attempt in range(ATTEMPTS):
            answer = client().batch_get_item(RequestItems={table: {"Keys": wanted, "ConsistentRead": True}})
            yield from answer["Responses"].get(table, [])
            wanted = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
            if not wanted:
                break
            wait_before(attempt)
        else:
            raise TimeoutError(f"{len(wanted)} keys of {table} were left over after {ATTEMPTS} attempts")
