# tests/tampering.py
"""What somebody who can write the table might do to stored entries. Pure."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Item = dict[str, Any]
KEYS = frozenset({"pk", "sk"})


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


def _with(item: Item, others: Item, names: list[str]) -> Item:
    kept = {name: value for name, value in item.items() if name not in names}
    return kept | {name: others[name] for name in names if name in others}
