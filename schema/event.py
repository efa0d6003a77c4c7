# schema/event.py
"""Events in, for callers of the API: who may send what, and what became of it. Both doors (GraphQL, REST) use it."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import strawberry
from msgspec.structs import replace
from strawberry.scalars import JSON

from crm.kernel import compact_json
from crm.kernel.errors import Fault, InvalidInputs
from crm.kernel.texts import UNPRINTABLE
from schema.access import ingest, signed_in
from schema.connections import about, as_many_as
from schema.context import GIVEN, Info, stored
from schema.errors import AnswersRefusals, UserError
from schema.principal import VISITOR_ID, Kind, Principal

if TYPE_CHECKING:
    from crm.intake.service import Receipt

INGEST: Final = "events:write"
MOST_EVENTS: Final = 100
BEHAVIOUR: Final = frozenset({
    "cart.updated", "checkout.started", "custom.recorded", "product.viewed", "visit.started",
})  # fmt: skip
OF_APPS: Final = BEHAVIOUR | {"feedback.received"}
"""What apps may tell with a customer's token: that customer's behaviour, never orders or money."""
OF_A_VISITOR: Final = re.compile(rf"{VISITOR_ID}_[0-9a-z]{{26}}")
NOT_YOURS: Final = Fault("customer", "FORBIDDEN", "is whom the token is for: leave it out")
LONGEST_ID: Final = 128  # as the schemas of the events have it
LARGEST: Final = 5_000
LARGEST_OF: Final = dict.fromkeys(("cart.updated", "checkout.started", "feedback.received"), 12_000)
"""Bytes of JSON of an app's `data`: 200 lines of a cart; a comment of 2,000 characters of four bytes. What an app tells
is kept for good, three times over with its entries in local indexes, and a customer holds 10 GB (decision 0049).
"""


def take_in(principal: Principal, events: Sequence[Any], *, now: datetime) -> "list[Receipt]":
    """A receipt for each event, in order. Blocks. Raises InvalidInputs for none, and for more than 100; NotFound where
    the caller's shop does not exist.

    What apps send is about their own customer or visitor: an event that names nobody is made to, one that names anybody
    else is refused. Its id is made one of theirs, since the first event under an id has it for good: an app must not be
    able to take those of the shop's orders. Receipts name the ids as they were sent. A customer's app may name beside
    them a visitor whom the gateway made: nobody guesses such an id, so the device was theirs.
    """
    from crm.intake import service  # late: a gateway that is asked first starts without the event types

    if not events:
        raise InvalidInputs([Fault("events", "REQUIRED", "must hold an event at least")])
    if principal.kind not in {Kind.CUSTOMER, Kind.VISITOR}:
        return service.accept(principal.shop, events, now=now)
    judged = [_of_app(principal, event) for event in events]
    admitted = [event for event, fault in judged if fault is None]
    receipts = iter(service.accept(principal.shop, admitted, now=now, by_app=True))
    return [
        replace(next(receipts), id=_id_of(sent))
        if fault is None
        else service.Receipt(_id_of(sent), service.REFUSED, [fault])
        for sent, (_, fault) in zip(events, judged, strict=True)
    ]


def _of_app(principal: Principal, event: Any) -> tuple[Any, Fault | None]:
    from crm.intake import service  # late, as above

    if not isinstance(event, dict) or event.get("type") not in service.TYPES:
        return event, None  # refused by its schema, with everything that is wrong with it
    may_send = OF_APPS if principal.kind is Kind.CUSTOMER else BEHAVIOUR
    if event["type"] not in may_send:
        return event, Fault("type", "FORBIDDEN", f"apps may send {', '.join(sorted(may_send))}")
    who = _size_fault(event) or _who(principal, {} if event.get("customer") is None else event["customer"])
    if isinstance(who, Fault):
        return event, who
    named = {**event, "customer": who}
    event_id = _id_of(event)
    if not event_id:
        return named, None  # refused by its schema
    own = principal.customer_id or principal.visitor_id
    before = f"{service.OF_AN_APP}{own}."  # neither's ids have a dot: no two people's events meet
    if len(before + event_id) > LONGEST_ID:
        return event, Fault("id", "TOO_LONG", f"must have at most {LONGEST_ID - len(before)} characters")
    return named | {"id": before + event_id}, None


def _size_fault(event: dict[str, Any]) -> Fault | None:
    most = LARGEST_OF.get(event["type"], LARGEST)
    # What has half a character in it is refused as no JSON.
    if len(compact_json.text(event.get("data")).encode(errors="replace")) > most:
        return Fault("data", "TOO_LARGE", f"must have {most:,} bytes of JSON at most in an app's event of this type")
    return None


def _who(principal: Principal, said: Any) -> dict[str, Any] | Fault:
    """Whom an app's event is about, or what is wrong with what it says of that."""
    if not isinstance(said, dict):
        return NOT_YOURS
    if principal.kind is Kind.VISITOR:
        own = {"anonymousId": principal.visitor_id}
        return own if said in ({}, own) else NOT_YOURS
    own = {"id": principal.customer_id}
    visitor_id = said.get("anonymousId")
    if visitor_id is not None:
        if not isinstance(visitor_id, str) or not OF_A_VISITOR.fullmatch(visitor_id):
            return Fault("customer.anonymousId", "INVALID", "must be a visitor's id as POST /v1/visitors gave it")
        own |= {"anonymousId": visitor_id}
    return own if said in (own, {"anonymousId": visitor_id}, {}) else NOT_YOURS


