# schema/segment/members_file.py
"""Members of a segment from a file."""

from typing import Annotated

import strawberry

from crm.bulk import service
from schema.access import signed_in, staff
from schema.context import GIVEN, Info, stored
from schema.errors import AnswersRefusals, UserError
from schema.operation import ImportFormat, Operation
from schema.segment.mutations import WRITE, segment_key


@strawberry.input(description="A file of customers that is to come.")
class SegmentMembersImportInput:
    id: strawberry.ID = strawberry.field(description="Which segment.")
    source: str = strawberry.field(description="The system whose ids external ids are, where a row does not say.")
    remove: bool = strawberry.field(default=False, description="Take them out instead of putting them in.")
    format: ImportFormat = strawberry.field(default=ImportFormat.CSV, description="How it is written.")
    idempotency_key: str = strawberry.field(description="Repeat it to retry safely; it is the shop's for good.")


@strawberry.type(description="The operation, or why there is none.", directives=signed_in())
class SegmentMembersImportPayload:
    operation: Operation | None = strawberry.field(default=None, description="Null when refused.")
    replayed: bool = strawberry.field(default=False, description="True when an earlier call with this key did it.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type
class SegmentMembersImportMutation:
    @strawberry.mutation(
        description=(
            "Ask to put the customers that a file names into a segment, or take them out of it, as "
            "`segmentMembersAdd` and `segmentMembersRemove` do: PUT the file to `uploadUrl`, then `importStart`, "
            "for which one needs `imports:write`, too."
        ),
        extensions=[AnswersRefusals()],
        directives=staff(WRITE),
    )
    async def segment_members_import(
        self, info: Info, input: Annotated[SegmentMembersImportInput, GIVEN]
    ) -> SegmentMembersImportPayload:
        context = info.context
        item, replayed = await stored(
            service.import_members,
            context.shop,
            segment_key(input.id),
            source=input.source,
            form=str(input.format.value),
            remove=input.remove,
            actor=context.principal.actor,
            idempotency_key=input.idempotency_key,
            now=context.now,
        )
        return SegmentMembersImportPayload(operation=Operation(item=item), replayed=replayed)
