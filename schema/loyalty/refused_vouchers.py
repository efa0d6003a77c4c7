# schema/loyalty/refused_vouchers.py
"""Orders that name vouchers which they could not use."""

from datetime import datetime
from enum import Enum

import strawberry

from crm.loyalty.rewards import service
from crm.loyalty.rewards.service import Unusable
from schema.access import signed_in, staff
from schema.connections import After, Connection, First, Place, newest_of_shards, paged, priced
from schema.context import Info, stored
from schema.loyalty.rewards import Redemption, redemption_by_key
from schema.order import Order, order_of


@strawberry.enum(description="Why an order could not use the voucher that it names.")
class VoucherRefusal(Enum):
    USED_BEFORE = strawberry.enum_value(Unusable.USED_BEFORE.value, description="Something else had used it.")
    CANCELLED = strawberry.enum_value(
        Unusable.CANCELLED.value, description="Its redemption had been cancelled, and the points were back."
    )
    EXPIRED = strawberry.enum_value(
        Unusable.EXPIRED.value, description="Its last day was over when the order was placed."
    )


@strawberry.type(
    description="An order names a voucher that it could not use. What the shop gave for it is between the shop and its "
    "customer: nothing else follows.",
    directives=signed_in(),
)
class RefusedVoucher:
    item: strawberry.Private[service.RefusedVoucher]

    @strawberry.field(description="The `orderId` of the order.")
    def order_id(self) -> str:
        return self.item.order_id

    @strawberry.field(description="The order; null where it could not be read.", directives=staff("orders:read"))
    async def order(self, info: Info) -> Order | None:
        return await order_of(info.context, self.item.customer_id, self.item.order_id)

    @strawberry.field(description="Why not.")
    def reason(self) -> VoucherRefusal:
        return VoucherRefusal(self.item.reason)

    @strawberry.field(description="When the order was placed.")
    def placed_at(self) -> datetime:
        return self.item.occurred_at

    @strawberry.field(description="The redemption whose voucher it is, as it is now; it may be another customer's.")
    async def redemption(self, info: Info) -> Redemption | None:
        return await redemption_by_key(info.context, self.item.given_to, self.item.redemption_id)


@strawberry.type
class RefusedVoucherQuery:
    @strawberry.field(
        description="Orders that named vouchers which were used, cancelled or over: those first that were placed last.",
        directives=[*staff("loyalty:read"), paged(), priced(service.SHARDS - 1)],
    )
    async def loyalty_refused_vouchers(
        self, info: Info, first: First = 20, after: After = None
    ) -> Connection[RefusedVoucher] | None:
        shop = info.context.shop
        return await newest_of_shards(
            Place("Query.loyaltyRefusedVouchers", shop),
            lambda shard, before, limit: stored(service.list_refused, shop, shard, before=before, limit=limit),
            service.SHARDS,
            first=first,
            after=after,
            position=lambda item: item.list_sk or "",
            node=lambda item: RefusedVoucher(item=item),
        )
