# schema/segment/leavings.py
"""Who has left a segment."""

from datetime import MAXYEAR, MINYEAR, date, datetime, timedelta
from typing import Annotated

import strawberry

from crm.kernel import clock
from crm.kernel.errors import InvalidInput
from crm.segmentation import service
from crm.shops import service as shops
from schema.connections import Connection, Place, newest_of_shards
from schema.context import Context, stored
from schema.segment.stays import SegmentStay

LeftFrom = Annotated[date | None, strawberry.argument(name="from", description="The first day; null: since ever.")]
LeftTo = Annotated[date | None, strawberry.argument(description="The last day; null: until now.")]


async def left_of(
    context: Context,
    segment_id: str,
    *,
    from_day: date | None,
    to_day: date | None,
    first: int | None,
    after: str | None,
) -> Connection[SegmentStay]:
    """A page of a segment's stays that ended on these days, the last first."""
    if from_day and to_day and from_day > to_day:
        raise InvalidInput("may not lie after `to`", field="from")
    # In the first and the last year there are days that begin or end outside of all time, and nobody who left.
    since = await _starts(context, from_day) if from_day and from_day.year > MINYEAR else None
    until = await _starts(context, to_day + timedelta(days=1)) if to_day and to_day.year < MAXYEAR else None
    return await newest_of_shards(
        Place("Segment.left", context.shop, segment_id, f"{from_day or ''} {to_day or ''}"),
        lambda shard, before, limit: stored(
            service.list_leavings, context.shop, segment_id, shard,
            since=since, until=until, before=before, limit=limit,
        ),
        service.SHARDS,
        first=first,
        after=after,
        position=_key,
        node=lambda item: SegmentStay(item=item),
    )  # fmt: skip


async def _starts(context: Context, day: date) -> datetime:
    shop = await stored(shops.current, context.shop, now=context.now)
    return clock.start_of_day(day, shop.zone)


def _key(item: service.SegmentMembership) -> str:
    return item.list_sk or ""
