# crm/notifications/service.py
"""What is said to customers, and whether it was: the only door into this area."""

from crm.notifications import reports, repository
from crm.notifications.delivery import deliver
from crm.notifications.ending import end
from crm.notifications.models import (
    BOUNCED,
    COMPLAINED,
    FAILED,
    PLANNED,
    REFUSED,
    SENDING,
    SENT,
    UNKNOWN,
    Message,
)
from crm.notifications.planning import plan_thank_you, reconsider
from crm.notifications.reports import MailReport

__all__ = [
    "BOUNCED", "COMPLAINED", "FAILED", "PLANNED", "REFUSED", "REPORTING", "SENDING", "SENT", "UNKNOWN", "MailReport",
    "Message", "deliver", "end", "get_many", "get_message", "messages", "plan_thank_you", "reconsider", "reported",
]  # fmt: skip

REPORTING = reports.SOURCE
reported = reports.read

get_many = repository.get_many
get_message = repository.get_message
messages = repository.list_newest
