# schema/segment/segment.py
"""Segments, as clients see them."""

from datetime import date, datetime
from enum import Enum
from typing import Annotated

import strawberry

from crm.kernel.actor import Actor as Doer
from crm.kpis import service as kpis
from crm.segmentation import querying, service
from schema.access import signed_in, staff
from schema.connections import After, Connection, First, Place, about, connection, page_size, paged, priced
from schema.context import Context, Info, stored
from schema.customer.history import Actor
from schema.kpi import KpiGrain
from schema.node import Node, global_id
from schema.operation import Operation, operation_by_key
from schema.segment.by_hand import SegmentByHand, by_hand_of
from schema.segment.growth import REQUESTS as GROWTH_REQUESTS
from schema.segment.growth import Grown, GrowthBySegment, SegmentGrowth, of_each
from schema.segment.in_force import MemberCountBySegment, newest, status_of
from schema.segment.leavings import LeftFrom, LeftTo, left_of
from schema.segment.query_text import SegmentQueryMistake
from schema.segment.stays import AsOf, SegmentStay, members_of
from schema.segment.traits import InsightsBySegment, SegmentRevenue, SegmentTraits


@strawberry.enum(description="How customers come to be members.")
class SegmentKind(Enum):
    DYNAMIC = strawberry.enum_value(
        service.DYNAMIC, description="Whoever its query is true of is a member, for as long as it is."
    )
    STATIC = strawberry.enum_value(service.STATIC, description="Its members are set by hand.")


@strawberry.enum(description="How far a segment's members are what its query says.")
class SegmentStatus(Enum):
    READY = strawberry.enum_value(service.Status.READY.value, description="They are, moment by moment.")
    COMPUTING = strawberry.enum_value(
        service.Status.COMPUTING.value,
        description="It came to mean something else, and customers are being looked at; `operation` tells how far.",
    )
    BROKEN = strawberry.enum_value(
        service.Status.BROKEN.value,
        description="By what the shop has changed since, its query no longer is right: whoever is a member stays one.",
    )


@strawberry.type(description="What a segment was in one of its versions.", directives=staff("segments:read"))
class SegmentVersion:
    item: strawberry.Private[service.SegmentVersion]

    @strawberry.field(description="Which; they count from 1.")
    def version(self) -> int:
        return int(self.item.version)

    @strawberry.field(description="What it was called.")
    def name(self) -> str:
        return self.item.name

    @strawberry.field(description="Its query as it was typed; null of a static one.")
    def query(self) -> str | None:
        return self.item.query_text

    @strawberry.field(description="Since when it was so.")
    def at(self) -> datetime:
        return self.item.written_at

    @strawberry.field(description="Who made it so.")
    def actor(self) -> Actor:
        return Actor.of(Doer.parse(self.item.written_by))


