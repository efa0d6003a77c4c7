# schema/order.py
"""Orders and their sums, as clients see them."""

from asyncio import gather
from collections.abc import Sequence
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Final

import strawberry

from crm.orders import service
from schema.access import own, signed_in
from schema.connections import about
from schema.context import Context, Info, Loader, stored
from schema.customer.record import visible_record
from schema.loaders import Page, PageByCustomer
from schema.loyalty.orders import OrderPoints, points_of
from schema.node import Node, global_id, key_of
from schema.principal import Kind
from schema.scalars import CurrencyCode, Money, Points

if TYPE_CHECKING:
    from schema.customer.customer import Customer

LONGEST_ID: Final = 128  # as the schemas of the events have it; a longer one is no key


@strawberry.enum(description="How far an order has come.")
class OrderStatus(Enum):
    PLACED = strawberry.enum_value("placed", description="Placed.")
    PAID = strawberry.enum_value("paid", description="Paid.")
    FULFILLED = strawberry.enum_value("fulfilled", description="On its way.")
    DELIVERED = strawberry.enum_value("delivered", description="Arrived.")
    CANCELLED = strawberry.enum_value("cancelled", description="Cancelled; it counts nowhere.")


@strawberry.type(description="So many units of one article.", directives=signed_in())
class OrderLine:
    item: strawberry.Private[service.OrderLine]
    currency: strawberry.Private[str]

    @strawberry.field(description="Unique in its order; refunds name it.")
    def line_id(self) -> str:
        return self.item.line_id

    @strawberry.field(description="Stock keeping unit.")
    def sku(self) -> str:
        return self.item.sku

    @strawberry.field(description="What the article is called.")
    def title(self) -> str | None:
        return self.item.title

    @strawberry.field(description="The article's category.")
    def category(self) -> str | None:
        return self.item.category

    @strawberry.field(description="The shop's own words about the article.")
    def tags(self) -> list[str]:
        return sorted(self.item.tags or ())

    @strawberry.field(description="Units ordered.")
    def quantity(self) -> int:
        return int(self.item.quantity)

    @strawberry.field(description="Of one unit, without tax.")
    def unit_price(self) -> Money:
        return Money.of(self.item.unit_price, self.currency)

    @strawberry.field(description="On the whole line.")
    def discount(self) -> Money:
        return Money.of(self.item.discount, self.currency)

    @strawberry.field(description="On the whole line.")
    def tax(self) -> Money:
        return Money.of(self.item.tax, self.currency)

    @strawberry.field(description="A gift card is money in another form: it counts in no total.")
    def gift_card(self) -> bool:
        return bool(self.item.gift_card)


@strawberry.type(description="Units of a line given back.", directives=signed_in())
class RefundLine:
    item: strawberry.Private[service.RefundLine]
    currency: strawberry.Private[str]

    @strawberry.field(description="Which line.")
    def line_id(self) -> str:
        return self.item.line_id

    @strawberry.field(description="Units given back.")
    def quantity(self) -> int:
        return int(self.item.quantity)

    @strawberry.field(description="What was paid back for them; null: their share of the line.")
    def amount(self) -> Money | None:
        return None if self.item.amount is None else Money.of(self.item.amount, self.currency)


@strawberry.type(description="Something given back and paid back.", directives=signed_in())
class Refund:
    item: strawberry.Private[service.Refund]
    currency: strawberry.Private[str]

    @strawberry.field(description="What the shop calls it; plain.")
    def refund_id(self) -> str:
        return self.item.refund_id

    @strawberry.field(description="When.")
    def refunded_at(self) -> datetime:
        return self.item.refunded_at

    @strawberry.field(description="Why.")
    def reason(self) -> str | None:
        return self.item.reason

    @strawberry.field(description="What was given back.", directives=[about(5)])
    def lines(self) -> list[RefundLine]:
        return [RefundLine(item=line, currency=self.currency) for line in self.item.lines]


