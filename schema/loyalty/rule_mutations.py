# schema/loyalty/rule_mutations.py
"""Rules by which orders earn points, edited by staff."""

from typing import Annotated, Any

import strawberry

from crm.loyalty import service
from schema.access import signed_in, staff
from schema.context import GIVEN, Info, stored
from schema.errors import PRESENT, AnswersRefusals, UserError
from schema.loyalty.edits import WRITE, when
from schema.loyalty.names import segments_known
from schema.loyalty.newest import newest_programme
from schema.loyalty.programme import LoyaltyProgrammeVersion
from schema.loyalty.rules import (
    LoyaltyRule,
    LoyaltyRuleArchiveInput,
    LoyaltyRuleCreateInput,
    LoyaltyRuleUpdateInput,
    asked_for,
)


@strawberry.type(description="The rule as it will count, or why it was not taken.", directives=signed_in())
class LoyaltyRuleCreatePayload:
    rule: LoyaltyRule | None = strawberry.field(default=None, description="Null when refused.")
    programme: LoyaltyProgrammeVersion | None = strawberry.field(
        default=None, description=f"The version of the programme that says it. {PRESENT}"
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type(description="The rule as it will count, or why it was not changed.", directives=signed_in())
class LoyaltyRuleUpdatePayload(LoyaltyRuleCreatePayload):
    pass


@strawberry.type(description="The rule as it will count, or why it was not archived.", directives=signed_in())
class LoyaltyRuleArchivePayload(LoyaltyRuleCreatePayload):
    pass


@strawberry.type
class LoyaltyRuleMutation:
    @strawberry.mutation(
        description="Add a rule by which orders earn points, as the next version of the programme.",
        extensions=[AnswersRefusals(present=newest_programme)],
        directives=staff(WRITE),
    )
    async def loyalty_rule_create(
        self, info: Info, input: Annotated[LoyaltyRuleCreateInput, GIVEN]
    ) -> LoyaltyRuleCreatePayload:
        context, fields = info.context, input.fields()
        known = await segments_known(context, asked_for(fields))
        edited = await stored(
            service.create_rule, context.shop, input.rule_kind, fields, segments=known, **when(info, input)
        )
        return LoyaltyRuleCreatePayload(**_shown(edited, info))

    @strawberry.mutation(
        description="Change a rule, as the next version of the programme. Orders that were placed before it counts "
        "keep what they earn.",
        extensions=[AnswersRefusals(present=newest_programme)],
        directives=staff(WRITE),
    )
    async def loyalty_rule_update(
        self, info: Info, input: Annotated[LoyaltyRuleUpdateInput, GIVEN]
    ) -> LoyaltyRuleUpdatePayload:
        context, fields = info.context, input.fields()
        known = await segments_known(context, asked_for(fields))
        edited = await stored(
            service.update_rule, context.shop, input.rule_id, fields, segments=known, **when(info, input)
        )
        return LoyaltyRuleUpdatePayload(**_shown(edited, info))

    @strawberry.mutation(
        description="Let a rule give nothing any more, as the next version of the programme. Repeating it is harmless.",
        extensions=[AnswersRefusals(present=newest_programme)],
        directives=staff(WRITE),
    )
    async def loyalty_rule_archive(
        self, info: Info, input: Annotated[LoyaltyRuleArchiveInput, GIVEN]
    ) -> LoyaltyRuleArchivePayload:
        edited = await stored(service.archive_rule, info.context.shop, input.rule_id, **when(info, input))
        return LoyaltyRuleArchivePayload(**_shown(edited, info))


def _shown(edited: service.Edited[service.Rule], info: Info) -> dict[str, Any]:
    version = LoyaltyProgrammeVersion(item=edited.version, now=info.context.now)
    return {"rule": LoyaltyRule(item=edited.part), "programme": version}
