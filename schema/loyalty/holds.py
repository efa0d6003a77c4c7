# schema/loyalty/holds.py
"""Points that are set aside, as clients see them."""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum

import strawberry

from crm.loyalty import service
from crm.loyalty.service import HoldStatus
from schema.access import own, signed_in
from schema.context import Context, Info, Loader, stored
from schema.customer.record import visible_record
from schema.node import Node, global_id
from schema.order import Order, order_of
from schema.scalars import Points


@strawberry.enum(description="What became of points that were set aside.")
class PointsHoldStatus(Enum):
    OPEN = strawberry.enum_value(HoldStatus.OPEN.value, description="They are still set aside.")
    CAPTURED = strawberry.enum_value(HoldStatus.CAPTURED.value, description="They were spent, or some of them.")
    RELEASED = strawberry.enum_value(HoldStatus.RELEASED.value, description="They came back before their time.")
    EXPIRED = strawberry.enum_value(HoldStatus.EXPIRED.value, description="Their time was over: they came back.")


@strawberry.type(description="Points that are set aside, or were.", directives=signed_in())
class PointsHold(Node):
    customer_id: strawberry.Private[str]
    item: strawberry.Private[service.PointsHold | service.OpenHold]

    @strawberry.field(description="Opaque.")
    def id(self) -> strawberry.ID:
        return global_id("PointsHold", self.customer_id, self.item.hold_id)

    @strawberry.field(description="What became of them.")
    def status(self, info: Info) -> PointsHoldStatus:
        status = self.item.status if isinstance(self.item, service.PointsHold) else HoldStatus.OPEN
        # Its time may be over before that is posted.
        is_over = status == HoldStatus.OPEN and self.item.ends_at <= info.context.now
        return PointsHoldStatus(HoldStatus.EXPIRED if is_over else status)

    @strawberry.field(description="How many were set aside.")
    def points(self) -> Points:
        return Points(int(self.item.points))

    @strawberry.field(description="How many of them were spent.")
    def captured(self) -> Points:
        return Points(int(self.item.captured) if isinstance(self.item, service.PointsHold) else 0)

    @strawberry.field(description="When they come back by themselves.")
    def ends_at(self) -> datetime:
        return self.item.ends_at

    @strawberry.field(description="The `orderId` of the order they are for; null where that was not said.")
    def order_id(self) -> str | None:
        return self.item.order_id

    @strawberry.field(
        description="The order; null where there is none, or it has not come yet.", directives=own("orders:read")
    )
    async def order(self, info: Info) -> Order | None:
        return await order_of(info.context, self.customer_id, self.item.order_id)


class HoldByKey(Loader[tuple[str, str], service.PointsHold | None]):
    """By customer and hold id."""

    async def load_many(self, keys: list[tuple[str, str]]) -> Sequence[service.PointsHold | None]:
        found = await stored(service.holds_by_id, self.context.shop, keys)
        return [found.get(key) for key in keys]


async def hold_by_key(context: Context, customer_id: str, hold_id: str) -> PointsHold | None:
    """None for a hold that does not exist, is another shop's, or is not the caller's to see."""
    if await visible_record(context, customer_id) is None:
        return None
    item = await context.loader(HoldByKey).load((customer_id, hold_id))
    return PointsHold(customer_id=customer_id, item=item) if item else None
