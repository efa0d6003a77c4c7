# crm/segmentation/events.py
"""What segmentation publishes."""

from datetime import datetime
from typing import ClassVar, Self

from crm.kernel.domain_events import DomainEvent
from crm.kernel.publishing import change_id
from crm.segmentation.causes import cause_kind
from crm.segmentation.stays import SegmentMembership


class SegmentChanged(DomainEvent, frozen=True):
    """A customer's stay in a segment began or ended at `occurred_at`. Published as one of the two below.

    `by` is the kind of the cause: what a changed `definition` did is no reason to begin or end a journey.
    """

    detail_type: ClassVar[str]

    id: str
    shop: str
    customer_id: str
    segment_id: str
    definition_version: int
    rev: int
    occurred_at: datetime
    cause: str
    by: str
    replayed: bool


class SegmentEntered(SegmentChanged, frozen=True):
    """A customer's stay in a segment began, at `occurredAt`."""

    detail_type: ClassVar[str] = "segment.entered"

    @classmethod
    def of(cls, stay: SegmentMembership) -> Self:
        return cls(
            f"{change_id(stay)}:entered", stay.shop, stay.customer_id, stay.segment_id, int(stay.version),
            int(stay.rev), stay.entered_at, stay.entered_cause, cause_kind(stay.entered_cause).value,
            bool(stay.replayed),
        )  # fmt: skip


class SegmentLeft(SegmentChanged, frozen=True):
    """A customer's stay in a segment ended, at `occurredAt`."""

    detail_type: ClassVar[str] = "segment.left"

    @classmethod
    def of(cls, stay: SegmentMembership) -> Self:
        if stay.left_at is None:
            raise ValueError(f"{stay.sk} has not ended")
        cause = stay.left_cause or ""
        return cls(
            f"{change_id(stay)}:left", stay.shop, stay.customer_id, stay.segment_id, int(stay.left_version or 0),
            int(stay.rev), stay.left_at, cause, cause_kind(cause).value, bool(stay.replayed),
        )  # fmt: skip


def changes_of(stay: SegmentMembership) -> list[SegmentChanged]:
    """What a stored revision says: a stay begins with its first, and may have ended with it (history told late)."""
    entered: list[SegmentChanged] = [SegmentEntered.of(stay)] if stay.rev == 1 else []
    return entered + ([SegmentLeft.of(stay)] if stay.left_at else [])
