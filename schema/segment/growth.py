# schema/segment/growth.py
"""How segments grew, as clients see it."""

from asyncio import gather
from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

import strawberry

from crm.kpis import service as kpis
from crm.segmentation.service import MOST_SEGMENTS
from schema.access import signed_in
from schema.connections import DEFAULT_FIRST, about
from schema.context import Loader, stored

REQUESTS: Final = 2
"""Who came, and who went."""


def of_each(requests: int) -> int:
    """Points for so many requests a segment: a list of them is priced as one of twenty, and may hold them all."""
    return requests * MOST_SEGMENTS // DEFAULT_FIRST


@strawberry.type(description="How a segment grew in a period.", directives=signed_in())
class SegmentGrowthPeriod:
    row: strawberry.Private[kpis.GrowthRow]

    @strawberry.field(description="Its first day.")
    def start(self) -> date:
        return self.row.start

    @strawberry.field(description="Its last day.")
    def end(self) -> date:
        return self.row.end

    @strawberry.field(description="How many stays began.")
    def entered(self) -> int:
        return self.row.entered

    @strawberry.field(description="How many stays ended.")
    def left(self) -> int:
        return self.row.left

    @strawberry.field(description="How many members there were at its end.")
    def members(self) -> int:
        return self.row.members


@strawberry.type(description="How a segment grew over some days.", directives=signed_in())
class SegmentGrowth:
    rows: strawberry.Private[list[kpis.GrowthRow]]

    @strawberry.field(
        description=(
            "Oldest first; the outer ones are cut to the days asked for, and the last one to today. Empty where all of "
            "them are yet to come."
        ),
        directives=[about(31)],
    )
    def periods(self) -> list[SegmentGrowthPeriod]:
        return [SegmentGrowthPeriod(row=row) for row in self.rows]


class Grown(NamedTuple):
    segment_id: str
    start: date
    end: date
    grain: str


class GrowthBySegment(Loader[Grown, list[kpis.GrowthRow]]):
    """Beside each other, and each once, under whatever names and in whoever's lists it is asked for."""

    async def load_many(self, keys: list[Grown]) -> Sequence[list[kpis.GrowthRow] | BaseException]:
        return await gather(*(stored(self.read, key) for key in keys), return_exceptions=True)

    def read(self, key: Grown) -> list[kpis.GrowthRow]:
        context = self.context
        return kpis.growth(context.shop, key.segment_id, key.start, key.end, grain=key.grain, now=context.now)
