# crm/notifications/eligibility.py
"""Whether a message may go to a customer. Pure: asked when it is planned and again when it is sent."""

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

STALE_AFTER = timedelta(hours=72)
"""A message that could not be sent for so long says nothing any more: what is redriven a week later stays unsent. Nor
does one about an order that old, whenever it is told: history sent live thanks nobody.
"""


class Refusal(StrEnum):
    """Stored with the message, shown in GraphQL, counted: never change what one means."""

    REPLAYED = "REPLAYED"
    CUSTOMER_UNKNOWN = "CUSTOMER_UNKNOWN"
    CUSTOMER_BLOCKED = "CUSTOMER_BLOCKED"
    ORDER_CANCELLED = "ORDER_CANCELLED"
    NO_CONSENT = "NO_CONSENT"
    NO_ADDRESS = "NO_ADDRESS"
    SUPPRESSED = "SUPPRESSED"
    SHOP_HAS_NO_SENDER = "SHOP_HAS_NO_SENDER"
    TOO_LATE = "TOO_LATE"


class Attempt(Struct, frozen=True):
    """What is known when a message is about to be planned or sent. What is not given counts against it."""

    planned_at: datetime
    replayed: bool = False
    known: bool = False
    active: bool = False
    """Neither blocked nor merged into somebody else."""
    order_stands: bool = False
    placed_at: datetime | None = None
    consented: bool = False
    address: str | None = None
    suppressed: bool = True
    """Whether something speaks against the address, whoever's it is."""
    sender: str | None = None


def refusal(attempt: Attempt, *, now: datetime) -> Refusal | None:
    """The first reason not to send, or None. Test customers get theirs: it is how a shop tries its messages."""
    reasons = {
        Refusal.REPLAYED: attempt.replayed,
        Refusal.CUSTOMER_UNKNOWN: not attempt.known,
        Refusal.CUSTOMER_BLOCKED: not attempt.active,
        Refusal.ORDER_CANCELLED: not attempt.order_stands,
        Refusal.NO_CONSENT: not attempt.consented,
        Refusal.NO_ADDRESS: not attempt.address,
        Refusal.SUPPRESSED: attempt.suppressed,
        Refusal.SHOP_HAS_NO_SENDER: not attempt.sender,
        Refusal.TOO_LATE: any(at is None or now - at > STALE_AFTER for at in (attempt.planned_at, attempt.placed_at)),
    }
    return next((reason for reason, applies in reasons.items() if applies), None)
