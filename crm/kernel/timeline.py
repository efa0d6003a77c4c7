# crm/kernel/timeline.py
"""What happened to one customer, page by page: of one kind, of all kinds, or what has changed since.

By the local indexes of crm/kernel/table.py (docs/access-patterns.md, AP-115 to AP-117).
"""

from collections.abc import Collection
from typing import TypeVar

from pynamodb.expressions.condition import Condition

from crm.kernel.table import Item

I = TypeVar("I", bound=Item)  # noqa: E741  one of the kinds of Item
FILTERED_PAGE = 100  # read at once where some are left out
LAST = "\uffff"  # sorts behind every character of a key


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


def moments(pk: str, *, before: str | None, limit: int, only: Collection[type[Item]] | None = None) -> list[Item]:
    """At most `limit` moments of any kind, newest first, from behind the moment key `before` (AP-115).

    One Query; with `only`, the kinds that are wanted, which DynamoDB applies after reading, as many as it takes.
    """
    return list(
        Item.query(
            pk,
            Item.moment_key < before if before else None,
            None if only is None else Item.kind.is_in(*only),
            consistent_read=True,
            index_name="moments",
            scan_index_forward=False,
            limit=limit,
            page_size=limit if only is None else max(limit, FILTERED_PAGE),
        )
    )


def moments_of(kind: type[I], noun: str, pk: str, *, before: str | None, limit: int) -> list[I]:
    """As `moments`, of one kind, so that the pages of several can be merged (AP-116)."""
    return newest(kind, pk, f"{noun}#", before=_end(noun, before), limit=limit)


def changed(pk: str, *, after: str | None, limit: int) -> list[Item]:
    """At most `limit` items that apps keep a copy of, as they now are, in the order of their last change, from behind
    the key `after` (AP-117).
    """
    reach = Item.changed_key > after if after else None
    return list(Item.query(pk, reach, consistent_read=True, index_name="changes", limit=limit))


def _end(noun: str, before: str | None) -> str | None:
    """Where the timeline of one kind stops, given a place among the moments of all: these sort by time, then noun."""
    if before is None:
        return None
    at, other, identity = before.split("#", 2)
    if noun == other:
        return f"{noun}#{at}#{identity}"
    return f"{noun}#{at}#{LAST if noun < other else ''}"
