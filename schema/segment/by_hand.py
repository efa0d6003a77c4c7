# schema/segment/by_hand.py
"""Whom people put into segments, and take out of them."""

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry

from crm.kernel.actor import Actor as Doer
from crm.segmentation import service
from schema.access import staff
from schema.connections import Connection, Place, newest_of_shards
from schema.context import Context, Info, stored
from schema.customer.history import Actor

if TYPE_CHECKING:
    from schema.customer.customer import Customer


@strawberry.enum(description="What somebody's hand did that goes before the query.")
class SegmentHand(Enum):
    ADDED = strawberry.enum_value("added", description="The customer was added to the members.")
    EXCLUDED = strawberry.enum_value("excluded", description="The customer was excluded, whatever the query says.")


@strawberry.type(
    description="That somebody put a customer into a segment, or took them out of it, and it was not taken back.",
    directives=staff("segments:read"),
)
class SegmentByHand:
    item: strawberry.Private[service.SegmentSaid]

    @strawberry.field(description="What was done.")
    def hand(self) -> SegmentHand:
        return SegmentHand.EXCLUDED if self.item.excluded else SegmentHand.ADDED

    @strawberry.field(description="With whom.", directives=staff("customers:read"))
    async def customer(self, info: Info) -> Annotated["Customer", strawberry.lazy("schema.customer.customer")] | None:
        from schema.customer.customer import customer_by_key  # as in schema/order.py

        return await customer_by_key(info.context, self.item.customer_id)

    @strawberry.field(description="When.")
    def at(self) -> datetime:
        return self.item.said_at

    @strawberry.field(description="Who did it.")
    def actor(self) -> Actor:
        return Actor.of(Doer.parse(self.item.said_by))


async def by_hand_of(
    context: Context, segment_id: str, *, first: int | None, after: str | None
) -> Connection[SegmentByHand]:
    """A page of whom people have put into a segment or taken out of it, the last first."""
    return await newest_of_shards(
        Place("Segment.byHand", context.shop, segment_id),
        lambda shard, before, limit: stored(
            service.list_by_hand, context.shop, segment_id, shard, before=before, limit=limit
        ),
        service.SHARDS,
        first=first,
        after=after,
        position=_key,
        node=lambda item: SegmentByHand(item=item),
    )


def _key(item: service.SegmentSaid) -> str:
    return item.list_sk or ""
