# crm/feedback/service.py
"""What customers answer: the only door into this area."""

import hashlib
import json
from datetime import datetime

from msgspec import Struct
from msgspec.structs import asdict

from crm.customers import service as customers
from crm.feedback import nps, repository
from crm.feedback.models import FeedbackHead, FeedbackResponse
from crm.kernel import clock, texts
from crm.kernel.change import Change, retrying
from crm.kernel.errors import Fault, InvalidInputs, KeyReused, NotFound
from crm.orders.service import Order
from crm.shops import service as shops

__all__ = [
    "FeedbackGiven", "FeedbackHead", "FeedbackResponse", "faults_of_call", "get_many", "record", "responses", "submit",
]  # fmt: skip

NPS = "nps"
LONGEST_COMMENT = 2_000  # characters
LONGEST_KEY = 100

get_many = repository.get_many


class FeedbackGiven(Struct, frozen=True):
    """An answer: how likely the customer is to recommend the shop, from 0 to 10, and why."""

    score: int
    comment: str | None = None
    order_id: str | None = None
    survey: str = NPS


def record(
    change: Change,
    shop: str,
    customer_id: str,
    given: FeedbackGiven,
    *,
    response_id: str,
    cause: str,
    occurred_at: datetime,
    now: datetime,
    replayed: bool,
) -> FeedbackResponse:
    """Add to `change`: the response, and the head it moves.

    `response_id` follows from the cause (the event's id). The order need not be known yet: it may come later than its
    feedback. The commit raises Stale where another answer was recorded meanwhile. Raises InvalidInputs.
    """
    faults = _faults(given)
    if faults:
        raise InvalidInputs(faults)
    response = FeedbackResponse.of(shop, customer_id, response_id, occurred_at=occurred_at)
    response.survey, response.order_id = given.survey, given.order_id
    response.score, response.group = given.score, nps.group(given.score)
    response.comment = (given.comment or "").strip() or None
    response.answered_on = clock.local_day(occurred_at, shops.current(shop, now=now).zone).isoformat()
    response.recorded_at = now
    response.rev, response.cause, response.replayed = 1, cause, replayed
    change.once(response)
    head = repository.get_head(shop, customer_id) or FeedbackHead.of(shop, customer_id)
    _count(head, response)
    change.revise(head)
    return response


def submit(
    shop: str, customer_id: str, given: FeedbackGiven, *, idempotency_key: str, now: datetime, own: bool = False
) -> tuple[FeedbackResponse, bool]:
    """Record an answer given through the API; return it, and whether an earlier call with this key recorded it.
    `own`: the customer gives it, not somebody for them.

    A key is one customer's, for good. Raises InvalidInputs; NotFound where the customer, or the order among their
    orders, does not exist, and CustomerDeleted; CustomerBlocked where the customer takes no part and it is their own
    (who is blocked may still have told the shop something); KeyReused where the key came with another answer before.
    """
    if wrong := faults_of_call(given, idempotency_key):
        raise InvalidInputs(wrong)
    arguments = _hash(asdict(given))
    # A response's id is one of the whole shop's: KPIs know the answer by it. Customers may choose the same key.
    response_id = f"fbk_{_hash([customer_id, idempotency_key])[:26]}"

    def attempt() -> FeedbackResponse | None:
        customer = customers.get(shop, customer_id, themselves=own)
        change = Change(now)
        response = record(
            change,
            shop,
            customer_id,
            given,
            response_id=response_id,
            cause=f"feedback:{response_id}:submit",
            occurred_at=now,
            now=now,
            replayed=False,
        )
        response.arguments_hash = arguments
        change.unchanged(customer)
        if given.order_id is not None:
            order = Order.of(shop, customer_id, given.order_id)
            missing = NotFound("This customer has no such order.", field="order_id")
            change.check(order, when=Order.sk.exists(), otherwise=missing)
        return response if change.commit() else None

    response = retrying(attempt)
    if response is not None:
        return response, False
    stored = repository.get_response(shop, customer_id, response_id)
    if stored is None:
        raise NotFound("The answer was removed.")
    if stored.arguments_hash != arguments:
        raise KeyReused("This key came with another answer before.", field="idempotency_key")
    return stored, True


def faults_of_call(given: FeedbackGiven, idempotency_key: str) -> list[Fault]:
    """Everything wrong with an answer given through the API."""
    return [*_faults(given), *texts.faults("idempotency_key", idempotency_key, longest=LONGEST_KEY)]


def responses(shop: str, customer_id: str, *, before: str | None = None, limit: int) -> list[FeedbackResponse]:
    """At most `limit`, newest first, from behind the timeline key `before`."""
    return repository.list_newest(shop, customer_id, before=before, limit=limit)


def _count(head: FeedbackHead, response: FeedbackResponse) -> None:
    head.response_count = int(head.response_count) + 1
    head.cause, head.replayed = response.cause, response.replayed
    # Two at one instant: the ids decide, so that any order of arrival ends alike.
    latest = (head.latest_at, head.latest_response_id)
    if head.latest_at is None or (response.occurred_at, response.response_id) > latest:
        head.latest_at, head.latest_response_id = response.occurred_at, response.response_id
        head.latest_score = int(response.score)


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _faults(given: FeedbackGiven) -> list[Fault]:
    faults = []
    if type(given.score) is not int or not nps.LOWEST <= given.score <= nps.HIGHEST:
        faults.append(Fault("score", "INVALID", f"must be a whole number from {nps.LOWEST} to {nps.HIGHEST}"))
    if given.comment is not None and len(given.comment) > LONGEST_COMMENT:
        faults.append(Fault("comment", "TOO_LONG", f"must not exceed {LONGEST_COMMENT} characters"))
    if given.survey != NPS:
        faults.append(Fault("survey", "INVALID", f"must be {NPS}"))
    return faults
