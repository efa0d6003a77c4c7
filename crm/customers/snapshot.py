# crm/customers/snapshot.py
"""The snapshot: a customer's head items, which most decisions and the customer page need, in one request.

Each area owns the class of its own head; the snapshot reads by key prefix and gives a head to whoever names its class.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pynamodb.models import Model

from crm.kernel import batch_reads
from crm.kernel.settings import settings
from crm.kernel.table import client, customer_key

H = TypeVar("H", bound=Model)


class Snapshot:
    """The heads of one customer as they stood at one moment."""

    def __init__(self, shop: str, customer_id: str, heads: Mapping[str, dict[str, Any]]) -> None:
        self.shop = shop
        self.customer_id = customer_id
        self._heads = heads

    def __bool__(self) -> bool:
        return bool(self._heads)

    def head(self, kind: type[H]) -> H | None:
        """The head of the class, or None where it was never written."""
        raw = self._heads.get(kind.SK)  # type: ignore[attr-defined]
        return None if raw is None else kind.from_raw_data(raw)


def read(shop: str, customer_id: str) -> Snapshot:
    """One strongly consistent Query (AP-02). A customer that does not exist has an empty snapshot, which is false."""
    heads: dict[str, dict[str, Any]] = {}
    query: dict[str, Any] = {
        "TableName": settings().crm_table,
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :head)",
        "ExpressionAttributeValues": {":pk": {"S": customer_key(shop, customer_id)}, ":head": {"S": "HEAD#"}},
        "ConsistentRead": True,
    }
    while True:
        answer = client().query(**query)
        heads |= {item["sk"]["S"]: item for item in answer["Items"]}
        if "LastEvaluatedKey" not in answer:
            return Snapshot(shop, customer_id, heads)
        query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def read_many(shop: str, customer_ids: Iterable[str], kinds: Iterable[type[Model]]) -> dict[str, Snapshot]:
    """The named heads of many customers, in batch reads of their exact keys (AP-05)."""
    heads: dict[str, dict[str, dict[str, Any]]] = {customer_id: {} for customer_id in customer_ids}
    sort_keys = [kind.SK for kind in kinds]  # type: ignore[attr-defined]
    by_pk = {customer_key(shop, customer_id): customer_id for customer_id in heads}
    exact = [(pk, sk) for pk in by_pk for sk in sort_keys]
    for item in batch_reads.read(settings().crm_table, exact):
        heads[by_pk[item["pk"]["S"]]][item["sk"]["S"]] = item
    return {customer_id: Snapshot(shop, customer_id, found) for customer_id, found in heads.items()}
