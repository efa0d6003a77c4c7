# schema/segment/traits.py
"""What is typical of a segment's members, and what they have spent."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import strawberry

from crm.kernel.money import Money as Amount
from crm.segmentation import measuring
from schema.access import signed_in
from schema.connections import about
from schema.context import Loader, stored
from schema.scalars import CurrencyCode, DecimalText, Money


@strawberry.type(description="How many members have a value.", directives=signed_in())
class SegmentShare:
    item: strawberry.Private[measuring.Share]

    @strawberry.field(description="The value, as queries have it.")
    def value(self) -> str:
        return self.item.value

    @strawberry.field(description="How many have it.")
    def count(self) -> int:
        return self.item.count

    @strawberry.field(description="What share of all members they are, from 0 to 1.")
    def share(self) -> DecimalText:
        return DecimalText(self.item.share)


@strawberry.type(description="An attribute, over the members of whom it is known.", directives=signed_in())
class SegmentTrait:
    item: strawberry.Private[measuring.Choice | measuring.Number]

    @strawberry.field(description="The attribute, as queries name it.")
    def attribute(self) -> str:
        return self.item.name

    @strawberry.field(description="Of how many members it is known.")
    def known(self) -> int:
        return self.item.known


@strawberry.type(description="The most frequent values of an attribute.", directives=signed_in())
class SegmentTraitChoice(SegmentTrait):
    item: strawberry.Private[measuring.Choice]

    @strawberry.field(description="The most frequent first. A member may have several values.", directives=[about(5)])
    def shares(self) -> list[SegmentShare]:
        return [SegmentShare(item=share) for share in self.item.shares]


@strawberry.type(description="A number, over the members of whom it is known.", directives=signed_in())
class SegmentTraitNumber(SegmentTrait):
    item: strawberry.Private[measuring.Number]
    in_currency: strawberry.Private[str]

    @strawberry.field(description="Of amounts, which are in whole units of it; null of other numbers.")
    def currency(self) -> CurrencyCode | None:
        return CurrencyCode(self.in_currency) if self.item.is_money else None

    @strawberry.field(description="The mean.")
    def mean(self) -> DecimalText:
        return self._shown(self.item.mean)

    @strawberry.field(description="The median.")
    def median(self) -> DecimalText:
        return self._shown(self.item.median)

    def _shown(self, value: Decimal) -> DecimalText:
        return DecimalText(Amount(int(value), self.in_currency).amount if self.item.is_money else value)


@strawberry.type(
    description="What is typical of a segment's members, test customers left out; worked out each day.",
    directives=signed_in(),
)
class SegmentTraits:
    found: strawberry.Private[measuring.Insights]

    @strawberry.field(description="Of those who were members then.")
    def as_of(self) -> datetime:
        return self.found.as_of

    @strawberry.field(description="How many were looked at.")
    def members(self) -> int:
        return self.found.typical.members

    @strawberry.field(description="Countries, languages, channels and the like, where known.", directives=[about(6)])
    def choices(self) -> list[SegmentTraitChoice]:
        return [SegmentTraitChoice(item=each) for each in self.found.typical.choices]

    @strawberry.field(description="Age, orders, amounts and the like, where known.", directives=[about(6)])
    def numbers(self) -> list[SegmentTraitNumber]:
        currency = self.found.currency
        return [SegmentTraitNumber(item=each, in_currency=currency) for each in self.found.typical.numbers]


@strawberry.type(description="What a segment's members have spent.", directives=signed_in())
class SegmentRevenue:
    found: strawberry.Private[measuring.Insights]

    @strawberry.field(description="Of those who were members then.")
    def as_of(self) -> datetime:
        return self.found.as_of

    @strawberry.field(description="The net of all their standing orders in the shop's currency, whenever placed.")
    def net(self) -> Money:
        return Money.of(self.found.typical.spent, self.found.currency)


class InsightsBySegment(Loader[str, measuring.Insights | None]):
    """All in one batch read."""

    async def load_many(self, keys: list[str]) -> Sequence[measuring.Insights | None]:
        found = await stored(measuring.insights_of, self.context.shop, keys)
        return [found.get(key) for key in keys]
