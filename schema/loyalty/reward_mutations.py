# schema/loyalty/reward_mutations.py
"""How rewards are defined and redeemed, and vouchers used."""

from typing import Annotated, Any

import strawberry

from crm.loyalty.rewards import service
from schema.access import own, serving, signed_in, staff
from schema.context import GIVEN, Context, Info, stored
from schema.customer.record import RecordByCustomer
from schema.errors import PRESENT, AnswersRefusals, UserError
from schema.loyalty.names import segments_known
from schema.loyalty.owners import named, named_as, owner
from schema.loyalty.reward_definitions import RewardByKey, RewardDefinition, reward_by_key, reward_key
from schema.loyalty.reward_inputs import (
    LoyaltyRedemptionCancelInput,
    LoyaltyRewardArchiveInput,
    LoyaltyRewardCreateInput,
    LoyaltyRewardRedeemInput,
    LoyaltyRewardUpdateInput,
    LoyaltyVoucherUseInput,
)
from schema.loyalty.rewards import Redemption, RewardsByShop
from schema.principal import Kind

WRITE, ADJUST = "loyalty:write", "loyalty:adjust"


@strawberry.type(description="The reward as it is now, or why it is not so.", directives=signed_in())
class LoyaltyRewardCreatePayload:
    reward: RewardDefinition | None = strawberry.field(default=None, description="Null when refused.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type(description="The reward as it is now, or why it is not so.", directives=signed_in())
class LoyaltyRewardUpdatePayload(LoyaltyRewardCreatePayload):
    reward: RewardDefinition | None = strawberry.field(default=None, description=PRESENT)


@strawberry.type(description="The reward as it is now, or why it is not archived.", directives=signed_in())
class LoyaltyRewardArchivePayload(LoyaltyRewardUpdatePayload):
    pass


@strawberry.type(description="What was redeemed, or why it was not.", directives=signed_in())
class LoyaltyRewardRedeemPayload:
    redemption: Redemption | None = strawberry.field(
        default=None, description="As it is now, with its code; null when refused."
    )
    replayed: bool = strawberry.field(default=False, description="True when an earlier call did it.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type(description="What was taken back, or why it was not.", directives=signed_in())
class LoyaltyRedemptionCancelPayload(LoyaltyRewardRedeemPayload):
    pass


@strawberry.type(description="What the voucher was given for, or why it is not used.", directives=signed_in())
class LoyaltyVoucherUsePayload(LoyaltyRewardRedeemPayload):
    pass


async def _present(context: Context, given: LoyaltyRewardUpdateInput | LoyaltyRewardArchiveInput) -> dict[str, Any]:
    key = reward_key(given.id)
    context.loader(RewardByKey).forget(key)
    return {"reward": await reward_by_key(context, key)}


def _defined(context: Context, done: service.Defined) -> dict[str, Any]:
    """What is read of rewards from here on is as it is now."""
    context.loader(RewardByKey).forget(done.definition.reward_id)
    context.loader(RewardsByShop).forget(context.shop)
    return {"reward": RewardDefinition.of(done.definition, done.stock)}


def _redeemed(context: Context, done: service.Redeemed) -> dict[str, Any]:
    """What is read of the customer from here on is as it is now."""
    context.loader(RecordByCustomer).forget(done.redemption.customer_id)
    return {"redemption": Redemption(item=done.redemption, now=context.now), "replayed": done.replayed}


@strawberry.type
class RewardMutation:
    @strawberry.mutation(
        description="Make a reward, which can be redeemed at once. Names are unique: a repeat is refused (`TAKEN`).",
        extensions=[AnswersRefusals()],
        directives=staff(WRITE),
    )
    async def loyalty_reward_create(
        self, info: Info, input: Annotated[LoyaltyRewardCreateInput, GIVEN]
    ) -> LoyaltyRewardCreatePayload:
        context, fields = info.context, input.fields()
        done = await stored(
            service.create,
            context.shop,
            fields,
            actor=context.principal.actor,
            now=context.now,
            segments=await segments_known(context, fields.named_segments),
        )
        return LoyaltyRewardCreatePayload(**_defined(context, done))

    @strawberry.mutation(
        description="Change a reward. What was redeemed before stays what was promised.",
        extensions=[AnswersRefusals(present=_present)],
        directives=staff(WRITE),
    )
    async def loyalty_reward_update(
        self, info: Info, input: Annotated[LoyaltyRewardUpdateInput, GIVEN]
    ) -> LoyaltyRewardUpdatePayload:
        context, fields = info.context, input.fields()
        done = await stored(
            service.update,
            context.shop,
            reward_key(input.id),
            fields,
            actor=context.principal.actor,
            now=context.now,
            segments=await segments_known(context, fields.named_segments),
            expected_version=input.expected_version,
        )
        return LoyaltyRewardUpdatePayload(**_defined(context, done))

    @strawberry.mutation(
        description="Let nobody redeem a reward any more, for good. Its vouchers can still be used.",
        extensions=[AnswersRefusals(present=_present)],
        directives=staff(WRITE),
    )
    async def loyalty_reward_archive(
        self, info: Info, input: Annotated[LoyaltyRewardArchiveInput, GIVEN]
    ) -> LoyaltyRewardArchivePayload:
        context = info.context
        done = await stored(
            service.archive,
            context.shop,
            reward_key(input.id),
            actor=context.principal.actor,
            now=context.now,
            expected_version=input.expected_version,
        )
        return LoyaltyRewardArchivePayload(**_defined(context, done))

    @strawberry.mutation(
        description="Spend points for a reward, and have a voucher.",
        extensions=[AnswersRefusals()],
        directives=own(ADJUST),
    )
    async def loyalty_reward_redeem(
        self, info: Info, input: Annotated[LoyaltyRewardRedeemInput, GIVEN]
    ) -> LoyaltyRewardRedeemPayload:
        context = info.context
        customer_id = owner(context, input.customer)
        with named_as(id="customer"):
            done = await stored(
                service.redeem,
                context.shop,
                customer_id,
                input.reward_id,
                actor=context.principal.actor,
                idempotency_key=input.idempotency_key,
                now=context.now,
                themselves=context.principal.kind is Kind.CUSTOMER,
                expected_points=input.expected_points,
            )
        return LoyaltyRewardRedeemPayload(**_redeemed(context, done))

    @strawberry.mutation(
        description="Take a redemption back whose voucher was not used: its points return, to expire when they would "
        "have, and the code is void. Safe to repeat: asking again tells what was done.",
        extensions=[AnswersRefusals()],
        directives=own(ADJUST),
    )
    async def loyalty_redemption_cancel(
        self, info: Info, input: Annotated[LoyaltyRedemptionCancelInput, GIVEN]
    ) -> LoyaltyRedemptionCancelPayload:
        context = info.context
        customer_id, redemption_id = named(context, "Redemption", "redemption", input.redemption)
        with named_as(id="redemption", customer="redemption"):
            done = await stored(
                service.cancel,
                context.shop,
                customer_id,
                redemption_id,
                actor=context.principal.actor,
                now=context.now,
                themselves=context.principal.kind is Kind.CUSTOMER,
            )
        return LoyaltyRedemptionCancelPayload(**_redeemed(context, done))

    @strawberry.mutation(
        description="Use a voucher, once. An order that names the code as its coupon uses it by itself; where orders "
        "could be told too late, use it at the checkout.",
        extensions=[AnswersRefusals()],
        directives=serving(ADJUST),
    )
    async def loyalty_voucher_use(
        self, info: Info, input: Annotated[LoyaltyVoucherUseInput, GIVEN]
    ) -> LoyaltyVoucherUsePayload:
        context = info.context
        done = await stored(
            service.use_voucher,
            context.shop,
            input.code,
            order_id=input.order_id,
            actor=context.principal.actor,
            idempotency_key=input.idempotency_key,
            now=context.now,
        )
        return LoyaltyVoucherUsePayload(**_redeemed(context, done))
