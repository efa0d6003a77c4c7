# schema/loyalty/preview.py
"""What a cart would earn."""

from typing import Annotated

import strawberry

from crm.kernel.errors import Fault, InvalidInput, InvalidInputs
from crm.kernel.money import is_currency, minor_units
from crm.loyalty import service
from schema.access import own, signed_in
from schema.connections import about, priced
from schema.context import Context, Info, stored
from schema.customer.record import Record, visible_record
from schema.loyalty.orders import LoyaltyRuleShare, PointsWithheld, Share
from schema.node import key_of
from schema.principal import Kind
from schema.scalars import CurrencyCode, DecimalText, Points

ARGUMENT = "order"


@strawberry.input(description="Units of one article, as an order line has them.")
class LoyaltyEarnPreviewLineInput:
    sku: str = strawberry.field(description="Stock keeping unit.")
    quantity: int = strawberry.field(description="Units.")
    unit_price: DecimalText = strawberry.field(description="Of one unit, without tax.")
    discount: DecimalText | None = strawberry.field(default=None, description="On the whole line.")
    category: str | None = strawberry.field(default=None, description="The article's category.")
    tags: list[str] = strawberry.field(default_factory=list, description="The shop's own words about the article.")
    gift_card: bool = strawberry.field(default=False, description="A gift card earns nothing.")


@strawberry.input(
    description="A cart, as if it were ordered now. Taxes and shipping earn nothing, and are no lines of it."
)
class LoyaltyEarnPreviewInput:
    currency_code: CurrencyCode = strawberry.field(description="The currency of its amounts.")
    lines: list[LoyaltyEarnPreviewLineInput] = strawberry.field(description="What is in it; 500 lines at most.")
    channel: str | None = strawberry.field(default=None, description="By which channel it would be ordered.")
    points_spent: Points = strawberry.field(
        default=Points(0),
        description="Points that are to pay for it; on the part of all it costs that they pay nothing is earned.",
    )
    total: DecimalText | None = strawberry.field(
        default=None,
        description="What all of it costs, with taxes and shipping, which points pay for too; null: what its lines do.",
    )

    def cart(self) -> service.Cart:
        """Raises InvalidInputs with all that is wrong."""
        wrong: list[Fault] = []
        lines = []
        for at, line in enumerate(self.lines):
            price = _minor(line.unit_price, self.currency_code, f"lines.{at}.unit_price", wrong) or 0
            discount = _minor(line.discount, self.currency_code, f"lines.{at}.discount", wrong) or 0
            tags = frozenset(line.tags)
            lines.append(
                service.CartLine(line.sku, line.quantity, price, discount, line.category, tags, line.gift_card)
            )
        total = _minor(self.total, self.currency_code, "total", wrong)
        cart = service.Cart(self.currency_code, lines, self.channel, self.points_spent, total)
        if faults := [*wrong, *service.cart_faults(cart)]:
            raise InvalidInputs([Fault(f"{ARGUMENT}.{one.path}", one.code, one.message) for one in faults])
        return cart


@strawberry.type(
    description="What a cart would earn if it were ordered now, as far as can be told now.", directives=signed_in()
)
class LoyaltyEarnPreview:
    item: strawberry.Private[service.Previewed]

    @strawberry.field(description="All points it would earn.")
    def points(self) -> Points:
        return Points(self.item.earned.points)

    @strawberry.field(description="Why there are none; null where nothing stands against them.")
    def withheld(self) -> PointsWithheld | None:
        return PointsWithheld(self.item.earned.withheld) if self.item.earned.withheld else None

    @strawberry.field(description="Which rules would give how many.", directives=[about(2)])
    def rules(self) -> list[LoyaltyRuleShare]:
        return [
            LoyaltyRuleShare(share=Share(each.rule, self.item.names.get(each.rule), each.points))
            for each in self.item.earned.given
        ]


@strawberry.type
class LoyaltyEarnPreviewQuery:
    @strawberry.field(
        description="What a cart would earn if it were ordered now: by the programme that counts now, with what caps "
        "and budgets leave. Nothing is held for it. Null where there is no such customer.",
        directives=[*own("loyalty:read"), priced(5)],
    )
    async def loyalty_earn_preview(
        self,
        info: Info,
        order: Annotated[LoyaltyEarnPreviewInput, strawberry.argument(description="The cart.")],
        customer: Annotated[
            strawberry.ID | None,
            strawberry.argument(
                description="Who would order it, by `id`; for customers themselves, and null of staff is somebody new."
            ),
        ] = None,
    ) -> LoyaltyEarnPreview | None:
        cart = order.cart()
        asked, record = await ordering(info.context, customer)
        if asked and record is None:
            return None
        previewed = await stored(
            service.earn_preview, info.context.shop, cart, record.heads if record else None, now=info.context.now
        )
        return LoyaltyEarnPreview(item=previewed)


async def ordering(context: Context, customer: str | None) -> tuple[bool, Record | None]:
    """Whether somebody is asked about, and who; None where they are not there, or not the caller's to see."""
    if customer is None and context.principal.kind is not Kind.CUSTOMER:
        return False, None
    key = key_of("Customer", customer, field="customer") if customer else (context.principal.customer_id or "",)
    return True, await visible_record(context, key[0]) if key else None


def _minor(amount: DecimalText | None, currency: str, path: str, wrong: list[Fault]) -> int | None:
    """None where it is wrong, which is added to what is; of no currency that there is, only that is told."""
    if amount is None or not is_currency(currency):
        return None
    try:
        return minor_units(str(amount), currency, field=path)
    except InvalidInput as error:
        wrong += error.faults
        return None
