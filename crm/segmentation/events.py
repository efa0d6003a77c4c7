# crm/segmentation/events.py
"""What segmentation publishes."""

from datetime import datetime
from typing import ClassVar, Self

from crm.kernel.domain_events import DomainEvent
from crm.kernel.publishing import change_id
from crm.segmentation.stays import SegmentMembership


class SegmentChanged(DomainEvent, frozen=True):
    """A customer's stay in a segment began or ended at `occurred_at`. Published as one of the two below."""

    detail_type: ClassVar[str]

    id: str
    shop: str
    customer_id: str
    segment_id: str
    rev: int
    occurred_at: datetime
    cause: str
    replayed: bool


class SegmentEntered(SegmentChanged, frozen=True):
    """A customer's stay in a segment began, at `occurredAt`."""

    detail_type: ClassVar[str] = "segment.entered"

    @classmethod
    def of(cls, stay: SegmentMembership) -> Self:
        return cls(
            f"{change_id(stay)}:entered", stay.shop, stay.customer_id, stay.segment_id, int(stay.rev),
            stay.entered_at, stay.entered_cause, bool(stay.replayed),
        )  # fmt: skip


class SegmentLeft(SegmentChanged, frozen=True):
    """A customer's stay in a segment ended, at `occurredAt`."""

    detail_type: ClassVar[str] = "segment.left"

    @classmethod
    def of(cls, stay: SegmentMembership) -> Self:
        if stay.left_at is None:
            raise ValueError(f"{stay.sk} has not ended")
        return cls(
            f"{change_id(stay)}:left", stay.shop, stay.customer_id, stay.segment_id, int(stay.rev),
            stay.left_at, stay.left_cause or "", bool(stay.replayed),
        )  # fmt: skip


def changes_of(stay: SegmentMembership) -> list[SegmentChanged]:
    """What a stored revision says: a stay begins with its first, and may have ended with it (history told late)."""
    entered: list[SegmentChanged] = [SegmentEntered.of(stay)] if stay.rev == 1 else []
    return entered + ([SegmentLeft.of(stay)] if stay.left_at else [])
