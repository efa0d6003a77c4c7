# schema/segment/mutations.py
"""How segments are defined, and who is put into them by hand."""

from typing import Annotated, Any

import strawberry

from crm.kernel.errors import NotFound
from crm.segmentation import service
from schema.access import signed_in, staff
from schema.context import GIVEN, Context, Info, stored
from schema.errors import AnswersRefusals, UserError
from schema.node import key_of
from schema.operation import Operation
from schema.segment.inputs import (
    SegmentCreateInput,
    SegmentDeleteInput,
    SegmentDuplicateInput,
    SegmentRecomputeInput,
    SegmentUpdateInput,
)
from schema.segment.segment import Segment, segment_by_key

WRITE = "segments:write"


@strawberry.type(description="The segment as it is now, or why it is not so.", directives=signed_in())
class SegmentCreatePayload:
    segment: Segment | None = strawberry.field(default=None, description="Null when refused.")
    operation: Operation | None = strawberry.field(
        default=None, description="What brings customers' memberships up to it; null where there is nothing to bring."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type(description="The segment as it is now, or why it is not so.", directives=signed_in())
class SegmentUpdatePayload(SegmentCreatePayload):
    pass


@strawberry.type(description="The other segment, or why there is none.", directives=signed_in())
class SegmentDuplicatePayload(SegmentCreatePayload):
    pass


@strawberry.type(description="The segment as it is now, or why it is not asked anew.", directives=signed_in())
class SegmentRecomputePayload(SegmentCreatePayload):
    pass


@strawberry.type(description="Which segment is no more, or why it is still there.", directives=signed_in())
class SegmentDeletePayload:
    deleted: strawberry.ID | None = strawberry.field(default=None, description="Null when refused.")
    operation: Operation | None = strawberry.field(default=None, description="What lets its members leave.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


def segment_key(id: str) -> str:
    """Raises NotFound for the id of something else."""
    key = key_of("Segment", id)
    if key is None:
        raise NotFound("There is no such segment.", field="id")
    return key[0]


async def _present(context: Context, given: SegmentUpdateInput) -> dict[str, Any]:
    return {"segment": await segment_by_key(context, segment_key(given.id))}


def _shown(edited: service.Edited) -> dict[str, Any]:
    return {"segment": Segment(known=None, item=edited.definition), "operation": _operation(edited)}


def _operation(edited: service.Edited) -> Operation | None:
    return Operation(item=edited.operation) if edited.operation else None


@strawberry.type
class SegmentMutation:
    @strawberry.mutation(
        description=(
            "Define a segment. Who is in it is worked out customer by customer: until `operation` is done, it is "
            "`REFRESHING`."
        ),
        extensions=[AnswersRefusals()],
        directives=staff(WRITE),
    )
    async def segment_create(self, info: Info, input: Annotated[SegmentCreateInput, GIVEN]) -> SegmentCreatePayload:
        context, kind = info.context, str(input.kind.value)
        edited = await stored(
            service.create, context.shop, kind, input.fields(), actor=context.principal.actor, now=context.now
        )
        return SegmentCreatePayload(**_shown(edited))

    @strawberry.mutation(
        description=(
            "Change a segment. Another query is in force at once; who comes or goes by that is worked out as after "
            "`segmentCreate`, and their stays say `DEFINITION`."
        ),
        extensions=[AnswersRefusals(present=_present)],
        directives=staff(WRITE),
    )
    async def segment_update(self, info: Info, input: Annotated[SegmentUpdateInput, GIVEN]) -> SegmentUpdatePayload:
        context = info.context
        edited = await stored(
            service.update,
            context.shop,
            segment_key(input.id),
            input.fields(),
            actor=context.principal.actor,
            now=context.now,
            expected_version=input.expected_version,
        )
        return SegmentUpdatePayload(**_shown(edited))

    @strawberry.mutation(
        description="Give a segment up: its members leave it, and what was stays in their histories.",
        extensions=[AnswersRefusals()],
        directives=staff(WRITE),
    )
    async def segment_delete(self, info: Info, input: Annotated[SegmentDeleteInput, GIVEN]) -> SegmentDeletePayload:
        context = info.context
        edited = await stored(
            service.delete,
            context.shop,
            segment_key(input.id),
            actor=context.principal.actor,
            now=context.now,
            expected_version=input.expected_version,
        )
        return SegmentDeletePayload(deleted=input.id, operation=_operation(edited))

    @strawberry.mutation(
        description="Define another segment like one there is, without those whom hands have put in or taken out.",
        extensions=[AnswersRefusals()],
        directives=staff(WRITE),
    )
    async def segment_duplicate(
        self, info: Info, input: Annotated[SegmentDuplicateInput, GIVEN]
    ) -> SegmentDuplicatePayload:
        context = info.context
        edited = await stored(
            service.duplicate,
            context.shop,
            segment_key(input.id),
            actor=context.principal.actor,
            now=context.now,
            name=input.name,
        )
        return SegmentDuplicatePayload(**_shown(edited))

    @strawberry.mutation(
        description="Ask a segment about all customers anew, to mend what nothing should have broken.",
        extensions=[AnswersRefusals()],
        directives=staff(WRITE),
    )
    async def segment_recompute(
        self, info: Info, input: Annotated[SegmentRecomputeInput, GIVEN]
    ) -> SegmentRecomputePayload:
        context = info.context
        edited = await stored(
            service.recompute, context.shop, segment_key(input.id), actor=context.principal.actor, now=context.now
        )
        return SegmentRecomputePayload(**_shown(edited))
