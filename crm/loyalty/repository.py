# crm/loyalty/repository.py
"""Every read of loyalty items; writes go through a Change."""

from collections.abc import Iterable

from pynamodb.exceptions import DoesNotExist

from crm.kernel import batch_reads, timeline
from crm.kernel.settings import settings
from crm.kernel.table import customer_key
from crm.loyalty.models import LedgerEntry, LoyaltyAccount, OrderEarning


def get_account(shop: str, customer_id: str) -> LoyaltyAccount | None:
    """AP-40. Where the snapshot is at hand, its head is the same."""
    try:
        return LoyaltyAccount.get(customer_key(shop, customer_id), LoyaltyAccount.SK, consistent_read=True)
    except DoesNotExist:
        return None


def get_for_order(shop: str, customer_id: str, order_id: str) -> tuple[LoyaltyAccount, OrderEarning]:
    """The account and what an order has posted, new where there is none, in one batch read (AP-41).

    Not read at one moment: whoever decides by both writes under the condition of both.
    """
    account, earning = LoyaltyAccount.of(shop, customer_id), OrderEarning.of(shop, customer_id, order_id)
    for raw in batch_reads.read(settings().crm_table, [(account.pk, account.sk), (earning.pk, earning.sk)]):
        if raw["sk"]["S"] == account.sk:
            account = LoyaltyAccount.from_raw_data(raw)
        else:
            earning = OrderEarning.from_raw_data(raw)
    return account, earning


def get_earnings(shop: str, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], OrderEarning]:
    """What orders have posted, by customer and order id, in batch reads of their exact keys (AP-125)."""
    by_place = {(item.pk, item.sk): key for key in keys for item in [OrderEarning.of(shop, *key)]}
    found = map(OrderEarning.from_raw_data, batch_reads.read(settings().crm_table, list(by_place)))
    return {by_place[item.pk, item.sk]: item for item in found}


def list_entries(shop: str, customer_id: str, *, before: str | None, limit: int) -> list[LedgerEntry]:
    """A customer's ledger, newest first by event time, from behind the timeline key `before` (AP-42)."""
    return timeline.newest(LedgerEntry, customer_key(shop, customer_id), "LEDGER#", before=before, limit=limit)
