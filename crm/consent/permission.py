# crm/consent/permission.py
"""What a customer's consents permit. Pure: values in, values out (docs/decisions/0054)."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

CHANNELS = ("email", "sms", "push", "in_app", "postal", "ads")
MARKETING, TRANSACTIONAL, PROFILING = PURPOSES = ("marketing", "transactional", "profiling")
GRANTED, PENDING, DENIED = STATES = ("granted", "pending", "denied")
"""From the least strict to the strictest. Pending: a yes that awaits its confirmation (double opt-in)."""
SINGLE, DOUBLE, UNKNOWN = OPT_IN_LEVELS = ("single", "double", "unknown")
LEGAL_BASES = ("consent", "contract", "legal_obligation", "legitimate_interest")


class Refusal(StrEnum):
    """Why a channel may not be used for a purpose."""

    NOT_GIVEN = "NOT_GIVEN"
    NOT_CONFIRMED = "NOT_CONFIRMED"
    DENIED = "DENIED"


class Stand(Struct, frozen=True):
    """Where a customer stands on one channel and purpose, or on one topic of them, and since which event.

    `denied_at`: the event time of the latest denial, whatever was said after it.
    """

    state: str
    occurred_at: datetime
    cause: str = ""
    denied_at: datetime | None = None


def refusal(stand: Stand | None, purpose: str) -> Refusal | None:
    """Marketing and profiling need a yes. What an order requires of the shop (transactional) needs only no no:
    its basis is the contract, and silence is no objection.
    """
    if stand is not None and stand.state == DENIED:
        return Refusal.DENIED
    if purpose == TRANSACTIONAL:
        return None
    if stand is None:
        return Refusal.NOT_GIVEN
    return Refusal.NOT_CONFIRMED if stand.state == PENDING else None


def decisive(general: Stand | None, topic: Stand | None) -> Stand | None:
    """Which of two decides about a topic: what was said of it, or of its channel and purpose as a whole (`general`).

    The topic's own, where there is one: a general yes re-opens no topic that was denied. But a general no silences the
    yes to every topic, until that topic, or everything, is granted later: to withdraw is as easy as to agree.
    """
    if general is None or topic is None:
        return topic or general
    silenced = general.denied_at is not None and general.denied_at >= topic.occurred_at
    return general if silenced and topic.state != DENIED and general.state != GRANTED else topic


def heard(old: Stand | None, new: Stand) -> Stand:
    """Where the customer stands after one thing more was heard of them, in whatever order things are heard."""
    denials = [at for stand in (old, new) if stand is not None and (at := _denied_at(stand)) is not None]
    later = new if old is None or prevails(new, old) else old
    return Stand(later.state, later.occurred_at, later.cause, max(denials, default=None))


def prevails(new: Stand, old: Stand | None) -> bool:
    """Whether `new` replaces `old`: the later event time wins, however late it arrives; of two at one instant the
    stricter does, so that any order of arrival ends alike and the doubt is the customer's. Of two alike, the causes
    decide whose evidence is shown.
    """
    return old is None or _place(new) > _place(old)


def _place(stand: Stand) -> tuple[datetime, int, str]:
    return stand.occurred_at, STATES.index(stand.state), stand.cause


def _denied_at(stand: Stand) -> datetime | None:
    return stand.occurred_at if stand.state == DENIED else stand.denied_at