def _id_of(event: Any) -> str | None:
    event_id = event.get("id") if isinstance(event, dict) else None
    return event_id if isinstance(event_id, str) and not UNPRINTABLE.search(event_id) else None


@strawberry.type(description="One thing wrong with an event.", directives=signed_in())
class EventFault:
    path: str = strawberry.field(description="Where, as a dotted path.")
    code: str = strawberry.field(description="What to switch on.")
    message: str = strawberry.field(description="For developers.")


@strawberry.type(description="The answer for one event.", directives=signed_in())
class EventResult:
    event_id: str | None = strawberry.field(description="The event's own `id` as it was sent, where it has one; plain.")
    status: str = strawberry.field(
        description="`queued`, `refused` (the faults say why), or `retry` (send it again later)."
    )
    faults: list[EventFault] = strawberry.field(description="Everything wrong with it.", directives=[about(5)])
    ignored: list[str] = strawberry.field(
        description=(
            "Of a queued event, the paths of fields that its type does not know, such as `data.skuu`; 20 at most. They "
            "have no effect, and hold up nothing."
        ),
        directives=[about(1)],
    )

    @classmethod
    def of(cls, receipt: "Receipt") -> "EventResult":
        faults = [EventFault(path=fault.path, code=fault.code, message=fault.message) for fault in receipt.faults]
        return cls(event_id=receipt.id, status=receipt.status, faults=faults, ignored=list(receipt.ignored))


@strawberry.input(description="Events to take in.")
class EventsIngestInput:
    events: list[JSON | None] = strawberry.field(
        description=(
            "Envelopes as in schema/events/*.json, 1 to 100. Their ids make repeats harmless. An id that an app "
            "sends is its customer's own (93 characters at most) and is stored as `app.<customer id>.<id>`."
        )
    )


@strawberry.type(description="A result for each event, in their order.", directives=signed_in())
class EventsIngestPayload:
    results: list[EventResult] = strawberry.field(default_factory=list, description="A bad event holds up no other.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type
class EventMutation:
    @strawberry.mutation(
        description=(
            "Take in events; what becomes of each is told under `GET /v1/events/{id}` to services and staff, for an "
            "app's by the id it is stored under."
        ),
        extensions=[AnswersRefusals()],
        directives=[*ingest(INGEST), as_many_as("input.events", most=MOST_EVENTS, below=["results"])],
    )
    async def events_ingest(self, info: Info, input: Annotated[EventsIngestInput, GIVEN]) -> EventsIngestPayload:
        receipts = await stored(take_in, info.context.principal, input.events, now=info.context.now)
        return EventsIngestPayload(results=[EventResult.of(receipt) for receipt in receipts])
