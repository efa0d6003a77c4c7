# crm/intake/service.py
"""Events in: three doors (HTTP, the intake bus, the local sender), one path. The only door into this area."""

import json
import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from crm.intake import arrivals, effects, parsing, repository, unknown
from crm.intake.effects import Arrival
from crm.intake.event_types import EVENT_TYPES
from crm.intake.models import APPLIED, DEAD_LETTERED, WAITING, Reason, ReceivedEvent
from crm.intake.parsing import OF_AN_APP
from crm.kernel import correlation, dead_letters
from crm.kernel.aws import sqs_client
from crm.kernel.change import Change, retrying
from crm.kernel.errors import Fault, InvalidInputs, KeyReused, NotFound
from crm.kernel.settings import settings
from crm.kernel.table import STORE_ERRORS
from crm.shops import service as shops

log = logging.getLogger(__name__)

__all__ = [
    "MOST_EVENTS",
    "OF_AN_APP",
    "QUEUED",
    "REFUSED",
    "RETRY",
    "TYPES",
    "Outcome",
    "Reason",
    "Receipt",
    "ReceivedEvent",
    "accept",
    "apply",
    "bury",
    "envelopes",
    "status",
    "written",
]

written = parsing.written
envelopes = arrivals.envelopes
TYPES = tuple(EVENT_TYPES)

MOST_EVENTS = 100  # of one call
BATCH_ENTRIES, BATCH_BYTES = 10, 240_000  # SendMessageBatch's limits, less their wrapping
QUEUED, REFUSED, RETRY = "queued", "refused", "retry"
BY_APP = {"app": {"DataType": "String", "StringValue": "true"}}  # of a message in the queue
REUSED = "another event came under this id before"


class Receipt(Struct, frozen=True):
    """The door's answer for an event: `queued`, `refused` (with every fault), or `retry` (the queue took it not).
    `ignored`: of a queued one, the paths of fields that its type does not know.
    """

    id: str | None
    status: str
    faults: Sequence[Fault] = ()
    ignored: Sequence[str] = ()


class Outcome(Struct, frozen=True):
    """What became of an event: `applied` or `waiting`; `repeated` where that had happened before."""

    event_id: str
    status: str
    effect: str
    customer_id: str | None
    repeated: bool = False


def accept(shop: str, events: Sequence[Any], *, now: datetime, by_app: bool = False) -> list[Receipt]:
    """Check events of a shop and queue the good ones; a receipt for each, in their order. `by_app`: an app sends them,
    and the caller has given them ids of an app's.

    A bad event holds up no other. One whose id is known with other content, from an earlier call or this one, is
    refused here as far as the door can know it; what is still queued is found out later. Raises InvalidInputs for more
    than 100 events, and NotFound for a shop that does not exist.
    """
    if len(events) > MOST_EVENTS:
        raise InvalidInputs([Fault("events", "TOO_MANY", f"must be {MOST_EVENTS} at most")])
    _check_shop(shop, now)
    bodies = [parsing.written(event) for event in events]
    checked = [_checked(shop, event, body, now, by_app=by_app) for event, body in zip(events, bodies, strict=True)]
    receipts = _distinguished(shop, checked, bodies)
    good = [index for index, receipt in enumerate(receipts) if receipt.status == QUEUED]
    for index in _not_taken({index: bodies[index] for index in good}, by_app=by_app):
        receipts[index] = Receipt(receipts[index].id, RETRY)
    return receipts


def apply(body: str, *, now: datetime, replayed: bool = False, by_app: bool = False, imported: bool = False) -> Outcome:
    """Let an event have its effect: one transaction, once, however often it is delivered. `imported`: it came by no
    door, but is a row of a file that staff import.

    Raises the refusal that dead-letters it (InvalidInputs, NotFound, KeyReused, ...), or Stale where it was overtaken
    too often and should be delivered again.
    """
    envelope = parsing.parse(body, now=now, by_app=by_app, imported=imported)
    content = parsing.content_hash(body)
    shops.current(envelope.shop, now=now)  # an event of no shop of ours is refused before it writes anything
    arrival = Arrival(envelope, now, replayed, by_app)
    ignored = unknown.paths(msgspec.json.decode(body))

    def attempt() -> Outcome:
        known = repository.get_event(envelope.shop, envelope.id)
        if known is not None and known.status in {APPLIED, WAITING}:
            if known.content_hash != content:
                raise KeyReused(REUSED, field="id")
            return Outcome(envelope.id, known.status, known.effect or "", known.customer_id, repeated=True)
        change = Change(now)
        effect = effects.add(change, arrival)
        event = ReceivedEvent.of(envelope.shop, envelope.id)
        event.type, event.content_hash = envelope.type, content
        event.received_at, event.occurred_at = now, envelope.occurred_at
        event.status = WAITING if effect.waits else APPLIED
        event.effect, event.customer_id = effect.told(), effect.customer_id
        event.ignored = ignored or None
        repository.add_received(change, event)
        for event_id in effect.unblocked:
            repository.add_unblocked(
                change,
                envelope.shop,
                event_id,
                effect=f"waited for {effect.text}",
                customer_id=effect.customer_id or "",
            )
        repeated = not change.commit()
        return Outcome(envelope.id, event.status, effect.told(), effect.customer_id, repeated=repeated)

    return retrying(attempt)


