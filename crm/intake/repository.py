# crm/intake/repository.py
"""Every read and write of received events."""

from pynamodb.exceptions import DoesNotExist, PutError

from crm.intake.models import APPLIED, WAITING, ReceivedEvent
from crm.kernel.change import Change
from crm.kernel.errors import Stale


def get_event(shop: str, event_id: str) -> ReceivedEvent | None:
    """AP-11."""
    key = ReceivedEvent.of(shop, event_id)
    try:
        return ReceivedEvent.get(key.pk, key.sk, consistent_read=True)
    except DoesNotExist:
        return None


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


def save_dead_lettered(event: ReceivedEvent) -> None:
    """Tell that an event was given up on, unless one under its id has had its effect."""
    try:
        event.save(condition=ReceivedEvent.sk.does_not_exist() | ~ReceivedEvent.status.is_in(APPLIED, WAITING))
    except PutError as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise
