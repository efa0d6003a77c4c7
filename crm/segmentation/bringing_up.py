# crm/segmentation/bringing_up.py
"""Customers brought up to what a shop's segments mean, many at once. One who cannot be brought up holds up no other."""

from collections.abc import Sequence
from datetime import datetime

from crm.customers import service as customers
from crm.customers.service import Customer, SegmentsHead
from crm.kernel import side_by_side
from crm.kernel.operations import Operation
from crm.kernel.table import Published
from crm.segmentation import refreshing
from crm.segmentation.in_force import InForce
from crm.segmentation.recording import GUARDED_BY
from crm.segmentation.stays import SegmentsByHand


def bring_up(
    operation: Operation, ids: Sequence[str], definitions: InForce, *, patient: bool, now: datetime
) -> list[str]:
    """Count in whom anything changed, and return who is given up on: nobody while one is `patient`, when what may pass
    is raised.
    """
    if not ids:
        return []
    found = customers.snapshots(operation.shop, ids, _heads(definitions))
    changed = side_by_side.for_each(
        operation.shop, found, lambda snapshot: bool(refreshing.bring_up(snapshot, definitions, now=now)),
        otherwise="memberships not brought up", patient=patient,
    )  # fmt: skip
    operation.applied_count += sum(changed.values())
    return [customer_id for customer_id in found if customer_id not in changed]


def _heads(definitions: InForce) -> list[type[Published]]:
    """What of the customers is read: what decides about any of the segments."""
    facts = {fact for segment in definitions.segments.values() for fact in segment.reads.facts}
    read = {GUARDED_BY[fact] for fact in facts if fact in GUARDED_BY}
    return [Customer, SegmentsHead, SegmentsByHand, *sorted(read, key=lambda kind: str(kind.SK))]
