# crm/segmentation/service.py
"""What can be done with segments: the only door into this area. Called by resolvers and functions alike."""

from collections.abc import Mapping
from typing import Final

from crm.customers.service import Snapshot
from crm.kernel.operations import Step
from crm.segmentation import (
    backfill,
    by_hand,
    defining,
    drafting,
    explaining,
    in_force,
    insights,
    previewing,
    refreshing,
    repository,
    scoring,
    touching,
)
from crm.segmentation import known_texts as texts
from crm.segmentation import overlap as overlapping
from crm.segmentation.books import REFRESH
from crm.segmentation.by_hand import MOST_AT_ONCE as MOST_BY_HAND
from crm.segmentation.by_hand import Said
from crm.segmentation.causes import CauseKind, cause_kind
from crm.segmentation.defining import MOST_SEGMENTS, Edited, SegmentFields
from crm.segmentation.explaining import Explained
from crm.segmentation.in_force import InForce, Meaning, Segment, Status
from crm.segmentation.insights import Insights
from crm.segmentation.language import suggesting
from crm.segmentation.language.catalogue import Catalogue
from crm.segmentation.language.compiling import Compiled, Understood
from crm.segmentation.language.explaining import Explanation
from crm.segmentation.language.facts import ORIGINS, Rfm
from crm.segmentation.language.facts import Fact as FactKind
from crm.segmentation.language.mistakes import Mistake
from crm.segmentation.language.reading import Reads
from crm.segmentation.language.suggesting import Suggestion
from crm.segmentation.language.templates import TEMPLATES, Template
from crm.segmentation.models import DYNAMIC, STATIC, SegmentDefinition, SegmentVersion
from crm.segmentation.overlap import MOST_COUNTED, Overlap, Region
from crm.segmentation.overlap import MOST_SEGMENTS as MOST_OVERLAPPING
from crm.segmentation.previewing import MOST as MOST_LOOKED_AT
from crm.segmentation.previewing import MOST_WITH_HISTORIES, Looked
from crm.segmentation.recording import HEADS
from crm.segmentation.refusals import QueryFault, SegmentNamed, TooManySegments
from crm.segmentation.repository import PAGES_OF_LEFT
from crm.segmentation.rfm import Thresholds
from crm.segmentation.sampling import SHARED_BY, Sample
from crm.segmentation.stays import (
    SHARDS,
    LeftSince,
    SegmentLeaving,
    SegmentMembership,
    SegmentSaid,
    SegmentsByHand,
)
from crm.segmentation.touching import EVERYTHING, NOTHING, TOUCHED_BY, CustomerEvent, Touched
from crm.segmentation.traits import Choice, Number, Share, Typical
from crm.segmentation.transitions import Interval, OpenMembership

__all__ = [
    "DYNAMIC",
    "EVERYTHING",
    "HEADS",
    "MOST_BY_HAND",
    "MOST_COUNTED",
    "MOST_LOOKED_AT",
    "MOST_OVERLAPPING",
    "MOST_SEGMENTS",
    "MOST_WITH_HISTORIES",
    "NOTHING",
    "ORIGINS",
    "PAGES_OF_LEFT",
    "REFRESH",
    "SHARDS",
    "SHARED_BY",
    "STATIC",
    "STEPS",
    "TEMPLATES",
    "TOUCHED_BY",
    "Catalogue",
    "CauseKind",
    "Choice",
    "Compiled",
    "CustomerEvent",
    "Edited",
    "Explained",
    "Explanation",
    "FactKind",
    "InForce",
    "Insights",
    "Interval",
    "LeftSince",
    "Looked",
    "Meaning",
    "Mistake",
    "Number",
    "OpenMembership",
    "Overlap",
    "QueryFault",
    "Reads",
    "Region",
    "Rfm",
    "Said",
    "Sample",
    "Segment",
    "SegmentDefinition",
    "SegmentFields",
    "SegmentLeaving",
    "SegmentMembership",
    "SegmentNamed",
    "SegmentSaid",
    "SegmentVersion",
    "SegmentsByHand",
    "Share",
    "Snapshot",
    "Status",
    "Suggestion",
    "Template",
    "Thresholds",
    "TooManySegments",
    "Touched",
    "Typical",
    "Understood",
    "add_members",
    "attribute_changed",
    "begin_day",
    "bring_up",
    "cause_kind",
    "create",
    "current",
    "delete",
    "duplicate",
    "explain_query",
    "explain_segment",
    "filters_at",
    "find",
    "find_many",
    "get",
    "get_version",
    "histories",
    "history",
    "history_in",
    "insights_of",
    "known_texts",
    "list_by_hand",
    "list_definitions",
    "list_leavings",
    "list_left",
    "list_members",
    "list_memberships",
    "list_versions",
    "look",
    "may_be_named",
    "members_among",
    "mistakes_of",
    "newest",
    "open_segments",
    "overlap",
    "ready_in",
    "recompute",
    "refresh",
    "remove_members",
    "requests",
    "rfm_of",
    "shop_changed",
    "touched",
    "understood",
    "update",
    "values_at",
    "wake",
]

STEPS: Final[Mapping[str, Step]] = {
    REFRESH: backfill.step,
    insights.INSIGHTS: insights.step,
    scoring.SCORE: scoring.step,
}
"""How each of segmentation's operations goes on, by its name."""

create = defining.create
update = defining.update
delete = defining.delete
duplicate = defining.duplicate
recompute = defining.recompute
attribute_changed = defining.attribute_changed
shop_changed = defining.shop_changed
find = defining.find
find_many = repository.find_many
get = defining.get
get_version = repository.get_version
ready_in = repository.ready_in
list_definitions = defining.list_definitions
list_versions = repository.list_versions
current = in_force.current
newest = drafting.newest
may_be_named = drafting.may_be_named
mistakes_of = drafting.mistakes_of
understood = drafting.understood
known_texts = texts.known_texts
filters_at = suggesting.filters_at
values_at = suggesting.values_at
explain_query = explaining.explain_query
explain_segment = explaining.explain_segment
look = previewing.look
members_among = previewing.members_among
histories = previewing.histories
requests = previewing.requests
overlap = overlapping.overlap
begin_day = scoring.score_shop
rfm_of = scoring.rfm_of
insights_of = insights.insights
list_members = repository.list_members
list_memberships = repository.list_memberships
list_left = repository.list_left
list_leavings = repository.list_leavings
list_by_hand = repository.list_by_hand
add_members = by_hand.add_members
remove_members = by_hand.remove_members
history = repository.history
history_in = repository.history_in
touched = touching.touched
refresh = refreshing.refresh
wake = refreshing.wake
bring_up = refreshing.bring_up
open_segments = refreshing.open_segments
