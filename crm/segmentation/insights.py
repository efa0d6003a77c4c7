# crm/segmentation/insights.py
"""What is typical of the members of segments, and what they have spent: an operation that walks the members of one
segment after another, some hundred a step, and stores what it finds of each, with the moment at which it began.

Test customers are members, and are left out here, as in KPIs.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Final, Self

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from crm.consent.service import ConsentHead
from crm.customers import service as customers
from crm.customers.service import Customer
from crm.feedback.service import FeedbackHead
from crm.kernel import clock
from crm.kernel.change import Change
from crm.kernel.operations import DONE, Operation
from crm.loyalty.reading import LoyaltyAccount
from crm.orders.service import Statistics
from crm.segmentation import begun, in_force, loading, repository, tallies, traits
from crm.segmentation.in_force import InForce
from crm.segmentation.language.facts import Fact, Facts
from crm.segmentation.language.reading import only
from crm.segmentation.models import SegmentInsights
from crm.segmentation.stays import SHARDS, SegmentMembership
from crm.segmentation.traits import Typical
from crm.touchpoints.service import Acquisition

INSIGHTS: Final = "segment_insights"
PAGE: Final = 500
"""How many members a step looks at, at most."""
LOOK: Final = 25
"""What a look at a shard counts for at least, or segments without members would never end a step."""
SEGMENTS: Final = "segments"
HEADS: Final = (Customer, Statistics, ConsentHead, Acquisition, LoyaltyAccount, FeedbackHead)


class Insights(Struct, frozen=True):
    """Of those who were members at `as_of`; amounts are minor units of `currency`."""

    as_of: datetime
    currency: str
    typical: Typical


class Place(Struct, frozen=True):
    """Where the operation goes on: in which of its segments, which shard of its members, behind whom. `since`: when it
    came to that segment.
    """

    since: str
    segment: int = 0
    shard: int = 0
    after: str | None = None

    @classmethod
    def of(cls, operation: Operation, *, now: datetime) -> Self:
        return cls(**operation.state) if operation.state else cls(clock.text(now))

    def behind(self, page: Sequence[SegmentMembership], *, whole: bool) -> "Place":
        if whole:
            return Place(self.since, self.segment, self.shard, page[-1].list_sk)
        return Place(self.since, self.segment, self.shard + 1)


def ask(shop: str, segment_ids: Sequence[str], occasion: str, *, now: datetime) -> Operation | None:
    """Let it be found out what is typical of these segments, once for each occasion. None where there are none."""
    if not segment_ids:
        return None
    arguments = {SEGMENTS: list(segment_ids)}
    return begun.once(shop, f"op_{INSIGHTS}_{occasion}", INSIGHTS, arguments, now=now)


def step(operation: Operation, *, patient: bool, now: datetime) -> None:  # noqa: ARG001  all steps are called alike
    """Some of the members; behind the last of a segment, what all of them come to."""
    segment_ids: list[str] = operation.arguments[SEGMENTS]
    known = in_force.current(operation.shop, now=now)
    place, left, counted = Place.of(operation, now=now), PAGE, tallies.merged([])
    while left > 0 and place.segment < len(segment_ids):
        segment_id = segment_ids[place.segment]
        if place.shard == SHARDS:
            _store(operation, segment_id, tallies.merged([tallies.kept_by(operation), counted]), place, known)
            operation.parts, counted = [], tallies.merged([])
            place = Place(clock.text(now), place.segment + 1)
            continue
        limit = max(left, LOOK)
        page = repository.list_members(operation.shop, segment_id, place.shard, after=place.after, limit=limit)
        counted = tallies.merged([counted, traits.counted(_facts(page, known, now=now), now=now)])
        place = place.behind(page, whole=len(page) == limit)
        left -= max(len(page), LOOK)
        operation.row_count = int(operation.row_count) + len(page)
    tallies.keep(operation, counted)
    operation.state = asdict(place)
    if place.segment == len(segment_ids):
        operation.status = DONE


def insights(shop: str, segment_ids: Collection[str]) -> dict[str, Insights]:
    """What was found typical of segments, by id; those of which nothing was found yet are left out."""
    return {
        segment_id: Insights(item.as_of, item.currency, msgspec.convert(item.typical, Typical))
        for segment_id, item in repository.get_insights(shop, segment_ids).items()
    }


def _facts(page: Sequence[SegmentMembership], known: InForce, *, now: datetime) -> Iterator[Facts]:
    ids = [stay.customer_id for stay in page]
    for snapshot in customers.snapshots(known.shop, ids, HEADS).values():
        profile = snapshot.head(Customer)
        if profile is not None and not profile.test and not customers.is_hidden(profile):
            yield loading.load(snapshot, only(Fact.RFM), earliest=now, in_force=known)


def _store(operation: Operation, segment_id: str, counted: tallies.Tally, place: Place, known: InForce) -> None:
    """Unless what is there is newer."""
    item = SegmentInsights.of(operation.shop, segment_id)
    item.as_of, item.currency = clock.parse(place.since), known.currency
    item.typical = msgspec.to_builtins(traits.typical(counted))
    change = Change()
    unknown = SegmentInsights.sk.does_not_exist()
    change.once_more(item, when=unknown | (SegmentInsights.as_of <= item.as_of))
    change.commit()
