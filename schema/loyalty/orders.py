# schema/loyalty/orders.py
"""What orders earn, as clients see it."""

from collections.abc import Sequence
from enum import Enum

import strawberry

from crm.loyalty import service
from schema.access import own
from schema.context import Context, Loader, stored
from schema.scalars import Points


@strawberry.enum(description="Why an order earns nothing, whatever it is worth.")
class PointsWithheld(Enum):
    OTHER_CURRENCY = strawberry.enum_value(
        "OTHER_CURRENCY", description="It is in another currency than the programme, and no rate is agreed."
    )
    NOT_ENROLLED = strawberry.enum_value(
        "NOT_ENROLLED",
        description="Its customer did not take part when it was placed, and the programme waits for them to ask.",
    )


@strawberry.type(
    description="What an order earns as it stands: refunds and cancellation taken off.", directives=own("loyalty:read")
)
class OrderPoints:
    item: strawberry.Private[service.OrderEarning]

    @strawberry.field(description="Points; they are in the customer's account.")
    def earned(self) -> Points:
        return Points(int(self.item.posted))

    @strawberry.field(description="Why there are none; null where nothing stands against them.")
    def withheld(self) -> PointsWithheld | None:
        return PointsWithheld(self.item.withheld) if self.item.withheld else None


class EarningByOrder(Loader[tuple[str, str], service.OrderEarning | None]):
    """By customer and order id."""

    async def load_many(self, keys: list[tuple[str, str]]) -> Sequence[service.OrderEarning | None]:
        found = await stored(service.earnings, self.context.shop, keys)
        return [found.get(key) for key in keys]


async def points_of(context: Context, customer_id: str, order_id: str) -> OrderPoints | None:
    item = await context.loader(EarningByOrder).load((customer_id, order_id))
    return OrderPoints(item=item) if item else None
