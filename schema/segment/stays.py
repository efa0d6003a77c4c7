# schema/segment/stays.py
"""Who is in a segment, who was, and in which segments a customer is and was."""

from asyncio import gather
from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import strawberry

from crm.kernel.errors import InvalidInput
from crm.segmentation import service
from schema.access import signed_in, staff
from schema.connections import Connection, Place, connection, merged, page_size, priced
from schema.context import Context, Info, Loader, stored
from schema.node import key_of
from schema.segment.growth import of_each

if TYPE_CHECKING:
    from schema.customer.customer import Customer
    from schema.segment.segment import Segment

OfSegment = Annotated["Segment", strawberry.lazy("schema.segment.segment")]

STILL, LEFT = "still", "left"
"""The two lists that make up who was a member at a moment: a cursor says in which it lies."""

AsOf = Annotated[
    datetime | None,
    strawberry.argument(
        description="Who were members at this moment, as far as is known now; null: who are.",
        directives=[priced(of_each(service.SHARDS * len(service.PAGES_OF_LEFT)))],
    ),
]


@strawberry.enum(description="What begins and ends stays.")
class SegmentCauseKind(Enum):
    EVENT = strawberry.enum_value(service.CauseKind.EVENT.value, description="Something that happened.")
    TIME = strawberry.enum_value(
        service.CauseKind.TIME.value,
        description="Time that passed, also by the day on which new RFM bounds were drawn: nobody edited anything.",
    )
    DEFINITION = strawberry.enum_value(
        service.CauseKind.DEFINITION.value,
        description="The segment came to mean something else: an edit, the shop's zone or currency.",
    )
    MANUAL = strawberry.enum_value(service.CauseKind.MANUAL.value, description="Somebody's hand.")


@strawberry.type(description="What began or ended a stay.", directives=signed_in())
class SegmentCause:
    text: strawberry.Private[str]
    of_version: strawberry.Private[int]

    @strawberry.field(description="What kind of thing; journeys do well to pass over `DEFINITION`.")
    def kind(self) -> SegmentCauseKind:
        return SegmentCauseKind(service.cause_kind(self.text).value)

    @strawberry.field(description="Which, such as `event:…`, `time:…` or `segment:…:define:3`.")
    def name(self) -> str:
        return self.text

    @strawberry.field(description="By which version of the segment; null where none was kept.")
    def version(self) -> int | None:
        return self.of_version or None


@strawberry.type(description="A customer's present stay in a segment.", directives=staff("segments:read"))
class SegmentMembership:
    stay: strawberry.Private[service.OpenMembership]
    of: strawberry.Private[Any]
    changed_at: strawberry.Private[datetime | None]

    @strawberry.field(description="Which segment.")
    def segment(self) -> OfSegment:
        found: Segment = self.of
        return found

    @strawberry.field(description="Since when.")
    def entered_at(self) -> datetime:
        return self.stay.entered_at

    @strawberry.field(description="What began it.")
    def cause(self) -> SegmentCause:
        return SegmentCause(text=self.stay.entered_cause, of_version=self.stay.version)

    @strawberry.field(
        description=(
            "When time alone will end it, if nothing else happens; null: never, or not within the next 16 times at "
            "which it might and does not."
        )
    )
    def flips_at(self) -> datetime | None:
        return self.stay.flips_at

    @strawberry.field(
        description="Whether the segment means something else by now, and the customer is yet to be looked at by that."
    )
    def stale(self) -> bool:
        return self.changed_at is not None

    @strawberry.field(description="As of when it is right: now, or where it is `stale` when the segment changed.")
    def as_of(self, info: Info) -> datetime:
        return self.changed_at or info.context.now


@strawberry.type(description="A customer's stay in a segment, which may have ended.", directives=staff("segments:read"))
class SegmentStay:
    item: strawberry.Private[service.SegmentMembership]

    @strawberry.field(description="Which segment; it may be deleted since.")
    async def segment(self, info: Info) -> OfSegment | None:
        from schema.segment.by_key import segment_named  # which needs to know what a stay is

        return await segment_named(info.context, self.item.segment_id, deleted=True)

    @strawberry.field(description="Whose it is.", directives=staff("customers:read"))
    async def customer(self, info: Info) -> Annotated["Customer", strawberry.lazy("schema.customer.customer")] | None:
        from schema.customer.customer import customer_by_key  # as in schema/order.py

        return await customer_by_key(info.context, self.item.customer_id)

    @strawberry.field(description="Since when.")
    def entered_at(self) -> datetime:
        return self.item.entered_at

    @strawberry.field(description="What began it.")
    def entered_by(self) -> SegmentCause:
        return SegmentCause(text=self.item.entered_cause, of_version=int(self.item.version))

    @strawberry.field(description="Until when; null while it lasts.")
    def left_at(self) -> datetime | None:
        return self.item.left_at

    @strawberry.field(description="What ended it; null while it lasts.")
    def left_by(self) -> SegmentCause | None:
        if self.item.left_cause is None:
            return None
        return SegmentCause(text=self.item.left_cause, of_version=int(self.item.left_version or 0))


