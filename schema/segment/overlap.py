# schema/segment/overlap.py
"""How far segments have the same members."""

from asyncio import gather
from typing import Annotated

import strawberry

from crm.kernel.errors import InvalidInput
from crm.segmentation import measuring
from schema.access import signed_in, staff
from schema.connections import about, priced
from schema.context import Info, stored
from schema.node import key_of
from schema.segment.by_key import segment_by_key
from schema.segment.segment import Segment

LEAST = 2


@strawberry.type(description="Customers who are in several segments.", directives=signed_in())
class SegmentOverlapRegion:
    region: strawberry.Private[measuring.Region]

    @strawberry.field(description="Which segments: one of them, or several.", directives=[about(3)])
    async def segments(self, info: Info) -> list[Segment]:
        found = await gather(*(segment_by_key(info.context, each) for each in self.region.segment_ids))
        return [segment for segment in found if segment is not None]

    @strawberry.field(description="How many customers are in all of them, whatever else they are in.")
    def count(self) -> int:
        return self.region.count

    @strawberry.field(description="How many of those are in none of the others that were asked for.")
    def only(self) -> int:
        return self.region.only


@strawberry.type(description="How far segments have the same members.", directives=staff("segments:read"))
class SegmentOverlap:
    found: strawberry.Private[measuring.Overlap]

    @strawberry.field(
        description=(
            f"Whether it is counted, member by member, as it is of segments with {measuring.MOST_COUNTED:,} members "
            "together at most; else it is estimated from a sample of the shop's customers."
        )
    )
    def exact(self) -> bool:
        return self.found.exact

    @strawberry.field(description="How many customers are in any of the segments.")
    def either(self) -> int:
        return self.found.either

    @strawberry.field(
        description="Each of the segments, and then each combination of them, up to all of them.",
        directives=[about(3)],
    )
    def regions(self) -> list[SegmentOverlapRegion]:
        return [SegmentOverlapRegion(region=region) for region in self.found.regions]


@strawberry.type
class SegmentOverlapQuery:
    @strawberry.field(
        description=(
            "How far segments have the same members; null where one of them is not there, or where they are too large "
            "to count and the shop's customers have not been counted yet."
        ),
        directives=[*staff("segments:read"), priced(50)],
    )
    async def segment_overlap(
        self,
        info: Info,
        ids: Annotated[
            list[strawberry.ID],
            strawberry.argument(description=f"The `id`s of {LEAST} to {measuring.MOST_OVERLAPPING} segments."),
        ],
    ) -> SegmentOverlap | None:
        if not LEAST <= len(set(ids)) <= measuring.MOST_OVERLAPPING:
            raise InvalidInput(f"must be {LEAST} to {measuring.MOST_OVERLAPPING} segments", field="ids")
        keys = [key_of("Segment", each, field=f"ids.{index}") for index, each in enumerate(dict.fromkeys(ids))]
        asked = [key[0] for key in keys if key is not None]
        known = await gather(*(segment_by_key(info.context, each) for each in asked))
        if len(asked) < len(keys) or None in known:
            return None
        found = await stored(measuring.overlap, info.context.shop, asked)
        return SegmentOverlap(found=found) if found else None
