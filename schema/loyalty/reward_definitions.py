# schema/loyalty/reward_definitions.py
"""Rewards as the shop defines them, and who may redeem them."""

from asyncio import gather
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, NamedTuple

import strawberry

from crm.kernel.actor import Actor as Doer
from crm.kernel.errors import Fault, InvalidInputs, NotFound
from crm.loyalty.rewards import service
from schema.access import serving, signed_in, staff
from schema.connections import (
    After,
    Connection,
    First,
    Place,
    at_most,
    connection,
    newest_of_shards,
    page_size,
    paged,
    priced,
)
from schema.context import Context, Info, Loader, stored
from schema.customer.history import Actor
from schema.customer.record import visible_record
from schema.loyalty.names import segments_known
from schema.loyalty.owners import within
from schema.loyalty.reward_inputs import RewardDraftInput
from schema.loyalty.reward_words import RewardReason
from schema.loyalty.rewards import Redemption, Reward, RewardsByShop
from schema.node import Node, global_id, key_of

READ = "loyalty:read"


class VersionsAsked(NamedTuple):
    reward_id: str
    before: int | None
    limit: int


class VersionsByReward(Loader[VersionsAsked, list[service.RewardVersion]]):
    async def load_many(self, keys: list[VersionsAsked]) -> Sequence[list[service.RewardVersion] | BaseException]:
        asked = (
            stored(service.list_versions, self.context.shop, key.reward_id, before=key.before, limit=key.limit)
            for key in keys
        )
        return await gather(*asked, return_exceptions=True)


class RewardByKey(Loader[str, service.Stocked | None]):
    async def load_many(self, keys: list[str]) -> Sequence[service.Stocked | None]:
        found = await stored(service.rewards_by_id, self.context.shop, keys)
        return [found.get(key) for key in keys]


class RedeemedByReward(Loader[str, int]):
    """How many of each there are that were not given back."""

    async def load_many(self, keys: list[str]) -> Sequence[int]:
        found = await stored(service.count_redeemed, self.context.shop, keys)
        return [found[key] for key in keys]


@strawberry.type(description="What a reward was in one of its versions.", directives=staff(READ))
class RewardVersion:
    item: strawberry.Private[service.RewardVersion]

    @strawberry.field(description="Which; they count from 1.")
    def version(self) -> int:
        return int(self.item.version)

    @strawberry.field(description="What it was.")
    def reward(self) -> Reward:
        return Reward(said=service.Reward.read(self.item.document))

    @strawberry.field(description="Since when it was so.")
    def at(self) -> datetime:
        return self.item.written_at

    @strawberry.field(description="Who made it so.")
    def actor(self) -> Actor:
        return Actor.of(Doer.parse(self.item.written_by))


@strawberry.type(description="A reward of the shop, who may redeem it, and when.", directives=staff(READ))
class RewardDefinition(Node):
    item: strawberry.Private[service.RewardDefinition]
    pieces: strawberry.Private[service.RewardStock]
    said: strawberry.Private[service.Reward]

    @classmethod
    def of(cls, item: service.RewardDefinition, pieces: service.RewardStock) -> "RewardDefinition":
        return cls(item=item, pieces=pieces, said=item.reward)

    @strawberry.field(description="Opaque.", directives=signed_in())
    def id(self) -> strawberry.ID:
        return global_id("RewardDefinition", self.item.reward_id)

    @strawberry.field(description="By which it is redeemed, and events name it.")
    def reward_id(self) -> str:
        return self.item.reward_id

    @strawberry.field(description="What it is.")
    def reward(self) -> Reward:
        return Reward(said=self.said)

    @strawberry.field(description="How many there are in all; null: any number.")
    def stock(self) -> int | None:
        return None if self.pieces.total is None else int(self.pieces.total)

    @strawberry.field(
        description="How many of them were redeemed and not given back; of those made while there was any number, none."
    )
    def taken(self) -> int:
        return int(self.pieces.taken)

    @strawberry.field(
        description="How many were redeemed and not given back, also while there was any number; null where that could "
        "not be read."
    )
    async def redeemed(self, info: Info) -> int | None:
        return await info.context.loader(RedeemedByReward).load(self.item.reward_id)

    @strawberry.field(
        description="Who has redeemed it, newest first, also where it was given back or interrupted since.",
        directives=[paged(), priced(service.SHARDS - 1)],
    )
    async def redemptions(self, info: Info, first: First = 20, after: After = None) -> Connection[Redemption] | None:
        context, key = info.context, self.item.reward_id
        return await newest_of_shards(
            Place("RewardDefinition.redemptions", context.shop, key),
            lambda shard, before, limit: stored(
                service.list_of_reward, context.shop, key, shard, before=before, limit=limit
            ),
            service.SHARDS,
            first=first,
            after=after,
            position=lambda item: item.list_sk or "",
            node=lambda item: Redemption(item=item, now=context.now),
        )

    @strawberry.field(description="How many are left; null: any number.")
    def left(self) -> int | None:
        return self.pieces.left

    @strawberry.field(
        description="The segments of which its customers are in one, by `id`; none: everybody may redeem it."
    )
    def segments(self) -> list[strawberry.ID]:
        return [global_id("Segment", each) for each in self.said.segments]

    @strawberry.field(description="The tiers of which its customers have one, by `id`; none: any, or none.")
    def tiers(self) -> list[strawberry.ID]:
        return [global_id("LoyaltyTier", each) for each in self.said.tiers]

    @strawberry.field(description="The first instant at which it can be redeemed; null: since ever.")
    def valid_from(self) -> datetime | None:
        return self.said.valid_from

    @strawberry.field(description="Counts its changes from 1.")
    def version(self) -> int:
        return int(self.item.rev)

    @strawberry.field(description="When it was made.")
    def created_at(self) -> datetime:
        return self.item.created_at

    @strawberry.field(description="When it was last changed.")
    def updated_at(self) -> datetime:
        return self.item.updated_at

    @strawberry.field(description="Who changed it last.")
    def updated_by(self) -> Actor:
        return Actor.of(Doer.parse(self.item.updated_by))

    @strawberry.field(description="Since when nobody redeems it any more; null where it is not archived.")
    def archived_at(self) -> datetime | None:
        return self.item.archived_at

    @strawberry.field(description="What it was, the newest first.", directives=[paged()])
    async def versions(self, info: Info, first: First = 20, after: After = None) -> Connection[RewardVersion] | None:
        size, context, key = page_size(first), info.context, self.item.reward_id
        place = Place("RewardDefinition.versions", context.shop, key)
        behind = place.position(after)
        asked = VersionsAsked(key, int(behind) if behind else None, size + 1)
        return connection(
            place,
            await context.loader(VersionsByReward).load(asked),
            first=size,
            after=after,
            position=lambda item: str(int(item.version)),
            node=lambda item: RewardVersion(item=item),
        )


