# schema/segment/queries.py
"""How segments are found."""

from typing import Annotated

import strawberry

from crm.segmentation import service
from schema.access import staff
from schema.connections import about
from schema.context import Info, stored
from schema.node import key_of
from schema.segment.by_key import segment_by_key
from schema.segment.segment import Segment


@strawberry.type
class SegmentQuery:
    @strawberry.field(
        description=f"All segments of the shop, by name; {service.MOST_SEGMENTS} at most.",
        directives=[*staff("segments:read"), about(20)],
    )
    async def segments(self, info: Info) -> list[Segment]:
        found = await stored(service.list_definitions, info.context.shop)
        return [Segment(known=None, item=item) for item in found]

    @strawberry.field(
        description="A segment by id; null where there is none, or none any more.", directives=staff("segments:read")
    )
    async def segment(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The segment's `id`, not its `segmentId`.")],
    ) -> Segment | None:
        key = key_of("Segment", id)
        return await segment_by_key(info.context, key[0]) if key else None
