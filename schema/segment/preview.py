# schema/segment/preview.py
"""What a query would do as a segment, while it is being written."""

import strawberry

from crm.segmentation import service
from schema.access import staff
from schema.connections import about
from schema.context import Info, stored
from schema.segment.query_text import QueryText, SegmentFact, SegmentQueryMistake


@strawberry.type(description="What a query would do as a segment.", directives=staff("segments:read"))
class SegmentPreview:
    said: strawberry.Private[service.Understood]

    @strawberry.field(
        description="All that is wrong with it, in the order of the text; whoever writes may go on where it is empty.",
        directives=[about(2)],
    )
    def errors(self) -> list[SegmentQueryMistake]:
        return [SegmentQueryMistake(item=mistake) for mistake in self.said.mistakes]

    @strawberry.field(description="The query in canonical form, which means the same; null where it is wrong.")
    def normalized(self) -> str | None:
        return self.said.compiled.normalized if self.said.compiled else None

    @strawberry.field(
        description="What it reads of customers: only events that change one of these can change who is a member.",
        directives=[about(3)],
    )
    def reads_facts(self) -> list[SegmentFact]:
        return [SegmentFact(fact) for fact in sorted(self.said.compiled.reads.facts)] if self.said.compiled else []


@strawberry.type
class SegmentPreviewQuery:
    @strawberry.field(
        description="What a query would do as a segment. Nothing is stored.", directives=staff("segments:read")
    )
    async def segment_preview(self, info: Info, query: QueryText) -> SegmentPreview | None:
        said = await stored(service.understood, info.context.shop, query, now=info.context.now)
        return SegmentPreview(said=said)
