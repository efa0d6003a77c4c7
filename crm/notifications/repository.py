# crm/notifications/repository.py
"""Every read of messages; writes go through a Change."""

from pynamodb.exceptions import DoesNotExist

from crm.kernel import timeline
from crm.kernel.table import customer_key
from crm.notifications.models import Message


def get_message(shop: str, customer_id: str, message_id: str) -> Message | None:
    """AP-33."""
    try:
        return Message.get(customer_key(shop, customer_id), f"MESSAGE#{message_id}", consistent_read=True)
    except DoesNotExist:
        return None


def list_newest(shop: str, customer_id: str, *, before: str | None, limit: int) -> list[Message]:
    """AP-34."""
    return timeline.newest(Message, customer_key(shop, customer_id), "MESSAGE#", before=before, limit=limit)
