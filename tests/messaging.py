# tests/messaging.py
"""What plan_messages and deliver_message are handed by their queues, and what reached the provider."""

import json
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from crm.consent import service as consent
from crm.customers import service as customers
from crm.kernel import aws, clock
from crm.kernel.actor import SYSTEM
from crm.kernel.change import Change, retrying
from crm.kernel.domain_events import DomainEvent
from crm.kernel.publishing import SOURCE
from crm.notifications import mail, service
from crm.notifications.events import MessagePlanned
from crm.notifications.service import Message
from crm.orders import service as orders
from crm.orders.events import OrderRecorded
from functions.notifications.deliver_message import handler as deliver_handler
from functions.notifications.plan_messages import handler as plan_handler
from tests import shop_events
from tests.conftest import NOW


def consenting(external_id: str = "ann", *, state: str | None = "granted", shop: str = "demo", **fields: Any) -> str:
    """A customer with an address who has said yes to e-mail marketing (or no, or nothing)."""
    words = customers.Words(
        external_ids={"shopify": external_id},
        fields={"first_name": "Ann", "email": f"{external_id}@example.com"} | fields,
    )
    customer_id = customers.create(shop, words, now=NOW).customer_id
    if state:
        say(customer_id, state, cause="event:signup", shop=shop)
    return customer_id


def say(customer_id: str, state: str, *, cause: str, at: datetime = NOW, shop: str = "demo") -> None:
    def attempt() -> None:
        change = Change(NOW)
        given = [consent.ConsentGiven("email", "marketing", state, "test")]
        consent.record(
            change, shop, customer_id, given, actor=SYSTEM, cause=cause, occurred_at=at, now=NOW, replayed=False
        )
        change.commit()

    retrying(attempt)


def recorded(order_id: str = "o1", /, *, replay: bool = False, shop: str = "demo", **event: Any) -> OrderRecorded:
    """Let a shop's order be taken in, placed just now unless `event` says otherwise; return what is published of it."""
    event = {"placedAt": clock.text(clock.now())} | event
    assert shop_events.deliver(shop_events.placed(order_id, shop=shop, **event), replay=replay) == []
    return OrderRecorded.of(orders.get(shop, order_id))


def record(event: DomainEvent | dict[str, Any], number: int = 0) -> dict[str, Any]:
    body = event if isinstance(event, dict) else wrapped(event)
    return {"messageId": f"m{number}", "eventSource": "aws:sqs", "body": json.dumps(body)}


def wrapped(event: DomainEvent) -> dict[str, Any]:
    return {"source": SOURCE, "detail-type": event.detail_type, "detail": event.detail()}


def plan(*events: DomainEvent | dict[str, Any]) -> list[str]:
    """Hand events to the function; return the ids of the records it wants to see again."""
    records = [record(event, number) for number, event in enumerate(events)]
    answer = plan_handler({"Records": records}, None)  # type: ignore[arg-type]
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def deliver(*events: DomainEvent | dict[str, Any]) -> list[str]:
    records = [record(event, number) for number, event in enumerate(events)]
    answer = deliver_handler({"Records": records}, None)  # type: ignore[arg-type]
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def thank_you(customer_id: str) -> Message:
    message = service.get_message("demo", customer_id, f"customer:{customer_id}:thank_you")
    assert message is not None
    return message


def outcome(customer_id: str) -> tuple[str, str | None]:
    message = thank_you(customer_id)
    return message.status, message.reason


def announced(customer_id: str) -> MessagePlanned:
    event = MessagePlanned.of(thank_you(customer_id))
    assert event is not None
    return event


def refused(code: str, status: int) -> ClientError:
    """An answer of SES, which may name the recipient."""
    answer: Any = {
        "Error": {"Code": code, "Message": "not ann@example.com"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, "SendEmail")


def failing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Let every call of the provider end so."""

    class Failing:
        def send_email(self, **_: Any) -> None:
            raise error

    monkeypatch.setattr(mail, "ses_client", Failing)


class Provider:
    """SES as moto plays it, with what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        client = aws.ses_client()
        client.create_email_identity(EmailIdentity="shop@example.com")
        client.meta.events.register("provide-client-params.sesv2.SendEmail", self._note)

    def _note(self, params: dict[str, Any], **_: Any) -> None:
        self.asked.append(params)