def bury(body: str, reasons: Sequence[Fault], *, now: datetime, replayed: bool = False, by_app: bool = False) -> None:
    """Dead-letter an event whole with its reasons, and tell so where it can be told whose it is: nothing is kept for a
    shop that does not exist. Redriven, what came as a replay is one again, and what came from an app is an app's.
    """
    queue = settings().require("intake_dead_letters_url")
    dead_letters.put(queue, body, source="ingest", reasons=reasons, now=now, replayed=replayed, by_app=by_app)
    shop, event_id, name = _names(body)
    if shop is None or event_id is None or not _exists(shop, now):
        return
    event = ReceivedEvent.of(shop, event_id)
    event.type, event.status, event.content_hash = name or "", DEAD_LETTERED, parsing.content_hash(body)
    event.received_at, event.correlation_id = now, correlation.current()
    event.reasons = [Reason(path=fault.path, code=fault.code, message=fault.message) for fault in reasons]
    if not repository.save_dead_lettered(event):
        repository.add_rejected(event)


def status(shop: str, event_id: str) -> ReceivedEvent | None:
    """What became of an event; None while it is queued, or was never sent."""
    return repository.get_event(shop, event_id)


def _exists(shop: str, now: datetime) -> bool:
    try:
        shops.current(shop, now=now)
    except NotFound:
        return False
    return True


def _check_shop(shop: str, now: datetime) -> None:
    """Raises NotFound. Where the store does not answer, events are queued all the same: applying them looks again."""
    try:
        shops.current(shop, now=now)
    except STORE_ERRORS:
        log.exception("shop not read", extra={"shop": shop})


def _checked(shop: str, event: Any, body: str, now: datetime, *, by_app: bool) -> Receipt:
    event_id = parsing.id_of(event)
    try:
        envelope = parsing.parse(body, now=now, by_app=by_app)
    except InvalidInputs as refusal:
        return Receipt(event_id, REFUSED, refusal.faults)
    if envelope.shop != shop:
        return Receipt(event_id, REFUSED, [Fault("shop", "FORBIDDEN", "is not the shop you may send for")])
    return Receipt(event_id, QUEUED, ignored=unknown.paths(event))


def _distinguished(shop: str, receipts: Sequence[Receipt], bodies: Sequence[str]) -> list[Receipt]:
    """The receipts, those refused whose id has come with other content: stored, or before them in the call."""
    contents = _known_contents(shop, [receipt.id for receipt in receipts if receipt.id and receipt.status == QUEUED])
    told = []
    for receipt, body in zip(receipts, bodies, strict=True):
        if receipt.id and receipt.status == QUEUED:
            content = parsing.content_hash(body)
            if contents.setdefault(receipt.id, content) != content:
                told.append(Receipt(receipt.id, REFUSED, [Fault("id", KeyReused.code, REUSED)]))
                continue
        told.append(receipt)
    return told


def _known_contents(shop: str, event_ids: Sequence[str]) -> dict[str, str]:
    """Nothing where the store does not answer: events are queued all the same, and judged when they are applied."""
    try:
        return repository.contents_of(shop, event_ids)
    except STORE_ERRORS:
        log.exception("known events not read", extra={"events": len(event_ids)})
        return {}


def _not_taken(bodies: dict[int, str], *, by_app: bool) -> Iterator[int]:
    """Send bodies to the intake queue; the numbers of those it did not take."""
    queue = settings().require("intake_queue_url")
    for batch in _batches(bodies):
        more = {"MessageAttributes": correlation.attributes() | (BY_APP if by_app else {})}
        entries = [{"Id": str(index), "MessageBody": bodies[index]} | more for index in batch]
        try:
            answer = sqs_client().send_message_batch(QueueUrl=queue, Entries=entries)
        except STORE_ERRORS:
            log.exception("events not queued", extra={"events": len(entries)})
            yield from batch
        else:
            yield from (int(failed["Id"]) for failed in answer.get("Failed", []))


def _batches(bodies: dict[int, str]) -> Iterator[list[int]]:
    batch: list[int] = []
    size = 0
    for index, body in bodies.items():
        length = len(body.encode())
        if batch and (len(batch) == BATCH_ENTRIES or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(index)
        size += length
    if batch:
        yield batch


def _names(body: str) -> tuple[str | None, str | None, str | None]:
    """Shop, id and type of an event that may be broken, each where it can be read and used in a key."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return None, None, None
    if not isinstance(event, dict):
        return None, None, None
    values = [event.get(name) for name in ("shop", "id", "type")]
    readable = [value if isinstance(value, str) and parsing.is_identifier(value) else None for value in values]
    return readable[0], readable[1], readable[2]
