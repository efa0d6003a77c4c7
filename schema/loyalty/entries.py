# schema/loyalty/entries.py
"""Movements of points, as clients see them."""

from datetime import datetime
from enum import Enum

import strawberry

from crm.loyalty import service
from schema.access import own, signed_in
from schema.context import Info
from schema.loaders import Page, PageByCustomer
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
