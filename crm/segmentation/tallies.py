# crm/segmentation/tallies.py
"""How many customers have each value, of each of some traits, counted by the steps of an operation.

What a step has counted is a part in the bucket: a shop can have as many different amounts as customers, and an item
cannot hold them. Once the parts are many, a step makes one of them.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from crm.kernel import parts
from crm.kernel.operations import Operation

Tally: TypeAlias = Mapping[str, Counter[str]]
"""By trait: how many have each value, as text."""

MOST_PARTS: Final = 50
CONTENT_TYPE: Final = "application/json"


def merged(tallies: Iterable[Tally]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for tally in tallies:
        for trait, counts in tally.items():
            found.setdefault(trait, Counter()).update(counts)
    return found


def keep(operation: Operation, counted: Tally) -> None:
    """Add to what the operation's steps have counted."""
    if not any(counted.values()):
        return
    kept = list(operation.parts)
    if len(kept) >= MOST_PARTS:
        counted, kept = merged([kept_by(operation), counted]), []
    text = json.dumps(counted, sort_keys=True, separators=(",", ":"))
    operation.parts = [*kept, parts.put(operation, text.encode(), content_type=CONTENT_TYPE)]


def kept_by(operation: Operation) -> dict[str, Counter[str]]:
    """All that its steps have counted."""
    return merged(
        {trait: Counter(counts) for trait, counts in json.loads(part).items()} for part in parts.read(operation)
    )
