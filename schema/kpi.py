# schema/kpi.py
"""KPIs, as clients see them: a value never comes without its definition."""

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from crm.kernel.money import Money
from crm.kpis import service
from schema.access import own, signed_in, staff
from schema.connections import After, Connection, First, Place, about, connection, page_size, paged
from schema.context import Info, stored
from schema.node import global_id
from schema.order import Order, order_of
from schema.scalars import CurrencyCode, DecimalText

if TYPE_CHECKING:
    from schema.customer.customer import Customer


def _named(name: str) -> Any:
    """A value of KpiName, described by what the KPI means."""
    known = service.DEFINITIONS[name]
    formula = f"({known.numerator}) / ({known.denominator})" if known.denominator else known.numerator
    without = f" Without {', '.join(known.exclusions)}." if known.exclusions else ""
    said = f"{known.description} In `{known.unit}`: {formula}. A fact belongs to {known.day}.{without}"
    return strawberry.enum_value(name, description=said)


@strawberry.enum(description="What can be asked for, each with its unit and formula.")
class KpiName(Enum):
    ORDERS = _named("orders")
    GROSS_REVENUE = _named("gross_revenue")
    NET_REVENUE = _named("net_revenue")
    AVERAGE_ORDER_VALUE = _named("average_order_value")
    REFUNDED = _named("refunded")
    NPS_RESPONSES = _named("nps_responses")
    NPS = _named("nps")
    POINTS_ISSUED = _named("points_issued")
    POINTS_REDEEMED = _named("points_redeemed")
    POINTS_EXPIRED = _named("points_expired")
    POINTS_ADJUSTED = _named("points_adjusted")
    POINTS_OUTSTANDING = _named("points_outstanding")
    POINTS_LIABILITY = _named("points_liability")


@strawberry.enum(description="How long a period is.")
class KpiGrain(Enum):
    DAY = strawberry.enum_value("day", description="A day in the shop's zone.")
    WEEK = strawberry.enum_value("week", description="From Monday to Sunday.")
    MONTH = strawberry.enum_value("month", description="A calendar month.")
    QUARTER = strawberry.enum_value("quarter", description="A quarter of the calendar year.")
    YEAR = strawberry.enum_value("year", description="A calendar year.")


@strawberry.type(description="The value of one period, and what it comes from.", directives=signed_in())
class KpiPeriod:
    row: strawberry.Private[service.KpiRow]
    currency: strawberry.Private[str | None]

    @strawberry.field(description="Its first day.")
    def start(self) -> date:
        return self.row.start

    @strawberry.field(description="Its last day.")
    def end(self) -> date:
        return self.row.end

    @strawberry.field(description="Null where there is nothing to divide by.")
    def value(self) -> DecimalText | None:
        return None if self.row.value is None else DecimalText(self.row.value)

    @strawberry.field(description="The sum above the line.")
    def numerator(self) -> DecimalText:
        return DecimalText(_whole_units(self.row.numerator, self.currency))

    @strawberry.field(description="The sum below the line; null where nothing is divided.")
    def denominator(self) -> DecimalText | None:
        return None if self.row.denominator is None else DecimalText(Decimal(self.row.denominator))

    @strawberry.field(
        description=(
            "Whether the period and the day after it have ended in the shop's zone: by then most facts have come. It "
            "is not final: what is told later still counts on its own day, and refunds, edits and cancellations change "
            "the day their order was placed."
        )
    )
    def complete(self) -> bool:
        return self.row.complete


@strawberry.type(description="A key figure over some days.", directives=signed_in())
class Kpi:
    found: strawberry.Private[service.Kpi]

    @strawberry.field(description="What it is asked for by.")
    def name(self) -> KpiName:
        return KpiName(self.found.definition.name)

    @strawberry.field(description="What it means.")
    def description(self) -> str:
        return self.found.definition.description

    @strawberry.field(description="`count`, `money`, or `fraction` (of one).")
    def unit(self) -> str:
        return self.found.definition.unit

    @strawberry.field(description="What is summed above the line, in words.")
    def numerator(self) -> str:
        return self.found.definition.numerator

    @strawberry.field(description="What is summed below the line, in words; null where nothing is divided.")
    def denominator(self) -> str | None:
        return self.found.definition.denominator

    @strawberry.field(description="Which day a fact belongs to, in words.")
    def day(self) -> str:
        return self.found.definition.day

    @strawberry.field(description="What is left out.")
    def exclusions(self) -> list[str]:
        return list(self.found.definition.exclusions)

    @strawberry.field(description="The currency of money, or of the orders counted; null: those of every currency.")
    def currency(self) -> CurrencyCode | None:
        return None if self.found.currency is None else CurrencyCode(self.found.currency)

    @strawberry.field(description="How long a period is.")
    def grain(self) -> KpiGrain:
        return KpiGrain(self.found.grain)

    @strawberry.field(description="Oldest first; the outer ones are cut to the days asked for.", directives=[about(31)])
    def periods(self) -> list[KpiPeriod]:
        money = self.found.currency if self.found.definition.unit == "money" else None
        return [KpiPeriod(row=row, currency=money) for row in self.found.rows]


