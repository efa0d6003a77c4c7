# crm/consent/summary.py
"""What holds, summed up from what was said: of the head as it is written, and of any past moment."""

from collections.abc import Iterable

from crm.consent import permission
from crm.consent.models import ConsentEntry, ConsentState
from crm.consent.permission import DENIED, SILENCE, Refusal, Said, Word

Key = tuple[str, str, str | None]

MOST_TOPICS, MOST_TOPICS_DENIED = 50, 100
"""How many topics of channels and purposes a head holds. To say no there is room where there is none for a yes."""


class Summary:
    """What was said of each channel, purpose and topic, as far as it still counts. Entries may be heard in any order,
    and any number of times.
    """

    def __init__(self, states: Iterable[ConsentState] = ()) -> None:
        self._words: dict[Key, Word] = {}
        self._states: dict[tuple[Key, str], ConsentState] = {}
        for state in states:
            key = _key(state)
            self._words[key] = permission.heard(self._words.get(key, SILENCE), _said(state))
            self._states[key, state.state] = state

    @property
    def states(self) -> list[ConsentState]:
        """All that counts, by channel and purpose, what is said of all before what is said of a topic; of each the no
        before the yes, and the yes before the request.
        """
        return [self._states[key, said.state] for key in self._keys() for said in self._words[key].all]

    @property
    def held(self) -> list[ConsentState]:
        """What holds: of each, one."""
        holding = ((key, self._words[key].holds) for key in self._keys())
        return [self._states[key, said.state] for key, said in holding if said is not None]

    def hear(self, entry: ConsentEntry) -> bool:
        """Take an entry in; whether anything moved."""
        key, said = _key(entry), _said(entry)
        before = self._words.get(key, SILENCE)
        after = self._words[key] = permission.heard(before, said)
        if after == before:
            return False
        self._states[key, said.state] = ConsentState(
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
        return True

    def has_room_for(self, entry: ConsentEntry) -> bool:
        """Whether the entry is about what is known, or one topic more would not be too many."""
        if entry.topic is None or _key(entry) in self._words:
            return True
        topics = sum(1 for key in self._words if key[2] is not None)
        return topics < (MOST_TOPICS_DENIED if entry.state == DENIED else MOST_TOPICS)

    def refusal(self, channel: str, purpose: str, topic: str | None = None) -> Refusal | None:
        """Why the channel may not be used for the purpose, and there about the topic if one is named."""
        general = self._words.get((channel, purpose, None), SILENCE)
        own = self._words.get((channel, purpose, topic), SILENCE) if topic is not None else SILENCE
        return permission.refusal(purpose, general, own)

    def _keys(self) -> list[Key]:
        return sorted(self._words, key=lambda key: (*key[:2], key[2] or ""))


def _key(item: ConsentState | ConsentEntry) -> Key:
    return item.channel, item.purpose, item.topic


def _said(item: ConsentState | ConsentEntry) -> Said:
    return Said(item.state, item.occurred_at, item.cause)