@strawberry.type(
    description="A part of the shop's customers, by a query or by hand.", directives=staff("segments:read")
)
class Segment(Node):
    known: strawberry.Private[service.Segment | None]
    item: strawberry.Private[service.SegmentDefinition | None]

    @strawberry.field(description="Opaque.", directives=signed_in())
    def id(self) -> strawberry.ID:
        return global_id("Segment", self.segment_key)

    @strawberry.field(description="What events name it by.")
    def segment_id(self) -> str:
        return self.segment_key

    @strawberry.field(description="What people, and queries of other segments, call it.")
    def name(self) -> str:
        return self.item.name if self.item else self._brief.name

    @strawberry.field(description="How customers come to be members.")
    def kind(self) -> SegmentKind:
        return SegmentKind(self.item.segment_kind if self.item else self._brief.kind)

    @strawberry.field(
        description="Give it as `expectedVersion` to change what was read. Every edit makes another, also of the name."
    )
    def version(self) -> int:
        return int(self.item.rev) if self.item else self._brief.version

    @strawberry.field(description="What it is for.")
    def description(self) -> str | None:
        return self._whole.description

    @strawberry.field(description="Its query as it was typed; null of a static one.")
    def query(self) -> str | None:
        return self._whole.query_text

    @strawberry.field(description="Its query in canonical form, which means the same; null of a static one.")
    def normalized(self) -> str | None:
        return self._whole.normalized

    @strawberry.field(description="A picture of the persona it describes.")
    def picture_url(self) -> str | None:
        return self._whole.picture_url

    @strawberry.field(description="What the persona it describes wants.", directives=[about(3)])
    def goals(self) -> list[str]:
        return list(self._whole.goals or ())

    @strawberry.field(description="When it was defined.")
    def created_at(self) -> datetime:
        return self._whole.created_at

    @strawberry.field(description="Who defined it.")
    def created_by(self) -> Actor:
        return Actor.of(Doer.parse(self._whole.created_by))

    @strawberry.field(description="When it was last changed.")
    def updated_at(self) -> datetime:
        return self._whole.updated_at

    @strawberry.field(description="Who last changed it.")
    def updated_by(self) -> Actor:
        return Actor.of(Doer.parse(self._whole.updated_by))

    @strawberry.field(description="Since when it is deleted: only a customer's history still leads to it.")
    def deleted_at(self) -> datetime | None:
        return self._whole.deleted_at

    @strawberry.field(description="How far its members are what it says; null of one that is deleted.")
    async def status(self, info: Info) -> SegmentStatus | None:
        known = await self._now(info.context)
        return SegmentStatus((await status_of(info.context, known)).value) if known else None

    @strawberry.field(
        description=(
            "As of when its members and their number are what it says: now, or while it is `COMPUTING` when it came to "
            "mean what it means. Null where it is `BROKEN`, or deleted."
        )
    )
    async def as_of(self, info: Info) -> datetime | None:
        known = await self._now(info.context)
        if known is None or known.is_broken:
            return None
        is_ready = await status_of(info.context, known) is service.Status.READY
        return info.context.now if is_ready else known.meaning.at

    @strawberry.field(
        description=(
            "While it is `COMPUTING`: what brings its members up to what it says, and how far that is. Where that has "
            "failed or was cancelled, `segmentRecompute` begins anew. Else null."
        )
    )
    async def operation(self, info: Info) -> Operation | None:
        context = info.context
        known = await self._now(context)
        if known is None or await status_of(context, known) is not service.Status.COMPUTING:
            return None
        by = (await newest(context)).refreshed_by
        return await operation_by_key(context, by) if by else None

    @strawberry.field(
        description="Where it is `BROKEN`: what is wrong with `normalized` by now. Else empty.", directives=[about(1)]
    )
    async def errors(self, info: Info) -> list[SegmentQueryMistake]:
        known = await self._now(info.context)
        broken = known is not None and known.is_broken
        mistakes = querying.mistakes_of(await newest(info.context), self.segment_key) if broken else ()
        return [SegmentQueryMistake(item=mistake) for mistake in mistakes]

    @strawberry.field(
        description=(
            "How many members it has now, also those that nobody may list; the number follows the list within moments, "
            "and both follow time as `members` does."
        )
    )
    async def member_count(self, info: Info) -> int | None:
        return await info.context.loader(MemberCountBySegment).load(self.segment_key)

    @strawberry.field(
        description=(
            "Its members, the longest standing first. What time alone changes is here once it has been looked at, "
            "within a minute or so, as of when it was due; `Customer.segments` needs not wait. Of a past moment: first "
            "who still are members, then who have left since; whoever leaves while pages are read may be on two, and "
            "where very many came and went since, a page may be short or empty: go on while `hasNextPage`."
        ),
        directives=[paged(), priced(of_each(service.SHARDS))],
    )
    async def members(
        self, info: Info, first: First = 20, after: After = None, as_of: AsOf = None
    ) -> Connection[SegmentStay] | None:
        return await members_of(info.context, self.segment_key, as_of=as_of, first=first, after=after)

    @strawberry.field(
        description=(
            "Whom people have put into it, or taken out of it until that is taken back, the last first; also those who "
            "are no members now, such as deleted customers."
        ),
        directives=[paged(), priced(of_each(service.SHARDS))],
    )
    async def by_hand(self, info: Info, first: First = 20, after: After = None) -> Connection[SegmentByHand] | None:
        return await by_hand_of(info.context, self.segment_key, first=first, after=after)

    @strawberry.field(
        description=(
            "Stays that ended, those first that ended last; whoever came back and left again is there twice. `from` "
            "and `to` are days in the shop's zone, both included, by when they ended."
        ),
        directives=[paged(), priced(of_each(service.SHARDS))],
    )
    async def left(
        self, info: Info, first: First = 20, after: After = None, from_: LeftFrom = None, to: LeftTo = None
    ) -> Connection[SegmentStay] | None:
        return await left_of(info.context, self.segment_key, from_day=from_, to_day=to, first=first, after=after)

    @strawberry.field(
        description=(
            "How it grew over days in the shop's zone, both included: by when stays began and ended. Null with an "
            "error where the days are refused."
        ),
        directives=[priced(of_each(GROWTH_REQUESTS))],
    )
    async def growth(
        self,
        info: Info,
        from_: Annotated[date, strawberry.argument(name="from", description="The first day.")],
        to: Annotated[date, strawberry.argument(description=f"The last day; {kpis.MOST_DAYS:,} days at most.")],
        grain: Annotated[KpiGrain | None, strawberry.argument(description="How long a period is.")] = KpiGrain.DAY,
    ) -> SegmentGrowth | None:
        grain_name = str((grain or KpiGrain.DAY).value)
        asked = Grown(self.segment_key, from_, to, grain_name)
        return SegmentGrowth(rows=await info.context.loader(GrowthBySegment).load(asked))

    @strawberry.field(
        description=(
            "What is typical of its members, as of its own `asOf`: what was worked out stays until it is worked out "
            "anew, also while the segment is `COMPUTING`. Null until it first was."
        )
    )
    async def typical_traits(self, info: Info) -> SegmentTraits | None:
        found = await info.context.loader(InsightsBySegment).load(self.segment_key)
        return SegmentTraits(found=found) if found else None

    @strawberry.field(description="What its members have spent, likewise as of its own `asOf`.")
    async def revenue(self, info: Info) -> SegmentRevenue | None:
        found = await info.context.loader(InsightsBySegment).load(self.segment_key)
        return SegmentRevenue(found=found) if found else None

    @strawberry.field(description="What it was, the newest first.", directives=[paged(), priced(of_each(1))])
    async def versions(self, info: Info, first: First = 20, after: After = None) -> Connection[SegmentVersion] | None:
        size, shop = page_size(first), info.context.shop
        place = Place("Segment.versions", shop, self.segment_key)
        found = await stored(
            service.list_versions, shop, self.segment_key, before=place.position(after), limit=size + 1
        )
        return connection(
            place,
            found,
            first=size,
            after=after,
            position=lambda item: item.sk,
            node=lambda item: SegmentVersion(item=item),
        )

    async def _now(self, context: Context) -> service.Segment | None:
        """As it is in force."""
        return (await newest(context)).segments.get(self.segment_key)

    @property
    def segment_key(self) -> str:
        return self.item.segment_id if self.item else self._brief.id

    @property
    def _brief(self) -> service.Segment:
        assert self.known is not None
        return self.known

    @property
    def _whole(self) -> service.SegmentDefinition:
        assert self.item is not None
        return self.item
