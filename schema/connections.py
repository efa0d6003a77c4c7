# schema/connections.py
"""Relay connections: one more is fetched than asked for, and the cursor is made from the last item returned."""

import base64
import binascii
import hashlib
import hmac
import json
from asyncio import gather
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from heapq import merge
from itertools import islice
from secrets import token_bytes
from typing import Annotated, Any, Final, Generic, TypeVar

import strawberry
from msgspec import Struct
from strawberry.schema_directive import Location

from crm.kernel.errors import InvalidInput
from crm.kernel.settings import settings
from schema.access import signed_in

T = TypeVar("T")
S = TypeVar("S")

DEFAULT_FIRST: Final = 20
MOST_FIRST: Final = 100
TAG_BYTES: Final = 12


@strawberry.schema_directive(
    name="listSize",
    locations=[Location.FIELD_DEFINITION],
    description="How many items a field can answer with, for estimating the cost of a query.",
)
class ListSize:
    assumed_size: int = strawberry.field(
        name="assumedSize", default=DEFAULT_FIRST, description="Where no argument says."
    )
    slicing_arguments: list[str] | None = strawberry.field(
        name="slicingArguments", default=None, description="Arguments that say how many."
    )
    sized_fields: list[str] | None = strawberry.field(
        name="sizedFields", default=None, description="The lists below this field that have this size."
    )


@strawberry.schema_directive(
    name="cost",
    locations=[Location.FIELD_DEFINITION, Location.ARGUMENT_DEFINITION],
    description=(
        "What a field costs beside the objects of its answer, in points; of an argument, how much more if it is given."
    ),
)
class Cost:
    weight: int = strawberry.field(name="weight", description="How many.")


def priced(points: int) -> Cost:
    """Of a field that reads more than it answers with, or of an argument with which it does."""
    return Cost(weight=points)


def paged() -> ListSize:
    """The size of a connection."""
    return ListSize(slicing_arguments=["first"], sized_fields=["edges", "nodes"])


def as_many_as(argument: str, *, most: int, below: list[str] | None = None) -> ListSize:
    """The size of a list, or of the lists `below`, that has an item for each of an argument's (`input.events`)."""
    return ListSize(assumed_size=most, slicing_arguments=[argument], sized_fields=below)


def about(size: int) -> ListSize:
    """The usual size of a plain list. Where each item asks the store, give the most it can be."""
    return ListSize(assumed_size=size)


def at_most(size: int) -> ListSize:
    """The most that a plain list can be: what callers can make it, and ask for under many names."""
    return ListSize(assumed_size=size)


First = Annotated[int | None, strawberry.argument(description="How many to return, 100 at most.")]
After = Annotated[str | None, strawberry.argument(description="A cursor: return what comes after it.")]


class Place(Struct, frozen=True):
    """A list, named so exactly that a cursor of one is of no use in another."""

    field: str
    shop: str
    parent: str = ""
    narrowed: str = ""
    """Filter and sort, as text."""

    def cursor(self, position: str) -> str:
        return base64.urlsafe_b64encode(self._tag(position) + position.encode()).decode().rstrip("=")

    def position(self, cursor: str | None) -> str | None:
        """Raises InvalidInput for a cursor that was not made for this list."""
        if cursor is None:
            return None
        try:
            raw = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
            position = raw[TAG_BYTES:].decode()
        except (UnicodeError, binascii.Error, ValueError):
            raise InvalidInput("must be a cursor", field="after") from None
        if not hmac.compare_digest(raw[:TAG_BYTES], self._tag(position)):
            raise InvalidInput("must be a cursor of this list", field="after")
        return position

    def _tag(self, position: str) -> bytes:
        text = json.dumps([self.field, self.shop, self.parent, self.narrowed, position])
        return hmac.digest(_secret(), text.encode(), hashlib.sha256)[:TAG_BYTES]


