# crm/intake/effects.py
"""What each type of event does. All of one event's effects are added to one change."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from crm.consent import service as consent
from crm.customers import service as customers
from crm.customers.service import Identified
from crm.feedback import service as feedback
from crm.intake import words
from crm.intake.event_types import (
    CartData,
    CheckoutData,
    ConsentData,
    CustomData,
    CustomerData,
    CustomerPart,
    Envelope,
    FeedbackData,
    OrderData,
    ProductData,
    RefundData,
    SuppressionData,
    VisitData,
)
from crm.kernel.actor import Actor, Role
from crm.kernel.change import Change
from crm.kernel.errors import Fault
from crm.notifications import service as notifications
from crm.orders import service as orders
from crm.touchpoints import service as touchpoints
from crm.touchpoints.service import OrderOfCart

ASIDE: Final[dict[touchpoints.Claim | None, str]] = {
    None: "",
    touchpoints.Claim.HELD: "",
    touchpoints.Claim.ANOTHERS: "; the visitor is another customer's, who was identified earlier",
    touchpoints.Claim.TOO_MANY: "; the visitor is not the customer's, who was 20 visitors already",
}
"""What an effect says beside, of the visitor whom the event names."""
MOST_TOLD = 10  # of what was ignored: a receipt is kept for good


class Effect(Struct, frozen=True):
    """What an event did. `unblocked`: events that waited for this one; `ignored`: what it says that had no effect."""

    text: str
    customer_id: str | None = None
    waits: bool = False
    unblocked: Sequence[str] = ()
    ignored: Sequence[Fault] = ()

    def told(self) -> str:
        """For whoever asks what became of the event: "order version 1; ignored customer.attributes.shoe: RETIRED"."""
        codes = [f"{fault.path}: {fault.code}" for fault in self.ignored[:MOST_TOLD]]
        if more := len(self.ignored) - len(codes):
            codes.append(f"and {more} more")
        return f"{self.text}; ignored {', '.join(codes)}" if codes else self.text


class Arrival(Struct, frozen=True):
    """An event at the moment it is applied."""

    envelope: Envelope[Any]
    now: datetime
    replayed: bool
    by_app: bool = False

    @property
    def cause(self) -> str:
        return f"event:{self.envelope.id}"

    @property
    def shop(self) -> str:
        return self.envelope.shop

    @property
    def who(self) -> CustomerPart:
        assert self.envelope.customer is not None  # parsing refuses an event that needs it and has none
        return self.envelope.customer

    @property
    def told(self) -> touchpoints.Told:
        envelope = self.envelope
        return touchpoints.Told(
            envelope.id, self.cause, envelope.occurred_at, self.now, self.replayed, by_app=self.by_app
        )


def add(change: Change, arrival: Arrival) -> Effect:
    """Add to `change` everything that the event does. Raises the refusals of the areas it touches."""
    return EFFECTS[type(arrival.envelope.data)](change, arrival)


def _customer_updated(change: Change, arrival: Arrival) -> Effect:
    """Also what only says a consent may bring a new address or name. A topic too many keeps nothing beside it from
    being heard.
    """
    identified, aside = _identified(change, arrival)
    data: CustomerData | ConsentData = arrival.envelope.data
    customer_id = identified.customer.customer_id
    given = words.consents_given(data.consents, arrival.envelope.source)
    beyond = consent.record(
        change,
        arrival.shop,
        customer_id,
        given,
        actor=Actor(Role.SERVICE, arrival.envelope.source),
        cause=arrival.cause,
        occurred_at=arrival.envelope.occurred_at,
        now=arrival.now,
        replayed=arrival.replayed,
    )
    unheard = [consent.no_room(given[number], f"data.consents[{number}].topic") for number in beyond]
    without = f", without {_grouped(unheard)}" if unheard else ""
    return Effect(f"customer{without}{aside}", customer_id, ignored=identified.ignored)


def _grouped(faults: Sequence[Fault]) -> str:
    """Each message once, behind the paths that it is about."""
    messages = dict.fromkeys(fault.message for fault in faults)
    return "; ".join(
        f"{', '.join(fault.path for fault in faults if fault.message == message)} {message}" for message in messages
    )


def _address_suppressed(change: Change, arrival: Arrival) -> Effect:
    """An address is nobody's here: a customer that the event might name is left alone. Of a message that was sent to it
    the end is told.
    """
    source, data = arrival.envelope.source, arrival.envelope.data
    consent.suppress(
        change,
        arrival.shop,
        words.suppression_given(data, source),
        actor=Actor(Role.SERVICE, source),
        cause=arrival.cause,
        occurred_at=arrival.envelope.occurred_at,
        now=arrival.now,
        replayed=arrival.replayed,
    )
    if data.message is None:
        return Effect("suppression")
    message = notifications.end(
        change,
        arrival.shop,
        data.message.customer_id,
        data.message.message_id,
        reason=data.reason,
        at=arrival.envelope.occurred_at,
        cause=arrival.cause,
    )
    return Effect(f"suppression; the message is {message.status if message else 'none that was sent'}")


def _order_changed(change: Change, arrival: Arrival) -> Effect:
    version = words.order_version(arrival.envelope.data, arrival.envelope.occurred_at)
    ref = orders.reference(arrival.shop, version.order_id)
    identified, aside = _identified(change, arrival, owner=ref.customer_id)
    recorded = orders.record(
        change,
        ref,
        identified.customer,
        identified.heads,
        version,
        cause=arrival.cause,
        now=arrival.now,
        replayed=arrival.replayed,
    )
    if recorded.taken:
        came_of = version.cart_id if version.status != orders.CANCELLED else None
        touchpoints.order_cart(
            change,
            arrival.shop,
            identified.customer.customer_id,
            OrderOfCart(version.order_id, version.placed_at, came_of, before=recorded.cart_before),
            arrival.told,
        )
    text = f"{recorded.effect}{aside}"
    return Effect(text, recorded.customer_id, unblocked=recorded.unblocked, ignored=identified.ignored)


def _refund_created(change: Change, arrival: Arrival) -> Effect:
    """The order says whose refund it is, and a refund says nothing about a customer: else it would say more after its
    order than before.
    """
    data: RefundData = arrival.envelope.data
    given = words.refund_given(data, arrival.envelope.occurred_at, arrival.envelope.id)
    ref = orders.reference(arrival.shop, data.order_id)
    recorded = orders.refund(
        change, arrival.shop, ref, given, cause=arrival.cause, now=arrival.now, replayed=arrival.replayed
    )
    return Effect(recorded.effect, recorded.customer_id, waits=recorded.waits)


def _seen(change: Change, arrival: Arrival) -> Effect:
    envelope, who = arrival.envelope, arrival.who
    seen = words.touchpoint_seen(envelope.type, envelope.data)
    if (visitor_id := words.visitor_alone(who, envelope.source)) is not None:
        known = touchpoints.record_of_visitor(change, arrival.shop, visitor_id, seen, arrival.told)
        return Effect(f"touchpoint {seen.type} of a visitor", known)
    identified = _customer(change, arrival)
    customer_id = identified.customer.customer_id
    claim = touchpoints.record(change, arrival.shop, customer_id, seen, arrival.told, visitor_id=who.anonymous_id)
    return Effect(f"touchpoint {seen.type}{ASIDE[claim]}", customer_id, ignored=identified.ignored)


def _feedback_received(change: Change, arrival: Arrival) -> Effect:
    identified, aside = _identified(change, arrival)
    data: FeedbackData = arrival.envelope.data
    feedback.record(
        change,
        arrival.shop,
        identified.customer.customer_id,
        feedback.FeedbackGiven(data.score, data.comment, data.order_id),
        response_id=arrival.envelope.id,
        cause=arrival.cause,
        occurred_at=arrival.envelope.occurred_at,
        now=arrival.now,
        replayed=arrival.replayed,
    )
    return Effect(f"feedback{aside}", identified.customer.customer_id, ignored=identified.ignored)


def _identified(change: Change, arrival: Arrival, *, owner: str | None = None) -> tuple[Identified, str]:
    """The customer whom the event is about; if it names a visitor beside, that is who the visitor was, or why not."""
    identified = _customer(change, arrival, owner=owner)
    claim = None
    if arrival.who.anonymous_id is not None:
        customer_id = identified.customer.customer_id
        claim = touchpoints.identify(change, arrival.shop, arrival.who.anonymous_id, customer_id, arrival.told)
    return identified, ASIDE[claim]


def _customer(change: Change, arrival: Arrival, *, owner: str | None = None) -> Identified:
    envelope = arrival.envelope
    return customers.identify(
        change,
        envelope.shop,
        words.customer_words(arrival.who, envelope.source, owner=owner),
        said=msgspec.to_builtins(arrival.who.attributes),
        source=envelope.source,
        cause=arrival.cause,
        occurred_at=envelope.occurred_at,
        now=arrival.now,
        replayed=arrival.replayed,
    )


EFFECTS: dict[type[msgspec.Struct], Callable[[Change, Arrival], Effect]] = {
    CustomerData: _customer_updated,
    ConsentData: _customer_updated,
    SuppressionData: _address_suppressed,
    OrderData: _order_changed,
    RefundData: _refund_created,
    VisitData: _seen,
    ProductData: _seen,
    CartData: _seen,
    CheckoutData: _seen,
    CustomData: _seen,
    FeedbackData: _feedback_received,
}
