# crm/loyalty/redemptions/events.py
"""What is published of redemptions and their vouchers. Codes are never: whoever has one can use it."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Self

from crm.kernel.domain_events import DomainEvent
from crm.kernel.publishing import change_id
from crm.loyalty.redemptions.models import Redemption, RedemptionStatus, RefusedVoucher


class RewardRedeemed(DomainEvent, frozen=True):
    """A customer has spent `points` for a reward, as it was in its version `rewardVersion`, and has a voucher, which
    can be used until just before `usableUntil`; null: without end.
    """

    detail_type: ClassVar[str] = "reward.redeemed"

    id: str
    shop: str
    customer_id: str
    rev: int
    redemption_id: str
    reward_id: str
    reward_version: int
    points: int
    usable_until: datetime | None
    occurred_at: datetime
    cause: str
    replayed: bool

    @classmethod
    def of(cls, redemption: Redemption) -> Self:
        return cls(
            id=change_id(redemption),
            shop=redemption.shop,
            customer_id=redemption.customer_id,
            rev=int(redemption.rev),
            redemption_id=redemption.redemption_id,
            reward_id=redemption.reward_id,
            reward_version=int(redemption.reward_version),
            points=int(redemption.points),
            usable_until=redemption.voucher_until,
            occurred_at=redemption.redeemed_at,
            cause=redemption.cause or "",
            replayed=bool(redemption.replayed),
        )


class RedemptionCancelled(DomainEvent, frozen=True):
    """A redemption was taken back whose voucher was not used: its `points` have returned, and its code is void."""

    detail_type: ClassVar[str] = "redemption.cancelled"

    id: str
    shop: str
    customer_id: str
    rev: int
    redemption_id: str
    reward_id: str
    points: int
    occurred_at: datetime
    cause: str
    replayed: bool

    @classmethod
    def of(cls, redemption: Redemption) -> Self:
        return cls(
            id=change_id(redemption),
            shop=redemption.shop,
            customer_id=redemption.customer_id,
            rev=int(redemption.rev),
            redemption_id=redemption.redemption_id,
            reward_id=redemption.reward_id,
            points=int(redemption.points),
            occurred_at=redemption.ended_at,
            cause=redemption.cause or "",
            replayed=bool(redemption.replayed),
        )


class VoucherUsed(DomainEvent, frozen=True):
    """A customer's voucher was used, for the order `orderId`; null where that is not known. Told once more when it
    becomes known. The order may be another customer's: whoever has the code can use it.
    """

    detail_type: ClassVar[str] = "voucher.used"

    id: str
    shop: str
    customer_id: str
    rev: int
    redemption_id: str
    reward_id: str
    order_id: str | None
    occurred_at: datetime
    cause: str
    replayed: bool

    @classmethod
    def of(cls, redemption: Redemption) -> Self:
        return cls(
            id=change_id(redemption),
            shop=redemption.shop,
            customer_id=redemption.customer_id,
            rev=int(redemption.rev),
            redemption_id=redemption.redemption_id,
            reward_id=redemption.reward_id,
            order_id=redemption.order_id,
            occurred_at=redemption.ended_at,
            cause=redemption.cause or "",
            replayed=bool(redemption.replayed),
        )


class VoucherRefused(DomainEvent, frozen=True):
    """An order of a customer's names a voucher that it could not use, for a `reason`: USED_BEFORE, CANCELLED or
    EXPIRED. Whose voucher that was says `givenTo`.
    """

    detail_type: ClassVar[str] = "voucher.refused"

    id: str
    shop: str
    customer_id: str
    rev: int
    order_id: str
    redemption_id: str
    given_to: str
    reason: str
    occurred_at: datetime
    cause: str
    replayed: bool

    @classmethod
    def of(cls, refused: RefusedVoucher) -> Self:
        return cls(
            id=change_id(refused),
            shop=refused.shop,
            customer_id=refused.customer_id,
            rev=int(refused.rev),
            order_id=refused.order_id,
            redemption_id=refused.redemption_id,
            given_to=refused.given_to,
            reason=refused.reason,
            occurred_at=refused.occurred_at,
            cause=refused.cause or "",
            replayed=bool(refused.replayed),
        )


def events_of(redemption: Redemption) -> Sequence[DomainEvent]:
    """What a redemption says as it is. Of one that was never fulfilled nobody was told, nor is of its end."""
    match redemption.status:
        case RedemptionStatus.FULFILLED:
            return [RewardRedeemed.of(redemption)]
        case RedemptionStatus.USED:
            return [VoucherUsed.of(redemption)]
        case RedemptionStatus.CANCELLED if redemption.code:
            return [RedemptionCancelled.of(redemption)]
        case _:
            return []
