# crm/segmentation/models.py
"""What segments a shop has, and what they have meant.

Key design (docs/access-patterns.md, AP-150 to AP-154, AP-177, AP-178, AP-241):
    SegmentCatalogue   pk=SHOP#<shop>#SEGMENTS  sk=CATALOGUE
    SegmentDefinition  pk=SHOP#<shop>#SEGMENTS  sk=SEGMENT#<segment>   also when it is deleted, while it has members
                       pk=SHOP#<shop>#SEGMENTS  sk=GONE#<segment>      after that, for good
    SegmentVersion     pk=SHOP#<shop>#SEGMENTS  sk=VERSION#<segment>#<version>
    SegmentsReady      pk=SHOP#<shop>#SEGMENTS  sk=READY
    SegmentsWalk       pk=SHOP#<shop>#SEGMENTS  sk=WALK                 (AP-240)
    RfmThresholds      pk=SHOP#<shop>#SEGMENTS  sk=RFM#<version>         (AP-173)
    SegmentInsights    pk=SHOP#<shop>#SEGMENTS  sk=INSIGHTS#<segment>    (AP-174)
    CustomerCensus     pk=SHOP#<shop>#SEGMENTS  sk=CENSUS                (AP-179)
    SoldWords          pk=SHOP#<shop>#SEGMENTS  sk=SOLD                  (AP-238)

Every edit is one transaction that revises the catalogue, so that a shop's edits come one after another: unique names,
the limit, and that no segment asks about itself are exact.

Of customers (crm/segmentation/stays.py; AP-50, AP-51, AP-157 to AP-159, AP-236, AP-237), `<in>` being the revision of
the head:
    SegmentMembership  pk=SHOP#<shop>#CUSTOMER#<customer>  sk=MEMBERSHIP#<segment>#<entered_at>#<in>#<entered cause>
                       timeline_key=ENTERED#<entered_at>#<segment>#<in>
                       list_pk=SHOP#<shop>#SEGMENT#<segment>#<shard>  list_sk=<entered_at>#<customer>   while it is open
                       list_pk=SHOP#<shop>#SEGMENT#<segment>#LEFT#<shard>  list_sk=<left_at>#<customer>#<entered_at>
    SegmentLeaving     pk=SHOP#<shop>#CUSTOMER#<customer>  sk=LEFT#<segment>#<left_at>#<in>#<left cause>
                       timeline_key=LEFT#<left_at>#<segment>#<in>
    SegmentsByHand     pk=SHOP#<shop>#CUSTOMER#<customer>  sk=HEAD#BYHAND   written with the segments head
    SegmentSaid        pk=SHOP#<shop>#CUSTOMER#<customer>  sk=BYHAND#<segment>   what HEAD#BYHAND says of one segment
                       list_pk=SHOP#<shop>#SEGMENT#<segment>#BYHAND#<shard>  list_sk=<said_at>#<customer>
"""

from datetime import date
from typing import Final, Self

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute

from crm.kernel.compact_json import CompactJSONAttribute
from crm.kernel.table import Item, Published
from crm.segmentation.laps import Walk
from crm.segmentation.rfm import Thresholds

DYNAMIC: Final = "dynamic"
"""Whoever its query is true of is a member."""
STATIC: Final = "static"
"""Its members are set by hand."""


class SegmentCatalogue(Published, discriminator="SegmentCatalogue"):
    """All segments of a shop as one thing. `rev` is the catalogue's version: every edit moves it, and every definition
    says in which it last came to mean what it means.

    `zone` and `currency` are those that queries are understood in. `attributes`: those of the shop's own that are asked
    about and have changed, by key as [their `rev`, since which version, when, by what cause]. `refresh_in` is the last
    version for which all customers are to be looked at anew, `refreshed_by` the id of the operation that does.
    """

    zone = UnicodeAttribute()
    currency = UnicodeAttribute()
    shop_changed_in = NumberAttribute(default=0)
    shop_changed_at = UTCDateTimeAttribute(null=True)
    shop_changed_cause = UnicodeAttribute(null=True)
    attributes = CompactJSONAttribute(default=dict)
    rfm_version = NumberAttribute(default=0)
    rfm_changed_in = NumberAttribute(default=0)
    rfm_changed_at = UTCDateTimeAttribute(null=True)
    refresh_in = NumberAttribute(default=0)
    refreshed_by = UnicodeAttribute(null=True)

    @classmethod
    def of(cls, shop: str) -> Self:
        return cls(segments_key(shop), "CATALOGUE")


class SegmentDefinition(Published, discriminator="SegmentDefinition"):
    """What a segment is; `rev` is its public version. `folded` is its name, whatever its case.

    `query_text` is the query as typed, `normalized` the canonical text of the same. `changed_in`, `changed_at` and
    `changed_cause` say since which version of the catalogue, when and by what it means what it means; of one that is
    deleted, these are those of its deletion.
    """

    shop = UnicodeAttribute()
    segment_id = UnicodeAttribute()
    segment_kind = UnicodeAttribute()
    name = UnicodeAttribute()
    folded = UnicodeAttribute()
    description = UnicodeAttribute(null=True)
    query_text = UnicodeAttribute(null=True)
    normalized = UnicodeAttribute(null=True)
    picture_url = UnicodeAttribute(null=True)
    goals = CompactJSONAttribute(default=list)
    created_at = UTCDateTimeAttribute()
    created_by = UnicodeAttribute()
    updated_at = UTCDateTimeAttribute()
    updated_by = UnicodeAttribute()
    changed_in = NumberAttribute()
    changed_at = UTCDateTimeAttribute()
    changed_cause = UnicodeAttribute()
    deleted_at = UTCDateTimeAttribute(null=True)

    @classmethod
    def of(cls, shop: str, segment_id: str) -> Self:
        return cls(segments_key(shop), f"SEGMENT#{segment_id}", shop=shop, segment_id=segment_id)

    def put_away(self) -> Self:
        """The same, where only its id leads to it."""
        away = type(self)(self.pk, gone_key(self.segment_id))
        for name in type(self).get_attributes().keys() - {"pk", "sk", "kind"}:
            setattr(away, name, getattr(self, name))
        return away


