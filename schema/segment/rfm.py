# schema/segment/rfm.py
"""How a customer buys, beside the shop's others."""

from datetime import date
from enum import Enum

import strawberry

from crm.segmentation import service
from schema.access import signed_in
from schema.context import Context, stored
from schema.segment.in_force import in_force


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
    item: strawberry.Private[service.Rfm]
    bounds: strawberry.Private[service.Thresholds]

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

    @strawberry.field(description="The day in the shop's zone for which the shop's customers were last compared.")
    def as_of(self) -> date:
        return self.bounds.on

    @strawberry.field(description="Which comparison; they count from 1.")
    def version(self) -> int:
        return self.bounds.version


async def rfm_of(context: Context, heads: service.Snapshot) -> RfmScore | None:
    """None until the shop's customers have been compared."""
    known = await in_force(context)
    found = await stored(service.rfm_of, heads, now=context.now)
    return RfmScore(item=found, bounds=known.rfm) if found is not None and known.rfm is not None else None
