# schema/cart.py
"""Carts, as clients see them: on any device of whom they belong to."""

from asyncio import gather
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import strawberry

from crm.kernel.money import minor_units
from crm.touchpoints import service
from schema.access import own, signed_in
from schema.connections import at_most
from schema.context import Context, Loader, stored
from schema.scalars import Money

MOST_CARTS: Final = 20


@strawberry.type(description="How many of what.", directives=signed_in())
class CartLine:
    said: strawberry.Private[dict[str, Any]]
    currency: strawberry.Private[str | None]

    @strawberry.field(description="The shop's number of the article.")
    def sku(self) -> str:
        return str(self.said["sku"])

    @strawberry.field(description="How many.")
    def quantity(self) -> int:
        return int(self.said["quantity"])

    @strawberry.field(description="What one costs, where the shop said so.")
    def unit_price(self) -> Money | None:
        return _money(self.said.get("unitPrice"), self.currency)


@strawberry.type(description="A cart as it was told last, on whatever device.", directives=own("touchpoints:read"))
class Cart:
    item: strawberry.Private[service.Cart]

    @strawberry.field(description="The shop's id of the cart; `Order.cartId` of what came of it.")
    def cart_id(self) -> str:
        return self.item.cart_id

    @strawberry.field(description="What is in it.", directives=[at_most(service.MOST_CART_LINES)])
    def lines(self) -> list[CartLine]:
        currency = self.item.properties.get("currency")
        return [CartLine(said=line, currency=currency) for line in self.item.properties.get("lines", ())]

    @strawberry.field(description="What all of it costs, where the shop said so.")
    def total(self) -> Money | None:
        return _money(self.item.properties.get("total"), self.item.properties.get("currency"))

    @strawberry.field(description="When it was told last.")
    def updated_at(self) -> datetime:
        return self.item.updated_at

    @strawberry.field(description="When the customer last went to pay for it.")
    def checkout_started_at(self) -> datetime | None:
        return self.item.checkout_at

    @strawberry.field(description="The shop's id of an order that came of it; null while none has.")
    def order_id(self) -> str | None:
        return self.item.ordered_as

    @strawberry.field(description="Whether there is something in it that has not been ordered: it can be resumed.")
    def open(self) -> bool:
        return self.item.is_open


class CartsByCustomer(Loader[str, list[service.Cart]]):
    """Three requests a customer: the newest of either event, and which of their carts have been ordered."""

    async def load_many(self, keys: list[str]) -> Sequence[list[service.Cart] | BaseException]:
        asked = (stored(service.carts, self.context.shop, key) for key in keys)
        return await gather(*asked, return_exceptions=True)


async def carts_of(context: Context, customer_id: str) -> list[Cart]:
    found = await context.loader(CartsByCustomer).load(customer_id)
    return [Cart(item=item) for item in found[:MOST_CARTS]]


async def cart_of(context: Context, customer_id: str, cart_id: str | None) -> Cart | None:
    """The cart of this id, or else the newest that is open."""
    found = await context.loader(CartsByCustomer).load(customer_id)
    wanted = (item for item in found if (item.is_open if cart_id is None else item.cart_id == cart_id))
    return next((Cart(item=item) for item in wanted), None)


def _money(amount: str | None, currency: str | None) -> Money | None:
    """None where the shop did not say."""
    return None if amount is None or currency is None else Money.of(minor_units(amount, currency), currency)
