# crm/consent/device_time.py
"""From when what customers say counts, by the time their device gives. Pure (docs/decisions/0084)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from crm.consent.given import ConsentGiven
from crm.consent.models import ConsentState
from crm.consent.permission import DENIED
from crm.kernel.errors import Fault

AHEAD, BACK = timedelta(minutes=10), timedelta(days=30)
"""How far a yes may lie ahead, as events may, and how far back. A no is never refused for its time."""


def is_ahead(one: ConsentGiven, now: datetime) -> bool:
    """Whether it is refused as said in the future."""
    return one.occurred_at is not None and one.state != DENIED and one.occurred_at > now + AHEAD


def faults(given: Iterable[ConsentGiven], now: datetime) -> list[Fault]:
    """What lies too far back to be heard. Not of a call's form: a call that was heard stays so when it is repeated."""
    return [
        Fault(f"consents.{number}.occurredAt", "INVALID", f"lies more than {BACK.days} days back: ask the person again")
        for number, one in enumerate(given)
        if one.occurred_at is not None and one.state != DENIED and one.occurred_at < now - BACK
    ]


def counts_from(said_at: datetime, one: ConsentGiven, states: Iterable[ConsentState], now: datetime) -> datetime:
    """A yes from when the device says, at the latest from now. A no besides from after every yes to the same that was
    heard before it: a clock that is behind loses no withdrawal to them.
    """
    counted = min(said_at, now)
    if one.state != DENIED:
        return counted
    withdrawn = [
        state.occurred_at + timedelta(microseconds=1)
        for state in states
        if state.state != DENIED
        and (state.channel, state.purpose) == (one.channel, one.purpose)
        and one.topic in (None, state.topic)
    ]
    return max([counted, now - BACK, *withdrawn])
