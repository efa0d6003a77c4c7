# crm/notifications/service.py
"""What is said to customers, and whether it was: the only door into this area."""

from crm.notifications import repository
from crm.notifications.delivery import deliver
from crm.notifications.models import FAILED, PLANNED, REFUSED, SENDING, SENT, UNKNOWN, Message
from crm.notifications.planning import plan_thank_you, reconsider

__all__ = [
    "FAILED", "PLANNED", "REFUSED", "SENDING", "SENT", "UNKNOWN", "Message", "deliver", "get_many", "get_message",
    "messages", "plan_thank_you", "reconsider",
]  # fmt: skip

get_many = repository.get_many
get_message = repository.get_message
messages = repository.list_newest
