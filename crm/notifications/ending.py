# crm/notifications/ending.py
"""How a message that was sent ended after all: it bounced, or its recipient complained."""

from datetime import datetime

from crm.consent.reasons import COMPLAINT, HARD_BOUNCE
from crm.kernel.change import Change
from crm.notifications import repository
from crm.notifications.models import BOUNCED, COMPLAINED, SENDING, SENT, UNKNOWN, Message

ENDINGS = {HARD_BOUNCE: BOUNCED, COMPLAINT: COMPLAINED}
"""What it means for a message that a reason speaks against the address it went to."""
MAY_HAVE_LEFT = frozenset({SENDING, SENT, UNKNOWN})
RANK = (BOUNCED, COMPLAINED)  # of two reports the graver holds, whichever comes first


def end(
    change: Change, shop: str, customer_id: str, message_id: str, *, reason: str, at: datetime, cause: str
) -> Message | None:
    """Add to `change` how the message ended; return it as it will be, or None where there is no such message. A report
    that moves nothing writes nothing. The commit raises Stale where the message was written meanwhile.
    """
    message = repository.get_message(shop, customer_id, message_id)
    if message is None:
        return None
    status = ENDINGS.get(reason)
    if status is not None and ends(message.status, message.reported_at, status, at):
        message.status, message.reason, message.reported_at = status, None, at
        message.settled_at = message.settled_at or at
        message.cause = cause
        change.revise(message)
    return message


def ends(known: str, known_at: datetime | None, reported: str, at: datetime) -> bool:
    """Whether a report replaces what is known of a message. A message that never left ends in nothing; of two reports
    the graver holds, and of two alike the earlier: in any order of arrival the same.
    """
    if known in MAY_HAVE_LEFT:
        return True
    if known not in RANK or known_at is None:
        return False
    return (RANK.index(reported), known_at) > (RANK.index(known), at)
