# schema/customer/record.py
"""How customers are read: one by the snapshot, many by the exact keys of the heads that are asked for."""

from asyncio import gather
from collections.abc import Sequence
from typing import Any, Final, TypeVar

from pynamodb.models import Model

from crm.consent.service import ConsentHead
from crm.customers import service
from crm.loyalty.service import LoyaltyAccount
from crm.orders.service import Statistics
from crm.touchpoints.service import Acquisition
from schema.connections import merged
from schema.context import Context, Loader, stored
from schema.principal import Kind

H = TypeVar("H", bound=Model)

HEADS: Final[dict[str, list[type[Model]]]] = {
    "Customer.consents": [ConsentHead],
    "Customer.permission": [ConsentHead],
    "Customer.statistics": [Statistics],
    "Customer.segments": [service.SegmentsHead],
    "Customer.segmentsAsOf": [service.SegmentsHead],
    "Customer.rfm": [Statistics],
    "Customer.loyalty": [LoyaltyAccount],
    "Customer.acquisition": [Acquisition],
    "LoyaltyAccount.rewards": [LoyaltyAccount, service.SegmentsHead],
    "Query.loyaltyEarnPreview": [LoyaltyAccount, Statistics, service.SegmentsHead],
}
"""Which heads a field is answered from."""


class Record:
    """A customer as read: the profile and, where they were read with it, the other heads."""

    def __init__(self, profile: service.Customer, heads: service.Snapshot) -> None:
        self.profile = profile
        self.heads = heads
        self._read: dict[type[Model], Any] = {}

    def head(self, kind: type[H]) -> H | None:
        if kind not in self._read:
            self._read[kind] = self.heads.head(kind)
        found: H | None = self._read[kind]
        return found


class RecordByCustomer(Loader[str, Record | None]):
    """One customer: one Query of all heads. Several: batch reads of the heads that the operation can reach."""

    async def load_many(self, keys: list[str]) -> Sequence[Record | None]:
        shop = self.context.shop
        if len(keys) == 1:
            return [_record(await stored(service.take_snapshot, shop, keys[0]))]
        kinds: list[type[Model]] = [service.Customer, *heads_used(self.context)]
        found = await stored(service.snapshots, shop, keys, kinds)
        return [_record(found[key]) for key in keys]


async def visible_record(context: Context, customer_id: str) -> Record | None:
    """The one check of who sees a customer, and what hangs on them.

    None for a customer who does not exist, is another shop's, or is not the caller's to see: somebody else, and to
    customers themselves their own record too where they take no part; to staff one who is deleted, without the scope.
    """
    principal = context.principal
    if not principal.may_see_customer(customer_id):
        return None
    record = await context.loader(RecordByCustomer).load(customer_id)
    if record is None:
        return None
    if principal.kind is Kind.CUSTOMER:
        return record if service.takes_part(record.profile) else None
    return record if principal.may_see_deleted or not service.is_hidden(record.profile) else None


def heads_used(context: Context) -> list[type[Model]]:
    """The heads beside the profile that the operation can reach."""
    used = [kind for coordinate, kinds in HEADS.items() if coordinate in context.uses for kind in kinds]
    return list(dict.fromkeys(used))


async def newest_records(context: Context, *, before: str | None, most: int) -> list[Record]:
    """The shop's customers, newest first: each shard of the index is asked once, then the heads are batch-read.

    The last of `most`, which only tells that there is more, comes without its heads.
    """
    shop = context.shop
    shards = await gather(
        *(stored(service.list_shard, shop, shard, before=before, limit=most) for shard in range(service.SHARDS))
    )
    profiles = merged(shards, key=place_in_list, most=most, newest_first=True)
    kinds = heads_used(context)
    ids = [profile.customer_id for profile in profiles[: most - 1]]
    heads = await stored(service.snapshots, shop, ids, kinds) if kinds and ids else {}
    nothing = service.Snapshot(shop, "", {})
    return [Record(profile, heads.get(profile.customer_id, nothing)) for profile in profiles]


def place_in_list(profile: service.Customer) -> str:
    return profile.list_sk or ""


def _record(heads: service.Snapshot) -> Record | None:
    profile = heads.head(service.Customer)
    return Record(profile, heads) if profile else None
