# schema/segment/templates.py
"""Segments that shops begin with."""

import strawberry

from crm.segmentation import querying
from schema.access import signed_in, staff
from schema.connections import about


@strawberry.type(
    description="A segment that many shops want: take its query as it is, or change it.", directives=signed_in()
)
class SegmentTemplate:
    item: strawberry.Private[querying.Template]

    @strawberry.field(description="What to know it by; it never changes.")
    def key(self) -> str:
        return self.item.id

    @strawberry.field(description="A name for the segment.")
    def name(self) -> str:
        return self.item.name

    @strawberry.field(description="Who is in it, in words.")
    def description(self) -> str:
        return self.item.description

    @strawberry.field(description="Give it to `segmentCreate`.")
    def query(self) -> str:
        return self.item.query


@strawberry.type
class SegmentTemplateQuery:
    @strawberry.field(
        description="Segments that shops begin with.",
        directives=[*staff("segments:read"), about(len(querying.TEMPLATES))],
    )
    def segment_templates(self) -> list[SegmentTemplate]:
        return [SegmentTemplate(item=template) for template in querying.TEMPLATES]
