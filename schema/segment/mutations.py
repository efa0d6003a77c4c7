# schema/segment/mutations.py
"""How segments are defined, and who is put into them by hand."""

from collections.abc import Callable
from typing import Annotated, Any

import strawberry

from crm.kernel.errors import NotFound
from crm.segmentation import service
from schema.access import signed_in, staff
from schema.connections import MOST_FIRST, ListSize, as_many_as
from schema.context import GIVEN, Context, Info, stored
from schema.errors import PRESENT, AnswersRefusals, UserError
from schema.node import key_of
from schema.operation import Operation
from schema.segment.by_key import segment_by_key
from schema.segment.inputs import (
    SegmentCreateInput,
    SegmentDeleteInput,
    SegmentDuplicateInput,
    SegmentMembersAddInput,
    SegmentMembersRemoveInput,
    SegmentRecomputeInput,
    SegmentUpdateInput,
)
from schema.segment.segment import Segment

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
    segment: Segment | None = strawberry.field(default=None, description=PRESENT)
    changed: bool = strawberry.field(
        default=False,
        description="Whether anything is another than it was. Where nothing is, `version` stays and nothing is done.",
    )


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


@strawberry.type(description="What became of one customer.", directives=signed_in())
class SegmentMemberResult:
    customer: strawberry.ID = strawberry.field(description="The `id` that was given.")
    changed: bool = strawberry.field(description="Whether that says anything new of them.")
    code: str | None = strawberry.field(
        description="Why it could not be said of them: `NOT_FOUND`, `CUSTOMER_DELETED`, or `STALE` where others kept "
        "changing them (try again); null where it was."
    )


@strawberry.type(description="What became of each customer, or why of none.", directives=signed_in())
class SegmentMembersAddPayload:
    segment: Segment | None = strawberry.field(default=None, description="Null when refused.")
    results: list[SegmentMemberResult] = strawberry.field(
        default_factory=list, description="One for each customer, in the order given; empty when refused."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type(description="What became of each customer, or why of none.", directives=signed_in())
class SegmentMembersRemovePayload(SegmentMembersAddPayload):
    pass


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


def _each_customer() -> ListSize:
    return as_many_as("input.customers", most=MOST_FIRST, below=["results"])


async def _said(
    context: Context, given: SegmentMembersAddInput, say: Callable[..., list[service.Said]]
) -> dict[str, Any]:
    """What became of each customer; that one is deleted is told only to whoever may see them."""
    key = segment_key(given.id)
    keys = {each: key_of("Customer", each, field=f"customers.{at}") for at, each in enumerate(given.customers)}
    named = {found[0]: each for each, found in keys.items() if found is not None}
    said = await stored(say, context.shop, key, list(named), actor=context.principal.actor, now=context.now)
    shown = {
        named[each.customer_id]: SegmentMemberResult(
            customer=strawberry.ID(named[each.customer_id]),
            changed=each.changed,
            code=each.fault if context.principal.may_see_deleted or each.fault is None else NotFound.code,
        )
        for each in said
    }
    missing = {
        each: SegmentMemberResult(customer=strawberry.ID(each), changed=False, code=NotFound.code)
        for each in keys.keys() - shown.keys()
    }
    return {
        "segment": await segment_by_key(context, key),
        "results": [(shown | missing)[each] for each in keys],
    }


@strawberry.type
class SegmentMutation:
    @strawberry.mutation(
        description=(
            "Define a segment. Who is in it is worked out customer by customer: until `operation` is done, it is "
            "`COMPUTING`."
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
        return SegmentUpdatePayload(**_shown(edited), changed=edited.changed)

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

    @strawberry.mutation(
        description=(
            "Put customers into a static segment. Of a dynamic one, take back that they were taken out: that forces "
            "nobody in, the query decides. Repeating it is harmless."
        ),
        extensions=[AnswersRefusals()],
        directives=[*staff(WRITE), _each_customer()],
    )
    async def segment_members_add(
        self, info: Info, input: Annotated[SegmentMembersAddInput, GIVEN]
    ) -> SegmentMembersAddPayload:
        return SegmentMembersAddPayload(**await _said(info.context, input, service.add_members))

    @strawberry.mutation(
        description=(
            "Take customers out of a segment; out of a dynamic one until that is taken back, whatever its query says. "
            "Repeating it is harmless."
        ),
        extensions=[AnswersRefusals()],
        directives=[*staff(WRITE), _each_customer()],
    )
    async def segment_members_remove(
        self, info: Info, input: Annotated[SegmentMembersRemoveInput, GIVEN]
    ) -> SegmentMembersRemovePayload:
        return SegmentMembersRemovePayload(**await _said(info.context, input, service.remove_members))
