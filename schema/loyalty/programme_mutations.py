# schema/loyalty/programme_mutations.py
"""The programme of points itself, edited by staff."""

from typing import Annotated

import strawberry

from crm.loyalty import service
from schema.access import signed_in, staff
from schema.context import GIVEN, Info, stored
from schema.errors import PRESENT, AnswersRefusals, UserError
from schema.loyalty.edits import EXPECTED, WRITE, when
from schema.loyalty.newest import newest_programme
from schema.loyalty.programme import LoyaltyProgrammeUpdateInput, LoyaltyProgrammeVersion


@strawberry.type(description="The programme as it will count, or why it was not changed.", directives=signed_in())
class LoyaltyProgrammeUpdatePayload:
    programme: LoyaltyProgrammeVersion | None = strawberry.field(
        default=None,
        description=f"Its newest version: `effectiveAt` says from when on it counts. {PRESENT}",
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.input(description="Which versions are taken back: all that are still to come.")
class LoyaltyProgrammeWithdrawInput:
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)


@strawberry.type(description="The programme as it goes on, or why nothing was taken back.", directives=signed_in())
class LoyaltyProgrammeWithdrawPayload(LoyaltyProgrammeUpdatePayload):
    pass


@strawberry.type
class LoyaltyProgrammeMutation:
    @strawberry.mutation(
        description="Change the programme, as its next version. Orders that were placed before it counts keep what "
        "they earn.",
        extensions=[AnswersRefusals(present=newest_programme)],
        directives=staff(WRITE),
    )
    async def loyalty_programme_update(
        self, info: Info, input: Annotated[LoyaltyProgrammeUpdateInput, GIVEN]
    ) -> LoyaltyProgrammeUpdatePayload:
        version = await stored(service.update_programme, info.context.shop, input.fields(), **when(info, input))
        return LoyaltyProgrammeUpdatePayload(programme=LoyaltyProgrammeVersion(item=version, now=info.context.now))

    @strawberry.mutation(
        description="Take back the versions that are still to come, so that they never count: the programme goes on as "
        "it is. What counts in two minutes cannot be taken back. A repeat changes nothing.",
        extensions=[AnswersRefusals(present=newest_programme)],
        directives=staff(WRITE),
    )
    async def loyalty_programme_withdraw(
        self, info: Info, input: Annotated[LoyaltyProgrammeWithdrawInput, GIVEN]
    ) -> LoyaltyProgrammeWithdrawPayload:
        context = info.context
        version = await stored(
            service.withdraw_programme, context.shop, actor=context.principal.actor, now=context.now,
            expected_version=input.expected_version,
        )  # fmt: skip
        return LoyaltyProgrammeWithdrawPayload(programme=LoyaltyProgrammeVersion(item=version, now=context.now))
