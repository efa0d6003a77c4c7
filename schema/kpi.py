# schema/kpi.py
"""KPIs, as clients see them: a value never comes without its definition."""

from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

import strawberry

from crm.kernel.money import Money
from crm.kpis import service
from schema.access import signed_in, staff
from schema.connections import about
from schema.context import Info, stored
from schema.scalars import CurrencyCode, DecimalText


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
