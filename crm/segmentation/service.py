# crm/segmentation/service.py
"""What can be done with segments: how they are defined, who is in them, and since when. Called by resolvers and
functions alike.

The door into this area, beside three narrower ones: `querying` for whoever writes a query, `measuring` for what is
counted of members, `keeping` for what keeps memberships as segments mean.
"""

from collections.abc import Mapping
from typing import Final

from crm.kernel.operations import Step
from crm.segmentation import backfill, insights, scoring
from crm.segmentation.books import REFRESH
from crm.segmentation.by_hand import MOST_AT_ONCE as MOST_BY_HAND
from crm.segmentation.by_hand import Said, add_members, remove_members
from crm.segmentation.causes import CauseKind, cause_kind
from crm.segmentation.defining import (
    MOST_SEGMENTS,
    Edited,
    SegmentFields,
    create,
    delete,
    duplicate,
    find,
    get,
    list_definitions,
    recompute,
    update,
)
from crm.segmentation.drafting import newest
from crm.segmentation.in_force import InForce, Segment, Status, current
from crm.segmentation.models import DYNAMIC, STATIC, SegmentDefinition, SegmentVersion
from crm.segmentation.refreshing import open_segments
from crm.segmentation.refusals import QueryFault, SegmentNamed
from crm.segmentation.repository import (
    PAGES_OF_LEFT,
    find_many,
    get_version,
    history,
    history_in,
    list_by_hand,
    list_leavings,
    list_left,
    list_members,
    list_memberships,
    list_versions,
    ready_in,
)
from crm.segmentation.scoring import score_shop as begin_day
from crm.segmentation.stays import SHARDS, LeftSince, SegmentLeaving, SegmentMembership, SegmentSaid
from crm.segmentation.transitions import OpenMembership

__all__ = [
    "DYNAMIC",
    "MOST_BY_HAND",
    "MOST_SEGMENTS",
    "PAGES_OF_LEFT",
    "SHARDS",
    "STATIC",
    "STEPS",
    "CauseKind",
    "Edited",
    "InForce",
    "LeftSince",
    "OpenMembership",
    "QueryFault",
    "Said",
    "Segment",
    "SegmentDefinition",
    "SegmentFields",
    "SegmentLeaving",
    "SegmentMembership",
    "SegmentNamed",
    "SegmentSaid",
    "SegmentVersion",
    "Status",
    "add_members",
    "begin_day",
    "cause_kind",
    "create",
    "current",
    "delete",
    "duplicate",
    "find",
    "find_many",
    "get",
    "get_version",
    "history",
    "history_in",
    "list_by_hand",
    "list_definitions",
    "list_leavings",
    "list_left",
    "list_members",
    "list_memberships",
    "list_versions",
    "newest",
    "open_segments",
    "ready_in",
    "recompute",
    "remove_members",
    "update",
]

STEPS: Final[Mapping[str, Step]] = {
    REFRESH: backfill.step,
    insights.INSIGHTS: insights.step,
    scoring.SCORE: scoring.step,
}
"""How each of segmentation's operations goes on, by its name."""
