# bench/profile.py
"""Where the time of an answer goes: a profile of many, by the rooms and libraries it was spent in."""

import cProfile
import pstats
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

ROOMS: Final = (
    ("schema/executor.py", "executor"),
    ("graphql/", "graphql-core"),
    ("strawberry/", "Strawberry"),
    ("crm/kernel/stored_values.py", "decoding what was read"),
    ("pynamodb/", "PynamoDB"),
    ("schema/", "resolvers, plans, cursors"),
    ("crm/", "the domain"),
    ("starlette/", "HTTP"),
    ("api/", "HTTP"),
    ("asyncio/", "event loop and hops to threads"),
    ("concurrent/", "event loop and hops to threads"),
    ("selectors", "event loop and hops to threads"),
    ("threading", "event loop and hops to threads"),
)


async def shares(answer: Callable[[], Awaitable[object]], *, answers: int) -> Counter[str]:
    """Seconds of this thread in each room over so many answers; what waits for other threads is left out."""
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(answers):
        await answer()
    profile.disable()
    spent: Counter[str] = Counter()
    for (file, _, name), (_, _, own, _, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        if "poll" not in name:
            spent[_room(file)] += own
    return spent


def told(spent: Counter[str]) -> str:
    whole = spent.total()
    return ", ".join(f"{room} {share / whole:.0%}" for room, share in spent.most_common())


def _room(file: str) -> str:
    return next((room for part, room in ROOMS if part in file), "builtins and the rest")
