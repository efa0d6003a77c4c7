# crm/orders/models.py
"""What is stored about orders: mirrors of the shop's records.

Key design (docs/access-patterns.md, AP-07 to AP-10, AP-81, AP-135, AP-165, AP-166):
    Order       pk=SHOP#<shop>#CUSTOMER#<customer>  sk=ORDER#<order>    timeline_key=ORDER#<placed_at>#<order>
    OrderRefund pk=SHOP#<shop>#CUSTOMER#<customer>  sk=REFUND#<order>#<refund>
                timeline_key=REFUND#<refunded_at>#<order>#<refund>
    OrderRef    pk=SHOP#<shop>#ORDERREF#<order>     sk=ORDERREF         whose it is; before it came, its shell
    Statistics  pk=SHOP#<shop>#CUSTOMER#<customer>  sk=HEAD#STATISTICS  changed in the transaction that changes an order
Amounts are integer minor units of the order's currency.
"""

from typing import ClassVar, Self

from pynamodb.attributes import (
    BooleanAttribute,
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
)

from crm.kernel.table import Item, Part, Published, Synced, customer_key

PLACED, PAID, FULFILLED, DELIVERED, CANCELLED = "placed", "paid", "fulfilled", "delivered", "cancelled"


class OrderLine(Part):
    """Units at a price; `discount` and `tax` are of the whole line. `line_id` is unique in its order."""

    line_id = UnicodeAttribute()
    sku = UnicodeAttribute()
    title = UnicodeAttribute(null=True)
    category = UnicodeAttribute(null=True)
    tags = UnicodeSetAttribute(null=True)
    quantity = NumberAttribute()
    unit_price = NumberAttribute()
    discount = NumberAttribute(default=0)
    tax = NumberAttribute(default=0)
    gift_card = BooleanAttribute(default=False)


class RefundLine(Part):
    """`quantity` units of a line given back. `amount`: what was paid back for them without tax and shipping; None:
    their share of the line, by units.
    """

    line_id = UnicodeAttribute()
    quantity = NumberAttribute()
    amount = NumberAttribute(null=True)


class Refund(Part):
    """`event_id` is that of the event that told it."""

    refund_id = UnicodeAttribute()
    refunded_at = UTCDateTimeAttribute()
    refunded_on = UnicodeAttribute()
    """The day in the shop's zone as it was when the refund was told."""
    currency = UnicodeAttribute()
    event_id = UnicodeAttribute()
    lines: ListAttribute[RefundLine] = ListAttribute(of=RefundLine, default=list)
    reason = UnicodeAttribute(null=True)


class Order(Synced, discriminator="Order"):
    """The newest version of an order with all its refunds. `version` is the shop's, `rev` ours (refunds count too)."""

    shop = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    order_id = UnicodeAttribute()
    version = NumberAttribute()
    status = UnicodeAttribute()
    currency = UnicodeAttribute()
    placed_at = UTCDateTimeAttribute()
    placed_on = UnicodeAttribute()
    """The day in the shop's zone as it was when the order was first recorded; a later change of zone keeps it."""
    occurred_at = UTCDateTimeAttribute()
    """When the newest version or refund of it came about, by the shop's clock."""
    lines: ListAttribute[OrderLine] = ListAttribute(of=OrderLine, default=list)
    refunds: ListAttribute[Refund] = ListAttribute(of=Refund, default=list)
    shipping = NumberAttribute(default=0)
    gross = NumberAttribute()
    refunded = NumberAttribute()
    net = NumberAttribute()
    channel = UnicodeAttribute(null=True)
    coupon = UnicodeAttribute(null=True)
    cart_id = UnicodeAttribute(null=True)
    points_spent = NumberAttribute(default=0)
    first = BooleanAttribute(default=False)
    """True when no other order of this customer had been recorded when this one was."""

    @classmethod
    def of(cls, shop: str, customer_id: str, order_id: str) -> Self:
        return cls(
            customer_key(shop, customer_id), f"ORDER#{order_id}", shop=shop, customer_id=customer_id, order_id=order_id
        )


class OrderRefund(Item, discriminator="OrderRefund"):
    """A refund's own place on the timeline; what it is stands in its order."""

    shop = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    order_id = UnicodeAttribute()
    refund_id = UnicodeAttribute()
    refunded_at = UTCDateTimeAttribute()

    @classmethod
    def of(cls, order: Order, refund: Refund) -> Self:
        return cls(
            order.pk,
            f"REFUND#{order.order_id}#{refund.refund_id}",
            shop=order.shop,
            customer_id=order.customer_id,
            order_id=order.order_id,
            refund_id=refund.refund_id,
            refunded_at=refund.refunded_at,
        ).happens("REFUND", refund.refunded_at, f"{order.order_id}#{refund.refund_id}")


class OrderRef(Published, discriminator="OrderRef"):
    """Whose order it is. Without a customer, the order's shell: refunds that came before their order wait in it."""

    order_id = UnicodeAttribute()
    customer_id = UnicodeAttribute(null=True)
    waiting_refunds: ListAttribute[Refund] = ListAttribute(of=Refund, default=list)

    @classmethod
    def of(cls, shop: str, order_id: str) -> Self:
        return cls(f"SHOP#{shop}#ORDERREF#{order_id}", "ORDERREF", order_id=order_id)


class CurrencyTotals(Part):
    """Sums over the orders of one currency that are not cancelled."""

    currency = UnicodeAttribute()
    orders = NumberAttribute(default=0)
    gross = NumberAttribute(default=0)
    refunded = NumberAttribute(default=0)
    net = NumberAttribute(default=0)


class Statistics(Synced, discriminator="Statistics"):
    """Exact sums of a customer's orders; cancelled orders count nowhere."""

    SK: ClassVar[str] = "HEAD#STATISTICS"

    order_count = NumberAttribute(default=0)
    recorded_count = NumberAttribute(default=0)
    """Orders ever recorded, cancelled ones too."""
    totals: ListAttribute[CurrencyTotals] = ListAttribute(of=CurrencyTotals, default=list)
    first_order_at = UTCDateTimeAttribute(null=True)
    last_order_at = UTCDateTimeAttribute(null=True)
    newest_at = UTCDateTimeAttribute(null=True)
    """The latest instant at which an order was placed, edited, refunded or cancelled; never moves back."""

    @classmethod
    def of(cls, shop: str, customer_id: str) -> Self:
        return cls(customer_key(shop, customer_id), cls.SK)
