# crm/notifications/repository.py
"""Every read of messages; writes go through a Change."""

from collections.abc import Iterable

from pynamodb.exceptions import DoesNotExist

from crm.kernel import batch_reads, timeline
from crm.kernel.settings import settings
from crm.kernel.table import customer_key
from crm.notifications.models import Message


def get_message(shop: str, customer_id: str, message_id: str) -> Message | None:
    """AP-33."""
    try:
        return Message.get(customer_key(shop, customer_id), f"MESSAGE#{message_id}", consistent_read=True)
    except DoesNotExist:
        return None


def get_many(shop: str, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Message]:
    """Messages by customer and message id, in batch reads of the exact keys of AP-33 (AP-136)."""
    places = [(customer_key(shop, customer_id), f"MESSAGE#{message_id}") for customer_id, message_id in keys]
    found = map(Message.from_raw_data, batch_reads.read(settings().crm_table, places))
    return {(message.customer_id, message.message_id): message for message in found}


def list_newest(shop: str, customer_id: str, *, before: str | None, limit: int) -> list[Message]:
    """AP-34."""
    return timeline.newest(Message, customer_key(shop, customer_id), "MESSAGE#", before=before, limit=limit)
