# crm/loyalty/repository.py
"""Every read of loyalty items; writes go through a Change."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

from pynamodb.exceptions import DoesNotExist

from crm.kernel import batch_reads, clock, timeline
from crm.kernel.settings import settings
from crm.kernel.table import Item, customer_key
from crm.loyalty.models import (
    BonusTally,
    EntryReason,
    LedgerEntry,
    LoyaltyAccount,
    OrderEarning,
    PointsHold,
    PointsMonth,
    month_of,
)

I = TypeVar("I", bound=Item)  # noqa: E741  one of the kinds of Item
Keys = Iterable[tuple[str, str]]


def get_account(shop: str, customer_id: str) -> LoyaltyAccount | None:
    """AP-40. Where the snapshot is at hand, its head is the same."""
    try:
        return LoyaltyAccount.get(customer_key(shop, customer_id), LoyaltyAccount.SK, consistent_read=True)
    except DoesNotExist:
        return None


def list_survivors(shop: str, head: LoyaltyAccount) -> list[LoyaltyAccount]:
    """The accounts into which one was merged, the last last, each new where there is none yet: AP-40, one by one."""
    found = []
    while head.merged is not None:
        survivor_id = head.merged.survivor_id
        head = get_account(shop, survivor_id) or LoyaltyAccount.of(shop, survivor_id)
        found.append(head)
    return found


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


def list_months(shop: str, customer_id: str, *, since: str) -> list[PointsMonth]:
    """The pools that expire in the month `since` or later, or never, in the order of the months (AP-180)."""
    months = PointsMonth.sk.between(f"POINTS#{since}", f"POINTS#{timeline.LAST}")
    return list(PointsMonth.query(customer_key(shop, customer_id), range_key_condition=months, consistent_read=True))


def get_hold(shop: str, customer_id: str, hold_id: str) -> PointsHold | None:
    """AP-181."""
    key = PointsHold.of(shop, customer_id, hold_id)
    try:
        return PointsHold.get(key.pk, key.sk, consistent_read=True)
    except DoesNotExist:
        return None


def get_tallies(shop: str, customer_id: str, bonus_id: str, day: str) -> tuple[BonusTally, BonusTally]:
    """How often a bonus was given ever, and on a day; new where it was not, in one batch read (AP-207). Read after the
    account, and written with it.
    """
    ever, of_day = BonusTally.of(shop, customer_id, bonus_id), BonusTally.of(shop, customer_id, bonus_id, day)
    for raw in batch_reads.read(settings().crm_table, [(ever.pk, ever.sk), (of_day.pk, of_day.sk)]):
        if raw["sk"]["S"] == ever.sk:
            ever = BonusTally.from_raw_data(raw)
        else:
            of_day = BonusTally.from_raw_data(raw)
    return ever, of_day


def get_tally(shop: str, customer_id: str, bonus_id: str, day: str | None) -> BonusTally:
    """How often a bonus was given ever, or on a day (AP-292)."""
    key = BonusTally.of(shop, customer_id, bonus_id, day)
    try:
        return BonusTally.get(key.pk, key.sk, consistent_read=True)
    except DoesNotExist:
        return key


def list_tallies(shop: str, customer_id: str) -> list[BonusTally]:
    """How often bonuses were given, ever and by day, for verifying them and for merging (AP-208)."""
    tallies = BonusTally.sk.startswith("BONUS#")
    return list(BonusTally.query(customer_key(shop, customer_id), range_key_condition=tallies, consistent_read=True))


def list_pending(
    shop: str, customer_id: str, *, until: datetime | None = None, limit: int | None = None
) -> list[OrderEarning]:
    """Orders whose points are pending, those that mature first first; or those that have matured by then (AP-182)."""
    last = pending_key(until) if until else f"PENDING#{timeline.LAST}"
    pending = OrderEarning.timeline_key.between("PENDING#", last)
    found = OrderEarning.query(
        customer_key(shop, customer_id), pending, consistent_read=True, index_name="timeline", limit=limit
    )
    return list(found)


def get_entry(shop: str, customer_id: str, cause: str) -> LedgerEntry | None:
    """What a cause did, at whatever time (AP-183)."""
    key = LedgerEntry.of(shop, customer_id, cause)
    try:
        return LedgerEntry.get(key.pk, key.sk, consistent_read=True)
    except DoesNotExist:
        return None


def list_all_entries(shop: str, customer_id: str, *, of: str = "") -> list[LedgerEntry]:
    """The whole ledger of a customer, for verifying it; or what causes that begin so did (AP-184)."""
    entries = LedgerEntry.sk.startswith(f"LEDGER#{of}")
    return list(LedgerEntry.query(customer_key(shop, customer_id), range_key_condition=entries, consistent_read=True))


def list_earnings(shop: str, customer_id: str) -> list[OrderEarning]:
    """What all orders of a customer have posted, for verifying it (AP-246)."""
    earnings = OrderEarning.sk.startswith("EARNING#")
    return list(OrderEarning.query(customer_key(shop, customer_id), range_key_condition=earnings, consistent_read=True))


def list_holds(shop: str, customer_id: str) -> list[PointsHold]:
    """All holds that there ever were of a customer's points, for verifying them (AP-247)."""
    holds = PointsHold.sk.startswith("HOLD#")
    return list(PointsHold.query(customer_key(shop, customer_id), range_key_condition=holds, consistent_read=True))


