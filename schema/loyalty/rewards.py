# schema/loyalty/rewards.py
"""Rewards as customers see them: what they may redeem, and what they have redeemed."""

from asyncio import gather
from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry

from crm.loyalty.rewards import service
from crm.loyalty.rewards.service import RedemptionStatus as Status
from crm.loyalty.rewards.service import RewardKind as Kind
from schema.access import acting, signed_in, staff
from schema.connections import Connection, Place, connection, page_size
from schema.context import Context, Info, Loader, stored
from schema.customer.record import RecordByCustomer, visible_record
from schema.loaders import Page, PageByCustomer
from schema.loyalty.reward_words import RewardPeriod, RewardReason
from schema.node import Node, global_id
from schema.scalars import DecimalText, Money, Points

if TYPE_CHECKING:
    from schema.customer.customer import Customer


@strawberry.enum(description="What a reward is.")
class RewardKind(Enum):
    DISCOUNT = strawberry.enum_value(
        Kind.DISCOUNT.value, description="Money off an order (`amount`), or a share (`percent`)."
    )
    PRODUCT = strawberry.enum_value(Kind.PRODUCT.value, description="An article of the shop: `sku`.")
    SHIPPING = strawberry.enum_value(Kind.SHIPPING.value, description="An order that is sent free of charge.")
    CUSTOM = strawberry.enum_value(Kind.CUSTOM.value, description="Whatever the description says.")


@strawberry.type(description="How often a customer may redeem a reward.", directives=signed_in())
class RewardLimit:
    count: int = strawberry.field(description="So often.")
    period: RewardPeriod = strawberry.field(description="In each such period.")


@strawberry.type(description="What points can be redeemed for.", directives=signed_in())
class Reward:
    said: strawberry.Private[service.Reward]

    @strawberry.field(description="What people call it.")
    def name(self) -> str:
        return self.said.name

    @strawberry.field(description="What it is, in the shop's words; null where none were given.")
    def description(self) -> str | None:
        return self.said.description

    @strawberry.field(description="What it is.")
    def kind(self) -> RewardKind:
        return RewardKind(self.said.kind)

    @strawberry.field(description="What it costs.")
    def price(self) -> Points:
        return Points(self.said.price)

    @strawberry.field(description="What a `DISCOUNT` takes off, where that is money.")
    def amount(self) -> Money | None:
        amount = self.said.amount
        return Money.of(amount.minor, amount.currency) if amount else None

    @strawberry.field(description="What a `DISCOUNT` takes off, where that is a share: more than 0, 100 at most.")
    def percent(self) -> DecimalText | None:
        return DecimalText(self.said.percent) if self.said.percent is not None else None

    @strawberry.field(description="Which article a `PRODUCT` is, as the shop calls it.")
    def sku(self) -> str | None:
        return self.said.sku

    @strawberry.field(description="How often one customer may redeem it; null where nothing limits that.")
    def limit(self) -> RewardLimit | None:
        limit = self.said.limit
        return RewardLimit(count=limit.count, period=RewardPeriod(limit.period)) if limit else None

    @strawberry.field(description="The first instant at which it cannot be redeemed any more; null: without end.")
    def valid_until(self) -> datetime | None:
        return self.said.valid_until

    @strawberry.field(
        description="To the end of which day after that of redeeming it its voucher can be used; null: without end."
    )
    def voucher_days(self) -> int | None:
        return self.said.voucher_days


@strawberry.type(description="A reward to a customer, who may redeem it or not.", directives=signed_in())
class RewardOffer:
    offer: strawberry.Private[service.Offer]

    @strawberry.field(description="The reward's `rewardId`, to redeem it by; events call it so, too.")
    def reward_id(self) -> str:
        return self.offer.definition.reward_id

    @strawberry.field(description="What it is.")
    def reward(self) -> Reward:
        return Reward(said=self.offer.reward)

    @strawberry.field(description="Whether they may redeem it now.")
    def redeemable(self) -> bool:
        return not self.offer.reasons

    @strawberry.field(description="All that stands against it; empty where nothing does.")
    def reasons(self) -> list[RewardReason]:
        return [RewardReason(reason) for reason in self.offer.reasons]

    @strawberry.field(description="How many there are left; null: any number.")
    def left(self) -> int | None:
        return self.offer.left


@strawberry.enum(description="What became of a redemption.")
class RedemptionStatus(Enum):
    HELD = strawberry.enum_value(
        Status.HELD.value,
        description="It was interrupted: its points are set aside, and come back after a quarter of an hour unless the "
        "call is repeated.",
    )
    FULFILLED = strawberry.enum_value(Status.FULFILLED.value, description="Its voucher can be used.")
    USED = strawberry.enum_value(Status.USED.value, description="Its voucher was used.")
    CANCELLED = strawberry.enum_value(Status.CANCELLED.value, description="It was taken back, and its points with it.")
    RELEASED = strawberry.enum_value(
        Status.RELEASED.value, description="It was interrupted, and time gave its points back."
    )
    EXPIRED = strawberry.enum_value(Status.EXPIRED.value, description="The last day of its voucher is over.")


