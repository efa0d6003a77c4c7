# schema/segment/segment.py
"""Segments, as clients see them."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from crm.segmentation import service
from schema.access import signed_in, staff
from schema.connections import about
from schema.context import Context, Info, Loader, stored
from schema.node import Node, global_id


@strawberry.type(description="A definition that customers meet or do not.", directives=staff("segments:read"))
class Segment(Node):
    definition: strawberry.Private[service.Segment]

    @strawberry.field(description="Opaque.", directives=signed_in())
    def id(self) -> strawberry.ID:
        return global_id("Segment", self.definition.id)

    @strawberry.field(description="What events name it by.")
    def segment_id(self) -> str:
        return self.definition.id

    @strawberry.field(description="What it is called.")
    def name(self) -> str:
        return self.definition.name


class SegmentByKey(Loader[str, Segment | None]):
    """Those in force; by a process that has looked within the minute they are known."""

    async def load_many(self, keys: list[str]) -> Sequence[Segment | None]:
        in_force = await stored(service.current, self.context.shop, now=self.context.now)
        found = map(in_force.segments.get, keys)
        return [Segment(definition=each) if each else None for each in found]


@strawberry.type(description="A customer's present stay in a segment.", directives=staff("segments:read"))
class SegmentMembership:
    stay: strawberry.Private[service.OpenMembership]

    @strawberry.field(description="Which segment; null where its definition is gone.")
    async def segment(self, info: Info) -> Segment | None:
        return await info.context.loader(SegmentByKey).load(self.stay.segment_id)

    @strawberry.field(description="Since when.")
    def entered_at(self) -> datetime:
        return self.stay.entered_at

    @strawberry.field(description="When time alone will end it, if nothing else happens; null: never.")
    def flips_at(self) -> datetime | None:
        return self.stay.flips_at


async def segment_by_key(context: Context, segment_id: str) -> Segment | None:
    return await context.loader(SegmentByKey).load(segment_id)


@strawberry.type
class SegmentQuery:
    @strawberry.field(description="The shop's segments.", directives=[*staff("segments:read"), about(20)])
    async def segments(self, info: Info) -> list[Segment]:
        in_force = await stored(service.current, info.context.shop, now=info.context.now)
        return [Segment(definition=each) for each in in_force.segments.values()]
