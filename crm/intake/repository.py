# crm/intake/repository.py
"""Every read and write of received events."""

from collections.abc import Iterable

from pynamodb.exceptions import DoesNotExist, PutError, UpdateError
from pynamodb.expressions.condition import size

from crm.intake.models import APPLIED, WAITING, ReceivedEvent
from crm.kernel import batch_reads
from crm.kernel.change import Change
from crm.kernel.errors import Stale
from crm.kernel.settings import settings

MOST_REJECTED = 100  # hashes of 64 characters: an item stays far below its limit


def get_event(shop: str, event_id: str) -> ReceivedEvent | None:
    """AP-11."""
    key = ReceivedEvent.of(shop, event_id)
    try:
        return ReceivedEvent.get(key.pk, key.sk, consistent_read=True)
    except DoesNotExist:
        return None


def contents_of(shop: str, event_ids: Iterable[str]) -> dict[str, str]:
    """Of those events that had their effect or wait for another, the hash of their content, by id (AP-100)."""
    wanted = [ReceivedEvent.of(shop, event_id) for event_id in dict.fromkeys(event_ids)]
    found = batch_reads.read(settings().crm_table, [(event.pk, event.sk) for event in wanted])
    events = map(ReceivedEvent.from_raw_data, found)
    return {event.event_id: event.content_hash for event in events if event.status in {APPLIED, WAITING}}


def add_received(change: Change, event: ReceivedEvent) -> None:
    """Add to `change`: the event is told to have had its effect, which it can have once."""
    unapplied = ReceivedEvent.sk.does_not_exist() | ~ReceivedEvent.status.is_in(APPLIED, WAITING)
    change.write(event, when=unapplied, otherwise=Stale("The event was applied meanwhile."))


def add_unblocked(change: Change, shop: str, event_id: str, *, effect: str, customer_id: str) -> None:
    """Add to `change`: what the event waited for has come."""
    change.update(
        ReceivedEvent.of(shop, event_id),
        [
            ReceivedEvent.status.set(APPLIED),
            ReceivedEvent.effect.set(effect),
            ReceivedEvent.customer_id.set(customer_id),
        ],
        when=ReceivedEvent.status == WAITING,
        otherwise=Stale(),
    )


def save_dead_lettered(event: ReceivedEvent) -> bool:
    """Tell that an event was given up on; False, and nothing told, where one under its id has had its effect."""
    try:
        event.save(condition=ReceivedEvent.sk.does_not_exist() | ~ReceivedEvent.status.is_in(APPLIED, WAITING))
    except PutError as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise
        return False
    return True


def add_rejected(event: ReceivedEvent) -> None:
    """Tell, of the event that has had its effect, that another one came under its id and was given up on. The same one
    again counts once; beyond MOST_REJECTED contents nothing more is told.
    """
    other = ReceivedEvent.content_hash != event.content_hash
    room = ReceivedEvent.rejected_hashes.does_not_exist() | (size(ReceivedEvent.rejected_hashes) < MOST_REJECTED)
    try:
        event.update(
            [
                ReceivedEvent.rejected_hashes.add({event.content_hash}),
                ReceivedEvent.rejected_at.set(event.received_at),
                ReceivedEvent.rejected_reasons.set(event.reasons),
            ],
            condition=other & room,
        )
    except UpdateError as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise
