# crm/consent/given.py
"""What a customer says about one channel, purpose and topic, with its evidence, and everything that can be wrong."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct

from crm.consent.permission import CHANNELS, DOUBLE, LEGAL_BASES, OPT_IN_LEVELS, PENDING, PURPOSES, STATES, UNKNOWN
from crm.kernel.errors import Fault

TOPIC = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
NO_TOPIC = "must have 1 to 40 lower-case letters, digits, - and _"
LONGEST_SOURCE, LONGEST_TEXT_VERSION = 200, 100
MOST_GIVEN = 50  # each is a write, beside those of identities and profile, of one transaction


class ConsentGiven(Struct, frozen=True):
    """A yes, a no, or a yes to be confirmed. `source` names the form or system in which it was said, `text_version` the
    words that were agreed to; without `occurred_at` it was said when its event occurred.
    """

    channel: str
    purpose: str
    state: str
    source: str
    topic: str | None = None
    text_version: str | None = None
    opt_in_level: str = UNKNOWN
    legal_basis: str | None = None
    occurred_at: datetime | None = None


def faults(given: Sequence[ConsentGiven], *, path: Callable[[int, str], str]) -> list[Fault]:
    """Everything wrong; `path` says how the sender calls a field (in camel case) of the one with this number."""
    found = []
    for number, one in enumerate(given):
        wrong = {
            "channel": _one_of(CHANNELS, one.channel),
            "purpose": _one_of(PURPOSES, one.purpose),
            "state": _one_of(STATES, one.state),
            "source": _text(LONGEST_SOURCE, one.source),
            "topic": _topic(one.topic),
            "textVersion": one.text_version is not None and _text(LONGEST_TEXT_VERSION, one.text_version),
            "optInLevel": _one_of(OPT_IN_LEVELS, one.opt_in_level) or _unconfirmed(one),
            "legalBasis": one.legal_basis is not None and _one_of(LEGAL_BASES, one.legal_basis),
        }
        long = {"source": len(one.source) > LONGEST_SOURCE, "textVersion": _exceeds(one.text_version)}
        found += [
            Fault(path(number, name), "TOO_LONG" if long.get(name) else "INVALID", message)
            for name, message in wrong.items()
            if message
        ]
    return found


def is_topic(text: str) -> bool:
    return TOPIC.fullmatch(text) is not None


def _one_of(known: tuple[str, ...], value: str) -> str | None:
    return None if value in known else f"must be one of {', '.join(known)}"


def _exceeds(text_version: str | None) -> bool:
    return text_version is not None and len(text_version) > LONGEST_TEXT_VERSION


def _text(longest: int, value: str) -> str | None:
    return None if 0 < len(value) <= longest else f"must have 1 to {longest} characters"


def _topic(topic: str | None) -> str | None:
    return None if topic is None or is_topic(topic) else NO_TOPIC


def _unconfirmed(one: ConsentGiven) -> str | None:
    return "is not double before it is confirmed" if (one.state, one.opt_in_level) == (PENDING, DOUBLE) else None
