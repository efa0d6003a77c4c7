# crm/consent/permission.py
"""What a customer's consents permit. Pure: values in, values out (docs/decisions/0054)."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

CHANNELS = ("email", "sms", "push", "in_app", "postal", "ads")
MARKETING, TRANSACTIONAL, PROFILING = PURPOSES = ("marketing", "transactional", "profiling")
PENDING, GRANTED, DENIED = STATES = ("pending", "granted", "denied")
"""From what says the least to what says the most: of two in one breath the latter is heard. Pending: a request that
awaits its confirmation (double opt-in).
"""
SINGLE, DOUBLE, UNKNOWN = OPT_IN_LEVELS = ("single", "double", "unknown")
LEGAL_BASES = ("consent", "contract", "legal_obligation", "legitimate_interest")


class Refusal(StrEnum):
    """Why a channel may not be used for a purpose."""

    NOT_GIVEN = "NOT_GIVEN"
    NOT_CONFIRMED = "NOT_CONFIRMED"
    DENIED = "DENIED"


class Said(Struct, frozen=True):
    """Something that was said of a channel and purpose, or of one topic of them, and by which event."""

    state: str
    occurred_at: datetime
    cause: str = ""


class Word(Struct, frozen=True):
    """What a customer has said of a channel and purpose, or of one topic of them: the latest no, and the latest yes and
    the latest request as far as they are later than it.

    The yes and the request are kept apart, since a request takes nothing back: else whoever types an address into a
    form would silence its subscriber.
    """

    denied: Said | None = None
    granted: Said | None = None
    pending: Said | None = None

    @property
    def holds(self) -> Said | None:
        """What is shown of it, with its evidence."""
        return self.granted or self.pending or self.denied

    @property
    def all(self) -> list[Said]:
        return [said for said in (self.denied, self.granted, self.pending) if said is not None]


SILENCE = Word()


def heard(word: Word, said: Said) -> Word:
    """The word after one thing more was heard, in whatever order and however often things are heard.

    The later event time wins, however late it arrives, and at one instant the no; of two alike at one instant, the
    causes decide whose evidence is shown.
    """
    latest = {one.state: one for one in word.all}
    if said.state not in latest or _place(said) > _place(latest[said.state]):
        latest[said.state] = said
    denied, granted, pending = (latest.get(state) for state in (DENIED, GRANTED, PENDING))
    granted = granted if granted and _later(granted, denied) else None
    # A request that is not later than the yes is met by it, and outlives it in nothing that may still be heard.
    pending = pending if pending and _later(pending, denied) and _later(pending, granted) else None
    return Word(denied, granted, pending)


def refusal(purpose: str, general: Word, topic: Word = SILENCE) -> Refusal | None:
    """Why a channel may not be used for a purpose, or for one topic of it; None where it may. `general` is what was
    said of the channel and purpose as a whole.

    Marketing and profiling need a yes. What an order requires of the shop (transactional) needs only no no: its basis
    is the contract, and silence is no objection. A request changes nothing of either; it is only told of.
    """
    # A general no silences what was said of a topic before it, until that topic, or everything, is granted later: to
    # withdraw is as easy as to agree.
    silencing = general.denied if general.granted is None else None
    own = {said.state for said in (topic.granted, topic.pending) if said is not None and _later(said, silencing)}
    if GRANTED in own:
        return None
    if topic.denied and not topic.granted:  # a topic's own no decides about it: no general yes re-opens it
        denied, asked = True, PENDING in own
    elif general.granted:
        return None
    else:
        denied, asked = general.denied is not None, PENDING in own or general.pending is not None
    if purpose == TRANSACTIONAL:
        return Refusal.DENIED if denied else None
    if asked:
        return Refusal.NOT_CONFIRMED
    return Refusal.DENIED if denied else Refusal.NOT_GIVEN


def _place(said: Said) -> tuple[datetime, str]:
    return said.occurred_at, said.cause


def _later(said: Said, other: Said | None) -> bool:
    return other is None or said.occurred_at > other.occurred_at
