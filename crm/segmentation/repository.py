# crm/segmentation/repository.py
"""Every read of segments and memberships; writes go through a Change."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

from pynamodb.exceptions import DoesNotExist

from crm.kernel import batch_reads, clock, timeline
from crm.kernel.settings import settings
from crm.kernel.table import customer_key
from crm.segmentation.models import (
    CustomerCensus,
    RfmThresholds,
    SegmentCatalogue,
    SegmentDefinition,
    SegmentInsights,
    SegmentsReady,
    SegmentsWalk,
    SegmentVersion,
    SoldWords,
    gone_key,
    rfm_key,
    segments_key,
    version_key,
)
from crm.segmentation.stays import (
    LeftSince,
    SegmentMembership,
    SegmentSaid,
    by_hand_list_key,
    left_list_key,
    list_key,
)

PAGES_OF_LEFT: Final = (100, 1_000, 1_000)
"""Of how many stays each request to a shard is, and so how many requests there are at most: who came too late is left
out only after being read.
"""


def list_memberships(shop: str, customer_id: str, segment_id: str) -> list[SegmentMembership]:
    """All stays of a customer in a segment, oldest first (AP-50)."""
    stays = SegmentMembership.sk.startswith(f"MEMBERSHIP#{segment_id}#")
    return list(
        SegmentMembership.query(customer_key(shop, customer_id), range_key_condition=stays, consistent_read=True)
    )


def history(shop: str, customer_id: str, *, before: str | None, limit: int) -> list[SegmentMembership]:
    """A customer's stays in all segments, those entered last first, from behind the timeline key `before` (AP-157)."""
    return timeline.newest(SegmentMembership, customer_key(shop, customer_id), "ENTERED#", before=before, limit=limit)


def history_in(
    shop: str, customer_id: str, segment_id: str, *, before: str | None, limit: int
) -> list[SegmentMembership]:
    """A customer's stays in one segment, the last first, from behind the sort key `before` (AP-158)."""
    prefix = f"MEMBERSHIP#{segment_id}#"
    reach = SegmentMembership.sk.between(prefix, before) if before else SegmentMembership.sk.startswith(prefix)
    found = SegmentMembership.query(
        customer_key(shop, customer_id), reach, consistent_read=True, scan_index_forward=False,
        limit=limit + bool(before),
    )  # fmt: skip
    return [stay for stay in found if stay.sk != before][:limit]


def list_members(
    shop: str, segment_id: str, shard: int, *, after: str | None, limit: int, as_of: datetime | None = None
) -> list[SegmentMembership]:
    """A shard of a segment's members now, the longest standing first, from behind the sort key `after` (AP-51); with
    `as_of` those of them who were members at that moment already.
    """
    end = timeline.LAST if as_of is None else f"{clock.text(as_of)}#{timeline.LAST}"
    page = SegmentMembership.listing.query(
        list_key(shop, segment_id, shard),
        range_key_condition=SegmentMembership.list_sk.between(after or "0", end),
        limit=limit + bool(after),  # `between` includes its beginning: one more is read, and that left out
    )
    return [item for item in page if isinstance(item, SegmentMembership) and item.list_sk != after][:limit]


def list_left(shop: str, segment_id: str, shard: int, *, after: str | None, limit: int, as_of: datetime) -> LeftSince:
    """A shard of those who were a segment's members at `as_of` and have left since, who left first first, from behind
    the sort key `after` (AP-159). With those of `list_members` they are all that were.

    Where very many came and went since, reading stops before the list ends.
    """
    pages = SegmentMembership.listing.query(
        left_list_key(shop, segment_id, shard),
        range_key_condition=SegmentMembership.list_sk > (after or f"{clock.text(as_of)}#{timeline.LAST}"),
        filter_condition=SegmentMembership.entered_at <= as_of,
    ).page_iter
    found: list[SegmentMembership] = []
    reached: str | None = None
    for size in PAGES_OF_LEFT:
        pages.page_size = size
        page = next(pages)
        found += map(SegmentMembership.from_raw_data, page["Items"])
        end = pages.last_evaluated_key
        if end is None or len(found) >= limit:
            return LeftSince(found[:limit], None)
        reached = end["list_sk"]["S"]
    return LeftSince(found, reached)


def list_leavings(
    shop: str,
    segment_id: str,
    shard: int,
    *,
    since: datetime | None,
    until: datetime | None,
    before: str | None,
    limit: int,
) -> list[SegmentMembership]:
    """A shard of a segment's stays that ended from `since` on and before `until`, those first that ended last, from
    behind the sort key `before` (AP-237).
    """
    end = before or (clock.text(until) if until else timeline.LAST)
    page = SegmentMembership.listing.query(
        left_list_key(shop, segment_id, shard),
        range_key_condition=SegmentMembership.list_sk.between(clock.text(since) if since else "0", end),
        scan_index_forward=False,
        limit=limit + bool(before),
    )
    return [item for item in page if isinstance(item, SegmentMembership) and item.list_sk != before][:limit]


