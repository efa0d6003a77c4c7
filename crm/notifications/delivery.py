# crm/notifications/delivery.py
"""How a planned message is sent at most once: reserve, send, confirm.

What nobody can know (the process died, or the provider's answer was lost, after the message left) becomes `unknown`
and is not sent again: a second thank-you is worse than none. See docs/decisions/0021.
"""

from datetime import datetime

from msgspec import Struct

from crm.consent import service as consent
from crm.consent.reasons import HARD_BOUNCE
from crm.consent.service import SuppressionGiven
from crm.kernel.actor import SYSTEM
from crm.kernel.change import Change, retrying
from crm.kernel.errors import NotFound
from crm.kernel.ids import new_id
from crm.notifications import mail, recipient, repository, thank_you
from crm.notifications.eligibility import refusal
from crm.notifications.events import MessagePlanned
from crm.notifications.mail import AddressSuppressed, NoAnswer, NotAccepted, Rejected
from crm.notifications.models import FAILED, PLANNED, REFUSED, SENDING, SENT, UNKNOWN, Message
from crm.notifications.recipient import Recipient
from crm.notifications.thank_you import Letter

INTERRUPTED = "INTERRUPTED"


class Reserved(Struct, frozen=True):
    """A message that this delivery, and no other, may send."""

    message: Message
    to: Recipient
    letter: Letter


def deliver(planned: MessagePlanned, *, now: datetime) -> Message:
    """Send the message, unless something speaks against it now; return it as it was left.

    A repeat finds it settled and changes nothing. Raises NotAccepted where the provider may take it later (the message
    is `planned` again), NotFound where there is no such message.
    """
    reservation = new_id("dlv", now)
    found = retrying(lambda: _reserve(planned, reservation, now))
    return _send(found, reservation, now) if isinstance(found, Reserved) else found


def _reserve(planned: MessagePlanned, reservation: str, now: datetime) -> Reserved | Message:
    message = repository.get_message(planned.shop, planned.customer_id, planned.message_id)
    if message is None:
        raise NotFound("There is no such message.", field="messageId")
    # Our own reservation is met again where the answer to its commit was lost and the attempt repeated.
    if message.status == SENDING and message.reservation != reservation:
        return _leave(message, UNKNOWN, INTERRUPTED, now)
    if message.status not in {PLANNED, SENDING}:
        return message
    to = recipient.look_up(message)
    if message.status == SENDING:
        return _reserved(message, to)
    change = Change(now)
    to.rely(change)
    reason = refusal(to.attempt, now=now)
    if reason:
        message.status, message.reason, message.settled_at = REFUSED, reason.value, now
        message.cause = f"message:{message.message_id}:refuse"
        change.revise(message)
        change.commit()
        return message
    reserved = _reserved(message, to)  # written before it is reserved: what cannot be written is not left `sending`
    message.status, message.reservation = SENDING, reservation
    message.attempt_count = int(message.attempt_count) + 1
    message.cause = f"message:{message.message_id}:reserve:{reservation}"
    change.revise(message)
    change.commit()
    return reserved


def _reserved(message: Message, to: Recipient) -> Reserved:
    assert to.customer is not None  # refused otherwise
    locale = to.customer.locale or to.shop.locale
    return Reserved(message, to, thank_you.write(locale, first_name=to.customer.first_name, shop_name=to.shop.name))


def _send(reserved: Reserved, reservation: str, now: datetime) -> Message:
    message, attempt = reserved.message, reserved.to.attempt
    assert attempt.address is not None  # refused otherwise
    assert attempt.sender is not None  # refused otherwise
    try:
        provider_id = mail.send(
            reserved.letter,
            sender=attempt.sender,
            sender_name=reserved.to.shop.name,
            address=attempt.address,
            told=mail.tags(message.shop, message.customer_id, message.message_id, template=message.template),
        )
    except NotAccepted as error:
        _settle(message, reservation, PLANNED, reason=str(error), now=now)
        raise
    except AddressSuppressed as error:
        return _settle(message, reservation, FAILED, reason=error.reason, now=now, refused=attempt.address)
    except Rejected as error:
        return _settle(message, reservation, FAILED, reason=error.reason, now=now)
    except NoAnswer as error:
        return _settle(message, reservation, UNKNOWN, reason=str(error), now=now)
    return _settle(message, reservation, SENT, provider_id=provider_id, now=now)


def _settle(
    sent: Message,
    reservation: str,
    status: str,
    *,
    now: datetime,
    reason: str | None = None,
    provider_id: str | None = None,
    refused: str | None = None,
) -> Message:
    """Write what became of it. Whoever holds the reservation knows better than a repeat that called it unknown.

    `refused`: an address that the provider delivers nothing to; neither shall we.
    """

    def attempt() -> Message:
        message = repository.get_message(sent.shop, sent.customer_id, sent.message_id)
        if message is None:
            raise NotFound("The message was removed while it was sent.")
        if message.reservation != reservation or message.status not in {SENDING, UNKNOWN}:
            return message
        message.provider_id = provider_id
        change = Change(now)
        if refused:
            _suppress(change, message, refused, now)
        return _leave(message, status, reason, now, change)

    return retrying(attempt)


def _suppress(change: Change, message: Message, address: str, now: datetime) -> None:
    consent.suppress(
        change,
        message.shop,
        SuppressionGiven(message.channel, address, HARD_BOUNCE, mail.PROVIDER, "on the provider's own list"),
        actor=SYSTEM,
        cause=f"message:{message.message_id}:suppress",
        occurred_at=now,
        now=now,
        replayed=False,
    )


def _leave(message: Message, status: str, reason: str | None, now: datetime, change: Change | None = None) -> Message:
    message.status, message.reason = status, reason
    message.settled_at = None if status == PLANNED else now
    message.cause = f"message:{message.message_id}:{status}:{message.reservation}"
    change = change or Change(now)
    change.revise(message)
    change.commit()
    return message