def list_reasons(shop: str, customer_id: str) -> list[EntryReason]:
    """The words beside a customer's entries (AP-185)."""
    reasons = EntryReason.sk.startswith("REASON#")
    return list(EntryReason.query(customer_key(shop, customer_id), range_key_condition=reasons, consistent_read=True))


def pending_key(now: datetime) -> str:
    """Behind all that has matured by then."""
    return f"PENDING#{clock.text(now)}#{timeline.LAST}"


def list_maturing(shop: str, customer_id: str, *, after: str, limit: int) -> list[OrderEarning]:
    """Orders whose points mature behind the timeline key `after`, those that mature first first (AP-225)."""
    behind = OrderEarning.timeline_key.between(after, f"PENDING#{timeline.LAST}")
    found = OrderEarning.query(
        customer_key(shop, customer_id), behind, consistent_read=True, index_name="timeline", limit=limit + 1
    )
    return [item for item in found if item.timeline_key != after][:limit]  # `between` includes its ends


def get_entries(shop: str, keys: Keys) -> dict[tuple[str, str], LedgerEntry]:
    """Entries by customer and cause, in batch reads of their exact keys (AP-226)."""
    return _by_key(LedgerEntry, {key: LedgerEntry.of(shop, *key) for key in keys})


def get_months(shop: str, keys: Keys) -> dict[tuple[str, str], PointsMonth]:
    """The months in which pools stand, by customer and pool, in batch reads of their exact keys (AP-227)."""
    return _by_key(PointsMonth, {(owner, pool): PointsMonth.of(shop, owner, month_of(pool)) for owner, pool in keys})


def get_reasons(shop: str, keys: Keys) -> dict[tuple[str, str], EntryReason]:
    """The words beside entries, by customer and cause, in batch reads of their exact keys (AP-228)."""
    return _by_key(EntryReason, {key: EntryReason.of(shop, *key) for key in keys})


def get_holds(shop: str, keys: Keys) -> dict[tuple[str, str], PointsHold]:
    """Holds by customer and id, in batch reads of their exact keys (AP-229)."""
    return _by_key(PointsHold, {key: PointsHold.of(shop, *key) for key in keys})


def _by_key(kind: type[I], named: dict[tuple[str, str], I]) -> dict[tuple[str, str], I]:
    places = list(dict.fromkeys((item.pk, item.sk) for item in named.values()))
    found = {
        (item.pk, item.sk): item for item in map(kind.from_raw_data, batch_reads.read(settings().crm_table, places))
    }
    return {key: found[item.pk, item.sk] for key, item in named.items() if (item.pk, item.sk) in found}