@strawberry.enum(description="What a key figure is made of.")
class KpiFactKind(Enum):
    ORDER = strawberry.enum_value("order", description="An order, as it stands.")
    REFUND = strawberry.enum_value("refund", description="One refund of an order.")
    ANSWER = strawberry.enum_value("answer", description="An answer to a survey.")
    POINTS = strawberry.enum_value("points", description="A movement of points.")


@strawberry.type(description="One of the things that a key figure's day is made of.", directives=staff("kpis:read"))
class KpiFact:
    item: strawberry.Private[service.Contribution]
    share: strawberry.Private[service.Share]
    is_money: strawberry.Private[bool]

    @strawberry.field(description="What it is.")
    def kind(self) -> KpiFactKind:
        return KpiFactKind(self.item.fact_kind)

    @strawberry.field(description="When it happened.")
    def happened_at(self) -> datetime:
        return self.item.happened_at

    @strawberry.field(description="The currency of the order; null of an answer. `kpi` sums money of one currency.")
    def currency(self) -> CurrencyCode | None:
        return None if self.share.currency is None else CurrencyCode(self.share.currency)

    @strawberry.field(description="What it adds above the line: whole units of `currency` where the figure is money.")
    def numerator(self) -> DecimalText:
        return DecimalText(_whole_units(self.share.numerator, self.share.currency if self.is_money else None))

    @strawberry.field(description="What it adds below the line; null where nothing is divided.")
    def denominator(self) -> DecimalText | None:
        return None if self.share.denominator is None else DecimalText(Decimal(self.share.denominator))

    @strawberry.field(description="The `orderId` of the order, or of the order refunded; null of an answer.")
    def order_id(self) -> str | None:
        return self.item.order_id

    @strawberry.field(description="What the shop calls the refund; null of anything else.")
    def refund_id(self) -> str | None:
        return self.item.refund_id

    @strawberry.field(description="The `id` of the answer, for `node`; null of anything else.")
    def response(self) -> strawberry.ID | None:
        response_id = self.item.response_id
        return None if response_id is None else global_id("FeedbackResponse", self.item.customer_id, response_id)

    @strawberry.field(description="The `id` of the entry of the ledger, for `node`; null of anything else.")
    def entry(self) -> strawberry.ID | None:
        cause = self.item.entry_cause
        return None if cause is None else global_id("LedgerEntry", self.item.customer_id, cause)

    @strawberry.field(description="The order; null of an answer.", directives=own("orders:read"))
    async def order(self, info: Info) -> Order | None:
        return await order_of(info.context, self.item.customer_id, self.item.order_id)

    @strawberry.field(description="Whose it is.", directives=own("customers:read"))
    async def customer(self, info: Info) -> Annotated["Customer", strawberry.lazy("schema.customer.customer")] | None:
        from schema.customer.customer import customer_by_key  # as in schema/order.py

        return await customer_by_key(info.context, self.item.customer_id)


def _whole_units(minor: int, currency: str | None) -> Decimal:
    return Decimal(minor) if currency is None else Money(minor, currency).amount


@strawberry.type
class KpiQuery:
    @strawberry.field(
        description="A key figure of the shop over days in the shop's zone, both included.",
        directives=staff("kpis:read"),
    )
    async def kpi(
        self,
        info: Info,
        name: Annotated[KpiName, strawberry.argument(description="Which key figure.")],
        from_: Annotated[date, strawberry.argument(name="from", description="The first day.")],
        to: Annotated[date, strawberry.argument(description=f"The last day; {service.MOST_DAYS:,} days at most.")],
        grain: Annotated[KpiGrain | None, strawberry.argument(description="How long a period is.")] = KpiGrain.DAY,
        currency: Annotated[
            CurrencyCode | None, strawberry.argument(description="The shop's where none is named.")
        ] = None,
    ) -> Kpi | None:
        found = await stored(
            service.kpi,
            info.context.shop,
            str(name.value),
            from_,
            to,
            grain=str((grain or KpiGrain.DAY).value),
            currency=currency,
            now=info.context.now,
        )
        return Kpi(found=found)

    @strawberry.field(
        description=(
            "What a day of a key figure is made of, in the order of the shop's ids: facts of every currency, each with "
            "what it adds. What counts nowhere (test customers, cancelled orders) is not here."
        ),
        directives=[*staff("kpis:read"), paged()],
    )
    async def kpi_facts(
        self,
        info: Info,
        name: Annotated[KpiName, strawberry.argument(description="Which key figure.")],
        day: Annotated[date, strawberry.argument(description="Which day, in the shop's zone.")],
        first: First = 20,
        after: After = None,
    ) -> Connection[KpiFact] | None:
        size, figure = page_size(first), str(name.value)
        place = Place("Query.kpiFacts", info.context.shop, narrowed=f"{figure} {day}")
        position = place.position(after)
        found = await stored(service.facts, info.context.shop, figure, day, after=position, limit=size + 1)
        is_money = service.DEFINITIONS[figure].unit == service.MONEY
        return connection(
            place,
            found,
            first=size,
            after=after,
            position=lambda item: item.fact_id,
            node=lambda item: KpiFact(item=item, share=service.share(figure, item), is_money=is_money),
        )
