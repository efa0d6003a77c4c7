# crm/consent/service.py
"""What customers have agreed to: the only door into this area."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from msgspec.structs import asdict, replace

from crm.consent import device_time, keys, repository
from crm.consent import given as evidence
from crm.consent import suppression as suppressions
from crm.consent.given import MOST_GIVEN, NO_TOPIC, ConsentGiven
from crm.consent.models import SHARDS as SUPPRESSION_SHARDS
from crm.consent.models import (
    ConsentEntry,
    ConsentHead,
    ConsentState,
    Suppression,
    SuppressionEntry,
    SuppressionState,
)
from crm.consent.permission import CHANNELS, DENIED, LEGAL_BASES, MARKETING, OPT_IN_LEVELS, PURPOSES, STATES, Refusal
from crm.consent.reasons import REASONS
from crm.consent.summary import MOST_TOPICS, MOST_TOPICS_DENIED, Summary
from crm.consent.suppression import SuppressionGiven
from crm.customers import service as customers
from crm.customers.service import Customer
from crm.kernel.actor import Actor, Role
from crm.kernel.change import Change
from crm.kernel.errors import Fault, InvalidInput, InvalidInputs, NotFound
from crm.kernel.table import customer_key

__all__ = [
    "CHANNELS",
    "LEGAL_BASES",
    "MARKETING",
    "MOST_GIVEN",
    "MOST_HELD",
    "MOST_TOPICS",
    "MOST_TOPICS_DENIED",
    "NO_TOPIC",
    "OPT_IN_LEVELS",
    "PURPOSES",
    "REASONS",
    "STATES",
    "SUPPRESSION_SHARDS",
    "ConsentEntry",
    "ConsentGiven",
    "ConsentHead",
    "ConsentState",
    "Past",
    "Refusal",
    "Suppression",
    "SuppressionEntry",
    "SuppressionGiven",
    "SuppressionState",
    "allows",
    "as_of",
    "at_moments",
    "entries",
    "faults",
    "faults_of_call",
    "held",
    "is_topic",
    "no_room",
    "record",
    "suppress",
    "suppressed",
    "suppression",
    "suppression_add",
    "suppression_entries",
    "suppression_faults",
    "suppression_lift",
    "suppression_override",
    "suppressions_of_addresses",
    "update",
    "withheld",
]

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)  # as of events
MOST_ENTRIES = 2_000  # that one answer about the past is worked out from: 1 MB, and a quarter of a second
MOST_HELD = len(CHANNELS) * len(PURPOSES) + MOST_TOPICS_DENIED

Past = dict[datetime, list[ConsentState] | InvalidInput]

faults = evidence.faults
is_topic = evidence.is_topic
entries = repository.list_newest

suppression = suppressions.look_up
suppress = suppressions.suppress
suppression_faults = suppressions.faults
suppression_add = suppressions.add
suppression_lift = suppressions.lift
suppression_override = suppressions.override
suppression_entries = repository.list_suppression_entries
suppressed = repository.list_suppressed
suppressions_of_addresses = suppressions.of_addresses


def record(
    change: Change,
    shop: str,
    customer_id: str,
    given: Sequence[ConsentGiven],
    *,
    actor: Actor,
    cause: str,
    occurred_at: datetime,
    now: datetime,
    replayed: bool,
    head: ConsentHead | None = None,
    stated: Mapping[int, datetime] | None = None,
) -> list[int]:
    """Add to `change`: an entry for each thing said, and the head where they change what holds. Return the numbers of
    those that find no room on the head (`MOST_TOPICS`): their entries are kept and have no effect.

    Said twice at one instant, the stricter counts. `head` is the customer's, where it was read (or made new) already:
    what was decided by it stands with it. `stated`: by number, the time that a customer's device gave, where another
    counts. The commit raises Stale where another consent was recorded since. Raises InvalidInputs.
    """
    wrong = _faults(given)
    if wrong:
        raise InvalidInputs(wrong)
    said = _said_once(given, occurred_at)
    if not said:
        return []
    head = head or repository.get_head(shop, customer_id) or ConsentHead.of(shop, customer_id)
    summary = Summary(head.states)
    moved = False
    beyond: list[int] = []
    for number, one in said.items():
        entry = _entry(shop, customer_id, one, cause)
        entry.actor, entry.recorded_at, entry.replayed = str(actor), now, replayed
        entry.stated_at = stated.get(number) if stated else None
        if summary.has_room_for(entry):
            moved |= summary.hear(entry)
        else:
            entry.without_effect = True
            beyond.append(number)
        change.once(entry)
    # Where nothing moves, nothing is relied on: event times on the head only grow, so older news stays older.
    if moved:
        head.states, head.cause, head.replayed = summary.states, cause, replayed
        change.revise(head)
    return beyond


def update(
    shop: str,
    customer_id: str,
    given: Sequence[ConsentGiven],
    *,
    actor: Actor,
    idempotency_key: str,
    now: datetime,
) -> bool:
    """Record what is said through the API; return whether an earlier call with this key did.

    What has no time of its own is said now, or just after whatever a source whose clock runs ahead has said of the
    channel and purpose: nobody's withdrawal is silently lost. The time that customers give is their device's
    (crm/consent/device_time.py). A key is one customer's, for good. Raises InvalidInputs,
    also where the customer would have more topics than a head holds; NotFound where there is no such customer, or they
    are deleted; CustomerBlocked where the customer takes no part and says it themselves; KeyReused where the key came
    with something else before. A no is heard from customers themselves also where they are blocked or deleted.
    """
    themselves = actor.role is Role.CUSTOMER
    wrong = faults_of_call(given, idempotency_key, now, themselves=themselves)
    if wrong:
        raise InvalidInputs(wrong)

    def gather(change: Change) -> None:
        heads = customers.take_snapshot(shop, customer_id)
        customer = heads.head(Customer)
        head = heads.head(ConsentHead) or ConsentHead.of(shop, customer_id)
        if customer is None:
            raise NotFound("There is no such customer.", field="id")
        withdrawing = themselves and all(one.state == DENIED for one in given)
        if customers.is_hidden(customer) and not withdrawing:
            raise customers.CustomerDeleted
        if themselves:
            customers.refuse_barred(customer, withdrawing=withdrawing)
            too_old = device_time.faults(given, now)
            if too_old:
                raise InvalidInputs(too_old)
        change.unchanged(customer)
        times = [_said_at(head, one, now, themselves=themselves) for one in given]
        beyond = record(
            change,
            shop,
            customer_id,
            [replace(one, occurred_at=at) for one, at in zip(given, times, strict=True)],
            actor=actor,
            cause=f"consent:{keys.name(idempotency_key)}:update",
            occurred_at=now,
            now=now,
            replayed=False,
            head=head,
            stated={
                number: one.occurred_at
                for number, one in enumerate(given)
                if one.occurred_at is not None and one.occurred_at != times[number]
            },
        )
        if beyond:
            raise InvalidInputs([no_room(given[number], _path(number, "topic")) for number in beyond])

    return keys.once(customer_key(shop, customer_id), idempotency_key, [asdict(one) for one in given], gather, now=now)


def no_room(one: ConsentGiven, path: str) -> Fault:
    """What is wrong with a consent for which the head had no room: a no has more than a yes, and room of its own to
    run out of.
    """
    if one.state == DENIED:
        instead = "deny the channel and purpose as a whole"
        return Fault(path, "TOO_MANY_DENIED", f"is beyond the {MOST_TOPICS_DENIED} topics of a customer: {instead}")
    return Fault(path, "TOO_MANY", f"is beyond the {MOST_TOPICS} topics of a customer, the denied ones included")


def allows(head: ConsentHead | None, channel: str, purpose: str, topic: str | None = None) -> Refusal | None:
    """Why the channel may not be used for the purpose (and topic), or None where it may. Asks nothing of the store. A
    customer never asked has no head.
    """
    return withheld(head.states if head else (), channel, purpose, topic)


def withheld(states: Iterable[ConsentState], channel: str, purpose: str, topic: str | None = None) -> Refusal | None:
    """As `allows`, by what counted at any moment."""
    return Summary(states).refusal(channel, purpose, topic)


def held(states: Iterable[ConsentState]) -> list[ConsentState]:
    """Of what counts, what holds: one for each channel, purpose and topic of which anything was said."""
    return Summary(states).held


def as_of(shop: str, customer_id: str, instant: datetime) -> list[ConsentState]:
    """What counted at the instant, as far as is known now: an entry that came late counts from its event's time on.

    Raises InvalidInput beyond 2,000 entries.
    """
    told = at_moments(shop, customer_id, [instant])[instant]
    if isinstance(told, InvalidInput):
        raise told
    return told


def at_moments(shop: str, customer_id: str, instants: Iterable[datetime]) -> Past:
    """As `as_of`, of any number of instants from one reading of the entries, with the refusal of those that come after
    too many of them.
    """
    told: Past = {}
    waiting = sorted(set(instants), reverse=True)
    summary = Summary()
    for number, entry in enumerate(repository.list_until(shop, customer_id, waiting[0], most=MOST_ENTRIES + 1)):
        while waiting[-1] < entry.occurred_at:
            told[waiting.pop()] = summary.states
        if number == MOST_ENTRIES:
            said = f"more than {MOST_ENTRIES:,} entries; page through them instead"
            return told | {instant: InvalidInput(said, field="asOf") for instant in waiting}
        if not entry.without_effect:
            summary.hear(entry)
    return told | dict.fromkeys(waiting, summary.states)


def _entry(shop: str, customer_id: str, one: ConsentGiven, cause: str) -> ConsentEntry:
    assert one.occurred_at is not None  # filled in by _said_once
    entry = ConsentEntry.of(
        shop, customer_id, one.channel, one.purpose, cause, topic=one.topic, occurred_at=one.occurred_at
    )
    entry.state, entry.source, entry.text_version = one.state, one.source, one.text_version
    entry.opt_in_level, entry.legal_basis = one.opt_in_level, one.legal_basis
    return entry


def _said_at(head: ConsentHead, one: ConsentGiven, now: datetime, *, themselves: bool) -> datetime:
    if one.occurred_at is None:
        return _after(head, one, now)
    return device_time.counts_from(one.occurred_at, one, head.states, now) if themselves else one.occurred_at


def _after(head: ConsentHead, one: ConsentGiven, now: datetime) -> datetime:
    """Topics and the whole outrank each other by time, so each is said after all that is known of both."""
    known = [
        state.occurred_at + timedelta(microseconds=1)
        for state in head.states
        if (state.channel, state.purpose) == (one.channel, one.purpose)
    ]
    return max([now, *known])


def _said_once(given: Sequence[ConsentGiven], occurred_at: datetime) -> dict[int, ConsentGiven]:
    """One for each channel, purpose, topic and instant, by its number; the stricter replaces the other."""
    said: dict[tuple[str, str, str | None, datetime], tuple[int, ConsentGiven]] = {}
    for number, one in enumerate(given):
        at = one.occurred_at or occurred_at
        key = (one.channel, one.purpose, one.topic, at)
        if key not in said or STATES.index(one.state) > STATES.index(said[key][1].state):
            said[key] = (number, replace(one, occurred_at=at))
    return dict(said.values())


def faults_of_call(
    given: Sequence[ConsentGiven], idempotency_key: str, now: datetime, *, themselves: bool
) -> list[Fault]:
    """Everything wrong with what is said through the API, as far as that can be told without a read. `themselves`: by
    customers, whose device may have another time.
    """
    found = [*_faults(given), *keys.faults(idempotency_key)]
    if not given:
        found.append(Fault("consents", "REQUIRED", "must name at least one"))
    found += _said_twice(given)
    for number, one in enumerate(given):
        if one.occurred_at is None:
            continue
        if themselves and device_time.is_ahead(one, now):
            found.append(Fault(_path(number, "occurredAt"), "FROM_THE_FUTURE", "lies more than 10 minutes ahead"))
        if not themselves and one.occurred_at > now:
            found.append(Fault(_path(number, "occurredAt"), "FROM_THE_FUTURE", "lies in the future"))
        if not themselves and one.occurred_at < EARLIEST:
            found.append(Fault(_path(number, "occurredAt"), "INVALID", "lies before 1970"))
    return found


def _said_twice(given: Sequence[ConsentGiven]) -> list[Fault]:
    """At two times, one thing may have been said and then the other; at one, nobody knows which was meant."""
    known: set[tuple[str, str, str | None, datetime | None]] = set()
    found = []
    for number, one in enumerate(given):
        key = (one.channel, one.purpose, one.topic, one.occurred_at)
        if key in known:
            found.append(Fault(f"consents.{number}", "DUPLICATE", "is said before, of the same time"))
        known.add(key)
    return found


def _faults(given: Sequence[ConsentGiven]) -> list[Fault]:
    if len(given) > MOST_GIVEN:
        return [Fault("consents", "TOO_MANY", f"must not exceed {MOST_GIVEN}")]
    return evidence.faults(given, path=_path)


def _path(number: int, name: str) -> str:
    return f"consents.{number}.{name}"
