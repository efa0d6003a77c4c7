# crm/loyalty/rewards/vouchers.py
"""Vouchers used at a checkout or a till. Those that orders name are used with the orders (crm/loyalty/orders.py)."""

from datetime import datetime

from crm.kernel.actor import Actor
from crm.kernel.change import Change, retrying
from crm.kernel.errors import Fault, InvalidInputs, KeyReused, NotFound
from crm.kernel.operations import key_faults
from crm.kernel.texts import faults
from crm.loyalty.holding import LONGEST_ORDER_ID
from crm.loyalty.ledger import chain
from crm.loyalty.moving import identity
from crm.loyalty.redemptions import ending, repository
from crm.loyalty.redemptions.models import Redemption, RedemptionStatus
from crm.loyalty.rewards.redeeming import Redeemed
from crm.loyalty.rewards.refusals import VoucherUsed, VoucherVoid


def find(shop: str, code: str) -> Redemption:
    """What a code was given for, however it was typed. Raises NotFound, also for a code of another shop."""
    redemption = repository.find_redemption(shop, code)
    if redemption is None:
        raise NotFound("There is no such voucher.", field="code")
    return redemption


def use(
    shop: str, code: str, *, order_id: str | None = None, actor: Actor, idempotency_key: str, now: datetime
) -> Redeemed:
    """Use a voucher, once; of any number who try, one does, and whoever says the same order again is told so. Where
    none was said, the order that names it as its coupon becomes the one; another call does not say so afterwards.

    Raises InvalidInputs, NotFound, VoucherUsed, VoucherVoid, KeyReused.
    """
    if wrong := faults_of_use(order_id, idempotency_key):
        raise InvalidInputs(wrong)
    known = find(shop, code)
    used_by = f"use:{identity('use', known.redemption_id, idempotency_key)}"
    request = chain.request_digest({"order_id": order_id})

    def attempt() -> Redeemed:
        redemption = find(shop, code)
        if redemption.status == RedemptionStatus.USED:
            return _told_before(redemption, used_by, request, order_id)
        if redemption.status != RedemptionStatus.FULFILLED or ending.is_over(redemption, now):
            raise VoucherVoid("It was cancelled, or its last day is over.", field="code")
        redemption.ended_at, redemption.order_id = now, order_id
        redemption.used_by, redemption.use_request, redemption.cause = used_by, request, used_by
        redemption.used_by_actor = str(actor)
        change = Change(now)
        ending.use(change, redemption)
        change.commit()
        return Redeemed(redemption, replayed=False)

    return retrying(attempt)


def faults_of_use(order_id: str | None, idempotency_key: str) -> list[Fault]:
    named = [] if order_id is None else faults("order_id", order_id, longest=LONGEST_ORDER_ID)
    return [*named, *key_faults(idempotency_key)]


def _told_before(redemption: Redemption, used_by: str, request: str, order_id: str | None) -> Redeemed:
    if redemption.used_by == used_by:
        if redemption.use_request != request:
            raise KeyReused("This key came with something else before.", field="idempotency_key")
        return Redeemed(redemption, replayed=True)
    if order_id is not None and redemption.order_id == order_id:
        return Redeemed(redemption, replayed=True)
    raise VoucherUsed("The voucher was used before.", field="code")