@strawberry.type(description="Whether a customer could redeem a reward now.", directives=staff(READ))
class RewardPreview:
    found: strawberry.Private[tuple[service.Reason, ...]]

    @strawberry.field(description="Whether they could.")
    def redeemable(self) -> bool:
        return not self.found

    @strawberry.field(description="All that would stand against it; empty where nothing would.")
    def reasons(self) -> list[RewardReason]:
        return [RewardReason(reason) for reason in self.found]


@strawberry.type
class RewardQuery:
    @strawberry.field(
        description="The rewards of the shop that are not archived, in the order in which they were made. They are no "
        f"pages: there are {service.MOST_REWARDS} at most.",
        directives=[*staff(READ), at_most(service.MOST_REWARDS)],
    )
    async def loyalty_rewards(self, info: Info) -> list[RewardDefinition]:
        found = await info.context.loader(RewardsByShop).load(info.context.shop)
        return [RewardDefinition.of(*each) for each in found]

    @strawberry.field(
        description="The rewards of the shop that are archived, the last first.",
        directives=[*staff(READ), paged(), priced(1)],
    )
    async def loyalty_archived_rewards(
        self, info: Info, first: First = 20, after: After = None
    ) -> Connection[RewardDefinition] | None:
        size, context = page_size(first), info.context
        place = Place("Query.loyaltyArchivedRewards", context.shop)
        found = await stored(service.list_archived, context.shop, before=place.position(after), limit=size + 1)
        return connection(
            place,
            found,
            first=size,
            after=after,
            position=lambda each: each[0].timeline_key or "",
            node=lambda each: RewardDefinition.of(*each),
        )

    @strawberry.field(
        description="Whether a customer could redeem a reward now, and all that stands against it: one that there is, "
        "as it is or as it would be with what is said of it; or a new one. Nothing is changed. Null where there is no "
        "such customer.",
        directives=[*staff(READ), priced(2)],
    )
    async def loyalty_reward_preview(
        self,
        info: Info,
        customer: Annotated[strawberry.ID, strawberry.argument(description="Whom it is about, by `id`.")],
        id: Annotated[strawberry.ID | None, strawberry.argument(description="A reward that there is.")] = None,
        reward: Annotated[
            RewardDraftInput | None, strawberry.argument(description="What is said of it, or of a new one.")
        ] = None,
    ) -> RewardPreview | None:
        context, owner = info.context, key_of("Customer", customer, field="customer")
        if owner is None or await visible_record(context, owner[0]) is None:
            return None
        if id is None and reward is None:
            raise InvalidInputs([Fault("reward", "REQUIRED", "is required where no id is given")])
        reward_id = reward_key(id) if id is not None else None
        with within("reward"):
            said = reward.fields() if reward else None
            known = await segments_known(context, said.named_segments if said else ())
            found = await stored(
                service.preview,
                context.shop,
                owner[0],
                reward_id=reward_id,
                said=said,
                segments=known,
                now=context.now,
            )
        return RewardPreview(found=found)

    @strawberry.field(
        description="What a voucher's code was given for, however it was typed; null where nobody was given it.",
        directives=serving("loyalty:adjust"),
    )
    async def loyalty_voucher(
        self, info: Info, code: Annotated[str, strawberry.argument(description="The code.")]
    ) -> Redemption | None:
        try:
            found = await stored(service.find_voucher, info.context.shop, code)
        except NotFound:
            return None
        return Redemption(item=found, now=info.context.now)


def reward_key(id: str, *, field: str = "id") -> str:
    """Raises NotFound for the id of something else."""
    key = key_of("RewardDefinition", id, field=field)
    if key is None:
        raise NotFound("There is no such reward.", field=field)
    return key[0]


async def reward_by_key(context: Context, key: str) -> RewardDefinition | None:
    found = await context.loader(RewardByKey).load(key)
    return RewardDefinition.of(*found) if found else None
