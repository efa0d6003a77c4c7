# schema/segment/by_key.py
"""How segments are found that something names."""

from asyncio import gather
from collections.abc import Sequence
from datetime import datetime

from crm.customers.service import SegmentsHead, Snapshot
from crm.segmentation import service
from schema.context import Context, Loader, stored
from schema.segment.in_force import in_force
from schema.segment.segment import Segment
from schema.segment.stays import SegmentMembership

BRIEF = frozenset({"Segment.id", "Segment.segmentId", "Segment.name", "Segment.kind", "Segment.version"})
"""What is known of segments without a read."""


class SegmentByKey(Loader[str, Segment | None]):
    """As they are stored, also those that are deleted."""

    async def load_many(self, keys: list[str]) -> Sequence[Segment | None]:
        items = await stored(service.find_many, self.context.shop, keys)
        return [Segment(known=None, item=items[key]) if key in items else None for key in keys]


class NamedByKey(Loader[str, Segment | None]):
    """Those that customers' lists name, also those that are deleted. Where no more is asked of segments than is known
    of those in force, none is read; a name or a version may be a minute old then.
    """

    async def load_many(self, keys: list[str]) -> Sequence[Segment | None]:
        context = self.context
        asked = {coordinate for coordinate in context.uses if coordinate.startswith("Segment.")}
        known = (await in_force(context)).segments
        if asked <= BRIEF and known.keys() >= set(keys):
            return [Segment(known=known[key], item=None) for key in keys]
        return await gather(*(context.loader(SegmentByKey).load(key) for key in keys))


async def segment_by_key(context: Context, segment_id: str) -> Segment | None:
    """As it is stored: its version is what a writer relies on. None for one that does not exist, is another shop's, or
    is deleted.
    """
    return _present(await context.loader(SegmentByKey).load(segment_id))


async def segment_named(context: Context, segment_id: str, *, deleted: bool = False) -> Segment | None:
    """One that a customer's list names; None where it is deleted, unless the list is a history."""
    found = await context.loader(NamedByKey).load(segment_id)
    return found if deleted else _present(found)


def _present(segment: Segment | None) -> Segment | None:
    return None if segment is None or (segment.item and segment.item.deleted_at) else segment


async def memberships_of(context: Context, heads: Snapshot) -> list[SegmentMembership]:
    """The segments a customer is in now."""
    head, now = heads.head(SegmentsHead), context.now
    if head is not None and head.wakes_at is not None and head.wakes_at <= now:
        # Past due and not yet handled: computed, for which all heads are read, and maybe histories.
        stays = await stored(service.open_segments, heads, now=now)
    else:
        stays = service.open_segments(heads, now=now)
    if head is None or not stays:
        return []
    meant, judged = (await in_force(context)).segments, int(head.definitions_version or 0)
    segments = await gather(*(segment_named(context, stay.segment_id) for stay in stays))
    found = []
    for stay, segment in zip(stays, segments, strict=True):
        known = meant.get(stay.segment_id)
        if segment is not None:
            changed_at = known.meaning.at if known and known.meaning.version > judged else None
            found.append(SegmentMembership(stay=stay, of=segment, changed_at=changed_at))
    return found


async def as_of(context: Context, head: SegmentsHead | None) -> datetime:
    """As of when the segments that a customer is in are right. Nobody is looked at for one whose members are set by
    hand, nor for one that is broken: both are right whenever they were defined.
    """
    judged = int(head.definitions_version or 0) if head else 0
    meanings = [each.meaning for each in (await in_force(context)).segments.values() if each.compiled is not None]
    return min((each.at for each in meanings if each.version > judged), default=context.now)
