# crm/segmentation/events.py
"""What segmentation publishes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from crm.kernel import clock
from crm.kernel.details import Detail
from crm.kernel.publishing import change_id
from crm.segmentation.models import SegmentMembership


@dataclass(frozen=True)
class SegmentChanged:
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

    def detail(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "shop": self.shop,
            "customerId": self.customer_id,
            "segmentId": self.segment_id,
            "rev": self.rev,
            "occurredAt": clock.text(self.occurred_at),
            "cause": self.cause,
            "replayed": self.replayed,
        }

    @classmethod
    def parse(cls, detail: dict[str, Any]) -> Self:
        """Raises InvalidInput."""
        told = Detail(detail)
        return cls(
            id=told.text("id"),
            shop=told.text("shop"),
            customer_id=told.text("customerId"),
            segment_id=told.text("segmentId"),
            rev=told.whole("rev"),
            occurred_at=told.instant("occurredAt"),
            cause=told.text("cause"),
            replayed=told.flag("replayed"),
        )


@dataclass(frozen=True)
class SegmentEntered(SegmentChanged):
    """A customer's stay in a segment began, at `occurredAt`."""

    detail_type: ClassVar[str] = "segment.entered"

    @classmethod
    def of(cls, stay: SegmentMembership) -> Self:
        return cls(
            f"{change_id(stay)}:entered", stay.shop, stay.customer_id, stay.segment_id, int(stay.rev),
            stay.entered_at, stay.entered_cause, bool(stay.replayed),
        )  # fmt: skip


@dataclass(frozen=True)
class SegmentLeft(SegmentChanged):
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
