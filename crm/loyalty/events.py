# crm/loyalty/events.py
"""What loyalty publishes."""

from datetime import datetime
from typing import ClassVar, Self

from crm.kernel.domain_events import DomainEvent
from crm.kernel.publishing import change_id
from crm.loyalty.models import Enrolled, ExpiryNotice, LedgerEntry


class PointsPosted(DomainEvent, frozen=True):
    """Points moved. `points` is what the balance moved by, below zero where they were taken back. `postings` are all
    that moved, by account (docs/loyalty.md); they sum to zero. `number` is its place in the customer's ledger, and
    `fingerprint` covers the entry and all before it: whoever keeps both can tell a ledger that was written anew.
    """

    detail_type: ClassVar[str] = "points.posted"

    id: str
    shop: str
    customer_id: str
    rev: int
    movement: str
    points: int
    balance_after: int
    postings: dict[str, int]
    order_id: str | None
    occurred_at: datetime
    cause: str
    replayed: bool
    number: int = 0
    fingerprint: str = ""

    @classmethod
    def of(cls, entry: LedgerEntry) -> Self:
        return cls(
            id=change_id(entry),
            shop=entry.shop,
            customer_id=entry.customer_id,
            rev=int(entry.rev),
            movement=entry.movement,
            points=int(entry.points),
            balance_after=int(entry.balance_after),
            postings={str(one.account): int(one.points) for one in entry.postings},
            order_id=entry.order_id,
            occurred_at=entry.occurred_at,
            cause=entry.cause or "",
            replayed=bool(entry.replayed),
            number=int(entry.number),
            fingerprint=entry.fingerprint or "",
        )


class LoyaltyEnrolled(DomainEvent, frozen=True):
    """A customer takes part in the shop's programme since `enrolledAt`."""

    detail_type: ClassVar[str] = "loyalty.enrolled"

    id: str
    shop: str
    customer_id: str
    rev: int
    enrolled_at: datetime
    occurred_at: datetime
    cause: str
    replayed: bool

    @classmethod
    def of(cls, enrolled: Enrolled) -> Self:
        return cls(
            id=change_id(enrolled),
            shop=enrolled.shop,
            customer_id=enrolled.customer_id,
            rev=int(enrolled.rev),
            enrolled_at=enrolled.enrolled_at,
            occurred_at=enrolled.enrolled_at,
            cause=enrolled.cause or "",
            replayed=bool(enrolled.replayed),
        )


class PointsExpiring(DomainEvent, frozen=True):
    """Points expire at `expiresAt` unless they are spent before; told once of all that expire then, as long before as
    the programme says.
    """

    detail_type: ClassVar[str] = "points.expiring"

    id: str
    shop: str
    customer_id: str
    rev: int
    points: int
    expires_at: datetime
    occurred_at: datetime
    cause: str
    replayed: bool

    @classmethod
    def of(cls, notice: ExpiryNotice) -> Self:
        return cls(
            id=change_id(notice),
            shop=notice.shop,
            customer_id=notice.customer_id,
            rev=int(notice.rev),
            points=int(notice.points),
            expires_at=notice.ends_at,
            occurred_at=notice.noticed_at,
            cause=notice.cause or "",
            replayed=bool(notice.replayed),
        )
