# schema/segment/preview.py
"""What a query would do as a segment, while it is being written."""

from asyncio import Future, ensure_future, gather
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

import strawberry
from msgspec import Struct

from crm.segmentation import querying
from schema.access import staff
from schema.connections import First, ListSize, about, page_size, priced
from schema.context import Context, Info, stored
from schema.segment.query_text import QueryText, SegmentFact, SegmentQueryMistake

if TYPE_CHECKING:
    from schema.customer.customer import Customer

LOOKING: Final = 100
"""Points for looking at a sample of the shop's customers."""
PERSONAL: Final = staff("customers:read")
"""Asked with a name and a day of birth, a count tells of a person as much as a list does."""
AT_ONCE: Final = 10
"""Customers whose histories are read one after another, beside the others."""


class Found(Struct, frozen=True):
    """The members there would be among the customers looked at, the newest first."""

    sample: querying.Sample
    members: list[str]


class Looking:
    """What is found out of a right query once, by whichever field first asks."""

    def __init__(self, context: Context, compiled: querying.Compiled, in_force: querying.InForce) -> None:
        self.context = context
        self.compiled = compiled
        self.in_force = in_force
        self._found: Future[Found] | None = None

    async def found(self) -> Found:
        if self._found is None:
            self._found = ensure_future(self._look())
        return await self._found

    async def _look(self) -> Found:
        reads = self.compiled.reads
        looked = await stored(querying.look, self.context.shop, reads)
        # Without histories all is known by now; they are read for some customers beside each other.
        size = AT_ONCE if querying.histories(reads) else max(1, len(looked.snapshots))
        parts = (looked.snapshots[start : start + size] for start in range(0, len(looked.snapshots), size))
        found = await gather(*(stored(self._members, part) for part in parts))
        return Found(looked.sample, [each for part in found for each in part])

    def _members(self, snapshots: Sequence[querying.Snapshot]) -> list[str]:
        return querying.members_among(snapshots, self.compiled, self.in_force, now=self.context.now)


@strawberry.type(description="What a query would do as a segment.", directives=staff("segments:read"))
class SegmentPreview:
    said: strawberry.Private[querying.Understood]
    looking: strawberry.Private[Looking | None]

    @strawberry.field(description="All that is wrong with it, in the order of the text.", directives=[about(2)])
    def errors(self) -> list[SegmentQueryMistake]:
        return [SegmentQueryMistake(item=mistake) for mistake in self.said.mistakes]

    @strawberry.field(description="The query in canonical form, which means the same; null where it is wrong.")
    def normalized(self) -> str | None:
        return self.said.compiled.normalized if self.said.compiled else None

    @strawberry.field(
        description=(
            "What it reads of customers: only events that change one of these can change who is a member. Of `ORDERS`, "
            "`TOUCHPOINTS` and `CARTS` it reads as much history as its windows span: `event(…)` without `since` all "
            "touchpoints of that type, each time that a customer is looked at."
        ),
        directives=[about(3)],
    )
    def reads_facts(self) -> list[SegmentFact]:
        return [SegmentFact(fact) for fact in sorted(self.said.compiled.reads.facts)] if self.said.compiled else []

    @strawberry.field(
        description=(
            "About how many members it would have, by the customers that were looked at; null where the query is "
            "wrong, and in a shop with more customers until they are first counted, as they are each day."
        ),
        directives=[*PERSONAL, priced(LOOKING)],
    )
    async def estimated_count(self) -> int | None:
        found = await self._found()
        return found.sample.estimate(len(found.members)) if found else None

    @strawberry.field(
        description="Whether all customers were looked at, so that `estimatedCount` is exact.",
        directives=[*PERSONAL, priced(LOOKING)],
    )
    async def exact(self) -> bool | None:
        found = await self._found()
        return found.sample.is_whole if found else None

    @strawberry.field(
        description=(
            f"How many customers were looked at: {querying.MOST_LOOKED_AT:,} at most, and "
            f"{querying.MOST_WITH_HISTORIES:,} where the query reads histories (orders, touchpoints, carts)."
        ),
        directives=[*PERSONAL, priced(LOOKING)],
    )
    async def sampled(self) -> int | None:
        found = await self._found()
        return len(found.sample.customer_ids) if found else None

    @strawberry.field(
        description="Some who would be members, of the customers that were looked at.",
        directives=[*PERSONAL, priced(LOOKING), ListSize(slicing_arguments=["first"])],
    )
    async def sample(
        self, info: Info, first: First = 20
    ) -> list[Annotated["Customer", strawberry.lazy("schema.customer.customer")]]:
        from schema.customer.customer import customer_by_key  # as in schema/order.py

        size, found = page_size(first), await self._found()
        if found is None:
            return []
        customers = await gather(*(customer_by_key(info.context, each) for each in found.members[:size]))
        return [customer for customer in customers if customer is not None]

    @strawberry.field(
        description=(
            "At most how many requests to the store it takes to ask all customers once, as when a segment is defined; "
            "null where the query is wrong, or nobody has counted the customers."
        ),
        directives=[priced(LOOKING)],
    )
    async def estimated_reads(self) -> int | None:
        found = await self._found()
        if found is None or self.said.compiled is None or found.sample.total is None:
            return None
        return querying.requests(self.said.compiled.reads, found.sample.total)

    async def _found(self) -> Found | None:
        return await self.looking.found() if self.looking else None


@strawberry.type
class SegmentPreviewQuery:
    @strawberry.field(
        description="What a query would do as a segment. Nothing is stored.", directives=staff("segments:read")
    )
    async def segment_preview(self, info: Info, query: QueryText) -> SegmentPreview | None:
        context = info.context
        said, in_force = await stored(querying.understood, context.shop, query, now=context.now)
        looking = Looking(context, said.compiled, in_force) if said.compiled else None
        return SegmentPreview(said=said, looking=looking)
