# schema/segment/inputs.py
"""What is said of segments."""

import strawberry

from crm.segmentation.service import SegmentFields
from schema.forms import said
from schema.segment.segment import SegmentKind

PERSONA = "Of the persona it describes: "


@strawberry.input(description="A new segment.")
class SegmentCreateInput:
    name: str = strawberry.field(description="What people, and queries of other segments, call it: unique in the shop.")
    kind: SegmentKind = strawberry.field(
        default=SegmentKind.DYNAMIC, description="How customers come to be members; it never changes."
    )
    query: str | None = strawberry.field(
        default=None, description="Whom it is of (docs/segments.md). A dynamic one needs it, a static one has none."
    )
    description: str | None = strawberry.field(default=None, description="What it is for.")
    picture_url: str | None = strawberry.field(default=None, description=f"{PERSONA}a picture, by https.")
    goals: list[str] | None = strawberry.field(default=None, description=f"{PERSONA}what they want, 10 at most.")

    def fields(self) -> SegmentFields:
        return SegmentFields(self.name, self.description, self.query, self.picture_url, self.goals)


@strawberry.input(description="What changes about a segment: what is left out stays.")
class SegmentUpdateInput:
    id: strawberry.ID = strawberry.field(description="Which segment.")
    expected_version: int | None = strawberry.field(
        default=None,
        description="Refuse where the stored version is another. Renaming a segment that its query names moves it too.",
    )
    name: strawberry.Maybe[str] = strawberry.field(
        description="What people call it. Queries of others that name it are rewritten."
    )
    query: strawberry.Maybe[str] = strawberry.field(
        description="Whom it is of, from now on; customers who come or go by that are told as by definition."
    )
    description: strawberry.Maybe[str | None] = strawberry.field(description="What it is for.")
    picture_url: strawberry.Maybe[str | None] = strawberry.field(description=f"{PERSONA}a picture, by https.")
    goals: strawberry.Maybe[list[str] | None] = strawberry.field(description=f"{PERSONA}what they want, 10 at most.")

    def fields(self) -> SegmentFields:
        return SegmentFields(**said(self))


@strawberry.input(description="A segment that is to be no more.")
class SegmentDeleteInput:
    id: strawberry.ID = strawberry.field(description="Which segment.")
    expected_version: int | None = strawberry.field(
        default=None, description="Refuse where the stored version is another."
    )


@strawberry.input(description="A segment that there is to be another like.")
class SegmentDuplicateInput:
    id: strawberry.ID = strawberry.field(description="Which segment.")
    name: str | None = strawberry.field(
        default=None, description="What to call the other; null: the same with the first number that is free."
    )


@strawberry.input(description="A segment that is to be asked about all customers anew.")
class SegmentRecomputeInput:
    id: strawberry.ID = strawberry.field(description="Which segment.")


@strawberry.input(description="Customers that somebody's hand puts into a segment, or takes out.")
class SegmentMembersAddInput:
    id: strawberry.ID = strawberry.field(description="Which segment.")
    customers: list[strawberry.ID] = strawberry.field(description="The customers' ids, 100 at most.")


@strawberry.input(description="Customers that somebody's hand takes out of a segment.")
class SegmentMembersRemoveInput(SegmentMembersAddInput):
    pass
