# schema/loyalty/account.py
"""A customer's points, as clients see them."""

from asyncio import gather
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

import strawberry

from crm.kernel import clock
from crm.loyalty import service
from schema.access import own, signed_in, staff
from schema.connections import After, Connection, First, Place, about, at_most, connection, page_size, paged, priced
from schema.context import Info, Loader, stored
from schema.loaders import Page, PageByCustomer, timeline_page
from schema.loyalty.entries import EntriesByCustomer, LedgerEntry
from schema.loyalty.holds import PointsHold
from schema.loyalty.rewards import (
    OffersByCustomer,
    Redemption,
    RedemptionsByCustomer,
    RewardOffer,
    vouchers_of,
)
from schema.loyalty.tiers import TierFields
from schema.loyalty.verification import MOST_ENTRIES, LedgerVerification, verification_of
from schema.order import Order, order_of
from schema.scalars import CurrencyCode, DecimalText, Points, TimeZone

MOST_HOLDS: Final = 20
PRICE_OF_POOLS: Final = 10
"""Of reading those that expire in two years to come."""
PRICE_OF_VERIFYING: Final = 400
"""Of reading MOST_ENTRIES."""


@strawberry.type(description="Points of an order that can be spent later.", directives=signed_in())
class PendingPoints:
    customer_id: strawberry.Private[str]
    item: strawberry.Private[service.OrderEarning]

    @strawberry.field(description="How many.")
    def points(self) -> Points:
        return Points(int(self.item.pending))

    @strawberry.field(description="From when they can be spent.")
    def available_at(self) -> datetime:
        return self.item.available_at

    @strawberry.field(description="When they will expire; null: never.")
    def expires_at(self) -> datetime | None:
        return service.ends_at(self.item.pool) if self.item.pool else None

    @strawberry.field(description="The `orderId` of the order that earned them.")
    def order_id(self) -> str:
        return self.item.order_id

    @strawberry.field(description="The order.", directives=own("orders:read"))
    async def order(self, info: Info) -> Order | None:
        return await order_of(info.context, self.customer_id, self.item.order_id)


@strawberry.type(description="Points that expire at one instant unless they are spent.", directives=signed_in())
class ExpiringPoints:
    points: Points = strawberry.field(description="How many of those that can be spent.")
    expires_at: datetime = strawberry.field(description="From when they cannot be spent any more.")


class BalancesByCustomer(Loader[str, service.Balances]):
    """As they are now, of accounts of which something is due."""

    async def load_many(self, keys: list[str]) -> Sequence[service.Balances | BaseException]:
        asked = (stored(service.balances_at, self.context.shop, key, now=self.context.now) for key in keys)
        return await gather(*asked, return_exceptions=True)


class PendingByCustomer(PageByCustomer[service.OrderEarning]):
    """What has matured by now is pending no more, also before that is posted."""

    def read(self, page: Page) -> list[service.OrderEarning]:
        behind = page.before or service.pending_key(self.context.now)
        return service.pending_after(self.context.shop, page.customer_id, after=behind, limit=page.limit)


class EndingsByAccount(Loader[tuple[str, bool, datetime | None], list[service.Ending]]):
    """By customer, whether something of the account is due, and when points expire for want of activity."""

    async def load_many(
        self, keys: list[tuple[str, bool, datetime | None]]
    ) -> Sequence[list[service.Ending] | BaseException]:
        shop, now = self.context.shop, self.context.now
        asked = (stored(service.endings, shop, key, due=due, idle_at=idle, now=now) for key, due, idle in keys)
        return await gather(*asked, return_exceptions=True)


