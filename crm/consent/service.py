# crm/consent/service.py
"""What customers have agreed to: the only door into this area."""

from dataclasses import dataclass
from datetime import datetime

from crm.consent import permission, repository
from crm.consent.models import ConsentEntry, ConsentHead, ConsentState
from crm.consent.permission import CHANNELS, PURPOSES, STATES, Refusal, Stand
from crm.kernel.change import Change
from crm.kernel.errors import Fault, InvalidInputs

__all__ = [
    "CHANNELS",
    "PURPOSES",
    "STATES",
    "ConsentGiven",
    "ConsentHead",
    "ConsentState",
    "Refusal",
    "allows",
    "record",
]

LONGEST_SOURCE = 200


@dataclass(frozen=True)
class ConsentGiven:
    """A yes or no to one channel and purpose. `source` names the form or system in which it was said."""

    channel: str
    purpose: str
    state: str
    source: str


def record(
    change: Change,
    shop: str,
    customer_id: str,
    given: list[ConsentGiven],
    *,
    cause: str,
    occurred_at: datetime,
    now: datetime,
    replayed: bool,
) -> None:
    """Add to `change`: an entry for each channel and purpose, and the head where they change what holds.

    Said twice at once, the no counts. The commit raises Stale where another consent was recorded meanwhile. Raises
    InvalidInputs.
    """
    faults = _faults(given)
    if faults:
        raise InvalidInputs(faults)
    said = _said_once(given)
    if not said:
        return
    head = repository.get_head(shop, customer_id) or ConsentHead.of(shop, customer_id)
    moved = False
    for one in said:
        entry = ConsentEntry.of(shop, customer_id, one.channel, one.purpose, cause, occurred_at=occurred_at)
        entry.state, entry.source, entry.recorded_at, entry.replayed = one.state, one.source, now, replayed
        change.once(entry)
        moved |= _move(head, one, occurred_at)
    # Where nothing moves, nothing is relied on: event times on the head only grow, so older news stays older.
    if moved:
        head.cause, head.replayed = cause, replayed
        change.revise(head)


def allows(head: ConsentHead | None, channel: str, purpose: str) -> Refusal | None:
    """Why the channel may not be used for the purpose, or None where it may. A customer never asked has no head."""
    return permission.refusal(_stand(head, channel, purpose), purpose)


def _stand(head: ConsentHead | None, channel: str, purpose: str) -> Stand | None:
    held = _held(head, channel, purpose) if head else None
    return Stand(held.state, held.occurred_at) if held else None


def _held(head: ConsentHead, channel: str, purpose: str) -> ConsentState | None:
    return next((state for state in head.states if (state.channel, state.purpose) == (channel, purpose)), None)


def _move(head: ConsentHead, given: ConsentGiven, occurred_at: datetime) -> bool:
    new = Stand(given.state, occurred_at)
    if not permission.prevails(new, _stand(head, given.channel, given.purpose)):
        return False
    others = [state for state in head.states if (state.channel, state.purpose) != (given.channel, given.purpose)]
    state = ConsentState(
        channel=given.channel,
        purpose=given.purpose,
        state=given.state,
        source=given.source,
        occurred_at=occurred_at,
    )
    head.states = sorted([*others, state], key=lambda held: (held.channel, held.purpose))
    return True


def _said_once(given: list[ConsentGiven]) -> list[ConsentGiven]:
    """One for each channel and purpose; a denial replaces what was said beside it."""
    said: dict[tuple[str, str], ConsentGiven] = {}
    for one in given:
        key = (one.channel, one.purpose)
        if key not in said or one.state == permission.DENIED:
            said[key] = one
    return list(said.values())


def _faults(given: list[ConsentGiven]) -> list[Fault]:
    faults = []
    for number, one in enumerate(given):
        for name, known in (("channel", CHANNELS), ("purpose", PURPOSES), ("state", STATES)):
            if getattr(one, name) not in known:
                faults.append(Fault(f"consents.{number}.{name}", "INVALID", f"must be one of {', '.join(known)}"))
        if not 0 < len(one.source) <= LONGEST_SOURCE:
            faults.append(Fault(f"consents.{number}.source", "INVALID", f"must have 1 to {LONGEST_SOURCE} characters"))
    return faults
