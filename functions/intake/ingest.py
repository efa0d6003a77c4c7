# functions/intake/ingest.py
"""SQS <- intake bus, POST /v1/events, the local sender: let each event have its effect.

An event that can never succeed is dead-lettered here, at once and with its reasons; one that was overtaken or met a
passing failure is left to the queue to deliver again.
"""

import json
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from crm.intake import service
from crm.kernel import clock, dead_letters
from crm.kernel.errors import CrmError, Stale
from functions import batches

logger = Logger()


def ingest(record: SQSRecord) -> None:
    now = clock.now()
    body = envelope_of(record.body)
    marks = {"replayed": marked(record, "replay"), "by_app": marked(record, "app")}
    try:
        outcome = service.apply(body, now=now, **marks)
    except Stale:
        raise
    except CrmError as refusal:
        reasons = dead_letters.reasons_of(refusal)
        service.bury(body, reasons, now=now, **marks)
        logger.warning(
            "event dead-lettered", extra={"message_id": record.message_id, "codes": [fault.code for fault in reasons]}
        )
    else:
        logger.info(
            "event", extra={"event_id": outcome.event_id, "effect": outcome.effect, "repeated": outcome.repeated}
        )


def marked(record: SQSRecord, name: str) -> bool:
    """By an attribute of the message, which neither an event nor a source on the bus can set."""
    attribute = record.message_attributes[name]
    return attribute is not None and attribute.string_value == "true"


def envelope_of(body: str) -> str:
    """The envelope: the body itself, or the detail of the bus event that the body is."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return body
    if isinstance(event, dict) and "detail-type" in event and "detail" in event:
        return service.written(event["detail"])
    return body


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return batches.answer(event, context, ingest)
