# crm/customers/repository.py
"""Every read of customers' items; writes go through a Change."""

from collections.abc import Iterable

from pynamodb.exceptions import DoesNotExist

from crm.customers.attributes import MOST_DEFINITIONS
from crm.customers.identifiers import Claim
from crm.customers.models import (
    SHARDS,
    AttributeCatalogue,
    AttributeDefinition,
    Customer,
    CustomerAttributes,
    HistoryEntry,
    Identity,
    attributes_key,
)
from crm.kernel import batch_reads, timeline
from crm.kernel.change import Change
from crm.kernel.errors import CrmError
from crm.kernel.settings import settings
from crm.kernel.table import customer_key


def get_identities(shop: str, claims: Iterable[Claim]) -> dict[Claim, Identity]:
    """Who holds these identifiers: one batch read (AP-03)."""
    by_pk = {Identity.of(shop, claim.kind, claim.value, "").pk: claim for claim in claims}
    raw_items = batch_reads.read(settings().crm_table, [(pk, "IDENTITY") for pk in by_pk])
    return {by_pk[identity.pk]: identity for identity in map(Identity.from_raw_data, raw_items)}


def get_identity(shop: str, claim: Claim) -> Identity | None:
    """Who holds one identifier (AP-147)."""
    try:
        return Identity.get(Identity.of(shop, claim.kind, claim.value, "").pk, "IDENTITY", consistent_read=True)
    except DoesNotExist:
        return None


def get_profile(shop: str, customer_id: str) -> Customer | None:
    """A customer's profile alone, for those who ask nothing but its status (AP-80)."""
    try:
        return Customer.get(customer_key(shop, customer_id), Customer.SK, consistent_read=True)
    except DoesNotExist:
        return None


def list_shard(shop: str, shard: int, *, before: str | None, limit: int) -> list[Customer]:
    """A shard of the shop's customers, newest first, from behind the sort key `before` (AP-04)."""
    older = Customer.list_sk < before if before else None
    page = Customer.listing.query(
        f"SHOP#{shop}#CUSTOMERS#{shard}", range_key_condition=older, scan_index_forward=False, limit=limit
    )
    return [customer for customer in page if isinstance(customer, Customer)]


def list_changes(shop: str, customer_id: str, *, before: str | None, limit: int) -> list[HistoryEntry]:
    """What changed about a customer, newest first, from behind the timeline key `before` (AP-60)."""
    return timeline.newest(HistoryEntry, customer_key(shop, customer_id), "HISTORY#", before=before, limit=limit)


def list_definitions(shop: str) -> list[AttributeDefinition]:
    """All of a shop's attributes, by key, also the retired (AP-61)."""
    reach = AttributeDefinition.sk.startswith("ATTRIBUTE#")
    return list(AttributeDefinition.query(attributes_key(shop), reach, consistent_read=True))


def get_attributes(shop: str, customer_ids: Iterable[str]) -> dict[str, CustomerAttributes]:
    """The shop's own attributes of customers, in batch reads; new where nothing was ever said of them (AP-63)."""
    found = {customer_id: CustomerAttributes.of(shop, customer_id) for customer_id in customer_ids}
    by_pk = {item.pk: customer_id for customer_id, item in found.items()}
    for raw in batch_reads.read(settings().crm_table, [(item.pk, item.sk) for item in found.values()]):
        found[by_pk[raw["pk"]["S"]]] = CustomerAttributes.from_raw_data(raw)
    return found


def get_definition(shop: str, key: str) -> AttributeDefinition | None:
    """AP-62."""
    try:
        return AttributeDefinition.get(attributes_key(shop), f"ATTRIBUTE#{key}", consistent_read=True)
    except DoesNotExist:
        return None


def count_definition(change: Change, shop: str, *, otherwise: CrmError) -> None:
    """Add to `change`: the shop has one definition more, unless it has as many as it may."""
    count = AttributeCatalogue.definition_count
    room = count.does_not_exist() | (count < MOST_DEFINITIONS)
    change.update(AttributeCatalogue.of(shop), [count.add(1)], when=room, otherwise=otherwise)


__all__ = [
    "SHARDS",
    "count_definition",
    "get_attributes",
    "get_definition",
    "get_identities",
    "get_identity",
    "get_profile",
    "list_changes",
    "list_definitions",
    "list_shard",
]
