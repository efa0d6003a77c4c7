# crm/loyalty/tiers/events.py
"""What is published of tiers."""

from datetime import datetime
from typing import ClassVar, Self

from crm.kernel.domain_events import DomainEvent
from crm.kernel.publishing import change_id
from crm.loyalty.tiers.models import TierChange, TierNotice


class TierChanged(DomainEvent, frozen=True):
    """A customer has another tier, or none any more, or theirs is called something else. `direction` is 1 where it is a
    higher one, -1 where a lower.
    """

    detail_type: ClassVar[str] = "tier.changed"

    id: str
    shop: str
    customer_id: str
    rev: int
    tier_id: str | None
    tier: str | None
    previous_tier_id: str | None
    previous_tier: str | None
    direction: int
    reason: str
    order_id: str | None
    occurred_at: datetime
    cause: str
    replayed: bool

    @classmethod
    def of(cls, change: TierChange) -> Self | None:
        """None of an override that gives what the customer had."""
        if (change.before_id, change.before_name) == (change.after_id, change.after_name):
            return None
        return cls(
            id=change_id(change),
            shop=change.shop,
            customer_id=change.customer_id,
            rev=int(change.rev),
            tier_id=change.after_id,
            tier=change.after_name,
            previous_tier_id=change.before_id,
            previous_tier=change.before_name,
            direction=int(change.direction),
            reason=change.why,
            order_id=change.order_id,
            occurred_at=change.occurred_at,
            cause=change.cause or "",
            replayed=bool(change.replayed),
        )


class TierDowngradeUpcoming(DomainEvent, frozen=True):
    """A customer's tier ends in the morning of `endsOn` (in the programme's zone), unless they reach `missing` more
    before: of what `basis` says (POINTS, SPEND in minor units, ORDERS); null: in any case. `nextTier` is what they
    have then.
    """

    detail_type: ClassVar[str] = "tier.downgrade_upcoming"

    id: str
    shop: str
    customer_id: str
    rev: int
    tier_id: str
    tier: str
    next_tier_id: str | None
    next_tier: str | None
    ends_on: str
    basis: str
    missing: int | None
    occurred_at: datetime
    cause: str
    replayed: bool

    @classmethod
    def of(cls, notice: TierNotice) -> Self:
        return cls(
            id=change_id(notice),
            shop=notice.shop,
            customer_id=notice.customer_id,
            rev=int(notice.rev),
            tier_id=notice.tier_id,
            tier=notice.tier_name,
            next_tier_id=notice.after_id,
            next_tier=notice.after_name,
            ends_on=notice.ends_on,
            basis=notice.basis,
            missing=None if notice.missing is None else int(notice.missing),
            occurred_at=notice.occurred_at,
            cause=notice.cause or "",
            replayed=bool(notice.replayed),
        )
