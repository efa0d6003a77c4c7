# crm/loyalty/redemptions/repository.py
"""Every read of redemptions; writes go through a Change."""

from collections.abc import Iterable
from datetime import datetime

from pynamodb.exceptions import DoesNotExist

from crm.kernel import batch_reads, timeline
from crm.kernel.settings import settings
from crm.kernel.table import customer_key
from crm.loyalty.redemptions import codes
from crm.loyalty.redemptions.models import (
    COUNT_SHARDS,
    Redemption,
    RedemptionStatus,
    RefusedVoucher,
    RewardCount,
    RewardUses,
    UsableVoucher,
    Voucher,
    redemptions_list_key,
    refused_list_key,
    usable_key,
)

PAST_ALL_ENDS = "USABLE$"  # sorts behind them


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


def list_redemptions(shop: str, customer_id: str, *, before: str | None, limit: int) -> list[Redemption]:
    """A customer's redemptions, newest first, from behind the timeline key `before` (AP-214)."""
    return timeline.newest(Redemption, customer_key(shop, customer_id), "REDEMPTION#", before=before, limit=limit)


def list_usable(
    shop: str, customer_id: str, *, after: str | None, limit: int, now: datetime
) -> list[tuple[str, Redemption]]:
    """A customer's redemptions whose vouchers can be used, those first that end first, from behind the sort key
    `after`; each with its key (AP-280, AP-219). What has ended sorts before all of them, and is not read.
    """
    first = max(after or "", f"{usable_key(now)}{timeline.LAST}")
    found = UsableVoucher.query(
        customer_key(shop, customer_id), range_key_condition=UsableVoucher.sk.between(first, PAST_ALL_ENDS),
        consistent_read=True, limit=limit + 1,
    )  # fmt: skip
    items = [item for item in found if item.sk != after][:limit]
    redemptions = get_redemptions(shop, [(customer_id, item.redemption_id) for item in items])
    read = [(item.sk, redemptions.get((customer_id, item.redemption_id))) for item in items]
    return [(key, one) for key, one in read if one is not None and one.status == RedemptionStatus.FULFILLED]


def list_of_reward(shop: str, reward_id: str, shard: int, *, before: str | None, limit: int) -> list[Redemption]:
    """A shard of all redemptions of a reward, newest first, from behind the sort key `before` (AP-275)."""
    found = Redemption.listing.query(
        redemptions_list_key(shop, reward_id, shard),
        range_key_condition=Redemption.list_sk < before if before else None,
        scan_index_forward=False,
        limit=limit,
    )
    return [item for item in found if isinstance(item, Redemption)]


def count_redeemed(shop: str, reward_ids: Iterable[str]) -> dict[str, int]:
    """How many redemptions there are of rewards that were not given back, in batch reads (AP-276)."""
    counts = dict.fromkeys(reward_ids, 0)
    items = [RewardCount.of(shop, each, shard) for each in counts for shard in range(COUNT_SHARDS)]
    for raw in batch_reads.read(settings().crm_table, [(item.pk, item.sk) for item in items]):
        count = RewardCount.from_raw_data(raw)
        counts[count.reward_id] += int(count.redeemed)
    return counts


def get_refused(shop: str, customer_id: str, order_id: str) -> RefusedVoucher:
    """That an order could not use the voucher it names (AP-277); new where it could, or names none."""
    key = RefusedVoucher.of(shop, customer_id, order_id)
    try:
        return RefusedVoucher.get(key.pk, key.sk, consistent_read=True)
    except DoesNotExist:
        return key


def list_refused(shop: str, shard: int, *, before: str | None, limit: int) -> list[RefusedVoucher]:
    """A shard of all vouchers of a shop that orders could not use, the last first, from behind the sort key `before`
    (AP-278).
    """
    found = RefusedVoucher.listing.query(
        refused_list_key(shop, shard),
        range_key_condition=RefusedVoucher.list_sk < before if before else None,
        scan_index_forward=False,
        limit=limit,
    )
    return [item for item in found if isinstance(item, RefusedVoucher)]


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
