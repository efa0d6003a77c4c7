# functions/intake/ingest.py
"""SQS <- intake bus, default bus (`aws.ses`), POST /v1/events, the local sender: let each event have its effect.

An event that can never succeed is dead-lettered here, at once and with its reasons; one that was overtaken or met a
passing failure is left to the queue to deliver again.
"""

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
    marks = {"replayed": marked(record, "replay"), "by_app": marked(record, "app")}
    try:
        bodies = service.envelopes(record.body)
    except CrmError as refusal:
        bury(record, record.body, refusal, **marks)
        return
    for body in bodies:
        try:
            outcome = service.apply(body, now=clock.now(), **marks)
        except Stale:
            raise
        except CrmError as refusal:
            bury(record, body, refusal, **marks)
        else:
            logger.info(
                "event", extra={"event_id": outcome.event_id, "effect": outcome.effect, "repeated": outcome.repeated}
            )


def bury(record: SQSRecord, body: str, refusal: CrmError, **marks: bool) -> None:
    reasons = dead_letters.reasons_of(refusal)
    service.bury(body, reasons, now=clock.now(), **marks)
    logger.warning(
        "event dead-lettered", extra={"message_id": record.message_id, "codes": [fault.code for fault in reasons]}
    )


def marked(record: SQSRecord, name: str) -> bool:
    """By an attribute of the message, which neither an event nor a source on the bus can set."""
    attribute = record.message_attributes[name]
    return attribute is not None and attribute.string_value == "true"


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return batches.answer(event, context, ingest)
