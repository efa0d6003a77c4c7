# crm/consent/repository.py
"""Every read of consent items; writes go through a Change."""

from collections.abc import Iterable
from datetime import datetime

from pynamodb.exceptions import DoesNotExist

from crm.consent.models import ConsentEntry, ConsentHead, Suppression, SuppressionEntry, UsedKey, address_key
from crm.kernel import batch_reads, clock, timeline
from crm.kernel.settings import settings
from crm.kernel.table import customer_key

PREFIX = "CONSENT#"


def get_head(shop: str, customer_id: str) -> ConsentHead | None:
    """AP-30."""
    try:
        return ConsentHead.get(customer_key(shop, customer_id), ConsentHead.SK, consistent_read=True)
    except DoesNotExist:
        return None


def get_used_key(used: UsedKey) -> UsedKey | None:
    """AP-65."""
    try:
        return UsedKey.get(used.pk, used.sk, consistent_read=True)
    except DoesNotExist:
        return None


def list_newest(shop: str, customer_id: str, *, before: str | None, limit: int) -> list[ConsentEntry]:
    """AP-66."""
    return timeline.newest(ConsentEntry, customer_key(shop, customer_id), PREFIX, before=before, limit=limit)


def list_until(shop: str, customer_id: str, instant: datetime, *, most: int) -> Iterable[ConsentEntry]:
    """AP-67. Oldest first; what occurred at the instant itself is among them."""
    return ConsentEntry.query(
        customer_key(shop, customer_id),
        ConsentEntry.timeline_key.between(PREFIX, f"{PREFIX}{clock.text(instant)}~"),  # ~ sorts behind #
        consistent_read=True,
        index_name="timeline",
        limit=most,
    )


def get_suppression(shop: str, digest: str) -> Suppression | None:
    """AP-68."""
    try:
        return Suppression.get(address_key(shop, digest), Suppression.SK, consistent_read=True)
    except DoesNotExist:
        return None


def get_suppressions(shop: str, digests: Iterable[str]) -> dict[str, Suppression]:
    """Of many addresses, by digest, in batch reads (AP-146)."""
    keys = [(address_key(shop, digest), Suppression.SK) for digest in digests]
    found = map(Suppression.from_raw_data, batch_reads.read(settings().crm_table, keys))
    return {item.digest: item for item in found}


def list_suppressed(shop: str, shard: int, *, before: str | None, limit: int) -> list[Suppression]:
    """A shard of the addresses that anything speaks against, newest first, from behind the key `before` (AP-145)."""
    older = Suppression.list_sk < before if before else None
    page = Suppression.listing.query(
        f"SHOP#{shop}#SUPPRESSIONS#{shard}", range_key_condition=older, scan_index_forward=False, limit=limit
    )
    return [item for item in page if isinstance(item, Suppression)]


def list_suppression_entries(shop: str, digest: str, *, limit: int) -> list[SuppressionEntry]:
    """AP-69."""
    return timeline.newest(SuppressionEntry, address_key(shop, digest), "ENTRY#", before=None, limit=limit)
