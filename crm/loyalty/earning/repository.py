# crm/loyalty/earning/repository.py
"""Every read of what rules have given, and of the segments they ask about; writes go through a Change."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from pynamodb.exceptions import DoesNotExist

from crm.customers.service import SegmentsHead
from crm.kernel import batch_reads, clock
from crm.kernel.settings import settings
from crm.kernel.table import client, customer_key
from crm.loyalty.earning import budgets
from crm.loyalty.earning.models import EarnedCounts, RuleBudget


def get_counts(shop: str, customer_id: str, periods: Iterable[str]) -> dict[str, EarnedCounts]:
    """By period, new where there are none, in one batch read (AP-192)."""
    items = {item.sk: (period, item) for period in periods for item in [EarnedCounts.of(shop, customer_id, period)]}
    found = dict(items.values())
    for raw in batch_reads.read(settings().crm_table, [(item.pk, item.sk) for _, item in items.values()]):
        found[items[raw["sk"]["S"]][0]] = EarnedCounts.from_raw_data(raw)
    return found


def list_counts(shop: str, customer_id: str) -> list[EarnedCounts]:
    """Of all months and ever, in one Query (AP-291)."""
    periods = EarnedCounts.sk.startswith("EARNED#")
    return list(EarnedCounts.query(customer_key(shop, customer_id), range_key_condition=periods, consistent_read=True))


def get_all_spent(shop: str, rules: Iterable[str]) -> dict[str, dict[int, int]]:
    """What all shares of rules' budgets have given, by rule and share (AP-286)."""
    return get_spent(shop, rules, range(budgets.SHARES))


def get_spent(shop: str, rules: Iterable[str], shares: Sequence[int]) -> dict[str, dict[int, int]]:
    """What shares of rules' budgets have given, by rule and share, in batch reads of their exact keys (AP-193)."""
    rules = list(rules)
    by_pk = {RuleBudget.of(shop, rule, share).pk: (rule, share) for rule in rules for share in shares}
    found: dict[str, dict[int, int]] = {rule: {} for rule in rules}
    for raw in batch_reads.read(settings().crm_table, [(pk, RuleBudget.of(shop, "", 0).sk) for pk in by_pk]):
        item = RuleBudget.from_raw_data(raw)
        rule, share = by_pk[item.pk]
        found[rule][share] = int(item.spent or 0)
    return found


def get_segments(shop: str, customer_id: str) -> SegmentsHead | None:
    """Where the customer stands in segments (AP-194)."""
    key = SegmentsHead.of(shop, customer_id)
    try:
        return SegmentsHead.get(key.pk, key.sk, consistent_read=True)
    except DoesNotExist:
        return None


def was_member(shop: str, customer_id: str, segment_id: str, at: datetime) -> bool:
    """Whether a stay of the customer that is over by now had begun before, and not ended (AP-195): of all that began
    before, the last to end says so. The one that is not over is the head's to tell, which knows when time ends it.
    Segmentation, which keeps them, stands above: they are read as values.
    """
    prefix = f"MEMBERSHIP#{segment_id}#"
    answer = client().query(
        TableName=settings().crm_table,
        KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
        FilterExpression="left_at >= :at",
        ExpressionAttributeValues={
            ":pk": {"S": customer_key(shop, customer_id)},
            ":first": {"S": prefix},
            ":last": {"S": f"{prefix}{clock.text(at)}"},
            ":at": {"S": at.strftime("%Y-%m-%dT%H:%M:%S.%f+0000")},
        },
        ConsistentRead=True,
    )
    return bool(answer["Items"])
