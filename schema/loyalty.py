# schema/loyalty.py
"""Points, as clients see them."""

from asyncio import gather
from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import ClassVar

import strawberry

from crm.loyalty import service
from schema.access import own, signed_in
from schema.connections import After, Connection, First, paged
from schema.context import Info, Loader, stored
from schema.loaders import Page, PageByCustomer, timeline_page
from schema.order import Order, order_of
from schema.scalars import Points


@strawberry.enum(description="Why points moved.")
class PointsMovement(Enum):
    EARN = strawberry.enum_value("earn", description="An order earned them.")
    MATURE = strawberry.enum_value("mature", description="They were pending, and can be spent now.")
    HOLD = strawberry.enum_value("hold", description="They are set aside.")
    CAPTURE = strawberry.enum_value("capture", description="What was set aside was spent; the rest of it came back.")
    RELEASE = strawberry.enum_value("release", description="What was set aside came back.")
    REDEEM = strawberry.enum_value("redeem", description="They were spent.")
    EXPIRE = strawberry.enum_value("expire", description="They were not spent in time.")
    ADJUST = strawberry.enum_value("adjust", description="Somebody of the shop gave or took them.")
    REVERSE = strawberry.enum_value(
        "reverse", description="An earlier entry was taken back, or part of it: by a refund, a cancellation or an edit."
    )
    TRANSFER = strawberry.enum_value("transfer", description="They came from a customer who was merged into this one.")


@strawberry.type(description="One movement of points; it is never changed.", directives=signed_in())
class LedgerEntry:
    item: strawberry.Private[service.LedgerEntry]

    @strawberry.field(description="Its place in the customer's ledger, from 1 without gaps.")
    def number(self) -> int:
        return int(self.item.number)

    @strawberry.field(description="Why points moved.")
    def movement(self) -> PointsMovement:
        return PointsMovement(self.item.movement)

    @strawberry.field(description="What the balance moved by: below zero where points went.")
    def points(self) -> Points:
        return Points(int(self.item.points))

    @strawberry.field(description="Points available when this was posted.")
    def balance_after(self) -> Points:
        return Points(int(self.item.balance_after))

    @strawberry.field(description="The `orderId` of the order, where it was an order.")
    def order_id(self) -> str | None:
        return self.item.order_id

    @strawberry.field(
        description="The order; null where there is none, or it has not come yet.", directives=own("orders:read")
    )
    async def order(self, info: Info) -> Order | None:
        return await order_of(info.context, self.item.customer_id, self.item.order_id)

    @strawberry.field(description="When what moved them happened.")
    def occurred_at(self) -> datetime:
        return self.item.occurred_at


class EntriesByCustomer(PageByCustomer[service.LedgerEntry]):
    def read(self, page: Page) -> list[service.LedgerEntry]:
        return service.entries(self.context.shop, page.customer_id, before=page.before, limit=page.limit)


class BalancesByCustomer(Loader[str, service.Balances]):
    """As they are now, of accounts of which something is due."""

    async def load_many(self, keys: list[str]) -> Sequence[service.Balances | BaseException]:
        asked = (stored(service.balances_at, self.context.shop, key, now=self.context.now) for key in keys)
        return await gather(*asked, return_exceptions=True)


@strawberry.type(description="A customer's points.", directives=own("loyalty:read"))
class LoyaltyAccount:
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

    @strawberry.field(description="All that orders earned, less what their refunds took back.")
    def lifetime_earned(self) -> Points:
        return Points(int(self.item.lifetime_earned) if self.item else 0)

    @strawberry.field(description="Movements of points, newest first.", directives=[paged()])
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

    async def _balances(self, info: Info) -> service.Balances:
        """What is due by now counts, also before its timer has been handled."""
        if self.item is None:
            return service.Balances()
        if not service.is_due(self.item, info.context.now):
            return service.balances_of(self.item)
        return await info.context.loader(BalancesByCustomer).load(self.customer_id)
