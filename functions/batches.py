# functions/batches.py
"""A batch from a queue: each record succeeds or fails by itself, and a failure is told, which Powertools leaves out."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    FailureResponse,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from crm.kernel.errors import CrmError

logger = Logger()


class SqsBatch(BatchProcessor):
    def __init__(self) -> None:
        super().__init__(event_type=EventType.SQS, raise_on_entire_batch_failure=False)

    def failure_handler(self, record: Any, exception: Any) -> FailureResponse:
        error = exception[1]
        told: dict[str, Any] = {"message_id": record.message_id}
        if isinstance(error, CrmError):
            logger.warning("record refused", extra=told | {"code": error.code, "field": error.field})
        else:
            logger.error("record failed", exc_info=exception, extra=told)
        return super().failure_handler(record, exception)


def answer(event: dict[str, Any], context: LambdaContext, take: Callable[[SQSRecord], None]) -> dict[str, Any]:
    """Give each record to `take`; name those that failed, which the queue delivers again and at last dead-letters."""
    answered = process_partial_response(event=event, record_handler=take, processor=SqsBatch(), context=context)
    return dict(answered)