class HistoryPage(NamedTuple):
    customer_id: str
    segment_id: str | None
    before: str | None
    limit: int


class StaysByCustomer(Loader[HistoryPage, list[service.SegmentMembership]]):
    async def load_many(self, keys: list[HistoryPage]) -> Sequence[list[service.SegmentMembership] | BaseException]:
        return await gather(*(stored(self.read, page) for page in keys), return_exceptions=True)

    def read(self, page: HistoryPage) -> list[service.SegmentMembership]:
        shop = self.context.shop
        if page.segment_id is None:
            return service.history(shop, page.customer_id, before=page.before, limit=page.limit)
        return service.history_in(shop, page.customer_id, page.segment_id, before=page.before, limit=page.limit)


async def history_of(
    context: Context, customer_id: str, *, segment_id: str | None, first: int | None, after: str | None
) -> Connection[SegmentStay]:
    """A page of a customer's stays, in one segment (by its id for clients) or in all, the last first."""
    size = page_size(first)
    key = key_of("Segment", segment_id, field="segment") if segment_id is not None else None
    place = Place("Customer.segmentHistory", context.shop, customer_id, segment_id or "")
    page = HistoryPage(customer_id, key[0] if key else None, place.position(after), size + 1)
    nobody = segment_id is not None and key is None  # the id of something else
    found = [] if nobody else await context.loader(StaysByCustomer).load(page)
    return connection(
        place,
        found,
        first=size,
        after=after,
        position=lambda item: (item.timeline_key if segment_id is None else item.sk) or "",
        node=lambda item: SegmentStay(item=item),
    )


async def members_of(
    context: Context, segment_id: str, *, as_of: datetime | None, first: int | None, after: str | None
) -> Connection[SegmentStay]:
    """A page of a segment's members, the longest standing first; of a past moment, those first who still are members,
    and then who have left since. Whoever leaves while pages are read may be on two of them. A page may hold fewer than
    there are left, where very many came and went since.
    """
    if as_of is not None and as_of > context.now:
        raise InvalidInput("may not lie in the future", field="asOf")
    size = page_size(first)
    place = Place("Segment.members", context.shop, segment_id, as_of.isoformat() if as_of else "")
    where, _, position = (place.position(after) or f"{STILL} ").partition(" ")
    found: list[service.SegmentMembership] = []
    if where == STILL:
        found = await _still(context, segment_id, as_of, position or None, size + 1)
    reached: str | None = None
    if as_of is not None and len(found) <= size:
        behind = position if where == LEFT else None
        left = await _left(context, segment_id, as_of, behind, size + 1 - len(found))
        found, reached = [*found, *left.stays], f"{LEFT} {left.reached}" if left.reached else None
    return connection(
        place,
        found,
        first=size,
        after=after,
        position=_place_of,
        node=lambda item: SegmentStay(item=item),
        reached=reached,
    )


async def _still(
    context: Context, segment_id: str, as_of: datetime | None, after: str | None, limit: int
) -> list[service.SegmentMembership]:
    shards = (
        stored(service.list_members, context.shop, segment_id, shard, after=after, limit=limit, as_of=as_of)
        for shard in range(service.SHARDS)
    )
    return merged(await gather(*shards), key=_key, most=limit)


async def _left(context: Context, segment_id: str, as_of: datetime, after: str | None, limit: int) -> service.LeftSince:
    shards = await gather(
        *(
            stored(service.list_left, context.shop, segment_id, shard, after=after, limit=limit, as_of=as_of)
            for shard in range(service.SHARDS)
        )
    )
    found = merged((shard.stays for shard in shards), key=_key, most=limit)
    reached = min((shard.reached for shard in shards if shard.reached), default=None)
    return service.LeftSince([each for each in found if reached is None or _key(each) <= reached], reached)


def _key(item: service.SegmentMembership) -> str:
    return item.list_sk or ""


def _place_of(item: service.SegmentMembership) -> str:
    return f"{STILL if item.left_at is None else LEFT} {_key(item)}"
