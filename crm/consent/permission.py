# crm/consent/permission.py
"""What a customer's consents permit. Pure: values in, values out."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

CHANNELS = ("email", "sms", "push", "in_app", "postal", "ads")
MARKETING, TRANSACTIONAL, PROFILING = PURPOSES = ("marketing", "transactional", "profiling")
GRANTED, DENIED = STATES = ("granted", "denied")


class Refusal(StrEnum):
    """Why a channel may not be used for a purpose."""

    NOT_GIVEN = "NOT_GIVEN"
    DENIED = "DENIED"


@dataclass(frozen=True)
class Stand:
    """Where a customer stands on one channel and purpose, and since which event."""

    state: str
    occurred_at: datetime


def refusal(stand: Stand | None, purpose: str) -> Refusal | None:
    """Marketing and profiling need a yes. What an order requires of the shop (transactional) needs only no no:
    its basis is the contract, and silence is no objection.
    """
    if stand is not None:
        return Refusal.DENIED if stand.state == DENIED else None
    return None if purpose == TRANSACTIONAL else Refusal.NOT_GIVEN


def prevails(new: Stand, old: Stand | None) -> bool:
    """Whether `new` replaces `old`: the later event time wins, however late it arrives; of two at one instant the
    denial does, so that any order of arrival ends alike and the doubt is the customer's.
    """
    if old is None or new.occurred_at != old.occurred_at:
        return old is None or new.occurred_at > old.occurred_at
    return new.state == DENIED and old.state != DENIED
