# crm/consent/summary.py
"""What holds, summed up from what was said: of the head as it is written, and of any past moment."""

from collections.abc import Iterable

from crm.consent import permission
from crm.consent.models import ConsentEntry, ConsentState
from crm.consent.permission import DENIED, Stand

Key = tuple[str, str, str | None]

MOST_TOPICS, MOST_TOPICS_DENIED = 50, 100
"""How many topics of channels and purposes a head holds. To say no there is room where there is none for a yes."""


class Summary:
    """What holds for each channel, purpose and topic. Entries may be heard in any order."""

    def __init__(self, states: Iterable[ConsentState] = ()) -> None:
        self._states: dict[Key, ConsentState] = {(state.channel, state.purpose, state.topic): state for state in states}

    @property
    def states(self) -> list[ConsentState]:
        """By channel and purpose, what is said of all before what is said of a topic."""
        return [self._states[key] for key in sorted(self._states, key=lambda key: (*key[:2], key[2] or ""))]

    def hear(self, entry: ConsentEntry) -> bool:
        """Take an entry in; whether anything moved."""
        key = (entry.channel, entry.purpose, entry.topic)
        held = self._states.get(key)
        old, new = stand_of(held), Stand(entry.state, entry.occurred_at, entry.cause)
        after = permission.heard(old, new)
        if after == old:
            return False
        if held is None or permission.prevails(new, old):
            held = ConsentState(
                channel=entry.channel,
                purpose=entry.purpose,
                topic=entry.topic,
                state=entry.state,
                source=entry.source,
                text_version=entry.text_version,
                opt_in_level=entry.opt_in_level,
                legal_basis=entry.legal_basis,
                occurred_at=entry.occurred_at,
                cause=entry.cause,
            )
        held.denied_at = after.denied_at
        self._states[key] = held
        return True

    def has_room_for(self, entry: ConsentEntry) -> bool:
        """Whether the entry is about what is known, or one topic more would not be too many."""
        if entry.topic is None or (entry.channel, entry.purpose, entry.topic) in self._states:
            return True
        topics = sum(1 for key in self._states if key[2] is not None)
        return topics < (MOST_TOPICS_DENIED if entry.state == DENIED else MOST_TOPICS)

    def stand(self, channel: str, purpose: str, topic: str | None = None) -> Stand | None:
        """What decides about the channel for the purpose, and there about the topic if one is named."""
        general = stand_of(self._states.get((channel, purpose, None)))
        if topic is None:
            return general
        return permission.decisive(general, stand_of(self._states.get((channel, purpose, topic))))


def stand_of(held: ConsentState | None) -> Stand | None:
    return Stand(held.state, held.occurred_at, held.cause, held.denied_at) if held else None
