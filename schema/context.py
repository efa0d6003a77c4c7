# schema/context.py
"""What a resolver knows about the request it serves."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Generic, ParamSpec, TypeVar

import strawberry
from msgspec import Struct, field
from strawberry.dataloader import DataLoader

from crm.kernel.meter import Meter
from schema.principal import Principal

P = ParamSpec("P")
K = TypeVar("K")
V = TypeVar("V")
L = TypeVar("L", bound="Loader[Any, Any]")


async def stored(work: Callable[P, V], *args: P.args, **kwargs: P.kwargs) -> V:
    """Run what asks the store, which blocks, beside the event loop; context variables (the meter) go with it."""
    return await asyncio.to_thread(work, *args, **kwargs)


class Context(Struct):
    principal: Principal
    now: datetime
    request_id: str
    meter: Meter
    uses: Collection[str] = ()
    """The fields the operation can reach, by coordinate: what need not be read is not."""

    _loaders: dict[type[Any], Any] = field(default_factory=dict)

    @property
    def shop(self) -> str:
        return self.principal.shop

    def loader(self, kind: type[L]) -> L:
        """The request's one loader of this kind."""
        loader = self._loaders.get(kind)
        if loader is None:
            loader = self._loaders[kind] = kind(self)
        found: L = loader
        return found


class Loader(Generic[K, V]):
    """Gathers the keys asked for in one turn of the event loop; a subclass named `ThingByKey` loads them.

    `load_many` answers in the order of its keys; None where there is nothing.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self._batches: DataLoader[K, V] = DataLoader(load_fn=self.load_many)

    async def load_many(self, keys: list[K]) -> Sequence[V | BaseException]:
        raise NotImplementedError

    async def load(self, key: K) -> V:
        return await self._batches.load(key)

    def forget(self, key: K) -> None:
        """After a write: the next load reads again."""
        if self._batches.cache_map.get(key) is not None:
            self._batches.clear(key)


Info = strawberry.Info[Context, None]

GIVEN = strawberry.argument(description="All that the mutation is to know.")
"""What describes the one argument of every mutation."""
