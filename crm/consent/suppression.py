# crm/consent/suppression.py
"""Addresses that nothing is sent to, whoever's they are: nothing about a customer adds or lifts a suppression."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import asdict

from crm.consent import addresses, keys, reasons, repository
from crm.consent.models import Suppression, SuppressionEntry, SuppressionState
from crm.consent.reasons import COMPLAINT, HARD_BOUNCE, LIFTED, MANUAL, REASONS, SUPPRESSED, Verdict
from crm.kernel import texts
from crm.kernel.actor import Actor
from crm.kernel.change import Change
from crm.kernel.errors import Fault, InvalidInputs, NotFound
from crm.kernel.ids import new_id

LONGEST_SOURCE, LONGEST_NOTE = 200, 500
OVERRIDDEN = (HARD_BOUNCE, COMPLAINT)
"""What only an explicit decision of its own lifts."""


class SuppressionGiven(Struct, frozen=True):
    """That a reason speaks against an address. `source` names the system or form that says so."""

    channel: str
    address: str
    reason: str
    source: str
    note: str | None = None


def look_up(shop: str, channel: str, address: str) -> Suppression | None:
    """The address's suppression as it is stored, or a new one with nothing in it (`rev` 0): whoever relies on it can
    make that a condition of their write. None where the text is no address of the channel.
    """
    normal = addresses.normalised(channel, address)
    if normal is None:
        return None
    digest = addresses.digest(shop, channel, normal)
    stored = repository.get_suppression(shop, digest)
    return stored or Suppression.of(shop, channel, digest, hint=addresses.hint(channel, normal))


def of_addresses(shop: str, addressed: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Suppression]:
    """What is stored of many addresses, each by its channel and text as it was given; none where nothing ever was."""
    normal = {(channel, address): addresses.normalised(channel, address) for channel, address in addressed}
    digests = {given: addresses.digest(shop, given[0], form) for given, form in normal.items() if form is not None}
    stored = repository.get_suppressions(shop, set(digests.values()))
    return {given: stored[digest] for given, digest in digests.items() if digest in stored}


def suppress(
    change: Change,
    shop: str,
    given: SuppressionGiven,
    *,
    actor: Actor,
    cause: str,
    occurred_at: datetime,
    now: datetime,
    replayed: bool,
) -> Suppression:
    """Add to `change`: an entry, and the address's suppression where that moves it. The commit raises Stale where
    another entry was recorded meanwhile. Raises InvalidInputs.
    """
    item = _known(shop, given, faults(given))
    _tell(change, item, given, SUPPRESSED, actor=actor, cause=cause, at=occurred_at, now=now, replayed=replayed)
    return item


def add(shop: str, given: SuppressionGiven, *, actor: Actor, idempotency_key: str, now: datetime) -> bool:
    """Suppress an address by hand; return whether an earlier call with this key did. A key is one address's, for good.

    Raises InvalidInputs, KeyReused.
    """
    return _by_hand(shop, given, SUPPRESSED, faults(given), actor=actor, key=idempotency_key, now=now)


def lift(shop: str, given: SuppressionGiven, *, actor: Actor, idempotency_key: str, now: datetime) -> bool:
    """Lift what was suppressed by hand; other reasons stay. `given.note` says why.

    Raises InvalidInputs, KeyReused, NotFound where the address is not suppressed for that reason.
    """
    wrong = _faults_of_lifting(given)
    if given.reason != MANUAL:
        wrong.append(Fault("reason", "INVALID", f"must be {MANUAL.upper()}; others are overridden"))
    return _by_hand(shop, given, LIFTED, wrong, actor=actor, key=idempotency_key, now=now)


def override(shop: str, given: SuppressionGiven, *, actor: Actor, idempotency_key: str, now: datetime) -> bool:
    """Lift a hard bounce or a complaint: against what the provider, or the recipient, has said. As `lift`."""
    wrong = _faults_of_lifting(given)
    if given.reason not in OVERRIDDEN:
        wrong.append(Fault("reason", "INVALID", f"must be one of {', '.join(OVERRIDDEN).upper()}"))
    return _by_hand(shop, given, LIFTED, wrong, actor=actor, key=idempotency_key, now=now)


def faults(given: SuppressionGiven) -> list[Fault]:
    """Everything wrong."""
    found: list[Fault] = []
    if given.channel not in addresses.CHANNELS:
        found.append(Fault("channel", "INVALID", f"must be one of {', '.join(addresses.CHANNELS)}"))
    elif addresses.normalised(given.channel, given.address) is None:
        found.append(Fault("address", "INVALID", "is no address of the channel"))
    if given.reason not in REASONS:
        found.append(Fault("reason", "INVALID", f"must be one of {', '.join(REASONS)}"))
    found += texts.faults("source", given.source, longest=LONGEST_SOURCE)
    if given.note is not None:
        found += texts.faults("note", given.note, longest=LONGEST_NOTE)
    return found


def _faults_of_lifting(given: SuppressionGiven) -> list[Fault]:
    missing = [Fault("note", "REQUIRED", "must say why")] if given.note is None else []
    return [*faults(given), *missing]


def _by_hand(
    shop: str, given: SuppressionGiven, state: str, wrong: list[Fault], *, actor: Actor, key: str, now: datetime
) -> bool:
    wrong = [*wrong, *keys.faults(key)]
    found = _known(shop, given, wrong)

    def gather(change: Change) -> None:
        item = look_up(shop, given.channel, given.address) or found
        held = _held(item, given.reason)
        if state == LIFTED and (held is None or held.state == LIFTED):
            raise NotFound("The address is not suppressed for this reason.", field="address")
        # Now, or just after what a source whose clock runs ahead has said: a person's word is never silently lost.
        at = max(now, held.occurred_at + timedelta(microseconds=1)) if held else now
        cause = f"suppression:{keys.name(key)}:{state}"
        _tell(change, item, given, state, actor=actor, cause=cause, at=at, now=now, replayed=False)

    said = {name: value for name, value in asdict(given).items() if name != "address"}  # whose key holds the address
    return keys.once(found.pk, key, [state, said], gather, now=now)


def _known(shop: str, given: SuppressionGiven, wrong: list[Fault]) -> Suppression:
    if wrong:
        raise InvalidInputs(wrong)
    item = look_up(shop, given.channel, given.address)
    assert item is not None  # else there were faults
    return item


def _tell(
    change: Change,
    item: Suppression,
    given: SuppressionGiven,
    state: str,
    *,
    actor: Actor,
    cause: str,
    at: datetime,
    now: datetime,
    replayed: bool,
) -> None:
    entry = SuppressionEntry.of(item.shop, item.digest, cause, occurred_at=at)
    entry.reason, entry.state, entry.source, entry.note = given.reason, state, given.source, given.note
    entry.actor, entry.recorded_at, entry.replayed = str(actor), now, replayed
    # `once`, as an update: whoever sends messages may not put items.
    change.once_more(entry, when=SuppressionEntry.sk.does_not_exist())
    held = _held(item, given.reason)
    before = Verdict(held.state, held.occurred_at, held.cause) if held else None
    # Where nothing moves, nothing is relied on: event times only grow, so older news stays older.
    if not reasons.prevails(Verdict(state, at, cause), before):
        return
    others = [one for one in item.states if one.reason != given.reason]
    said = SuppressionState(
        reason=given.reason,
        state=state,
        source=given.source,
        actor=str(actor),
        note=given.note,
        occurred_at=at,
        cause=cause,
    )
    item.states = sorted([*others, said], key=lambda one: REASONS.index(one.reason))
    item.cause, item.replayed = cause, replayed
    item.enlist(new_id("sup", now))
    change.revise(item)


def _held(item: Suppression, reason: str) -> SuppressionState | None:
    return next((state for state in item.states if state.reason == reason), None)