@strawberry.type(description="The newest version of an order, with its refunds.", directives=own("orders:read"))
class Order(Node):
    item: strawberry.Private[service.Order]

    @strawberry.field(description="Opaque.", directives=signed_in())
    def id(self) -> strawberry.ID:
        return global_id("Order", self.item.order_id)

    @strawberry.field(description="What the shop calls it, and what events name it by; plain, no `id` of an object.")
    def order_id(self) -> str:
        return self.item.order_id

    @strawberry.field(description="The shop's version; a higher one replaces the whole order.")
    def version(self) -> int:
        return int(self.item.version)

    @strawberry.field(description="How far it has come.")
    def status(self) -> OrderStatus:
        return OrderStatus(self.item.status)

    @strawberry.field(description="When it was placed.")
    def placed_at(self) -> datetime:
        return self.item.placed_at

    @strawberry.field(description="The day in the shop's zone.")
    def placed_on(self) -> date:
        return date.fromisoformat(self.item.placed_on)

    @strawberry.field(description="The order's currency.")
    def currency(self) -> CurrencyCode:
        return CurrencyCode(self.item.currency)

    @strawberry.field(description="Sum of the lines (quantity x unit price - discount), without tax and shipping.")
    def gross(self) -> Money:
        return Money.of(self.item.gross, self.item.currency)

    @strawberry.field(description="Value given back.")
    def refunded(self) -> Money:
        return Money.of(self.item.refunded, self.item.currency)

    @strawberry.field(description="Gross less what was given back; zero when cancelled.")
    def net(self) -> Money:
        return Money.of(self.item.net, self.item.currency)

    @strawberry.field(description="What delivery cost.")
    def shipping(self) -> Money:
        return Money.of(self.item.shipping, self.item.currency)

    @strawberry.field(description="Points it was partly paid with.")
    def points_spent(self) -> Points:
        return Points(int(self.item.points_spent))

    @strawberry.field(
        description="What it earns, or why nothing; null for the moment until it is posted.",
        directives=own("loyalty:read"),
    )
    async def points(self, info: Info) -> OrderPoints | None:
        return await points_of(info.context, self.item.customer_id, self.item.order_id)

    @strawberry.field(description="Where it was placed, such as `web`.")
    def channel(self) -> str | None:
        return self.item.channel

    @strawberry.field(description="The coupon used.")
    def coupon(self) -> str | None:
        return self.item.coupon

    @strawberry.field(description="The cart it came from.")
    def cart_id(self) -> str | None:
        return self.item.cart_id

    @strawberry.field(description="What was ordered.", directives=[about(5)])
    def lines(self) -> list[OrderLine]:
        return [OrderLine(item=line, currency=self.item.currency) for line in self.item.lines]

    @strawberry.field(description="What was given back.", directives=[about(3)])
    def refunds(self) -> list[Refund]:
        return [Refund(item=refund, currency=refund.currency) for refund in self.item.refunds]

    @strawberry.field(description="Whose order it is.", directives=own("customers:read"))
    async def customer(self, info: Info) -> Annotated["Customer", strawberry.lazy("schema.customer.customer")] | None:
        from schema.customer.customer import customer_by_key  # they name each other

        return await customer_by_key(info.context, self.item.customer_id)


class OrdersByCustomer(PageByCustomer[service.Order]):
    def read(self, page: Page) -> list[service.Order]:
        return service.list_orders(self.context.shop, page.customer_id, before=page.before, limit=page.limit)


class OrderByKey(Loader[tuple[str, str], service.Order | None]):
    """Orders by customer and order id: what hangs on one customer never leads to another's."""

    async def load_many(self, keys: list[tuple[str, str]]) -> Sequence[service.Order | None]:
        found = await stored(service.get_many, self.context.shop, keys)
        return [found.get(key) for key in keys]


class CustomerByOrder(Loader[str, str | None]):
    """Whose an order is, by its id; None where none of that id has come."""

    async def load_many(self, keys: list[str]) -> Sequence[str | None]:
        found = await stored(service.get_refs, self.context.shop, keys)
        return [found[key].customer_id if key in found else None for key in keys]


async def order_of(context: Context, customer_id: str, order_id: str | None) -> Order | None:
    """The order that something of a customer is about; None where there is none, or it has not come yet."""
    item = await context.loader(OrderByKey).load((customer_id, order_id)) if order_id else None
    return Order(item=item) if item else None


async def order_by_key(context: Context, order_id: str) -> Order | None:
    """None for an order that does not exist, is another shop's, or is not the caller's to see.

    Customers' orders are looked for among their own: a foreign number is asked for just as a missing one is. Staff see
    the shop's orders whatever became of the customer: an order of one who is deleted names nobody.
    """
    principal = context.principal
    if principal.kind is Kind.CUSTOMER and principal.customer_id is not None:
        record, order = await gather(
            visible_record(context, principal.customer_id), order_of(context, principal.customer_id, order_id)
        )
        return order if record is not None else None
    customer_id = await context.loader(CustomerByOrder).load(order_id)
    return await order_of(context, customer_id, order_id) if customer_id else None


@strawberry.type
class OrderQuery:
    @strawberry.field(description="An order by id; null where there is none to be seen.", directives=own("orders:read"))
    async def order(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The order's `id`, not its `orderId`.")],
    ) -> Order | None:
        key = key_of("Order", id)
        return await order_by_key(info.context, key[0]) if key else None

    @strawberry.field(
        description="An order by the shop's own id of it (`Order.orderId`); null where there is none to be seen.",
        directives=own("orders:read"),
    )
    async def order_by_number(
        self, info: Info, order_id: Annotated[str, strawberry.argument(description="The shop's id of the order.")]
    ) -> Order | None:
        return await order_by_key(info.context, order_id) if 0 < len(order_id) <= LONGEST_ID else None
