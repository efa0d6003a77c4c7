# tests/tampering.py
"""What somebody who can write the table might do to stored entries, and to what follows from them. Pure."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Item = dict[str, Any]
KEYS = frozenset({"pk", "sk"})
BESIDE = {
    "LoyaltyAccount": (
        "available", "pending", "held", "owed", "number", "fingerprint", "lifetime_earned", "holds", "newest_at",
        "active_at", "posted_at",
    ),
    "PointsMonth": ("pools",),
    "EntryReason": ("entry_cause", "reason", "salt"),
    "PointsHold": (
        "points", "status", "captured", "ends_at", "order_id", "portions", "of_redemption", "number", "actor",
    ),
    "OrderEarning": (
        "posted", "forgiven", "pending", "pool", "available_at", "pools", "credits", "spent", "short", "captured",
        "spendings", "timeline_key",
    ),
}  # fmt: skip
"""By kind, what entries say that it must be."""


@dataclass(frozen=True)
class Deed:
    """Items that are put, and others that are removed; `what` for who reads of it."""

    what: str
    put: list[Item] = field(default_factory=list)
    removed: list[Item] = field(default_factory=list)


def edited(draw: random.Random, entries: list[Item]) -> Deed:
    """One attribute of one of them says something else."""
    item = draw.choice(entries)
    name = draw.choice(sorted(set(item) - KEYS))
    return Deed(f"{item['sk']['S']} {name}", put=[item | {name: other(draw, item[name])}])


def beside(draw: random.Random, items: list[Item]) -> Deed:
    """What follows from entries says something else, or is gone, or there is one more."""
    item = draw.choice([item for item in items if item["kind"]["S"] in BESIDE])
    kind, copied = item["kind"]["S"], draw.randrange(8)
    if copied == 0 and kind in {"PointsMonth", "PointsHold"}:
        return Deed(f"{item['sk']['S']} copied", put=[item | {"sk": {"S": f"{item['sk']['S']}1"}}])
    if copied == 1 and kind not in {"EntryReason", "LoyaltyAccount"} and not _is_empty(item):
        return Deed(f"{item['sk']['S']} removed", removed=[item])
    name = draw.choice([name for name in BESIDE[kind] if name in item])
    return Deed(f"{item['sk']['S']} {name}", put=[item | {name: other(draw, item[name])}])


def deleted(draw: random.Random, entries: list[Item]) -> Deed:
    item = draw.choice(entries)
    return Deed(item["sk"]["S"], removed=[item])


def swapped(draw: random.Random, entries: list[Item]) -> Deed:
    """Two have changed places: all that they say, or their numbers, or what they name as before them."""
    one, two = draw.sample(entries, 2)
    names = draw.choice([sorted((set(one) | set(two)) - KEYS), ["number"], ["previous"], ["number", "previous"]])
    return Deed(f"{one['sk']['S']}, {two['sk']['S']}: {names}", put=[_with(one, two, names), _with(two, one, names)])


def truncated(draw: random.Random, entries: list[Item]) -> Deed:
    """Those from some number on are gone."""
    first = draw.randint(1, len(entries))
    return Deed(f"from {first}", removed=[item for item in entries if int(item["number"]["N"]) >= first])


DEEDS: tuple[Callable[[random.Random, list[Item]], Deed], ...] = (edited, deleted, swapped, truncated)
"""To entries; `beside` is done to the others."""


def other(draw: random.Random, value: Item) -> Item:
    """Another value of the same kind."""
    ((kind, inner),) = value.items()
    match kind:
        case "S":
            return {"S": inner[:-1] + ("1" if inner[-1] != "1" else "2")}
        case "N":
            return {"N": str(int(inner) + draw.choice([-1, 1, 100]))}
        case "BOOL":
            return {"BOOL": not inner}
        case "L" if inner:
            return draw.choice([{"L": inner[1:]}, {"L": [other(draw, inner[0]), *inner[1:]]}])
        case "M":
            name = draw.choice(sorted(inner))
            return {"M": inner | {name: other(draw, inner[name])}}
        case _:
            return {"S": "something"}


def _is_empty(item: Item) -> bool:
    """Whether it says no more than if it were not there."""
    return not any(item.get(name, {}).get("L") for name in ("pools", "credits", "spendings", "portions"))


def _with(item: Item, others: Item, names: list[str]) -> Item:
    kept = {name: value for name, value in item.items() if name not in names}
    return kept | {name: others[name] for name in names if name in others}