@strawberry.type(description="A reward that a customer has redeemed.", directives=signed_in())
class Redemption(Node):
    item: strawberry.Private[service.Redemption]
    now: strawberry.Private[datetime]

    @strawberry.field(description="Opaque.")
    def id(self) -> strawberry.ID:
        return global_id("Redemption", self.item.customer_id, self.item.redemption_id)

    @strawberry.field(description="The reward's `rewardId`, whatever has become of it since.")
    def reward_id(self) -> str:
        return self.item.reward_id

    @strawberry.field(description="Whose it is.", directives=staff("customers:read"))
    async def customer(self, info: Info) -> Annotated["Customer", strawberry.lazy("schema.customer.customer")] | None:
        from schema.customer.customer import customer_by_key  # as in schema/order.py

        return await customer_by_key(info.context, self.item.customer_id)

    @strawberry.field(description="What was promised: the reward as it was then.")
    def reward(self) -> Reward:
        return Reward(said=service.promised(self.item))

    @strawberry.field(description="What it cost.")
    def points(self) -> Points:
        return Points(int(self.item.points))

    @strawberry.field(description="What became of it.")
    def status(self) -> RedemptionStatus:
        return RedemptionStatus(service.status_at(self.item, self.now))

    @strawberry.field(
        description="The voucher's code, which whoever has it can use once; null where it was never fulfilled. Of "
        "staff and services those see it who may move points.",
        directives=acting("loyalty:adjust"),
    )
    def code(self) -> str | None:
        return service.shown(self.item.code) if self.item.code else None

    @strawberry.field(description="The first instant at which the voucher cannot be used any more; null: without end.")
    def usable_until(self) -> datetime | None:
        return self.item.voucher_until

    @strawberry.field(description="When it was redeemed.")
    def redeemed_at(self) -> datetime:
        return self.item.redeemed_at

    @strawberry.field(description="When it was used, cancelled or given back; null where it was not.")
    def ended_at(self) -> datetime | None:
        return self.item.ended_at

    @strawberry.field(description="The `orderId` of the order it was used for; null where that is not known.")
    def order_id(self) -> str | None:
        return self.item.order_id


class RewardsByShop(Loader[str, list[service.Stocked]]):
    """Those that are not archived, read once for all customers of a page."""

    async def load_many(self, keys: list[str]) -> Sequence[list[service.Stocked] | BaseException]:
        return await gather(*(stored(service.list_rewards, key) for key in keys), return_exceptions=True)


class OffersByCustomer(Loader[str, list[service.Offer]]):
    """What a customer may redeem, and why not the others: as they stand now."""

    async def load_many(self, keys: list[str]) -> Sequence[list[service.Offer] | BaseException]:
        context = self.context
        rewards = await context.loader(RewardsByShop).load(context.shop)
        return await gather(*(self._of(key, rewards) for key in keys), return_exceptions=True)

    async def _of(self, customer_id: str, rewards: list[service.Stocked]) -> list[service.Offer]:
        record = await self.context.loader(RecordByCustomer).load(customer_id)
        return await stored(service.offered, record.heads, rewards, now=self.context.now) if record else []


class RedemptionsByCustomer(PageByCustomer[service.Redemption]):
    def read(self, page: Page) -> list[service.Redemption]:
        return service.list_redemptions(self.context.shop, page.customer_id, before=page.before, limit=page.limit)


class VouchersByCustomer(Loader[Page, list[tuple[str, service.Redemption]]]):
    """Those that can be used now, each with its place."""

    async def load_many(self, keys: list[Page]) -> Sequence[list[tuple[str, service.Redemption]] | BaseException]:
        return await gather(*(stored(self._read, page) for page in keys), return_exceptions=True)

    def _read(self, page: Page) -> list[tuple[str, service.Redemption]]:
        shop, now = self.context.shop, self.context.now
        return service.list_usable(shop, page.customer_id, after=page.before, limit=page.limit, now=now)


class RedemptionByKey(Loader[tuple[str, str], service.Redemption | None]):
    """By customer and redemption id."""

    async def load_many(self, keys: list[tuple[str, str]]) -> Sequence[service.Redemption | None]:
        found = await stored(service.redemptions_by_id, self.context.shop, keys)
        return [found.get(key) for key in keys]


async def vouchers_of(
    context: Context, customer_id: str, *, first: int | None, after: str | None
) -> Connection[Redemption]:
    """A page of the vouchers that a customer can use, those first that end first."""
    size, place = page_size(first), Place("LoyaltyAccount.vouchers", context.shop, customer_id)
    found = await context.loader(VouchersByCustomer).load(Page(customer_id, place.position(after), size + 1))
    return connection(
        place,
        found,
        first=size,
        after=after,
        position=lambda one: one[0],
        node=lambda one: Redemption(item=one[1], now=context.now),
    )


async def redemption_by_key(context: Context, customer_id: str, redemption_id: str) -> Redemption | None:
    """None for one that does not exist, is another shop's, or is not the caller's to see."""
    if await visible_record(context, customer_id) is None:
        return None
    item = await context.loader(RedemptionByKey).load((customer_id, redemption_id))
    return Redemption(item=item, now=context.now) if item else None
