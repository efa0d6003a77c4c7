# schema/segment/segment.py
"""Segments, as clients see them."""

from datetime import datetime
from typing import Final

import strawberry

from crm.segmentation import service
from schema.access import signed_in, staff
from schema.connections import about
from schema.node import Node, global_id

BY_ID: Final = {segment.id: segment for segment in service.SEGMENTS}


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


@strawberry.type(description="A customer's present stay in a segment.", directives=staff("segments:read"))
class SegmentMembership:
    stay: strawberry.Private[service.OpenMembership]

    @strawberry.field(description="Which segment.")
    def segment(self) -> Segment:
        return Segment(definition=BY_ID[self.stay.segment_id])

    @strawberry.field(description="Since when.")
    def entered_at(self) -> datetime:
        return self.stay.entered_at

    @strawberry.field(description="When time alone will end it, if nothing else happens; null: never.")
    def flips_at(self) -> datetime | None:
        return self.stay.flips_at


def segment_by_key(segment_id: str) -> Segment | None:
    definition = BY_ID.get(segment_id)
    return Segment(definition=definition) if definition else None


@strawberry.type
class SegmentQuery:
    @strawberry.field(description="The shop's segments.", directives=[*staff("segments:read"), about(len(BY_ID))])
    def segments(self) -> list[Segment]:
        return [Segment(definition=definition) for definition in service.SEGMENTS]