def list_by_hand(shop: str, segment_id: str, shard: int, *, before: str | None, limit: int) -> list[SegmentSaid]:
    """A shard of whom people have put into a segment, or taken out of it, the last first, from behind the sort key
    `before` (AP-236).
    """
    page = SegmentSaid.listing.query(
        by_hand_list_key(shop, segment_id, shard),
        range_key_condition=SegmentSaid.list_sk < before if before else None,
        scan_index_forward=False,
        limit=limit,
    )
    return [item for item in page if isinstance(item, SegmentSaid)]


def get_catalogue(shop: str) -> SegmentCatalogue | None:
    """How far a shop's definitions have come (AP-150)."""
    try:
        return SegmentCatalogue.get(segments_key(shop), "CATALOGUE", consistent_read=True)
    except DoesNotExist:
        return None


def list_definitions(shop: str) -> list[SegmentDefinition]:
    """All of a shop's segments, the oldest first, also those deleted that may still have members (AP-151)."""
    reach = SegmentDefinition.sk.startswith("SEGMENT#")
    return list(SegmentDefinition.query(segments_key(shop), reach, consistent_read=True))


def get_definition(shop: str, segment_id: str) -> SegmentDefinition | None:
    """A segment, also a deleted one that may still have members (AP-152)."""
    try:
        return SegmentDefinition.get(segments_key(shop), f"SEGMENT#{segment_id}", consistent_read=True)
    except DoesNotExist:
        return None


def get_version(shop: str, segment_id: str, version: int) -> SegmentVersion | None:
    """What a segment was (AP-153)."""
    try:
        return SegmentVersion.get(segments_key(shop), version_key(segment_id, version), consistent_read=True)
    except DoesNotExist:
        return None


def get_walk(shop: str) -> SegmentsWalk:
    """Where the walk over all customers stands (AP-240); a new one, where there was none."""
    walk = SegmentsWalk.of(shop)
    try:
        return SegmentsWalk.get(walk.pk, walk.sk, consistent_read=True)
    except DoesNotExist:
        return walk


def ready_in(shop: str) -> int:
    """The last version of the catalogue for which all customers have been looked at (AP-154)."""
    try:
        return int(SegmentsReady.get(segments_key(shop), "READY", consistent_read=True).ready_in)
    except DoesNotExist:
        return 0


def find_many(shop: str, segment_ids: Collection[str]) -> dict[str, SegmentDefinition]:
    """By id, also the deleted, in batch reads of the exact keys of AP-152 (AP-177); who is not there may have been put
    away (AP-241), where nobody comes back from.
    """
    found = _definitions(shop, [f"SEGMENT#{segment_id}" for segment_id in segment_ids])
    others = [gone_key(segment_id) for segment_id in segment_ids if segment_id not in found]
    return found | _definitions(shop, others)


def list_versions(shop: str, segment_id: str, *, before: str | None, limit: int) -> list[SegmentVersion]:
    """What a segment was, the newest first, from behind the sort key `before` (AP-178)."""
    prefix = f"VERSION#{segment_id}#"
    reach = SegmentVersion.sk.between(prefix, before) if before else SegmentVersion.sk.startswith(prefix)
    found = SegmentVersion.query(
        segments_key(shop), reach, consistent_read=True, scan_index_forward=False, limit=limit + bool(before)
    )
    return [version for version in found if version.sk != before][:limit]


def get_thresholds(shop: str, version: int) -> RfmThresholds | None:
    """The bounds of RFM scores in one version (AP-173)."""
    try:
        return RfmThresholds.get(segments_key(shop), rfm_key(version), consistent_read=True)
    except DoesNotExist:
        return None


def get_insights(shop: str, segment_ids: Iterable[str]) -> dict[str, SegmentInsights]:
    """What was found typical of segments, by id (AP-174)."""
    keys = [SegmentInsights.of(shop, segment_id) for segment_id in segment_ids]
    found = batch_reads.read(settings().crm_table, [(key.pk, key.sk) for key in keys])
    return {item.segment_id: item for item in map(SegmentInsights.from_raw_data, found)}


def get_census(shop: str) -> CustomerCensus | None:
    """How many customers a shop had when they were last counted, and where to look for some of them (AP-179)."""
    try:
        return CustomerCensus.get(segments_key(shop), "CENSUS", consistent_read=True)
    except DoesNotExist:
        return None


def get_sold(shop: str) -> SoldWords | None:
    """Words of what a shop's customers have bought (AP-238)."""
    try:
        return SoldWords.get(segments_key(shop), "SOLD", consistent_read=True)
    except DoesNotExist:
        return None


def _definitions(shop: str, keys: Iterable[str]) -> dict[str, SegmentDefinition]:
    found = batch_reads.read(settings().crm_table, [(segments_key(shop), key) for key in keys])
    return {each.segment_id: each for each in map(SegmentDefinition.from_raw_data, found)}
