# schema/statistics.py
"""Sums over a customer's orders, as clients see them."""

from datetime import datetime
from typing import Any, ClassVar

import strawberry

from crm.orders import service
from schema.access import signed_in
from schema.connections import about
from schema.scalars import CurrencyCode, Money


@strawberry.type(
    description="Sums over a customer's orders of one currency, cancelled ones left out.", directives=signed_in()
)
class CurrencyTotals:
    item: strawberry.Private[Any]

    @strawberry.field(description="The currency; two are never added.")
    def currency(self) -> CurrencyCode:
        return CurrencyCode(self.item.currency)

    @strawberry.field(description="How many orders.")
    def order_count(self) -> int:
        return int(self.item.orders)

    @strawberry.field(description="Sum of gross.")
    def gross(self) -> Money:
        return Money.of(self.item.gross, self.item.currency)

    @strawberry.field(description="Value given back.")
    def refunded(self) -> Money:
        return Money.of(self.item.refunded, self.item.currency)

    @strawberry.field(description="Amount spent: gross less what was given back.")
    def net(self) -> Money:
        return Money.of(self.item.net, self.item.currency)

    @strawberry.field(description="Mean net per order, halves rounded up; null without orders.")
    def average(self) -> Money | None:
        minor = service.average(self.item)
        return None if minor is None else Money.of(minor, self.item.currency)


@strawberry.type(name="CustomerStatistics", description="Exact sums over a customer's orders.", directives=signed_in())
class Statistics:
    HEAD: ClassVar = service.Statistics

    item: strawberry.Private[service.Statistics | None]

    @strawberry.field(description="Orders that are not cancelled.")
    def order_count(self) -> int:
        return int(self.item.order_count) if self.item else 0

    @strawberry.field(description="One entry for each currency.", directives=[about(2)])
    def totals(self) -> list[CurrencyTotals]:
        return [CurrencyTotals(item=total) for total in self.item.totals] if self.item else []

    @strawberry.field(description="When the first order was placed.")
    def first_order_at(self) -> datetime | None:
        return self.item.first_order_at if self.item else None

    @strawberry.field(description="When the last order was placed.")
    def last_order_at(self) -> datetime | None:
        return self.item.last_order_at if self.item else None
