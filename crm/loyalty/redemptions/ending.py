# crm/loyalty/redemptions/ending.py
"""What a redemption takes beside points, and how it ends: its voucher is used, or all that it took goes back."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum

from crm.kernel.change import Change
from crm.kernel.errors import CrmError, Stale
from crm.kernel.ids import shard_of
from crm.loyalty.redemptions import repository
from crm.loyalty.redemptions.models import (
    COUNT_SHARDS,
    Redemption,
    RedemptionStatus,
    RewardCount,
    RewardStock,
    RewardUses,
    UsableVoucher,
    VoucherUse,
)

KEPT = timedelta(days=366)
"""As long as any limit but that for ever looks back."""


class Unusable(StrEnum):
    """Why an order could not use the voucher that it names."""

    USED_BEFORE = "USED_BEFORE"
    """By something else."""
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


def take(change: Change, shop: str, redemption: Redemption, uses: RewardUses, *, otherwise: CrmError) -> None:
    """Add to `change`: one use more and, where the redemption `took_stock`, one piece less; `otherwise` where there is
    none left: not where there is any number meanwhile.
    """
    if redemption.took_stock:
        left = RewardStock.total.does_not_exist() | (RewardStock.taken < RewardStock.total)
        stock = RewardStock.of(shop, redemption.reward_id)
        change.update(stock, [RewardStock.taken.add(1)], when=left, otherwise=otherwise)
    _count_redeemed(change, shop, redemption, 1)
    _count(change, uses, date.fromisoformat(redemption.counted_on), 1)


def fulfil(change: Change, redemption: Redemption) -> None:
    """Add to `change`: the redemption, which has its code now, and its voucher among those that can be used."""
    redemption.rev = int(redemption.rev) + 1
    change.write(redemption, when=None, otherwise=Stale())  # while it is held, only ever with its account
    change.write(UsableVoucher.of(redemption), when=None, otherwise=Stale())


def use(change: Change, redemption: Redemption) -> None:
    """Add to `change`: the redemption, whose voucher is used, also where only its order became known since."""
    redemption.status = RedemptionStatus.USED
    change.revise(redemption)
    change.write(VoucherUse.of(redemption), when=None, otherwise=Stale())
    change.delete(UsableVoucher.of(redemption), when=None, otherwise=Stale())


def give_back(
    change: Change, shop: str, redemption: Redemption, status: RedemptionStatus, *, cause: str, at: datetime
) -> None:
    """Add to `change`: the redemption has ended so, and its use and its piece of the stock are free again."""
    _count_redeemed(change, shop, redemption, -1)
    if redemption.code:
        change.delete(UsableVoucher.of(redemption), when=None, otherwise=Stale())
    if redemption.took_stock:
        stock = RewardStock.of(shop, redemption.reward_id)
        change.update(stock, [RewardStock.taken.add(-1)], when=None, otherwise=Stale())
    uses = repository.get_uses(shop, redemption.customer_id, redemption.reward_id)
    _count(change, uses, date.fromisoformat(redemption.counted_on), -1)
    redemption.status, redemption.ended_at, redemption.cause = status, at, cause
    change.revise(redemption)


def let_go(change: Change, shop: str, customer_id: str, redemption_id: str, *, cause: str, at: datetime) -> None:
    """Add to `change`: time has let the redemption's hold go."""
    redemption = repository.get_redemption(shop, customer_id, redemption_id)
    if redemption is None or redemption.status != RedemptionStatus.HELD:
        raise Stale  # somebody has moved it on since its account was read
    give_back(change, shop, redemption, RedemptionStatus.RELEASED, cause=cause, at=at)


def unusable(redemption: Redemption, *, order_id: str, placed_at: datetime) -> Unusable | None:
    """Why an order cannot use a voucher; None: it can, or has. Where a checkout has used it before and not said for
    which order, this is the one.
    """
    match redemption.status:
        case RedemptionStatus.FULFILLED:
            return Unusable.EXPIRED if is_over(redemption, placed_at) else None
        case RedemptionStatus.USED:
            return None if redemption.order_id in {None, order_id} else Unusable.USED_BEFORE
        case _:
            return Unusable.CANCELLED


def use_by_order(
    change: Change, redemption: Redemption, *, order_id: str, placed_at: datetime, replayed: bool = False
) -> None:
    """Add to `change`: the voucher that an order names as its coupon is used by it, whoever's it is. Of several such
    orders the first that comes has it. Nothing is added where this one has it already.
    """
    if redemption.order_id == order_id:
        return
    cause = f"order:{order_id}:voucher"
    if redemption.status == RedemptionStatus.FULFILLED:
        redemption.ended_at, redemption.used_by = placed_at, cause
    redemption.order_id, redemption.cause, redemption.replayed = order_id, cause, replayed
    use(change, redemption)


def is_over(redemption: Redemption, at: datetime) -> bool:
    """Whether its voucher cannot be used any more, since it was not in time."""
    return redemption.voucher_until is not None and redemption.voucher_until <= at


def status_at(redemption: Redemption, now: datetime) -> RedemptionStatus:
    """As it is, also where time has changed it and nothing was written."""
    status = RedemptionStatus(redemption.status)
    return RedemptionStatus.EXPIRED if status is RedemptionStatus.FULFILLED and is_over(redemption, now) else status


def hand_over(change: Change, uses: RewardUses, to: RewardUses) -> None:
    """Add to `change`: what one customer has used is another's. Both accounts are held to in it."""
    _add(change, to, uses.by_day(), int(uses.ever))
    uses.days, uses.ever, uses.moved = {}, 0, True
    change.write(uses, when=None, otherwise=Stale())


def _count_redeemed(change: Change, shop: str, redemption: Redemption, more: int) -> None:
    count = RewardCount.of(shop, redemption.reward_id, shard_of(redemption.customer_id, COUNT_SHARDS))
    change.update(
        count, [RewardCount.redeemed.add(more), RewardCount.reward_id.set(redemption.reward_id)],
        when=None, otherwise=Stale(),
    )  # fmt: skip


def _count(change: Change, uses: RewardUses, day: date, more: int) -> None:
    _add(change, uses, {day: more}, more)


def _add(change: Change, uses: RewardUses, more: Mapping[date, int], ever: int) -> None:
    days = uses.by_day()
    for day, n in more.items():
        days[day] = days.get(day, 0) + n
    newest, least = max(days, default=date.min), None if uses.moved else 0
    kept = {day: n for day, n in days.items() if n and (least is None or n > least) and day > newest - KEPT}
    uses.days = {str(day): n for day, n in sorted(kept.items())}
    uses.ever = int(uses.ever) + ever if least is None else max(least, int(uses.ever) + ever)
    change.write(uses, when=None, otherwise=Stale())
