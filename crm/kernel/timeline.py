# crm/kernel/timeline.py
"""A page of what happened to one customer, through the `timeline` index."""

from typing import TypeVar

from pynamodb.expressions.condition import Condition

from crm.kernel.table import Item

I = TypeVar("I", bound=Item)  # noqa: E741  one of the kinds of Item


def newest(
    kind: type[I], pk: str, prefix: str, *, before: str | None, limit: int, only: Condition | None = None
) -> list[I]:
    """At most `limit` items whose timeline key begins with `prefix`, newest first, from behind the key `before`.

    One Query; with `only`, which DynamoDB applies after reading, as many as it takes to find them.
    """
    reach = kind.timeline_key.between(prefix, before) if before else kind.timeline_key.startswith(prefix)
    found = kind.query(
        pk,
        reach,
        only,
        consistent_read=True,
        index_name="timeline",
        scan_index_forward=False,
        limit=limit + bool(before),  # `between` includes its end: one more is read, and the end left out
    )
    return [item for item in found if item.timeline_key != before][:limit]