@strawberry.type(description="A customer's points.", directives=own("loyalty:read"))
class LoyaltyAccount(TierFields):
    HEAD: ClassVar = service.LoyaltyAccount

    customer_id: strawberry.Private[str]
    item: strawberry.Private[service.LoyaltyAccount | None]

    @strawberry.field(description="Points that can be spent now; below zero after a refund of points already spent.")
    async def available(self, info: Info) -> Points:
        return Points((await self._balances(info)).net)

    @strawberry.field(description="Points that were earned and can be spent later, when orders cannot be returned.")
    async def pending(self, info: Info) -> Points:
        return Points((await self._balances(info)).pending)

    @strawberry.field(description="Points that are set aside, and come back unless they are spent.")
    async def held(self, info: Info) -> Points:
        return Points((await self._balances(info)).held)

    @strawberry.field(
        description="Points that were taken back and had been spent, so that `available` is below zero: what comes in "
        "next pays them first."
    )
    async def owed(self, info: Info) -> Points:
        return Points((await self._balances(info)).owed)

    @strawberry.field(description="All that was earned, by orders and bonuses, less what refunds took back.")
    def lifetime_earned(self) -> Points:
        return Points(int(self.item.lifetime_earned) if self.item else 0)

    @strawberry.field(description="Whole units of `currency` that a point pays now.")
    async def point_value(self, info: Info) -> DecimalText:
        return DecimalText((await _programme(info)).point_value)

    @strawberry.field(description="The currency in which points are earned and pay now.")
    async def currency(self, info: Info) -> CurrencyCode:
        return CurrencyCode((await _programme(info)).currency)

    @strawberry.field(description="Whose days count: points expire as a day of it ends.")
    async def zone(self, info: Info) -> TimeZone:
        return TimeZone((await _programme(info)).zone)

    @strawberry.field(description="Since when they take part in the programme; null: they do not yet.")
    def enrolled_at(self) -> datetime | None:
        return self.item.enrolled_at if self.item else None

    @strawberry.field(description="What `pending` is made of, what can be spent first first.", directives=[paged()])
    async def pending_points(
        self, info: Info, first: First = 20, after: After = None
    ) -> Connection[PendingPoints] | None:
        return await timeline_page(
            info.context,
            PendingByCustomer,
            "LoyaltyAccount.pendingPoints",
            self.customer_id,
            first=first,
            after=after,
            node=lambda item: PendingPoints(customer_id=self.customer_id, item=item),
        )

    @strawberry.field(
        description="When how many of the points that can be spent expire, the soonest first; those that never do are "
        "not here. Those that expire for want of activity do so unless the customer earns or spends some. "
        "What is spent is taken from the soonest first.",
        directives=[paged(), priced(PRICE_OF_POOLS)],
    )
    async def expiring_points(
        self, info: Info, first: First = 20, after: After = None
    ) -> Connection[ExpiringPoints] | None:
        context, size = info.context, page_size(first)
        place = Place("LoyaltyAccount.expiringPoints", context.shop, self.customer_id)
        behind = place.position(after) or ""
        coming: list[service.Ending] = []
        if self.item is not None:
            key = (self.customer_id, service.is_due(self.item, context.now), self.item.idle_at)
            found = await context.loader(EndingsByAccount).load(key)
            coming = [one for one in found if clock.text(one.ends_at) > behind]
        return connection(
            place,
            coming[: size + 1],
            first=size,
            after=after,
            position=lambda one: clock.text(one.ends_at),
            node=lambda one: ExpiringPoints(points=Points(one.points), expires_at=one.ends_at),
        )

    @strawberry.field(description="What is set aside, what comes back first first.", directives=[at_most(MOST_HOLDS)])
    def holds(self, info: Info) -> list[PointsHold]:
        found: Sequence[service.OpenHold] = self.item.holds if self.item else []
        still = sorted((one for one in found if one.ends_at > info.context.now), key=lambda one: one.ends_at)
        return [PointsHold(customer_id=self.customer_id, item=one) for one in still]

    @strawberry.field(
        description="All movements of points, newest first, also those that only set points aside or let them go: who "
        "does not show these goes by `movement`.",
        directives=[paged()],
    )
    async def entries(self, info: Info, first: First = 20, after: After = None) -> Connection[LedgerEntry] | None:
        return await timeline_page(
            info.context,
            EntriesByCustomer,
            "LoyaltyAccount.entries",
            self.customer_id,
            first=first,
            after=after,
            node=lambda item: LedgerEntry(item=item),
        )

    @strawberry.field(
        description=(
            f"Work the ledger out anew and say whether it is what was posted. Of {MOST_ENTRIES:,} entries at most; "
            "a longer one (`LEDGER_TOO_LONG`) takes `loyaltyLedgerVerify`. `STALE` where points kept moving meanwhile."
        ),
        directives=[*staff("loyalty:read"), priced(PRICE_OF_VERIFYING)],
    )
    async def verify(self, info: Info) -> LedgerVerification | None:
        if self.item is None:
            return LedgerVerification(found=service.Verified(0, []))
        return await verification_of(info.context, self.customer_id)

    @strawberry.field(
        description="What can be redeemed for points now: by this customer, or why not. What begins later, and what is "
        "over, is not here.",
        directives=[about(20), priced(2)],
    )
    async def rewards(self, info: Info) -> list[RewardOffer]:
        found = await info.context.loader(OffersByCustomer).load(self.customer_id)
        return [RewardOffer(offer=each) for each in found]

    @strawberry.field(description="What was redeemed, newest first.", directives=[paged()])
    async def redemptions(self, info: Info, first: First = 20, after: After = None) -> Connection[Redemption] | None:
        return await timeline_page(
            info.context,
            RedemptionsByCustomer,
            "LoyaltyAccount.redemptions",
            self.customer_id,
            first=first,
            after=after,
            node=lambda item: Redemption(item=item, now=info.context.now),
        )

    @strawberry.field(
        description="Redemptions whose vouchers can be used now, those first that end first.",
        directives=[paged(), priced(1)],
    )
    async def vouchers(self, info: Info, first: First = 20, after: After = None) -> Connection[Redemption] | None:
        return await vouchers_of(info.context, self.customer_id, first=first, after=after)

    async def _balances(self, info: Info) -> service.Balances:
        """What is due by now counts, also before its timer has been handled."""
        if self.item is None:
            return service.Balances()
        if not service.is_due(self.item, info.context.now):
            return service.balances_of(self.item)
        return await info.context.loader(BalancesByCustomer).load(self.customer_id)


async def _programme(info: Info) -> service.Programme:
    return (
        await stored(service.version_in_force, info.context.shop, at=info.context.now, now=info.context.now)
    ).programme
