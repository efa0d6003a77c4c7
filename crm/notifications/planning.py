# crm/notifications/planning.py
"""Which messages are to be sent: one row for each that was attempted, whatever became of it."""

from datetime import datetime, timedelta

from crm.kernel import timers
from crm.kernel.change import Change, retrying
from crm.kernel.timers import Timer, TimerDue
from crm.notifications import recipient, repository
from crm.notifications.eligibility import Attempt, Refusal, refusal
from crm.notifications.models import PLANNED, REFUSED, Message
from crm.orders.events import OrderRecorded

OWNER, THANK_YOU = "notifications", "thank_you"
SECOND_LOOK_AFTER = timedelta(minutes=15)
MAY_STILL_ARRIVE = frozenset({Refusal.NO_CONSENT, Refusal.NO_ADDRESS})
"""What another event may be bringing at this moment: events come in any order."""


def plan_thank_you(order: OrderRecorded, *, now: datetime) -> Message | None:
    """Decide on the thank-you for a customer's first order and store the decision; None where there is none to take.

    Once a customer, whichever event comes first. Only the revision that recorded the order counts: a later one of an
    order that was imported is live, and would thank for something long ago.
    """
    if not order.first or order.rev != 1:
        return None

    def attempt() -> Message | None:
        message = Message.of(order.shop, order.customer_id, _thank_you_id(order.customer_id), planned_at=now)
        message.template, message.channel, message.purpose = THANK_YOU, "email", "marketing"
        message.order_id = order.order_id
        message.cause, message.replayed = f"order:{order.order_id}:{THANK_YOU}", order.replayed
        message.rev = 1
        change = Change(now)
        reason = _decide(change, message, now=now)
        change.once(message)
        if reason in MAY_STILL_ARRIVE:
            timers.set_to(change, None, _second_look(message, now))
        return message if change.commit() else None

    return retrying(attempt)


def reconsider(due: TimerDue, *, now: datetime) -> Message | None:
    """Look a second time at a message that was refused for want of what may have arrived since; None where there is
    nothing to look at any more. The timer ends either way.
    """

    def attempt() -> Message | None:
        timer = timers.get(due.shop, due.customer_id, OWNER, due.subject)
        if timer is None or timer.due_at > now:
            return None
        change = Change(now)
        timers.set_to(change, timer, None)
        message = repository.get_message(due.shop, due.customer_id, _thank_you_id(due.customer_id))
        if message is None or message.status != REFUSED or message.reason not in MAY_STILL_ARRIVE:
            message = None
        elif _decide(change, message, now=now) is None:
            message.cause = f"timer:{due.subject}:reconsider"
            change.revise(message)
        change.commit()
        return message

    return retrying(attempt)


def _decide(change: Change, message: Message, *, now: datetime) -> Refusal | None:
    """Set the message's status, and add to `change` what that relies on."""
    if message.replayed:  # an import of thousands: nothing needs to be read to refuse it
        reason = refusal(Attempt(planned_at=message.planned_at, replayed=True), now=now)
    else:
        to = recipient.look_up(message)
        to.rely(change)
        reason = refusal(to.attempt, now=now)
    message.status, message.reason = (REFUSED, reason.value) if reason else (PLANNED, None)
    message.settled_at = now if reason else None
    return reason


def _thank_you_id(customer_id: str) -> str:
    return f"customer:{customer_id}:{THANK_YOU}"


def _second_look(message: Message, now: datetime) -> Timer:
    return Timer.of(message.shop, message.customer_id, OWNER, THANK_YOU, now + SECOND_LOOK_AFTER)
