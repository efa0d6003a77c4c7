# crm/loyalty/redemptions/coupons.py
"""Vouchers that orders name as their coupons: used, or refused with a trace that staff find."""

from crm.kernel.change import Change
from crm.kernel.errors import Stale
from crm.loyalty.redemptions import ending, repository
from crm.loyalty.redemptions.ending import Unusable
from crm.loyalty.redemptions.models import Redemption
from crm.orders.service import Order


def heed(change: Change, shop: str, order: Order, *, replayed: bool) -> None:
    """Add to `change` what comes of the coupon that an order names. Nothing is read for one that is not of the form of
    our codes, and nothing is added where there is no such voucher.
    """
    redemption = repository.find_redemption(shop, order.coupon or "")
    if redemption is None:
        return
    order_id, placed_at = order.order_id, order.placed_at
    refused = ending.unusable(redemption, order_id=order_id, placed_at=placed_at)
    if refused is None:
        ending.use_by_order(change, redemption, order_id=order_id, placed_at=placed_at, replayed=replayed)
    else:
        _refuse(change, shop, order, redemption, refused, replayed=replayed)


def _refuse(
    change: Change, shop: str, order: Order, redemption: Redemption, reason: Unusable, *, replayed: bool
) -> None:
    """Once for each order, voucher and reason, however often the order is told."""
    refused = repository.get_refused(shop, order.customer_id, order.order_id)
    if refused.rev and (refused.redemption_id, refused.reason) == (redemption.redemption_id, reason):
        return
    refused.redemption_id, refused.given_to = redemption.redemption_id, redemption.customer_id
    refused.reason, refused.occurred_at = reason, order.placed_at
    refused.cause, refused.replayed = f"order:{order.order_id}:voucher", replayed
    refused.rev = int(refused.rev) + 1
    change.write(refused.listed(), when=None, otherwise=Stale())  # with what its order has earned
