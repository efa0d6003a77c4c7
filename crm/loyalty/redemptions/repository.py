# crm/loyalty/redemptions/repository.py
"""Every read of redemptions; writes go through a Change."""

from collections.abc import Iterable
from datetime import datetime

from pynamodb.exceptions import DoesNotExist

from crm.kernel import batch_reads, timeline
from crm.kernel.settings import settings
from crm.kernel.table import customer_key
from crm.loyalty.redemptions import codes
from crm.loyalty.redemptions.models import Redemption, RedemptionStatus, RewardUses, Voucher


def get_redemption(shop: str, customer_id: str, redemption_id: str) -> Redemption | None:
    """AP-213."""
    key = Redemption.of(shop, customer_id, redemption_id)
    try:
        return Redemption.get(key.pk, key.sk, consistent_read=True)
    except DoesNotExist:
        return None


def get_redemptions(shop: str, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Redemption]:
    """By customer and redemption id, in batch reads of the exact keys of AP-213 (AP-219)."""
    items = [Redemption.of(shop, *key) for key in keys]
    raw_items = batch_reads.read(settings().crm_table, [(item.pk, item.sk) for item in items])
    return {(item.customer_id, item.redemption_id): item for item in map(Redemption.from_raw_data, raw_items)}


def list_redemptions(
    shop: str, customer_id: str, *, before: str | None, limit: int, usable_at: datetime | None = None
) -> list[Redemption]:
    """A customer's redemptions, newest first, from behind the timeline key `before`; those only whose voucher can be
    used at an instant (AP-214).
    """
    only = None
    if usable_at is not None:
        in_time = Redemption.voucher_until.does_not_exist() | (Redemption.voucher_until > usable_at)
        only = (Redemption.status == RedemptionStatus.FULFILLED) & in_time
    pk = customer_key(shop, customer_id)
    return timeline.newest(Redemption, pk, "REDEMPTION#", before=before, limit=limit, only=only)


def get_uses(shop: str, customer_id: str, reward_id: str) -> RewardUses:
    """How often a customer has redeemed a reward (AP-215)."""
    key = RewardUses.of(shop, customer_id, reward_id)
    try:
        return RewardUses.get(key.pk, key.sk, consistent_read=True)
    except DoesNotExist:
        return key


def list_uses(shop: str, customer_id: str) -> dict[str, RewardUses]:
    """Of all rewards that a customer ever redeemed, by reward, in one Query (AP-216)."""
    uses = RewardUses.sk.startswith("USES#")
    found = RewardUses.query(customer_key(shop, customer_id), range_key_condition=uses, consistent_read=True)
    return {item.reward_id: item for item in found}


def find_redemption(shop: str, code: str) -> Redemption | None:
    """What a code was given for, however it was typed (AP-217, AP-213). Of what is no code of ours, nothing is read."""
    known = codes.canonical(code)
    if known is None:
        return None
    key = Voucher.of(shop, known)
    try:
        voucher = Voucher.get(key.pk, key.sk, consistent_read=True)
    except DoesNotExist:
        return None
    return get_redemption(shop, voucher.customer_id, voucher.redemption_id)
