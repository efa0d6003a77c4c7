# schema/loyalty/event_bonus_mutations.py
"""Bonuses for the shop's own events, edited by staff."""

from typing import Annotated, Any

import strawberry

from crm.loyalty import service
from schema.access import signed_in, staff
from schema.context import GIVEN, Info, stored
from schema.errors import PRESENT, AnswersRefusals, UserError
from schema.loyalty.edits import WRITE, when
from schema.loyalty.event_bonuses import (
    LoyaltyEventBonus,
    LoyaltyEventBonusArchiveInput,
    LoyaltyEventBonusCreateInput,
    LoyaltyEventBonusUpdateInput,
)
from schema.loyalty.newest import newest_programme
from schema.loyalty.programme import LoyaltyProgrammeVersion


@strawberry.type(description="The bonus as it will count, or why it was not taken.", directives=signed_in())
class LoyaltyEventBonusCreatePayload:
    bonus: LoyaltyEventBonus | None = strawberry.field(default=None, description="Null when refused.")
    programme: LoyaltyProgrammeVersion | None = strawberry.field(
        default=None, description=f"The version of the programme that says it. {PRESENT}"
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type(description="The bonus as it will count, or why it was not changed.", directives=signed_in())
class LoyaltyEventBonusUpdatePayload(LoyaltyEventBonusCreatePayload):
    pass


@strawberry.type(description="The bonus as it will count, or why it was not archived.", directives=signed_in())
class LoyaltyEventBonusArchivePayload(LoyaltyEventBonusCreatePayload):
    pass


@strawberry.type
class LoyaltyEventBonusMutation:
    @strawberry.mutation(
        description="Give points for an event of the shop's own, as the next version of the programme.",
        extensions=[AnswersRefusals(present=newest_programme)],
        directives=staff(WRITE),
    )
    async def loyalty_event_bonus_create(
        self, info: Info, input: Annotated[LoyaltyEventBonusCreateInput, GIVEN]
    ) -> LoyaltyEventBonusCreatePayload:
        edited = await stored(service.create_bonus, info.context.shop, input.fields(), **when(info, input))
        return LoyaltyEventBonusCreatePayload(**_shown(edited, info))

    @strawberry.mutation(
        description="Change a bonus for an event, as the next version of the programme. What happened before it counts "
        "earns as it did.",
        extensions=[AnswersRefusals(present=newest_programme)],
        directives=staff(WRITE),
    )
    async def loyalty_event_bonus_update(
        self, info: Info, input: Annotated[LoyaltyEventBonusUpdateInput, GIVEN]
    ) -> LoyaltyEventBonusUpdatePayload:
        edited = await stored(
            service.update_bonus, info.context.shop, input.bonus_id, input.fields(), **when(info, input)
        )
        return LoyaltyEventBonusUpdatePayload(**_shown(edited, info))

    @strawberry.mutation(
        description="Give nothing for an event any more, as the next version of the programme. Repeating it is "
        "harmless.",
        extensions=[AnswersRefusals(present=newest_programme)],
        directives=staff(WRITE),
    )
    async def loyalty_event_bonus_archive(
        self, info: Info, input: Annotated[LoyaltyEventBonusArchiveInput, GIVEN]
    ) -> LoyaltyEventBonusArchivePayload:
        edited = await stored(service.archive_bonus, info.context.shop, input.bonus_id, **when(info, input))
        return LoyaltyEventBonusArchivePayload(**_shown(edited, info))


def _shown(edited: service.Edited[service.EventBonus], info: Info) -> dict[str, Any]:
    version = LoyaltyProgrammeVersion(item=edited.version, now=info.context.now)
    return {"bonus": LoyaltyEventBonus(item=edited.part), "programme": version}
