# functions/batches.py
"""A batch from a queue: each record succeeds or fails by itself, and a failure is told, which Powertools leaves out.
What is written, sent or logged for a record says what it is done for.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    FailureResponse,
    SuccessResponse,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from crm.kernel import correlation
from crm.kernel.domain_events import CORRELATION
from crm.kernel.errors import CrmError, without_words
from crm.kernel.publishing import SOURCE

logger = Logger()


class SqsBatch(BatchProcessor):
    def __init__(self) -> None:
        super().__init__(event_type=EventType.SQS, raise_on_entire_batch_failure=False)

    def _process_record(self, record: dict[str, Any]) -> SuccessResponse | FailureResponse:
        with correlation.bound(correlation_of(record)):
            return super()._process_record(record)

    def failure_handler(self, record: Any, exception: Any) -> FailureResponse:
        error = exception[1]
        told: dict[str, Any] = {"message_id": record.message_id}
        if isinstance(error, CrmError):
            logger.warning("record refused", extra=told | {"code": error.code, "field": error.field})
        else:
            logger.error("record failed: %s", without_words(error), extra=told)
        return super().failure_handler(record, exception)


def answer(event: dict[str, Any], context: LambdaContext, take: Callable[[SQSRecord], None]) -> dict[str, Any]:
    """Give each record to `take`; name those that failed, which the queue delivers again and at last dead-letters."""
    answered = process_partial_response(event=event, record_handler=take, processor=SqsBatch(), context=context)
    return dict(answered)


def correlation_of(record: Mapping[str, Any]) -> str:
    """What the message says itself; of a domain event, what that says; else the bus's id of an event, or the queue's of
    the message. What a source writes into its envelope is not asked.
    """
    message_id = str(record["messageId"])
    given = (record.get("messageAttributes") or {}).get(correlation.ATTRIBUTE, {}).get("stringValue")
    if given:
        return str(given)
    try:
        event = json.loads(record["body"])
    except (ValueError, RecursionError):
        return message_id
    if not isinstance(event, dict) or "detail-type" not in event:
        return message_id
    detail = event.get("detail")
    told = detail.get(CORRELATION) if event.get("source") == SOURCE and isinstance(detail, dict) else None
    return str(told or event.get("id") or message_id)
