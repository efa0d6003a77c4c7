# schema/segment/rfm.py
"""How a customer buys, beside the shop's others."""

from datetime import date
from enum import Enum
from typing import Final

import strawberry

from crm.segmentation import measuring
from schema.access import signed_in, staff
from schema.connections import about
from schema.context import Context, Info, stored
from schema.scalars import Money
from schema.segment.in_force import in_force

AS_OF: Final = "The day in the shop's zone for which the shop's customers were last compared."
VERSION: Final = "Which comparison; they count from 1."
BOUNDS: Final = 4
"""Of five fifths."""


@strawberry.enum(description="What the three scores make of a customer (docs/rfm.md has the table).")
class RfmGroup(Enum):
    CHAMPIONS = strawberry.enum_value("CHAMPIONS", description="Ordered lately, often and for much.")
    LOYAL = strawberry.enum_value("LOYAL", description="Order often and for much, and not long ago.")
    ACTIVE = strawberry.enum_value("ACTIVE", description="Ordered lately, now and then or for middling amounts.")
    NEW = strawberry.enum_value("NEW", description="Ordered lately, rarely and for little.")
    PROMISING = strawberry.enum_value("PROMISING", description="As new ones, a little longer ago.")
    NEEDS_ATTENTION = strawberry.enum_value("NEEDS_ATTENTION", description="In the middle in everything.")
    ALMOST_LOST = strawberry.enum_value("ALMOST_LOST", description="Some time ago, rarely and for little.")
    AT_RISK = strawberry.enum_value("AT_RISK", description="Ordered fairly often or for much, but long ago.")
    PREVIOUSLY_LOYAL = strawberry.enum_value("PREVIOUSLY_LOYAL", description="Ordered most often, but long ago.")
    DORMANT = strawberry.enum_value("DORMANT", description="Ordered rarely, for little and long ago.")
    PROSPECTS = strawberry.enum_value("PROSPECTS", description="Have no standing order.")


@strawberry.type(
    description="How lately, how often and for how much a customer buys: from 1 to 5, the best fifth of buyers.",
    directives=signed_in(),
)
class RfmScore:
    item: strawberry.Private[measuring.Rfm]
    bounds: strawberry.Private[measuring.Thresholds]

    @strawberry.field(description="What the scores make of the customer.")
    def group(self) -> RfmGroup:
        return RfmGroup(self.item.group)

    @strawberry.field(description="How lately; null of one without a standing order.")
    def recency(self) -> int | None:
        return self.item.recency

    @strawberry.field(description="How often; null of one without a standing order.")
    def frequency(self) -> int | None:
        return self.item.frequency

    @strawberry.field(description="For how much; null of one without a standing order.")
    def monetary(self) -> int | None:
        return self.item.monetary

    @strawberry.field(description=AS_OF)
    def as_of(self) -> date:
        return self.bounds.on

    @strawberry.field(description=VERSION)
    def version(self) -> int:
        return self.bounds.version


@strawberry.type(
    description=(
        "The four bounds between the fifths of a shop's buyers, lowest first: a value beyond the first scores 2, one "
        "beyond all 5, and one that equals a bound is not beyond it. None where nobody had ordered (docs/rfm.md)."
    ),
    directives=staff("segments:read"),
)
class RfmBounds:
    bounds: strawberry.Private[measuring.Thresholds]

    @strawberry.field(description="By the day of the last order, in the shop's zone.", directives=[about(BOUNDS)])
    def recency(self) -> list[date]:
        return list(self.bounds.recency)

    @strawberry.field(description="By how many orders.", directives=[about(BOUNDS)])
    def frequency(self) -> list[int]:
        return list(self.bounds.frequency)

    @strawberry.field(description="By what was spent.", directives=[about(BOUNDS)])
    def monetary(self) -> list[Money]:
        return [Money.of(minor, self.bounds.currency) for minor in self.bounds.monetary]

    @strawberry.field(description="How many customers were compared: those with standing orders.")
    def customer_count(self) -> int:
        return self.bounds.customers

    @strawberry.field(description=AS_OF)
    def as_of(self) -> date:
        return self.bounds.on

    @strawberry.field(description=VERSION)
    def version(self) -> int:
        return self.bounds.version


async def rfm_of(context: Context, heads: measuring.Snapshot) -> RfmScore | None:
    """None until the shop's customers have been compared."""
    known = await in_force(context)
    found = await stored(measuring.rfm_of, heads, now=context.now)
    return RfmScore(item=found, bounds=known.rfm) if found is not None and known.rfm is not None else None


@strawberry.type
class RfmQuery:
    @strawberry.field(
        description=(
            "What `Customer.rfm` and queries score by, as of at most a minute ago; null until the shop's customers "
            "were first compared."
        ),
        directives=staff("segments:read"),
    )
    async def rfm_bounds(self, info: Info) -> RfmBounds | None:
        known = await in_force(info.context)
        return RfmBounds(bounds=known.rfm) if known.rfm is not None else None