class SegmentVersion(Item, discriminator="SegmentVersion"):
    """What a definition was in one of its versions, so that history can say by what somebody came to be a member."""

    segment_id = UnicodeAttribute()
    version = NumberAttribute()
    name = UnicodeAttribute()
    query_text = UnicodeAttribute(null=True)
    normalized = UnicodeAttribute(null=True)
    changed_in = NumberAttribute()
    written_at = UTCDateTimeAttribute()
    written_by = UnicodeAttribute()

    @classmethod
    def of(cls, definition: SegmentDefinition) -> Self:
        """The version that a definition has, once it is revised."""
        version = int(definition.rev)
        return cls(
            definition.pk,
            version_key(definition.segment_id, version),
            segment_id=definition.segment_id,
            version=version,
            name=definition.name,
            query_text=definition.query_text,
            normalized=definition.normalized,
            changed_in=definition.changed_in,
            written_at=definition.updated_at,
            written_by=definition.updated_by,
        )


class SegmentsReady(Item, discriminator="SegmentsReady"):
    """The last version of the catalogue for which all customers have been looked at. No part of the catalogue: those
    who edit that would otherwise be held up.
    """

    ready_in = NumberAttribute()
    ready_at = UTCDateTimeAttribute()

    @classmethod
    def of(cls, shop: str) -> Self:
        return cls(segments_key(shop), "READY")


class SegmentsWalk(Published, discriminator="SegmentsWalk"):
    """Where the walk over all customers stands (crm/segmentation/laps.py), and until when it rests. No part of an
    operation: whichever is the newest goes on with it. Nor of the catalogue, likewise.
    """

    stored = CompactJSONAttribute(default=dict)
    rests_until = UTCDateTimeAttribute(null=True)

    @classmethod
    def of(cls, shop: str) -> Self:
        return cls(segments_key(shop), "WALK")

    def walk(self) -> Walk:
        return msgspec.convert(self.stored, Walk)

    def keep(self, walk: Walk) -> None:
        self.stored = msgspec.to_builtins(walk)


class RfmThresholds(Item, discriminator="RfmThresholds"):
    """The bounds of RFM scores in one version (crm/segmentation/rfm.py), as of the day `scored_on`."""

    version = NumberAttribute()
    scored_on = UnicodeAttribute()
    zone = UnicodeAttribute()
    currency = UnicodeAttribute()
    customer_count = NumberAttribute()
    recency = CompactJSONAttribute(default=list)
    frequency = CompactJSONAttribute(default=list)
    monetary = CompactJSONAttribute(default=list)
    drawn_at = UTCDateTimeAttribute()
    operation_id = UnicodeAttribute()

    @classmethod
    def of(cls, shop: str, version: int) -> Self:
        return cls(segments_key(shop), rfm_key(version), version=version)

    def drawn(self) -> Thresholds:
        return Thresholds(
            int(self.version),
            date.fromisoformat(self.scored_on),
            self.zone,
            self.currency,
            int(self.customer_count),
            tuple(date.fromisoformat(day) for day in self.recency),
            tuple(int(value) for value in self.frequency),
            tuple(int(value) for value in self.monetary),
        )


class SegmentInsights(Item, discriminator="SegmentInsights"):
    """What was typical of a segment's members at `as_of` (crm/segmentation/traits.py)."""

    segment_id = UnicodeAttribute()
    as_of = UTCDateTimeAttribute()
    currency = UnicodeAttribute()
    typical = CompactJSONAttribute(default=dict)

    @classmethod
    def of(cls, shop: str, segment_id: str) -> Self:
        return cls(segments_key(shop), f"INSIGHTS#{segment_id}", segment_id=segment_id)


class CustomerCensus(Item, discriminator="CustomerCensus"):
    """How many customers a shop had, and places spread evenly over their list (crm/segmentation/sampling.py)."""

    customer_count = NumberAttribute()
    counted_at = UTCDateTimeAttribute()
    marks = CompactJSONAttribute(default=list)

    @classmethod
    def of(cls, shop: str) -> Self:
        return cls(segments_key(shop), "CENSUS")


class SoldWords(Item, discriminator="SoldWords"):
    """What customers of a shop had bought at `found_at`, as queries name it (crm/segmentation/sold.py)."""

    words = CompactJSONAttribute(default=dict)
    found_at = UTCDateTimeAttribute()

    @classmethod
    def of(cls, shop: str) -> Self:
        return cls(segments_key(shop), "SOLD")


def segments_key(shop: str) -> str:
    return f"SHOP#{shop}#SEGMENTS"


def gone_key(segment_id: str) -> str:
    return f"GONE#{segment_id}"


def version_key(segment_id: str, version: int) -> str:
    return f"VERSION#{segment_id}#{version:010}"


def rfm_key(version: int) -> str:
    return f"RFM#{version:010}"
