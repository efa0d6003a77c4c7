# api/events.py
"""Events over HTTP: up to a hundred envelopes a request, and what became of one."""

import asyncio
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import Response

from api.answers import BadRequest, error_response, json_response, read_json, request_id
from api.authentication import Authenticator
from api.charges import charge
from api.graphql import authenticated
from crm.customers.service import CustomerBlocked
from crm.kernel import clock
from crm.kernel.errors import NotFound
from schema.budget import Budgets
from schema.event import INGEST, MOST_EVENTS, take_in
from schema.limits import MUTATION_COST
from schema.principal import Kind, Principal
from schema.standing import refuse_barred

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crm.intake.service import Reason, Receipt, ReceivedEvent
    from crm.kernel.errors import Fault

MOST_BYTES: Final = 5_000_000
LONGEST_ID: Final = 128  # a longer one is no key, and names nothing


class EventsEndpoint:
    def __init__(self, authenticator: Authenticator, budgets: Budgets | None = None) -> None:
        self._authenticator = authenticator
        self._budgets = budgets

    async def accept(self, request: Request) -> Response:
        """POST one envelope, a list of them, or {"events": [...]}: 202 with a receipt for each.

        422 where none of them could be taken, or the body is no such thing; 404 where the token's shop does not exist;
        503 where the queue took none.
        """
        asked_id = request_id(request)
        try:
            principal = await self._sender(request)
            events = _listed(await read_json(request, most_bytes=MOST_BYTES, judged=True))
            await charge(self._budgets, principal, MUTATION_COST * len(events))
            await _refuse_barred(principal)
            receipts = await asyncio.to_thread(take_in, principal, events, now=clock.now())
        except BadRequest as error:
            return error_response(error, asked_id)
        except NotFound as error:
            return error_response(BadRequest(404, "NOT_FOUND", str(error)), asked_id)
        body = {"results": [_shown(receipt) for receipt in receipts], "requestId": asked_id}
        return json_response(body, _status(receipts), headers={"x-request-id": asked_id})

    async def status(self, request: Request) -> Response:
        """GET what became of an event; 404 while it is queued, and for whatever the caller's shop never sent."""
        asked_id = request_id(request)
        try:
            principal = await self._sender(request, apps=False)
            await charge(self._budgets, principal, 1)
        except BadRequest as error:
            return error_response(error, asked_id)
        event_id = request.path_params["event_id"]
        event = await asyncio.to_thread(_received, principal.shop, event_id)
        if event is None:
            return error_response(BadRequest(404, "NOT_FOUND", "No such event, or it is still queued."), asked_id)
        body = {
            "eventId": event.event_id,
            "type": event.type,
            "status": event.status,
            "effect": event.effect,
            "customerId": event.customer_id,
            "ignored": list(event.ignored or ()),
            "correlationId": event.correlation_id,
            "receivedAt": clock.text(event.received_at),
            "occurredAt": clock.text(event.occurred_at) if event.occurred_at else None,
            "reasons": [_fault(reason) for reason in event.reasons],
            "conflicts": {
                "count": len(event.rejected_hashes or ()),
                "rejectedAt": clock.text(event.rejected_at) if event.rejected_at else None,
                "reasons": [_fault(reason) for reason in event.rejected_reasons],
            },
        }
        return json_response(body, headers={"x-request-id": asked_id})

    async def _sender(self, request: Request, *, apps: bool = True) -> Principal:
        principal = await authenticated(self._authenticator, request)
        allowed = apps if principal.kind in {Kind.CUSTOMER, Kind.VISITOR} else INGEST in principal.scopes
        if not allowed and principal.kind in {Kind.CUSTOMER, Kind.VISITOR}:
            raise BadRequest(403, "FORBIDDEN", "This kind of token may not ask what became of an event.")
        if not allowed:
            raise BadRequest(403, "FORBIDDEN", f"This needs the scope {INGEST}.")
        return principal


async def _refuse_barred(principal: Principal) -> None:
    """Reads the store, so it is asked of whoever has paid. Raises BadRequest (403)."""
    try:
        await refuse_barred(principal)
    except CustomerBlocked as error:
        raise BadRequest(403, "CUSTOMER_BLOCKED", str(error)) from error


def _received(shop: str, event_id: str) -> "ReceivedEvent | None":
    from crm.intake import service  # late, as in schema/event.py

    return service.status(shop, event_id) if len(event_id) <= LONGEST_ID else None


def _listed(body: Any) -> list[Any]:
    if isinstance(body, dict):
        body = body["events"] if isinstance(body.get("events"), list) else [body]
    if not isinstance(body, list) or not 1 <= len(body) <= MOST_EVENTS:
        raise BadRequest(422, "INVALID_INPUT", f"The body must be 1 to {MOST_EVENTS} events.")
    return body


def _status(receipts: "Sequence[Receipt]") -> int:
    states = {receipt.status for receipt in receipts}
    if states == {"refused"}:
        return 422
    return 503 if states == {"retry"} else 202


def _shown(receipt: "Receipt") -> dict[str, Any]:
    faults = [_fault(fault) for fault in receipt.faults]
    return {"eventId": receipt.id, "status": receipt.status, "faults": faults, "ignored": list(receipt.ignored)}


def _fault(fault: "Fault | Reason") -> dict[str, str]:
    return {"path": fault.path, "code": fault.code, "message": fault.message}
