# schema/loaders.py
"""Pages of what happened to one customer: one Query for each customer and page asked for, newest first."""

from abc import abstractmethod
from asyncio import gather
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from crm.kernel.table import Item
from schema.connections import Connection, Place, connection, page_size
from schema.context import Context, Loader, stored

I = TypeVar("I", bound=Item)  # noqa: E741  one of the kinds of Item
T = TypeVar("T")


class Page(NamedTuple):
    customer_id: str
    before: str | None
    limit: int


class PageByCustomer(Loader[Page, list[I]], Generic[I]):
    """Fields that ask for one page under several names ask the store once."""

    @abstractmethod
    def read(self, page: Page) -> list[I]:
        """Ask the store; runs beside the event loop."""

    async def load_many(self, keys: list[Page]) -> Sequence[list[I] | BaseException]:
        return await gather(*(stored(self.read, page) for page in keys), return_exceptions=True)


async def timeline_page(
    context: Context,
    loader: type[PageByCustomer[I]],
    field: str,
    customer_id: str,
    *,
    first: int | None,
    after: str | None,
    node: Callable[[I], T],
) -> Connection[T]:
    """A page of a customer's `field`, sorted by its items' timeline keys."""
    size = page_size(first)
    place = Place(field, context.shop, customer_id)
    items = await context.loader(loader).load(Page(customer_id, place.position(after), size + 1))
    return connection(place, items, first=size, after=after, position=_timeline_key, node=node)


def _timeline_key(item: Item) -> str:
    return item.timeline_key or ""