@strawberry.type(description="Where a page lies in its list.", directives=signed_in())
class PageInfo:
    ends: strawberry.Private[tuple["Edge[Any]", ...]]
    """The first and the last edge; signing a cursor costs more than a field, so it waits until it is asked for."""
    stop: strawberry.Private[Callable[[], str] | None] = None
    """The cursor of where reading stopped, if that was behind the last item."""

    has_next_page: bool = strawberry.field(description="Whether more comes after this page.")
    has_previous_page: bool = strawberry.field(
        description=(
            "Whether this page was asked for with `after`, so that something lies before it. Lists are read forwards "
            "only: to go back, ask with the `after` of the page before."
        )
    )

    @strawberry.field(description="Of the first item; null on an empty page.")
    def start_cursor(self) -> str | None:
        return self.ends[0].cursor() if self.ends else None

    @strawberry.field(
        description=(
            "Of the last item; give it as `after` for the next page. Where that is still to be looked for among very "
            "many (`hasNextPage` with fewer items than asked for, or none), of how far that has come."
        )
    )
    def end_cursor(self) -> str | None:
        if self.stop is not None:
            return self.stop()
        return self.ends[-1].cursor() if self.ends else None


@strawberry.type(description="An item and its place in the list.", directives=signed_in())
class Edge(Generic[T]):
    place: strawberry.Private[Place]
    item: strawberry.Private[Any]
    position: strawberry.Private[Callable[[Any], str]]

    node: T = strawberry.field(description="The item.")

    @strawberry.field(description="Its place; opaque, and of use in the same list only.")
    def cursor(self) -> str:
        return self.place.cursor(self.position(self.item))


@strawberry.type(
    description=(
        "One page of a list. A field that has null in place of it could not read the page, or refused `first` or "
        "`after`: `errors` says why, and the rest of the answer stands. An empty list is an empty page."
    ),
    directives=signed_in(),
)
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="The items with their cursors.")
    page_info: PageInfo = strawberry.field(description="Where this page lies.")

    @strawberry.field(description="The items alone.")
    def nodes(self) -> list[T]:
        return [edge.node for edge in self.edges]


def page_size(first: int | None) -> int:
    """How many to return. Raises InvalidInput outside 1 to 100."""
    if first is None:
        return DEFAULT_FIRST
    if not 1 <= first <= MOST_FIRST:
        raise InvalidInput(f"must lie between 1 and {MOST_FIRST}", field="first")
    return first


def connection(
    place: Place,
    items: Sequence[S],
    *,
    first: int,
    after: str | None,
    position: Callable[[S], str],
    node: Callable[[S], T],
    reached: str | None = None,
) -> Connection[T]:
    """Make a page of what was fetched: `items` holds up to one more than `first`. `reached`: the position at which
    reading stopped with the list going on, if it was before there were so many.
    """
    stopped = reached if len(items) <= first else None
    edges = [Edge(node=node(item), place=place, item=item, position=position) for item in items[:first]]
    return Connection(
        edges=edges,
        page_info=PageInfo(
            has_next_page=len(items) > first or stopped is not None,
            has_previous_page=after is not None,
            ends=(edges[0], edges[-1]) if edges else (),
            stop=partial(place.cursor, stopped) if stopped is not None else None,
        ),
    )


def merged(shards: Iterable[Iterable[S]], *, key: Callable[[S], Any], most: int, newest_first: bool = False) -> list[S]:
    """The first `most` items of sorted shards, in order. One position is a place in each shard, since their keys share
    one order.
    """
    return list(islice(merge(*shards, key=key, reverse=newest_first), most))


async def newest_of_shards(
    place: Place,
    read: Callable[[int, str | None, int], Awaitable[Iterable[S]]],
    shards: int,
    *,
    first: int | None,
    after: str | None,
    position: Callable[[S], str],
    node: Callable[[S], T],
) -> Connection[T]:
    """A page of a list that is kept in shards, the last first. `read` answers with the first so many of a shard that
    come after a position. Raises InvalidInput for a `first` or an `after` that is none.
    """
    size = page_size(first)
    reached = place.position(after)
    found = await gather(*(read(shard, reached, size + 1) for shard in range(shards)))
    items = merged(found, key=position, most=size + 1, newest_first=True)
    return connection(place, items, first=size, after=after, position=position, node=node)


_random_secret = token_bytes(32)


def _secret() -> bytes:
    # Without a configured secret, cursors end with the process: fit for tests, not for many Lambdas.
    configured = settings().cursor_secret
    return configured.encode() if configured else _random_secret
